"""The one place for what a profile of the gate asks: its scenes, what each must hold, its criteria and their limits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.core.stats import tries_needed
from woolly_mcpdiag.core.verdicts import Level
from woolly_mcpdiag.gate.wording import did_you_mean

OutageKind = Literal["", "refused", "blackhole", "frozen", "restart"]
CriterionId = Literal["zero-400", "parallel-success", "degradation", "sub-second", "error-logging"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneSpec:
    """A part of the run that a profile needs; its name is in ``Series.scene`` and in ``Scene.name``."""

    name: str
    what: str
    """What happens, in words."""
    holds: tuple[str, ...]
    """What the run log must hold of it."""
    size: int = 5
    """Agent runs at once."""
    waves: int = 0
    """0 for an outage."""
    claim: float = 0.01
    """Rate per wave that a clean scene rules out."""
    outage: OutageKind = ""
    seconds: float = 0.0
    """Of an outage with the recovery after it."""
    steady: float = 0.5
    """Seconds of calls before an outage."""
    gone: float = 1.9
    """Seconds that the server is away; longer than a call may take, so that deadlines show."""
    hurts: bool = True
    """False for an outage that a good client may ride out unseen: no call must fail, no breaker open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """What must hold, and in which scenes it is looked at."""

    id: CriterionId
    title: str
    scenes: tuple[str, ...]
    level: Level = "error"
    confidence: float | None = None
    """``None`` takes that of the profile."""
    claim: float | None = None
    """``None`` takes that of the scene."""
    limit: float | None = None
    """Seconds: of the percentile (sub-second), or until recovery (degradation; ``None`` takes the rehearsal's own)."""
    quantile: float = 0.95
    strict: bool = False
    """Count refused probes of the era as 400s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named set of criteria with the scenes they need."""

    name: str
    confidence: float
    claim: float
    scenes: tuple[SceneSpec, ...]
    criteria: tuple[Criterion, ...]
    agent_types: tuple[str, ...] = ()
    """Types that must have run; empty takes those that did."""

    def scene(self, name: str) -> SceneSpec:
        """Return a scene. Raises ``UsageError`` with the nearest name."""
        found = next((scene for scene in self.scenes if scene.name == name), None)
        if found is None:
            names = [scene.name for scene in self.scenes]
            raise _no_such(name, names, what="scene")
        return found

    def needed_scenes(self) -> tuple[SceneSpec, ...]:
        """Return the scenes that its criteria look at, in their order."""
        wanted = {name for criterion in self.criteria for name in criterion.scenes}
        return tuple(scene for scene in self.scenes if scene.name in wanted)


WAVE_HOLDS = (
    "calls of agent runs or of tools with their agent type, under this scene",
    "answers as the wire had them, refused probes of the era marked benign",
    "counters waves, waves_failed, waves_400",
)
OUTAGE_HOLDS = ("facts.outage: see gate.facts.OutageFacts", "facts.logging: see gate.facts.LoggingFacts")
SMALL, LARGE = "waves-5", "waves-20"
OUTAGES = ("outage-refused", "outage-blackhole", "outage-frozen", "outage-restart")
JUDGED = "judged"
"""Where the workload of a run's record holds the profile that it was judged by."""
MCP = "mcp-"
"""Before the name of a scene of waves: the same on the MCP server, where the agents are run as well."""
LARGE_CLAIM = 5
"""The claim for large waves is so many times wider: they cost four times as much and come on top."""
_WHAT = {
    "refused": "connections are refused",
    "blackhole": "connections are taken and never answered",
    "frozen": "running answers stop",
    "restart": "the server is restarted and has forgotten its sessions",
}


def phase4(*, confidence: float = 0.95, claim: float = 0.01, waves: int | None = None, strict: bool = False) -> Profile:
    """Return the five criteria of the design's last step.

    ``waves`` replaces the number of small waves that the claim needs. Raises ``UsageError`` for a rate outside 0 to 1.
    """
    for name, rate in (("confidence", confidence), ("claim", claim)):
        if not 0 < rate < 1:
            message = f"--{name}: {rate:g} is not between 0 and 1"
            raise UsageError(message, "write such as 0.95, or 95%")
    if waves is not None and waves < 1:
        message = f"--waves: {waves} is less than one"
        raise UsageError(message)
    wide = min(LARGE_CLAIM * claim, 0.5)
    both = (SMALL, LARGE)
    return Profile(
        name="phase4",
        confidence=confidence,
        claim=claim,
        scenes=(
            _waves(SMALL, 5, waves or tries_needed(claim, confidence), claim),
            _waves(LARGE, 20, tries_needed(wide, confidence), wide),
            *(_outage(name) for name in OUTAGES),
        ),
        criteria=(
            Criterion(id="zero-400", title="no MCP request is answered 400", scenes=both, strict=strict),
            Criterion(id="parallel-success", title="every agent run succeeds in parallel", scenes=both),
            Criterion(id="degradation", title="an outage hurts in a graceful way", scenes=OUTAGES),
            Criterion(id="sub-second", title="p95 below 1 s for every agent type", scenes=(SMALL,), limit=1.0),
            Criterion(id="error-logging", title="every failure is in the log with its cause", scenes=OUTAGES),
        ),
    )


def to_row(whole: Profile) -> dict[str, Any]:
    """Return a profile as plain JSON, for the record of a run that was judged by it."""
    return asdict(whole)


