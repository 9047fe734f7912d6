"""Runs made by hand: what each test asks of them is an argument, everything else is a quiet default."""

from collections.abc import Iterable
from dataclasses import replace

from woolly_mcpdiag.core.measures import Answer, Outcome, Series, Step, Tally
from woolly_mcpdiag.core.rehearsals import LoggingFacts, OutageFacts
from woolly_mcpdiag.core.runs import End, Generator, Interval, Meta, Run, Sample, Scene
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.gate.facts import LOGGING, OUTAGE
from woolly_mcpdiag.gate.judge import judge
from woolly_mcpdiag.gate.thresholds import parse_all


def empty(took: float = 60.0, *, model: str = "open", **end: object) -> Run:
    """A run in which nothing happened."""
    return Run(
        meta=Meta(run="r", command="load", version="1", started=0.0, workload={"model": model}),
        end=End(took=took, complete=True, **end),  # type: ignore[arg-type]
    )


def calls(
    tally: Tally, n: int, seconds: float = 0.2, *, scene: str = "", kind: str = "mcp", agent: str = "tester"
) -> None:
    """Count calls that were answered 200 within so many seconds."""
    if n:
        found = tally.of(Series(scene=scene, kind=kind, client="wire", agent=agent, operation="tools/call search"))
        found.ok += n
        found.latency.add(seconds, n)
        found.service.add(min(seconds, 0.2), n)
        found.first.add(seconds / 2, n)
        found.outcomes[Outcome()] += n
        tally.answers[Answer(scene, kind, 200)] += n


def failures(
    tally: Tally,
    n: int,
    outcome: str = "http",
    status: int = 400,
    *,
    scene: str = "",
    kind: str = "mcp",
    agent: str = "tester",
) -> None:
    """Count calls that failed."""
    if n:
        found = tally.of(Series(scene=scene, kind=kind, client="wire", agent=agent, operation="tools/call search"))
        found.failed += n
        found.failing.add(0.1, n)
        found.outcomes[Outcome(outcome, status)] += n
        tally.answers[Answer(scene, kind, status)] += n


def of(tallies: Iterable[Tally], **options: object) -> Run:
    """A run of one interval a second."""
    found = list(tallies)
    run = empty(float(len(found)), **options)  # type: ignore[arg-type]
    run.intervals = [Interval(start=float(i), end=i + 1.0, tally=tally) for i, tally in enumerate(found)]
    return run


def steady(n: int, *, seconds: float = 0.2, over: int = 60, slow: int = 0, failed: int = 0, **options: object) -> Run:
    """A run of n good calls, of which some are slow (1.5 s), and some failing ones besides; all spread evenly."""
    tallies = []
    for i in range(over):
        tally = Tally()
        late = _share(slow, i, over)
        calls(tally, _share(n, i, over) - late, seconds)
        calls(tally, late, 1.5)
        failures(tally, _share(failed, i, over))
        tallies.append(tally)
    return of(tallies, **options)


def _share(whole: int, part: int, parts: int) -> int:
    return whole * (part + 1) // parts - whole * part // parts


def bound(run: Run) -> Run:
    """The same run by a generator that was the bottleneck."""
    assert run.end is not None
    run.end = replace(run.end, generator=Generator(bound=True, why="it used 99 % of a core"))
    return run


def phase(run: Run, name: str, seconds: float, n: int, failed: int = 0) -> Run:
    """The same run with a timed step."""
    step = run.intervals[0].tally.step(Step(client="wire", phase=name))
    step.took.add(seconds, n)
    step.failed += failed
    return run


def one(text: str, run: Run, **options: object) -> Judgement:
    """The one judgement of one threshold."""
    (found,) = judge(parse_all([text]), run, **options)  # type: ignore[arg-type]
    return found


TYPES = ("simplifier", "tester")
GRACEFUL = OutageFacts(
    calls=20,
    ok=2,
    degraded=10,
    typed_errors=8,
    untyped_errors=0,
    hangs=0,
    deadline=2.0,
    worst_over=0.01,
    breaker_opened=True,
    recovery_time=5.0,
    recovered_after=1.2,
    calls_after_recovery=30,
    failures_after_recovery=0,
)
LOGGED = LoggingFacts(
    seen=18, logged=18, with_key=18, with_agent=18, with_phase=18, with_cause=18, missing=0, extra=0, examples=()
)
OUTAGES = ("outage-refused", "outage-blackhole", "outage-frozen", "outage-restart")


def gate(
    *,
    small: int = 299,
    large: int = 59,
    kind: str = "agent",
    outage: OutageFacts = GRACEFUL,
    logging: LoggingFacts = LOGGED,
    outages: tuple[str, ...] = OUTAGES,
    seconds: float = 0.2,
) -> Run:
    """A clean run of the profile phase4, each wave an interval of its own."""
    tallies = []
    for scene, waves, size in (("waves-5", small, 5), ("waves-20", large, 20)):
        for number in range(waves):
            tally = Tally()
            for i in range(size):
                calls(tally, 1, seconds, scene=scene, kind=kind, agent=TYPES[(i + number) % 2])
            if kind == "agent":
                tally.answers[Answer(scene, "mcp", 200)] += 3 * size
            tally.counters[f"{scene}/waves"] += 1
            tallies.append(tally)
    run = of(tallies)
    facts = {OUTAGE: outage.to_row(), LOGGING: logging.to_row()}
    run.scenes = [Scene(name=name, start=0.0, end=1.0, facts=facts) for name in outages]
    return run


def spoiled(run: Run, scene: str, *, n: int = 1, outcome: str = "http", status: int = 400) -> Run:
    """The same run with failed agent runs, and answers on the wire, in the first wave of a scene."""
    tally = next(each.tally for each in run.intervals if f"{scene}/waves" in each.tally.counters)
    failures(tally, n, outcome, status, scene=scene, kind="agent")
    tally.answers[Answer(scene, "mcp", status)] += n
    tally.counters[f"{scene}/waves_failed"] += 1
    tally.counters[f"{scene}/waves_400"] += int(status == 400)
    run.samples.append(
        Sample(fingerprint="f1", at=1.5, scene=scene, status=status, outcome=outcome, operation="GET /sse/", error="no")
    )
    return run
