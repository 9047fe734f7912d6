"""The one place that judges durations: a percentile as a share of calls beyond the limit; avg, min and max."""

import math

from woolly_mcpdiag.core.histogram import Histogram
from woolly_mcpdiag.core.verdicts import Judgement, Verdict
from woolly_mcpdiag.gate import reading
from woolly_mcpdiag.gate.case import Case
from woolly_mcpdiag.gate.evidence import Bounds, mean_bounds, student
from woolly_mcpdiag.gate.reading import Timed
from woolly_mcpdiag.gate.shares import COMPARE, bounded, too_few, weigh
from woolly_mcpdiag.gate.wording import counted, duration, of, percent


def judge_quantile(case: Case) -> Judgement:
    """Judge "p95 < X" as "at most 5 % take X or longer", without any assumption about the distribution.

    Failed calls took longer than any limit.
    """
    threshold, timed = case.threshold, case.timed()
    if not timed.tries:
        return case.nothing()
    if timed.tries < threshold.least:
        return too_few(case, timed.tries)
    upwards = threshold.op.startswith(">")
    reached = threshold.op in {"<", ">="}
    seen = timed.over(threshold.value, reached=reached)
    effect = case.effect(
        lambda tally: reading.timed(threshold, tally, case.part).over(threshold.value, reached=reached)
    )
    weighed = weigh(seen, round(1 - threshold.quantile, 12), effect, case.confidence, upwards=upwards)
    value = timed.quantile(threshold.quantile)
    observed = duration(value) if math.isfinite(value) else "never: too many failed"
    failed = f", {timed.failed:,} of them failed" if timed.failed else ""
    beyond = (
        f"took {duration(threshold.value)} or longer" if reached else f"took longer than {duration(threshold.value)}"
    )
    what = f"{threshold.aggregate} {observed}; {of(seen.most, seen.tries)} {case.unit} {beyond}{failed}"
    tail = threshold.quantile >= 0.9
    return bounded(case, seen, weighed, what, observed=f"{threshold.aggregate} {observed}", tail=tail)


def judge_level(case: Case) -> Judgement:
    """Judge avg, min or max."""
    timed = case.timed()
    if not timed.tries:
        return case.nothing()
    if timed.tries < case.threshold.least:
        return too_few(case, timed.tries)
    return _average(case, timed) if case.threshold.aggregate == "avg" else _extreme(case, timed)


def _extreme(case: Case, timed: Timed) -> Judgement:
    threshold = case.threshold
    value = timed.took.least if threshold.aggregate == "min" else timed.took.greatest
    if timed.failed and (threshold.aggregate == "max" or not timed.took.count):
        value = math.inf
    holds = COMPARE[threshold.op](value, threshold.value)
    observed = duration(value) if math.isfinite(value) else f"never: {timed.failed:,} failed"
    return case.judged(
        "pass" if holds else "fail",
        f"{threshold.aggregate} of {counted(timed.tries, case.unit)} is {observed}; asked for {threshold.limit}",
        observed=f"{threshold.aggregate} {observed}",
        tries=timed.tries,
        unit=case.unit,
        details=(*(() if holds else case.samples()), *case.notes(tail=threshold.aggregate == "max")),
    )


def _average(case: Case, timed: Timed) -> Judgement:
    threshold, took = case.threshold, timed.took
    parts = [reading.timed(threshold, tally, case.part).took for tally in case.record.batches(case.part.scenes)]
    bounds = mean_bounds([(part.sum, part.count) for part in parts], case.confidence) or _of_values(
        took, case.confidence
    )
    below, above = bounds.high <= threshold.value, bounds.low >= threshold.value
    good, bad = (above, below) if threshold.op.startswith(">") else (below, above)
    verdict: Verdict = "pass" if good else "fail" if bad else "inconclusive"
    told = f"avg {duration(took.mean)} of {counted(took.count, case.unit)}"
    between = f"the true one is between {duration(max(bounds.low, 0.0))} and {duration(bounds.high)}"
    sentence = f"{told}: {between} ({percent(case.confidence)} each); asked for {threshold.limit}"
    if timed.failed and verdict == "pass":
        verdict, sentence = "inconclusive", f"{sentence}; but {timed.failed:,} failed and have no duration"
    return case.judged(
        verdict,
        sentence,
        observed=f"avg {duration(took.mean)}",
        tries=timed.tries,
        failures=timed.failed,
        unit=case.unit,
        details=case.notes(),
    )


def _of_values(took: Histogram, confidence: float) -> Bounds:
    if took.count < 2:
        return Bounds(0.0, math.inf)
    mean = took.mean
    spread = sum((math.sqrt(low * high) - mean) ** 2 * n for low, high, n in took.buckets()) / (took.count - 1)
    half = student(confidence, took.count - 1) * math.sqrt(spread / took.count)
    return Bounds(mean - half, mean + half)
