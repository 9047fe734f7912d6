"""The one place that judges what a rehearsal recorded: how an outage hurt, and whether each failure is in the log."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from woolly_mcpdiag.core.rehearsals import LoggingFacts, OutageFacts
from woolly_mcpdiag.core.runs import REHEARSED, Scene
from woolly_mcpdiag.core.verdicts import Judgement, Verdict
from woolly_mcpdiag.gate.evidence import zero_bound
from woolly_mcpdiag.gate.facts import logging_of, outage_of
from woolly_mcpdiag.gate.profile import Criterion, Profile, SceneSpec
from woolly_mcpdiag.gate.wording import counted, duration, of, percent

SLOW = 0.5
"""Share of the time of an attempt from which on ordinary calls, or a late loop, leave too little for a verdict."""
SLACK = 0.25
"""Seconds over its deadline that a call is forgiven: the rehearsal's own loop is late by as much at times."""


class Point(NamedTuple):
    """Something to say of an outage: in few words, and with its figures."""

    short: str
    whole: str = ""


def judge_degradation(criterion: Criterion, whole: Profile, scenes: Mapping[str, Scene], lag: float = 0.0) -> Judgement:
    """Judge what each outage did: no hang, typed errors, an open breaker, recovery in time, then no failure.

    Where calls are slow without any outage, or the rehearsal's own loop was up to ``lag`` seconds late, what a time-out
    alone may have done decides nothing.
    """
    book = _Book()
    for name in criterion.scenes:
        facts = outage_of(scenes[name]) if name in scenes else None
        if facts is None:
            book.unknown(name, [Point("its facts are missing" if name in scenes else "did not run")])
            continue
        spec = whole.scene(name)
        book.tries += facts.calls
        bad = list(_wrong(facts))
        late = list(_late(facts, spec, criterion.limit or facts.recovery_time))
        unknown = list(_unknown(facts, spec))
        if slow := _slow(facts, lag):
            unknown += [
                Point(f"{point.short}, where all is slow", f"{point.whole or point.short}; {slow}") for point in late
            ]
        else:
            bad += late
        book.wrong(name, bad, facts.examples)
        book.unknown(name, unknown)
        if not bad and not unknown:
            book.fine.append(_fine(name, facts, criterion.confidence or whole.confidence))
    return _decided(criterion, whole, book)


def _slow(facts: OutageFacts, lag: float) -> str:
    """Say what was so slow that healthy calls may have been given up, empty where nothing was."""
    limit = SLOW * facts.attempt
    if limit and facts.pace >= limit:
        ordinary = f"calls took {duration(facts.pace)} (p90) without any outage"
        return f"{ordinary}, an attempt may take {duration(facts.attempt)}"
    if limit and lag >= limit:
        return f"the rehearsal itself was {duration(lag)} late at times: run the gate where nothing else runs"
    return ""


def _wrong(facts: OutageFacts) -> Iterator[Point]:
    """Yield what is wrong however slow all is."""
    if facts.hangs:
        yield Point(
            "calls hung",
            f"{of(facts.hangs, facts.calls)} calls hung beyond their deadline of {duration(facts.deadline)}",
        )
    if facts.untyped_errors:
        yield Point(
            "errors named no cause",
            f"{of(facts.untyped_errors, facts.calls)} calls failed with an error that names no cause",
        )
    if facts.recovered_after is None:
        yield Point("no recovery", "no call succeeded after the server was back")


def _late(facts: OutageFacts, spec: SceneSpec, recovery: float) -> Iterator[Point]:
    """Yield what is wrong, or only too slow."""
    if facts.worst_over > SLACK and not facts.hangs:
        yield Point("calls were late", f"the slowest call ended {duration(facts.worst_over)} after its deadline")
    if spec.hurts and not facts.breaker_opened:
        yield Point("the breaker did not open")
    if facts.recovered_after is not None and facts.recovered_after > recovery:
        yield Point(
            "recovery took too long",
            f"recovered {duration(facts.recovered_after)} after the server was back, {duration(recovery)} allowed",
        )
    if facts.failures_after_recovery:
        yield Point(
            "calls failed after the recovery",
            f"{of(facts.failures_after_recovery, facts.calls_after_recovery)} calls failed after the recovery",
        )


