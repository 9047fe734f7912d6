"""The one place that judges counts and shares: none may happen, so many may, such a part may."""

from operator import eq, ge, gt, le, lt, ne
from typing import NamedTuple

from woolly_mcpdiag.core import stats
from woolly_mcpdiag.core.verdicts import Judgement, Verdict
from woolly_mcpdiag.gate import reading
from woolly_mcpdiag.gate.case import Case
from woolly_mcpdiag.gate.evidence import Bounds, further_tries, rate_bounds, zero_bound
from woolly_mcpdiag.gate.reading import Seen
from woolly_mcpdiag.gate.wording import counted, exact_percent, of, percent

COMPARE = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}
_WAVE_COUNTER = {
    "http_400": "waves_400",
    "success": "waves_failed",
    "error_rate": "waves_failed",
    "errors": "waves_failed",
}


class Unit(NamedTuple):
    """A unit of evidence: what is independent of each other."""

    plural: str
    tries: int
    hits: int

    @property
    def one(self) -> str:
        """``per request``."""
        return self.plural.removesuffix("s")


def judge_zero(case: Case) -> Judgement:
    """Judge "none may happen": one is a fail; none proves a bound, which must be within the claim if there is one."""
    seen = case.seen()
    own = Unit(case.unit, seen.tries, seen.most)
    unit = _unit(case, own)
    if not own.tries or not unit.tries:
        return case.nothing(unit.plural if own.tries else "")
    if own.tries < case.threshold.least:
        return too_few(case, own.tries)
    if own.hits:
        return _happened(case, own, unit)
    return _none(case, own, unit)


def _unit(case: Case, own: Unit) -> Unit:
    waves = Unit("waves", reading.counter(case.record.tally, case.part, "waves"), 0)
    counter = _WAVE_COUNTER.get(case.threshold.metric.name)
    if counter:
        waves = waves._replace(hits=reading.counter(case.record.tally, case.part, counter))
    match case.threshold.over:
        case "wave":
            return waves
        case "session":
            births = ("sessions_opened", "sessions_failed")
            return Unit("sessions", sum(reading.counter(case.record.tally, case.part, each) for each in births), 0)
        case None if waves.tries and case.threshold.metric.source != "counter":
            return waves
        case _:
            return own


def _happened(case: Case, own: Unit, unit: Unit) -> Judgement:
    low = stats.lower_bound(own.hits, own.tries, case.confidence)
    waves = f", in {of(unit.hits, unit.tries)} waves" if unit.plural == "waves" and unit.hits else ""
    samples = case.samples()
    return case.judged(
        "fail",
        f"{of(own.hits, own.tries)} {own.plural} {case.verb} ({percent(own.hits / own.tries)}){waves}",
        observed=of(own.hits, own.tries),
        tries=own.tries,
        failures=own.hits,
        unit=own.plural,
        bound=low,
        claim=case.threshold.claim,
        details=(*samples, *case.notes()),
    )


def _none(case: Case, own: Unit, unit: Unit) -> Judgement:
    claim = case.threshold.claim
    bound = zero_bound(unit.tries, case.confidence)
    shown = claim is None or bound <= claim
    head = f"{of(0, own.tries)} {own.plural} {case.verb}"
    if unit is not own:
        head += f", in {counted(unit.tries, unit.plural)}"
    needed = None
    if shown:
        sentence = f"{head}: the true rate is {_bounds(case, own, unit)} ({percent(case.confidence)})"
    else:
        needed = stats.tries_needed(claim or 0.5, case.confidence) - unit.tries
        more = counted(needed, unit.plural)
        could = f"the true rate could still be {percent(bound, 'up')} per {unit.one} ({percent(case.confidence)})"
        sentence = f"{head}: {could}; {more} more would show less than {exact_percent(claim or 0.5)}"
    return case.judged(
        "pass" if shown else "inconclusive",
        sentence,
        observed=of(0, own.tries),
        tries=unit.tries,
        unit=unit.plural,
        bound=bound,
        claim=claim,
        needed=needed,
        details=case.notes(),
    )


def _bounds(case: Case, own: Unit, unit: Unit) -> str:
    told = f"below {percent(zero_bound(own.tries, case.confidence), 'up')} per {own.one}"
    if unit is own:
        return told
    return f"{told} and below {percent(zero_bound(unit.tries, case.confidence), 'up')} per {unit.one}"


