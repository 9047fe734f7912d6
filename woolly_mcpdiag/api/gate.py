"""The one way to ask the gate from Python: what is to be judged in, a verdict a criterion out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from woolly_mcpdiag.api.blame import causes
from woolly_mcpdiag.api.load import Demand, Loaded, State, load
from woolly_mcpdiag.api.rehearsing import GRACE, OutageFactory, Rehearsals
from woolly_mcpdiag.api.report import Recorded, report_run
from woolly_mcpdiag.core.measures import Kind, Tally
from woolly_mcpdiag.core.runs import End, Meta, Run
from woolly_mcpdiag.core.verdicts import Judgement, Verdict, overall
from woolly_mcpdiag.diagnose.engine import Diagnosis
from woolly_mcpdiag.gate.baseline import Applied, Known, apply
from woolly_mcpdiag.gate.judge import judge
from woolly_mcpdiag.gate.phase4 import judge_profile
from woolly_mcpdiag.gate.profile import JUDGED, Profile, SceneSpec, for_targets, from_row
from woolly_mcpdiag.gate.thresholds import Threshold
from woolly_mcpdiag.load.plan import AgentTarget, CallSpec, ClientKind, Limits, McpTarget, Model, Plan, Sessions

CALL = 5.0
"""Seconds that a call of a wave may take before it has failed."""
DRAIN = 1.0
"""Seconds that the calls of a wave get where it is cut short."""
_SHOWN, _PATIENCE = 3, 4.0
"""Failed waves after which a scene ends, and seconds after which fewer are enough: a failure is a failure."""
_MEASURED = 2
"""Those that are enough where durations are judged: one agent run of a type shows nothing."""


_KILLED = "its log has no end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is judged: targets as the preflight found them, and the client under test."""

    mcp: McpTarget | None = None
    calls: tuple[CallSpec, ...] = ()
    """Of the MCP server."""
    agent: AgentTarget | None = None
    runs: tuple[CallSpec, ...] = ()
    """Of the agents API: one for each agent type."""
    client: ClientKind = "pooled"
    """The design that calls the MCP server."""

    def kinds(self) -> tuple[Kind, ...]:
        """Return what there is."""
        agents: tuple[Kind, ...] = ("agent",) if self.agent is not None else ()
        return (*agents, "mcp") if self.mcp is not None else agents


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of the subject."""

    profile: Profile
    thresholds: tuple[Threshold, ...] = ()
    """Judged beside the criteria."""
    known: tuple[Known, ...] | None = None
    """Of the baseline; ``None`` without one."""
    events: Path | None = None
    again: bool = False
    """Judge a recorded run by this profile, though it holds its own."""


@dataclass(slots=True, kw_only=True)
class Gated:
    """What the gate says."""

    loaded: Loaded
    verdict: Verdict
    applied: Applied | None = None


def gate(
    subject: Subject,
    asked: Asked,
    meta: Meta,
    *,
    outages: OutageFactory | None = None,
    on_state: Callable[[State], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Gated:
    """Run the scenes that the criteria need and judge them.

    ``outages`` makes what can take the MCP server away; without it those criteria stay undecided.
    Raises ``McpdiagError`` as ``load`` does.
    """
    whole = for_targets(asked.profile, subject.kinds())
    with Rehearsals({scene.name: scene for scene in whole.scenes}, outages) as rehearsals:
        plans = [plan for scene in whole.needed_scenes() for plan in _plans(subject, scene, rehearsals)]
        bench = _Bench(rehearsals, asked, whole)
        named = replace(meta, scenes=tuple(plan.scene for plan in plans))
        loaded = load(
            plans,
            named,
            Demand(confidence=whole.confidence, events=asked.events),
            on_state=on_state,
            stopped=stopped,
            stagehand=bench,
        )
    return _gated(loaded, bench)


def judge_recorded(path: str, asked: Asked) -> tuple[Recorded, Verdict]:
    """Judge a recorded run again; without a profile by the one it was judged by: the verdict is the same.

    Raises ``InputError`` for a file that is no run log.
    """
    applied: list[Applied] = []

    def judged(run: Run, diagnosis: Diagnosis) -> Sequence[Judgement]:
        kinds = {str(target.get("kind")) for target in run.meta.targets}
        whole = run if run.end is not None else replace(run, end=End(took=run.took, complete=False, reason=_KILLED))
        found = _judged(whole, diagnosis, for_targets(_own(run, asked), kinds), asked)
        if isinstance(found, Applied):
            applied.append(found)
            return found.judgements
        return found

    recorded = report_run(path, judged=judged)
    verdict = applied[0].verdict if applied else overall(recorded.report.judgements)
    return recorded, verdict


def _own(run: Run, asked: Asked) -> Profile:
    """Return the profile of a recorded run, or what is asked for instead; the agent types that had to run remain."""
    row = run.meta.workload.get(JUDGED)
    try:
        own = from_row(row) if isinstance(row, Mapping) else None
    except ValueError:
        # Of another version: judged by what is asked for today.
        own = None
    if own is None:
        return asked.profile
    return replace(asked.profile, agent_types=asked.profile.agent_types or own.agent_types) if asked.again else own


class _Bench:
    """Plays the outages, and judges when all is over."""

    def __init__(self, rehearsals: Rehearsals, asked: Asked, whole: Profile) -> None:
        self._rehearsals, self._asked, self._whole = rehearsals, asked, whole
        self._cut: set[str] = set()
        self.applied: Applied | None = None

    def tick(self, plan: Plan, elapsed: float) -> None:
        self._rehearsals.tick(plan, elapsed)

    def hear(self, plan: Plan, line: str) -> bool:
        return self._rehearsals.hear(plan, line)

    def idle(self, plan: Plan) -> bool:
        return self._rehearsals.idle(plan)

    def enough(self, plan: Plan, tally: Tally, elapsed: float) -> bool:
        name = f"{plan.scene}/waves_failed" if plan.scene else "waves_failed"
        failed = tally.counters[name]
        if failed >= _SHOWN or (elapsed >= _PATIENCE and failed >= self._least(plan.scene)):
            self._cut.add(plan.scene)
        return plan.scene in self._cut

    def _least(self, scene: str) -> int:
        measured = any(each.id == "sub-second" and scene in each.scenes for each in self._whole.criteria)
        return _MEASURED if measured else 1

    def facts(self, plan: Plan) -> Mapping[str, Any]:
        if plan.scene in self._cut:
            return {"stopped": "waves have failed, which no further ones can undo"}
        return self._rehearsals.facts(plan)

    def judge(self, run: Run, diagnosis: Diagnosis) -> Sequence[Judgement]:
        found = _judged(run, diagnosis, self._whole, self._asked)
        if isinstance(found, Applied):
            self.applied = found
            return found.judgements
        return found


def _judged(run: Run, diagnosis: Diagnosis, whole: Profile, asked: Asked) -> list[Judgement] | Applied:
    found = judge_profile(whole, run, causes=causes(whole, run, diagnosis))
    if asked.thresholds:
        found += judge(asked.thresholds, run, confidence=whole.confidence)
    if asked.known is None:
        return found
    prints = [sample.fingerprint for sample in run.samples]
    return apply(asked.known, found, fingerprints={judgement.name: prints for judgement in found})


def _gated(loaded: Loaded, bench: _Bench) -> Gated:
    applied = bench.applied
    verdict = applied.verdict if applied is not None else overall(loaded.judgements)
    return Gated(loaded=loaded, verdict=verdict, applied=applied)


def _plans(subject: Subject, scene: SceneSpec, rehearsals: Rehearsals) -> list[Plan]:
    if scene.outage:
        calls = _named(subject)
        plan = rehearsals.plan(scene, subject.mcp, calls, subject.client) if subject.mcp is not None else None
        return [plan] if plan is not None else []
    model = Model(kind="waves", concurrency=scene.size, waves=scene.waves)
    of_mcp = scene.name.startswith("mcp-") or subject.agent is None
    if of_mcp and subject.mcp is not None:
        size = max(10, scene.size)
        pooled = subject.client == "pooled"
        sessions = Sessions(policy="pool", size=size) if pooled else Sessions(policy="per-call")
        return [
            Plan(
                calls=subject.calls,
                mcp=subject.mcp,
                client=subject.client,
                scene=scene.name,
                model=model,
                sessions=sessions,
                # The pooled client has deadlines of its own, and errors that say more than that one was passed.
                limits=Limits(call=CALL, grace=GRACE if pooled else 0.0, drain=DRAIN),
            )
        ]
    if subject.agent is None:
        return []
    return [
        Plan(
            calls=subject.runs,
            agent=subject.agent,
            client="wire",
            scene=scene.name,
            model=model,
            limits=Limits(call=CALL, drain=DRAIN),
        )
    ]


def _named(subject: Subject) -> tuple[CallSpec, ...]:
    """Return the MCP calls in the names of the agents that are run, so that the log can tell who asked."""
    agents = list(dict.fromkeys(run.agent for run in subject.runs if run.agent))
    if not agents or not subject.calls:
        return subject.calls
    return tuple(
        replace(subject.calls[number % len(subject.calls)], agent=agent) for number, agent in enumerate(agents)
    )
