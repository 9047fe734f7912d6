"""The one place that judges a pace, and a run against another one: ratios and differences with their noise."""

import math

from woolly_mcpdiag.core import stats
from woolly_mcpdiag.core.verdicts import Judgement, Verdict
from woolly_mcpdiag.gate import reading
from woolly_mcpdiag.gate.case import Case, Record
from woolly_mcpdiag.gate.evidence import Batch, design_effect, quantile_ranks, split_confidence
from woolly_mcpdiag.gate.reading import Seen, Timed
from woolly_mcpdiag.gate.shares import COMPARE
from woolly_mcpdiag.gate.wording import of, percent

STORED = (
    "the baseline was stored, so a drift of the machines is not in this interval; mcpdiag compare --interleave has it"
)


def judge_pace(case: Case) -> Judgement:
    """Judge a number a second, as it was counted."""
    threshold, seconds = case.threshold, case.record.seconds(case.part.scenes)
    number = case.seen().most
    if not number or seconds <= 0:
        return case.nothing()
    pace = number / seconds
    return case.judged(
        "pass" if COMPARE[threshold.op](pace, threshold.value) else "fail",
        f"{number:,} {threshold.metric.name} in {seconds:,.1f} s are {pace:,.4g}/s; asked for {threshold.limit}",
        observed=f"{pace:,.4g}/s",
        tries=number,
        unit=case.unit,
        details=case.notes(),
    )


def judge_relative(case: Case) -> Judgement:
    """Judge how much more or less than in the baseline; inconclusive where there is none."""
    if case.baseline is None:
        return case.judged("inconclusive", "there is no baseline to compare with", next_step="name one with --baseline")
    if case.threshold.metric.kind == "duration":
        return _quantiles(case, case.baseline)
    return _rates(case, case.baseline) if case.threshold.unit == "points" else _paces(case, case.baseline)


def _judged(case: Case, low: float, high: float, sentence: str, observed: str) -> Judgement:
    limit = case.threshold.value
    good, bad = (low >= limit, high < limit) if case.threshold.op.startswith(">") else (high <= limit, low > limit)
    verdict: Verdict = "pass" if good else "fail" if bad else "inconclusive"
    return case.judged(verdict, sentence, observed=observed, unit=case.unit, details=(STORED, *case.notes()))


def _quantiles(case: Case, baseline: Record) -> Judgement:
    ours, theirs = case.timed(), reading.timed(case.threshold, baseline.tally, case.part)
    if not ours.tries or not theirs.tries:
        return case.nothing("" if theirs.tries else f"{case.unit} in the baseline, or")
    each = split_confidence(case.confidence, 2)
    (low1, mid1, high1), (low2, mid2, high2) = (
        _interval(case, record, timed, each) for record, timed in ((case.record, ours), (baseline, theirs))
    )
    if case.threshold.unit == "s":
        low, middle, high = low1 - high2, mid1 - mid2, high1 - low2
        shown = [f"{value * 1000:+,.3g} ms" for value in (middle, low, high)]
    else:
        low, middle, high = (_ratio(a, b) - 1 for a, b in ((low1, high2), (mid1, mid2), (high1, low2)))
        shown = [f"{value * 100:+,.3g} %" for value in (middle, low, high)]
    sentence = (
        f"{case.threshold.aggregate} {shown[0]} against the baseline, truly between {shown[1]} and {shown[2]} "
        f"({percent(case.confidence)}; n {ours.tries:,} and {theirs.tries:,}); asked for {case.threshold.limit}"
    )
    return _judged(case, low, high, sentence, shown[0])


def _interval(case: Case, record: Record, timed: Timed, confidence: float) -> tuple[float, float, float]:
    q, tries = case.threshold.quantile, timed.tries
    middle = timed.quantile(q)
    batches = [
        reading.timed(case.threshold, tally, case.part).over(middle, reached=True)
        for tally in record.batches(case.part.scenes)
    ]
    effect = design_effect([Batch(each.tries, each.most) for each in batches]) if math.isfinite(middle) else 1.0
    effective = max(1, int(tries / effect))
    low, high = quantile_ranks(q, effective, confidence)
    return (
        timed.quantile(low / effective) if low else 0.0,
        middle,
        timed.quantile(high / effective) if high <= effective else math.inf,
    )


def _ratio(a: float, b: float) -> float:
    if b == 0 or math.isinf(a):
        return math.inf
    return 0.0 if math.isinf(b) else a / b


def _rates(case: Case, baseline: Record) -> Judgement:
    ours, theirs = case.seen(), reading.seen(case.threshold, baseline.tally, case.part)
    if not ours.tries or not theirs.tries:
        return case.nothing("" if theirs.tries else f"{case.unit} in the baseline, or")
    both = confidence_two_sided(case.confidence)
    gap = stats.difference((ours.most, ours.tries), (theirs.most, theirs.tries), both)
    sign = -1 if case.threshold.metric.inverted else 1
    low, high = sorted((sign * gap.low, sign * gap.high))
    middle = sign * (_rate(ours) - _rate(theirs))
    sentence = (
        f"{middle * 100:+.2g} points against the baseline ({of(ours.most, ours.tries)} and "
        f"{of(theirs.most, theirs.tries)} {case.verb}), truly between {low * 100:+.2g} and "
        f"{high * 100:+.2g} ({percent(case.confidence)} each); asked for {case.threshold.limit}"
    )
    return _judged(case, low, high, sentence, f"{middle * 100:+.2g} points")


def confidence_two_sided(confidence: float) -> float:
    """Return the confidence of the interval whose two bounds each have the given one."""
    return 1 - 2 * (1 - confidence) if confidence > 0.5 else confidence


def _rate(seen: Seen) -> float:
    return seen.most / seen.tries


def _paces(case: Case, baseline: Record) -> Judgement:
    ours, theirs = case.seen().most, reading.seen(case.threshold, baseline.tally, case.part).most
    seconds = case.record.seconds(case.part.scenes), baseline.seconds(case.part.scenes)
    if not ours or not theirs or not all(seconds):
        return case.nothing("" if theirs else f"{case.threshold.metric.name} in the baseline, or")
    change = ours / seconds[0] / (theirs / seconds[1]) - 1
    told = f"{ours / seconds[0]:,.4g}/s against {theirs / seconds[1]:,.4g}/s"
    return _judged(case, change, change, f"{change * 100:+.3g} %: {told}", f"{change * 100:+.3g} %")
