"""The one place that judges the five criteria of a profile from the record of a run alone."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from woolly_mcpdiag.core.measures import Tally
from woolly_mcpdiag.core.runs import Run, Sample, Scene
from woolly_mcpdiag.core.verdicts import Judgement, Verdict
from woolly_mcpdiag.gate import profile as profiles
from woolly_mcpdiag.gate import reading
from woolly_mcpdiag.gate.case import Case, Record
from woolly_mcpdiag.gate.judge import distrusted
from woolly_mcpdiag.gate.latency import judge_quantile
from woolly_mcpdiag.gate.profile import Criterion, Profile, SceneSpec
from woolly_mcpdiag.gate.reading import Seen, Where
from woolly_mcpdiag.gate.rehearsals import judge_degradation, judge_logging
from woolly_mcpdiag.gate.shares import judge_zero, weigh
from woolly_mcpdiag.gate.thresholds import Threshold, parse
from woolly_mcpdiag.gate.wording import counted, duration, of, percent

_SAID = 300
"""Characters of an answer that are quoted."""
_OF_MCP = frozenset({"zero-400", "degradation", "error-logging"})
"""Criteria that need the MCP server itself."""
_GIVE_MCP = "give --mcp URL as well: the requests of agents are not seen from outside, and outages need the server"
_BAD_REQUEST = 400
_QUOTED_400 = re.compile(r"Client error '400\b|\b400 Bad Request' for url")
"""As httpx words what it was answered."""
_TOLD_400 = re.compile(r"status(?:_code)?['\"]?[:= ]+400\b")
"""As others do, and as an API does that tells of its own 400."""
_WORST: tuple[Verdict, ...] = ("fail", "inconclusive", "pass")


@dataclass(frozen=True, slots=True)
class Court:
    """A run before a profile."""

    record: Record
    whole: Profile
    scenes: Mapping[str, Scene]

    @property
    def tally(self) -> Tally:
        """The whole run."""
        return self.record.tally

    def lag(self) -> float:
        """Return by how many seconds the generator's own loop was late at most."""
        end = self.record.run.end
        return end.generator.lag_max if end is not None else 0.0

    def ran(self, name: str) -> bool:
        """Return whether a scene is in the record."""
        return name in self.scenes or name in reading.scene_names(self.tally)

    def missing(self, criterion: Criterion) -> list[str]:
        """Return the scenes of a criterion that did not run."""
        return [name for name in criterion.scenes if not self.ran(name)]

    def case(self, criterion: Criterion, threshold: Threshold, part: Where) -> Case:
        """Return the case of a criterion."""
        confidence = criterion.confidence or self.whole.confidence
        threshold = replace(threshold, level=criterion.level)
        return Case(threshold=threshold, name=criterion.id, record=self.record, part=part, confidence=confidence)

    def without_mcp(self) -> bool:
        """Return whether only an agents API was given."""
        kinds = {target.get("kind") for target in self.record.run.meta.targets}
        return bool(kinds) and "mcp" not in kinds

    def peers(self, scenes: Iterable[str]) -> str:
        """Return ``agent`` where agents were run through their API, else ``mcp``."""
        kinds = {series.kind for series in self.tally.calls if series.scene in set(scenes)}
        return "agent" if "agent" in kinds else "mcp"


def judge_phase4(
    run: Run,
    *,
    confidence: float = 0.95,
    claim: float = 0.01,
    strict: bool = False,
    criteria: Iterable[str] | None = None,
    causes: Mapping[str, tuple[str, ...]] | None = None,
) -> list[Judgement]:
    """Return a judgement of each of the five criteria (or of some), in their order.

    ``causes`` names, by criterion, why it failed. Raises ``UsageError`` for an unknown criterion.
    """
    whole = profiles.phase4(confidence=confidence, claim=claim, strict=strict)
    return judge_profile(profiles.narrowed(whole, criteria), run, causes=causes)


def judge_profile(whole: Profile, run: Run, *, causes: Mapping[str, tuple[str, ...]] | None = None) -> list[Judgement]:
    """Return a judgement of each criterion of a profile; see ``judge_phase4``."""
    court = Court(Record.of(run), whole, {scene.name: scene for scene in run.scenes})
    return [
        _finished(court, _JUDGES[criterion.id](court, criterion), (causes or {}).get(criterion.id, ()))
        for criterion in whole.criteria
    ]


def _quotes_400(sample: Sample) -> bool:
    """Say whether an agents API's answer holds the 400 of a request of its own."""
    said = f"{sample.error} {sample.response}"
    return bool(_QUOTED_400.search(said) or (sample.status != _BAD_REQUEST and _TOLD_400.search(said)))