def _unknown(facts: OutageFacts, spec: SceneSpec) -> Iterator[Point]:
    fates = facts.ok + facts.degraded + facts.typed_errors + facts.untyped_errors + facts.hangs
    if not facts.calls:
        yield Point("no call was made while the server was away")
    elif fates != facts.calls:
        yield Point("the fates of calls do not add up", f"the fates of {facts.calls:,} calls add up to {fates:,}")
    elif spec.hurts and facts.ok == facts.calls:
        yield Point(
            "the outage never took place",
            f"all {facts.calls:,} calls were answered in full: the outage never took place",
        )
    if facts.recovered_after is not None and not facts.calls_after_recovery:
        yield Point("no call was made after the recovery")


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
    book = _Book()
    none = Point("no failure to log", "no caller saw a failure, so none could be logged")
    for name in criterion.scenes:
        facts = logging_of(scenes[name]) if name in scenes else None
        if facts is None:
            book.unknown(name, [Point("what was logged is not told" if name in scenes else "did not run")])
            continue
        book.tries += facts.seen
        bad = list(_unlogged(facts))
        book.wrong(name, bad, facts.examples)
        if not bad and facts.seen:
            book.fine.append(
                f"{name}: {of(facts.logged, facts.seen)} failures found in the log, each with all it needs"
            )
        elif not bad and whole.scene(name).hurts:
            book.unknown(name, [none])
    if not book.tries and not book.said:
        book.unknown("", [none])
    return _decided(criterion, whole, book)


def _unlogged(facts: LoggingFacts) -> Iterator[Point]:
    if facts.missing:
        yield Point(
            "failures are not in the log",
            f"{of(facts.missing, facts.seen)} failures that a caller saw are not in the log",
        )
    if facts.extra:
        yield Point(
            "failures in the log that no caller saw",
            f"{of(facts.extra, facts.logged)} failures in the log were seen by no caller",
        )
    if facts.logged - facts.extra != facts.seen - facts.missing:
        yield Point(
            "failures do not match one to one",
            f"{facts.seen:,} failures seen and {facts.logged:,} logged do not match one to one",
        )
    told = {"key": facts.with_key, "agent": facts.with_agent, "phase": facts.with_phase, "cause": facts.with_cause}
    for number in sorted(set(told.values())):
        if number < facts.logged:
            names = [name for name, known in told.items() if known == number]
            what = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
            bare = f"{of(facts.logged - number, facts.logged)} logged failures have no {what}"
            yield Point(f"no {what} in the log", bare)


@dataclass(slots=True)
class _Book:
    """What is to be said of the outages, as they are looked at."""

    tries: int = 0
    said: dict[str, dict[str, list[str]]] = field(default_factory=lambda: {"fail": {}, "inconclusive": {}})
    """Verdict → few words → scenes."""
    lines: dict[str, list[str]] = field(default_factory=lambda: {"fail": [], "inconclusive": []})
    fine: list[str] = field(default_factory=list)
    """Of the outages that are."""

    def wrong(self, scene: str, points: Sequence[Point], examples: Sequence[str]) -> None:
        self._add("fail", scene, points)
        if points:
            self.lines["fail"] += [f"{scene}: such as: {each}" for each in examples[:1]]

    def unknown(self, scene: str, points: Sequence[Point]) -> None:
        self._add("inconclusive", scene, points)

    def _add(self, verdict: str, scene: str, points: Sequence[Point]) -> None:
        for point in points:
            self.said[verdict].setdefault(point.short, []).append(scene)
        if points:
            told = "; ".join(point.whole or point.short for point in points)
            self.lines[verdict].append(f"{scene}: {told}" if scene else told)

    def sentence(self, verdict: str, scenes: int) -> str:
        """Return what is wrong with which outages; with all its figures where that is one thing about one."""
        points = self.said[verdict]
        if sum(map(len, points.values())) == 1:
            return self.lines[verdict][0]
        return "; ".join(f"{short} ({_named(names, scenes)})" for short, names in points.items())

    def unclean(self) -> set[str]:
        return {name for points in self.said.values() for names in points.values() for name in names}


def _named(scenes: Sequence[str], of_all: int) -> str:
    if len(scenes) == of_all > 1:
        return f"all {of_all} outages"
    return ", ".join(name.removeprefix(REHEARSED) for name in scenes)


def _decided(criterion: Criterion, whole: Profile, book: _Book) -> Judgement:
    number = len(criterion.scenes)
    logging = criterion.id == "error-logging"
    verdict: Verdict = "fail" if book.said["fail"] else "inconclusive" if book.said["inconclusive"] else "pass"
    if verdict != "pass":
        sentence = book.sentence(verdict, number)
    elif logging:
        sentence = (
            f"{of(book.tries, book.tries)} failures that callers saw are in the log, with key, agent, phase and cause"
        )
    else:
        head = f"{counted(book.tries, 'calls')} in {counted(number, 'outages')}: no hang"
        sentence = f"{head}; each answered, degraded or with a typed error, in time; then recovery and no failure"
    lines = [*book.lines["fail"], *book.lines["inconclusive"], *book.fine]
    return Judgement(
        name=criterion.id,
        verdict=verdict,
        sentence=sentence,
        level=criterion.level,
        observed=f"{of(max(number - len(book.unclean()), 0), number)} outages clean",
        limit="one to one" if logging else "graceful",
        tries=book.tries,
        failures=sum(map(len, book.said["fail"].values())),
        unit="failures" if logging else "calls",
        confidence=criterion.confidence or whole.confidence,
        details=tuple(line for line in lines if line != sentence),
    )
