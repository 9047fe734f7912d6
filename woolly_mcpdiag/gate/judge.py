"""The one place that judges thresholds: each is met with the record of a run and found shown, refuted or undecided."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from woolly_mcpdiag.core.measures import Tally
from woolly_mcpdiag.core.runs import Interval, Meta, Run
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.gate import reading
from woolly_mcpdiag.gate.against import judge_pace, judge_relative
from woolly_mcpdiag.gate.case import Case, Record
from woolly_mcpdiag.gate.latency import judge_level, judge_quantile
from woolly_mcpdiag.gate.shares import judge_count, judge_share, judge_zero
from woolly_mcpdiag.gate.thresholds import Sense, Threshold

SURE = 0.999
"""Confidence of a look in mid-run: it is taken over and over, and a stop cannot be taken back."""
_JUDGES: dict[Sense, Callable[[Case], Judgement]] = {
    "zero": judge_zero,
    "share": judge_share,
    "count": judge_count,
    "pace": judge_pace,
    "quantile": judge_quantile,
    "level": judge_level,
    "relative": judge_relative,
}
_TIMED: frozenset[Sense] = frozenset({"quantile", "level", "pace"})
_PEERS = {"agent": "agent runs", "mcp": "MCP calls"}


def judge(
    thresholds: Iterable[Threshold], run: Run, *, confidence: float = 0.95, baseline: Run | None = None
) -> list[Judgement]:
    """Return a judgement for each threshold, or several where it says ``per TAG`` or the run has two kinds of peers.

    ``confidence`` is one-sided and holds where a threshold names none.
    """
    record = Record.of(run)
    other = None if baseline is None else Record.of(baseline)
    return [
        _judged(
            Case(
                threshold=threshold,
                name=name,
                record=record,
                part=reading.where(threshold, record.tally),
                confidence=threshold.confidence or confidence,
                baseline=other,
            )
        )
        for written in thresholds
        for name, threshold in _parts(written, record.tally)
    ]


def sure_failures(thresholds: Iterable[Threshold], tally: Tally, *, confidence: float = SURE) -> list[Judgement]:
    """Return the thresholds that have failed whatever still happens: for ``--abort-on-fail``.

    A count that is exceeded, or a rate whose exact lower bound is above its limit. Thresholds of level ``warn`` are
    left out.
    """
    run = Run(
        meta=Meta(run="", command="", version="", started=0.0), intervals=[Interval(start=0.0, end=0.0, tally=tally)]
    )
    firm = [replace(each, confidence=None) for each in thresholds if each.level == "error" and _is_firm(each)]
    return [found for found in judge(firm, run, confidence=confidence) if found.verdict == "fail"]


def _is_firm(threshold: Threshold) -> bool:
    if threshold.sense in {"pace", "relative"}:
        return False
    if threshold.sense == "count":
        return threshold.op in {"<", "<="}
    if threshold.sense == "level":
        return threshold.aggregate == "max" and threshold.op.startswith("<")
    return True


def _parts(threshold: Threshold, tally: Tally) -> Iterator[tuple[str, Threshold]]:
    part = reading.where(threshold, tally)
    if threshold.per:
        found = reading.values(threshold, tally, part, threshold.per)
        for value in found:
            yield f"{threshold.text} [{value or 'none'}]", _narrowed(threshold, threshold.per, value)
        if not found:
            yield threshold.text, threshold
        return
    fixed = {tag for tag, _ in threshold.tags} - {"scene", "client"}
    if fixed or "peer" not in threshold.metric.tags or threshold.metric.source in {"answers", "outcomes"}:
        yield threshold.text, threshold
        return
    peers = reading.values(threshold, tally, part, "peer")
    if len(peers) < 2 or threshold.sense in {"count", "pace"}:
        yield threshold.text, threshold
        return
    # A slow agent run would drown among a hundred quick calls of tools: each kind is judged for itself.
    for peer in peers:
        yield f"{threshold.text} [{_PEERS.get(peer, peer)}]", _narrowed(threshold, "peer", peer)


def _narrowed(threshold: Threshold, tag: str, value: str) -> Threshold:
    return replace(threshold, tags=(*threshold.tags, (tag, reading.literal(value))), per="")


def _judged(case: Case) -> Judgement:
    return distrusted(case, _JUDGES[case.threshold.sense](case))


def distrusted(case: Case, found: Judgement) -> Judgement:
    """Return a judgement of a duration or a pace as inconclusive where the generator was the bottleneck."""
    end = case.record.run.end
    timed = case.threshold.sense in _TIMED or (case.threshold.relative and case.threshold.unit != "points")
    if end is None or not end.generator.bound or not timed or found.observed == "no sample":
        return found
    why = end.generator.why or "it could not send faster"
    return replace(
        found,
        verdict="inconclusive",
        sentence=f"the generator was the bottleneck ({why}), so its figures are not the target's; {found.sentence}",
        next_step=found.next_step or "ask for less at once, or give it --processes",
    )