def _finished(court: Court, found: Judgement, causes: tuple[str, ...]) -> Judgement:
    end = court.record.run.end
    if found.verdict == "pass" and end is not None and not end.complete:
        why = end.reason or "it was cut short"
        return replace(found, verdict="inconclusive", sentence=f"{found.sentence}; but the run is not complete: {why}")
    if found.verdict == "inconclusive" and court.without_mcp() and found.name in _OF_MCP:
        return replace(found, next_step=found.next_step or _GIVE_MCP)
    if found.verdict != "fail" or not causes:
        return found
    return replace(found, causes=causes, next_step=found.next_step or f"mcpdiag explain {causes[0]}")


def _zero_400(court: Court, criterion: Criterion) -> Judgement:
    scenes = frozenset(criterion.scenes)
    part = Where(scenes=scenes, tags={"peer": "mcp"}, benign=criterion.strict)
    claim = criterion.claim or court.whole.claim
    asked = parse("http_400 == 0")
    asked = replace(asked, claim=claim, metric=replace(asked.metric, unit="MCP requests"))
    case = court.case(criterion, asked, part)
    found = judge_zero(case)
    probes = sum(n for answer, n in court.tally.answers.items() if answer.benign and answer.scene in scenes)
    notes = []
    if probes and not criterion.strict:
        notes.append(f"{counted(probes, 'probes')} of the era refused: apart, not counted (--strict counts them)")
    away = _of_outages(court)
    if away:
        notes.append(f"{away:,} more 400s while the server was away or coming back: see degradation")
    found = _with_missing(court, criterion, replace(found, details=(*found.details, *notes)))
    return _quoted(court, scenes, found) if found.verdict != "fail" else found


def _quoted(court: Court, scenes: frozenset[str], found: Judgement) -> Judgement:
    """Fail where agents quote a 400 that their own MCP client met: nothing else of it is seen from outside."""
    samples = [each for each in court.record.run.samples if each.kind == "agent" and each.scene in scenes]
    quotes = [each for each in samples if _quotes_400(each)]
    if not quotes:
        return found
    said = " ".join((quotes[0].error or quotes[0].response).split())[:_SAID]
    return replace(
        found,
        verdict="fail",
        sentence=f"agents quote 400s that their own MCP client met, in at least {counted(len(quotes), 'answers')}",
        observed="quoted",
        details=(*found.details, f"({quotes[0].agent}) {said}"),
    )


def _of_outages(court: Court) -> int:
    names = {scene.name for scene in court.whole.scenes if scene.outage}
    return sum(
        n
        for answer, n in court.tally.answers.items()
        if answer.scene in names and answer.status == 400 and answer.kind == "mcp" and not answer.benign
    )


def _parallel_success(court: Court, criterion: Criterion) -> Judgement:
    parts = [
        (court.whole.scene(name), _success(court, criterion, name)) for name in criterion.scenes if court.ran(name)
    ]
    if not parts:
        return _nothing_ran(court, criterion)
    worst = _worst([found for _, found in parts])
    told = [f"at {scene.size}: {found.sentence}" for scene, found in parts]
    details = [each for _, found in parts for each in found.details]
    found = replace(worst, sentence="; ".join(told), details=tuple(dict.fromkeys(details)), limit="100 %")
    return _with_missing(court, criterion, found)


def _success(court: Court, criterion: Criterion, name: str) -> Judgement:
    scene = court.whole.scene(name)
    part = Where(scenes=frozenset({name}), tags={"peer": court.peers([name])})
    case = court.case(criterion, replace(parse("success == 100%"), claim=criterion.claim or scene.claim), part)
    found = judge_zero(case)
    calls = [calls for _, calls in reading.selected(court.tally, part)]
    retried, degraded = sum(each.retried for each in calls), sum(each.degraded for each in calls)
    tried = sum(each.tried for each in calls)
    if retried:
        found = replace(found, details=(*found.details, f"{of(retried, tried)} needed a retry at {scene.size}"))
    if not degraded:
        return found
    fallback = f"{of(degraded, tried)} {case.unit} were answered by a fallback only, which is no success"
    if found.verdict == "fail":
        return replace(found, details=(*found.details, fallback))
    return replace(
        found,
        verdict="fail",
        sentence=fallback,
        observed=of(degraded, tried),
        tries=tried,
        failures=degraded,
        unit=case.unit,
        bound=None,
        needed=None,
    )