def from_row(row: Mapping[str, Any]) -> Profile:
    """Read what ``to_row`` gave; raises ``ValueError`` where it is no profile of this version."""
    try:
        scenes = tuple(SceneSpec(**{**each, "holds": tuple(each["holds"])}) for each in row["scenes"])
        criteria = tuple(Criterion(**{**each, "scenes": tuple(each["scenes"])}) for each in row["criteria"])
        types = tuple(row["agent_types"])
        return Profile(**{**row, "scenes": scenes, "criteria": criteria, "agent_types": types})
    except (KeyError, TypeError) as error:
        message = f"profile: {error}"
        raise ValueError(message) from error


def for_targets(whole: Profile, kinds: Iterable[str]) -> Profile:
    """Return a profile for what is there: with both an agents API and an MCP server, 400s are looked for on the latter.

    The answers that agents get from their MCP server are not seen from outside.
    """
    if not {"agent", "mcp"} <= set(kinds):
        return whole
    waves = [scene for scene in whole.scenes if scene.waves]
    more = [_of_mcp(whole, scene) for scene in waves]
    names = {scene.name for scene in waves}
    criteria = [
        replace(each, scenes=tuple(MCP + name if name in names else name for name in each.scenes))
        if each.id == "zero-400"
        else each
        for each in whole.criteria
    ]
    at = len(waves)
    return replace(whole, scenes=(*whole.scenes[:at], *more, *whole.scenes[at:]), criteria=tuple(criteria))


def _of_mcp(whole: Profile, scene: SceneSpec) -> SceneSpec:
    """Return the scene as it is played on the MCP server; 400s are judged over all waves, so half the large ones do."""
    named = replace(scene, name=MCP + scene.name, what=scene.what.replace("agent runs", "MCP sessions"))
    asked = any(each.id == "zero-400" and (each.claim or each.confidence) for each in whole.criteria)
    fewer = tries_needed(min(2 * scene.claim, 0.5), whole.confidence)
    if scene.name != LARGE or asked or fewer >= scene.waves:
        return named
    made = _waves(named.name, scene.size, fewer, scene.claim)
    return replace(made, what=made.what.replace("agent runs", "MCP sessions"), claim=min(2 * scene.claim, 0.5))


def _waves(name: str, size: int, waves: int, claim: float) -> SceneSpec:
    what = f"{waves:,} waves of {size} agent runs that start at once, each with a new session"
    return SceneSpec(name=name, what=what, holds=WAVE_HOLDS, size=size, waves=waves, claim=claim)


def _outage(name: str) -> SceneSpec:
    kind: OutageKind = next(kind for kind in ("refused", "blackhole", "frozen", "restart") if name.endswith(kind))
    brief = kind == "restart"
    return SceneSpec(
        name=name,
        what=_WHAT[kind],
        holds=OUTAGE_HOLDS,
        outage=kind,
        seconds=3.5 if brief else 5.0,
        gone=0.4 if brief else 1.9,
        hurts=not brief,
    )


def _no_such(name: str, names: Sequence[str], *, what: str) -> UsageError:
    several = "criteria" if what == "criterion" else f"{what}s"
    return UsageError(f"{what}: there is no {name}", did_you_mean(name, names, several))


PROFILES = {"phase4": phase4}
CRITERIA: tuple[CriterionId, ...] = ("zero-400", "parallel-success", "degradation", "sub-second", "error-logging")


def profile(
    name: str, *, confidence: float = 0.95, claim: float = 0.01, waves: int | None = None, strict: bool = False
) -> Profile:
    """Return a profile by name; options as ``phase4`` takes them. Raises ``UsageError`` with the nearest name."""
    if name not in PROFILES:
        raise _no_such(name, list(PROFILES), what="profile")
    return PROFILES[name](confidence=confidence, claim=claim, waves=waves, strict=strict)


def narrowed(whole: Profile, criteria: Iterable[str] | None) -> Profile:
    """Return a profile with some of its criteria only. Raises ``UsageError`` with the nearest name."""
    if criteria is None:
        return whole
    wanted = list(criteria)
    names = [criterion.id for criterion in whole.criteria]
    for name in wanted:
        if name not in names:
            raise _no_such(name, names, what="criterion")
    return replace(whole, criteria=tuple(each for each in whole.criteria if each.id in wanted))


def overridden(
    whole: Profile,
    overrides: Mapping[str, Mapping[str, Any]],
    *,
    agent_types: tuple[str, ...] = (),
    resize: bool = True,
) -> Profile:
    """Return a profile with fields of its criteria replaced; ``enabled: False`` leaves one out.

    A criterion with a claim or a confidence of its own gets the waves that it needs, unless ``resize`` is False.
    Raises ``UsageError`` for an unknown criterion or scene, and where no criterion is left.
    """
    names = [criterion.id for criterion in whole.criteria]
    for name in overrides:
        if name not in names:
            raise _no_such(name, names, what="criterion")
    found = []
    for criterion in whole.criteria:
        changes = dict(overrides.get(criterion.id, {}))
        if changes.pop("enabled", True):
            found.append(replace(criterion, **changes))
    if not found:
        message = "criteria: none is enabled"
        raise UsageError(message, "leave at least one")
    made = replace(whole, criteria=tuple(found), agent_types=agent_types or whole.agent_types)
    for criterion in made.criteria:
        for name in criterion.scenes:
            made.scene(name)
    return replace(made, scenes=tuple(_sized(made, scene) for scene in made.scenes)) if resize else made


def _sized(whole: Profile, scene: SceneSpec) -> SceneSpec:
    needed = [
        tries_needed(criterion.claim or scene.claim, criterion.confidence or whole.confidence)
        for criterion in whole.criteria
        if scene.name in criterion.scenes and (criterion.claim or criterion.confidence)
    ]
    waves = max([scene.waves, *needed]) if scene.waves else 0
    return scene if waves == scene.waves else _waves(scene.name, scene.size, waves, scene.claim)
