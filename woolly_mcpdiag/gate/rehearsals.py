"""The one place that judges what a rehearsal recorded: how an outage hurt, and whether each failure is in the log."""

from collections.abc import Iterator, Mapping

from woolly_mcpdiag.core.rehearsals import LoggingFacts, OutageFacts
from woolly_mcpdiag.core.runs import Scene
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.gate.evidence import zero_bound
from woolly_mcpdiag.gate.facts import logging_of, outage_of
from woolly_mcpdiag.gate.profile import Criterion, Profile, SceneSpec
from woolly_mcpdiag.gate.wording import counted, duration, of, percent

SLACK = 0.25
"""Seconds over its deadline that a call is forgiven: the rehearsal's own loop is late by as much at times."""


def judge_degradation(criterion: Criterion, whole: Profile, scenes: Mapping[str, Scene]) -> Judgement:
    """Judge what each outage did: no hang, typed errors, an open breaker, recovery in time, then no failure."""
    wrong: list[str] = []
    open_points: list[str] = []
    fine: list[str] = []
    examples: list[str] = []
    calls = 0
    for name in criterion.scenes:
        facts = outage_of(scenes[name]) if name in scenes else None
        if facts is None:
            open_points.append(f"{name}: {'its facts are missing' if name in scenes else 'it did not run'}")
            continue
        spec = whole.scene(name)
        calls += facts.calls
        bad = list(_wrong(facts, spec, criterion.limit or facts.recovery_time))
        unknown = list(_unknown(facts, spec))
        wrong += [f"{name}: {each}" for each in bad]
        open_points += [f"{name}: {each}" for each in unknown]
        if bad:
            examples += [f"{name}: {each}" for each in facts.examples[:3]]
        elif not unknown:
            fine.append(_fine(name, facts, criterion.confidence or whole.confidence))
    return _decided(criterion, whole, wrong, open_points, [*fine, *examples], calls)


def _wrong(facts: OutageFacts, spec: SceneSpec, recovery: float) -> Iterator[str]:
    if facts.hangs:
        yield f"{of(facts.hangs, facts.calls)} calls hung beyond their deadline of {duration(facts.deadline)}"
    if facts.worst_over > SLACK:
        yield f"the slowest call ended {duration(facts.worst_over)} after its deadline"
    if facts.untyped_errors:
        yield f"{of(facts.untyped_errors, facts.calls)} calls failed with an error that names no cause"
    if spec.hurts and not facts.breaker_opened:
        yield "the breaker did not open"
    if facts.recovered_after is None:
        yield "no call succeeded after the server was back"
    elif facts.recovered_after > recovery:
        yield f"recovered {duration(facts.recovered_after)} after the server was back, {duration(recovery)} allowed"
    if facts.failures_after_recovery:
        yield f"{of(facts.failures_after_recovery, facts.calls_after_recovery)} calls failed after the recovery"


def _unknown(facts: OutageFacts, spec: SceneSpec) -> Iterator[str]:
    fates = facts.ok + facts.degraded + facts.typed_errors + facts.untyped_errors + facts.hangs
    if not facts.calls:
        yield "no call was made while the server was away"
    elif fates != facts.calls:
        yield f"the fates of {facts.calls:,} calls add up to {fates:,}"
    elif spec.hurts and facts.ok == facts.calls:
        yield f"all {facts.calls:,} calls were answered in full: the outage never took place"
    if facts.recovered_after is not None and not facts.calls_after_recovery:
        yield "no call was made after the recovery"


def _fine(name: str, facts: OutageFacts, confidence: float) -> str:
    breaker = "breaker opened" if facts.breaker_opened else "breaker stayed closed"
    bound = percent(zero_bound(facts.calls_after_recovery, confidence), "up")
    return (
        f"{name}: {counted(facts.calls, 'calls')}: {facts.degraded:,} degraded, {facts.typed_errors:,} typed errors, "
        f"{facts.ok:,} ok, no hang; {breaker}; recovered after {duration(facts.recovered_after or 0.0)}; then "
        f"{of(0, facts.calls_after_recovery)} failed (true rate below {bound}, {percent(confidence)})"
    )


def judge_logging(criterion: Criterion, whole: Profile, scenes: Mapping[str, Scene]) -> Judgement:
    """Judge whether the log holds each failure that a caller saw, once, with key, agent, phase and cause."""
    wrong: list[str] = []
    open_points: list[str] = []
    details: list[str] = []
    seen = 0
    for name in criterion.scenes:
        facts = logging_of(scenes[name]) if name in scenes else None
        if facts is None:
            open_points.append(f"{name}: {'what was logged is not told' if name in scenes else 'it did not run'}")
            continue
        seen += facts.seen
        bad = list(_unlogged(facts))
        wrong += [f"{name}: {each}" for each in bad]
        if bad:
            details += [f"{name}: {each}" for each in facts.examples[:3]]
        elif facts.seen:
            details.append(f"{name}: {of(facts.logged, facts.seen)} failures found in the log, each with all it needs")
        elif whole.scene(name).hurts:
            open_points.append(f"{name}: no caller saw a failure, so none could be logged")
    if not seen and not wrong and not open_points:
        open_points.append("no caller saw a failure, so none could be logged")
    return _decided(criterion, whole, wrong, open_points, details, seen)


def _unlogged(facts: LoggingFacts) -> Iterator[str]:
    if facts.missing:
        yield f"{of(facts.missing, facts.seen)} failures that a caller saw are not in the log"
    if facts.extra:
        yield f"{of(facts.extra, facts.logged)} failures in the log were seen by no caller"
    if facts.logged - facts.extra != facts.seen - facts.missing:
        yield f"{facts.seen:,} failures seen and {facts.logged:,} logged do not match one to one"
    for what, number in (
        ("key", facts.with_key),
        ("agent", facts.with_agent),
        ("phase", facts.with_phase),
        ("cause", facts.with_cause),
    ):
        if number < facts.logged:
            yield f"{of(facts.logged - number, facts.logged)} logged failures have no {what}"


def _decided(
    criterion: Criterion, whole: Profile, wrong: list[str], unknown: list[str], details: list[str], tries: int
) -> Judgement:
    done = len(criterion.scenes) - len({each.partition(":")[0] for each in (*wrong, *unknown)})
    logging = criterion.id == "error-logging"
    if wrong:
        sentence = "; ".join(wrong)
    elif unknown:
        sentence = "; ".join(unknown)
    elif logging:
        sentence = f"{of(tries, tries)} failures that callers saw are in the log, with key, agent, phase and cause"
    else:
        head = f"{counted(tries, 'calls')} in {counted(len(criterion.scenes), 'outages')}: no hang"
        sentence = f"{head}; each answered, degraded or with a typed error, in time; then recovery and no failure"
    return Judgement(
        name=criterion.id,
        verdict="fail" if wrong else "inconclusive" if unknown else "pass",
        sentence=sentence,
        level=criterion.level,
        observed=f"{of(max(done, 0), len(criterion.scenes))} outages clean",
        limit="one to one" if logging else "graceful",
        tries=tries,
        failures=len(wrong),
        unit="failures" if logging else "calls",
        confidence=criterion.confidence or whole.confidence,
        details=(*(unknown if wrong else ()), *details),
    )