def _sub_second(court: Court, criterion: Criterion) -> Judgement:
    limit = criterion.limit or 1.0
    threshold = parse(f"duration p{criterion.quantile * 100:g} < {limit:.12g}s")
    scenes = [name for name in criterion.scenes if court.ran(name)]
    if not scenes:
        return _nothing_ran(court, criterion)
    parts: list[tuple[str, Case, Judgement]] = []
    for name in scenes:
        place = f" at {court.whole.scene(name).size}" if len(scenes) > 1 else ""
        for tag, value in _groups(court, name):
            part = Where(scenes=frozenset({name}), tags={"peer": court.peers([name]), tag: reading.literal(value)})
            case = court.case(criterion, threshold, part)
            found = judge_quantile(case)
            parts.append((f"{value}{place}", case, _by_time(court.whole.scene(name), case, found)))
    if not parts:
        return _nothing_ran(court, criterion, "agent runs")
    worst = _worst([found for _, _, found in parts])
    named, slowest = next((name, case) for name, case, found in parts if found is worst)
    short = f"p{criterion.quantile * 100:g} < {duration(limit)}"
    if worst.verdict == "pass":
        sentence = f"{short} for each of {counted(len(parts), 'agent types')}; the slowest, {named}: {worst.sentence}"
    else:
        sentence = f"{short} ({named}): {worst.sentence}"
    lines = [f"{found.verdict} {name}: {found.sentence}" for name, _, found in parts]
    told = replace(
        worst,
        sentence=sentence,
        limit=f"< {duration(limit)}",
        details=(*lines, *dict.fromkeys(each for _, _, found in parts for each in found.details)),
    )
    return _with_missing(court, criterion, _trusted(slowest, told))


def _by_time(scene: SceneSpec, case: Case, found: Judgement) -> Judgement:
    """Return a pass as undecided where too much of the time would have kept an arrival waiting for too long.

    Waves follow each other, so a target that stands still is asked less: one slow wave stands for all the agents that
    would have come meanwhile. Of a wave that took d, those of its first d minus the limit would have waited too long.
    """
    limit, took = case.threshold.value, case.record.seconds(case.part.scenes)
    if found.verdict != "pass" or not took:
        return found
    buckets = [(low, n) for low, _, n in case.timed().took.buckets() if low > limit]
    waves = found.tries / scene.waves if scene.waves else 0.0
    lost = sum((low - limit) * n for low, n in buckets) / max(waves, 1.0)
    if lost / took <= 1 - case.threshold.quantile:
        return found
    why = f"in {percent(lost / took)} of the time an agent would have waited longer, had one come: waves waited instead"
    return replace(
        found,
        verdict="inconclusive",
        sentence=f"{found.sentence}; but {why}",
        next_step="mcpdiag load --rate, which measures what arrivals see",
    )


def _trusted(case: Case, found: Judgement) -> Judgement:
    """Say what a slow generator leaves of a judgement.

    A pass stands: its delay is in the figures, which stay below. So does a fail for calls that failed: no delay of
    its own makes them.
    """
    end = case.record.run.end
    if end is None or not end.generator.bound or found.observed == "no sample":
        return found
    if found.verdict == "pass":
        late = (
            "the generator was slow at times; its delay is in these figures, so the target is no slower than they say"
        )
        return replace(found, details=(*found.details, late))
    timed = case.timed()
    share = round(1 - case.threshold.quantile, 12)
    if weigh(Seen(timed.tries, timed.failed, timed.failed), share, 1.0, case.confidence).verdict == "fail":
        return found
    return replace(distrusted(case, found), next_step="run the gate where nothing else runs")


def _groups(court: Court, scene: str) -> list[tuple[str, str]]:
    peer = court.peers([scene])
    series = [each for each in court.tally.calls if each.scene == scene and each.kind == peer]
    agents = sorted({each.agent for each in series} - {""} | set(court.whole.agent_types))
    if agents:
        return [("agent", agent) for agent in agents]
    return [("operation", name) for name in sorted({each.operation for each in series})]


def _worst(found: list[Judgement]) -> Judgement:
    return min(found, key=lambda each: (_WORST.index(each.verdict), -(each.bound or 0.0)))


def _with_missing(court: Court, criterion: Criterion, found: Judgement) -> Judgement:
    missing = court.missing(criterion)
    if not missing:
        return found
    told = f"did not run: {', '.join(missing)}"
    if found.verdict == "fail":
        return replace(found, details=(*found.details, told))
    return replace(found, verdict="inconclusive", sentence=f"{told}; {found.sentence}")


def _nothing_ran(court: Court, criterion: Criterion, what: str = "") -> Judgement:
    told = f"no {what} in it" if what else f"did not run: {', '.join(court.missing(criterion))}"
    return Judgement(
        name=criterion.id,
        verdict="inconclusive",
        sentence=f"nothing to judge: {told}",
        level=criterion.level,
        observed="no sample",
        confidence=criterion.confidence or court.whole.confidence,
    )


_JUDGES: dict[str, Callable[[Court, Criterion], Judgement]] = {
    "zero-400": _zero_400,
    "parallel-success": _parallel_success,
    "degradation": lambda court, criterion: judge_degradation(criterion, court.whole, court.scenes, court.lag()),
    "sub-second": _sub_second,
    "error-logging": lambda court, criterion: judge_logging(criterion, court.whole, court.scenes),
}