def judge_count(case: Case) -> Judgement:
    """Judge a number as it was counted; nothing tried is never a pass."""
    seen, threshold = case.seen(), case.threshold
    if not seen.tries:
        return case.nothing()
    if seen.tries < threshold.least:
        return too_few(case, seen.tries)
    holds = COMPARE[threshold.op](seen.most, threshold.value)
    what = f"{threshold.metric.name} is {seen.most:,}"
    if threshold.metric.unit:
        what = f"{of(seen.most, seen.tries)} {case.unit} {case.verb}"
    return case.judged(
        "pass" if holds else "fail",
        f"{what}; asked for {threshold.limit}",
        observed=f"{seen.most:,}",
        tries=seen.tries,
        failures=seen.most if threshold.metric.bad else 0,
        unit=case.unit,
        details=(*(() if holds else case.samples()), *case.notes()),
    )


def judge_share(case: Case) -> Judgement:
    """Judge a rate by its exact bounds on the effective number of tries."""
    threshold, seen = case.threshold, case.seen()
    if not seen.tries:
        return case.nothing()
    if seen.tries < threshold.least:
        return too_few(case, seen.tries)
    effect = case.effect(lambda tally: reading.seen(threshold, tally, case.part))
    limit = 1 - threshold.value if threshold.metric.inverted else threshold.value
    upwards = threshold.op.startswith(">") != threshold.metric.inverted
    weighed = weigh(seen, limit, effect, case.confidence, upwards=upwards)
    what = f"{of(seen.most, seen.tries)} {case.unit} {case.verb} ({percent(seen.most / seen.tries)})"
    observed = 1 - seen.most / seen.tries if threshold.metric.inverted else seen.most / seen.tries
    return bounded(case, seen, weighed, what, observed=f"{observed * 100:.4g} %")


class Weighed(NamedTuple):
    """What counts prove about a limit for a rate. All rates are of what is counted."""

    verdict: Verdict
    bounds: Bounds
    limit: float
    effect: float
    upwards: bool
    needed: int | None


def weigh(seen: Seen, limit: float, effect: float, confidence: float, *, upwards: bool = False) -> Weighed:
    """Return whether a rate is shown to be below a limit (above it where ``upwards``), shown not to be, or neither."""
    bounds = rate_bounds((seen.least, seen.most), seen.tries, effect, confidence)
    good, bad = bounds.high <= limit, bounds.low > limit
    if upwards:
        good, bad = seen.least == seen.tries if limit == 1 else bounds.low >= limit, bounds.high < limit
    verdict: Verdict = "pass" if good else "fail" if bad else "inconclusive"
    needed = None
    if verdict == "inconclusive":
        counts = (seen.tries - seen.least, 1 - limit) if upwards else (seen.most, limit)
        needed = further_tries(counts[0], seen.tries, counts[1], confidence, effect)
    return Weighed(verdict, bounds, limit, effect, upwards, needed)


def bounded(case: Case, seen: Seen, weighed: Weighed, what: str, *, observed: str, tail: bool = False) -> Judgement:
    """Return the judgement of a rate: what was seen, what it proves, what was asked."""
    low, high = weighed.bounds
    wanted = f"{exact_percent(weighed.limit)} {'must' if weighed.upwards else 'may'}"
    sure = percent(case.confidence)
    if weighed.verdict == "inconclusive":
        proof = f"the true rate is between {percent(low, 'down')} and {percent(high, 'up')} ({sure} each); {wanted}"
        if weighed.needed is not None:
            proof += f"; {counted(weighed.needed, case.unit)} more like these would show it"
    elif (weighed.verdict == "pass") != weighed.upwards:
        proof = f"at most {percent(high, 'up')} do ({sure}); {wanted}"
    else:
        proof = f"at least {percent(low, 'down')} do ({sure}); {wanted}"
    effective = seen.tries / weighed.effect
    details = case.notes(tail=tail)
    if weighed.effect > 1.05:
        told = f"calls depend on their neighbours: {seen.tries:,} tell as much as {effective:,.0f} independent ones"
        details = (told, *details)
    if weighed.verdict == "fail":
        details = (*case.samples(), *details)
    return case.judged(
        weighed.verdict,
        f"{what}: {proof}",
        observed=observed,
        tries=seen.tries,
        failures=seen.most,
        unit=case.unit,
        effective=effective,
        bound=low if (weighed.verdict == "fail") != weighed.upwards else high,
        claim=weighed.limit,
        needed=weighed.needed,
        details=details,
    )


def too_few(case: Case, tries: int) -> Judgement:
    """Return the judgement of less than ``min`` tries."""
    least = case.threshold.least
    return case.judged(
        "inconclusive",
        f"{counted(tries, case.unit or case.threshold.metric.name)} of the {least:,} that were asked for",
        observed=f"{tries:,}",
        tries=tries,
        unit=case.unit,
        needed=least - tries,
        details=case.notes(),
    )
