"""The one place for the statistics of proportions: every interval, bound, test and sample size a verdict rests on.

All proportions are counts of independent tries: ``failures`` of ``tries``. ``confidence`` lies strictly between 0 and 1
and is two-sided for intervals, one-sided for bounds. Every function raises ``ValueError`` for counts or confidences
outside their range.
"""

import math
from typing import NamedTuple

_STEPS = 200
"""Halvings until an interval of doubles is exhausted; more change nothing."""
_TINY = 1e-300
_TERMS = 20_000
"""Terms of the continued fraction; it needs some multiple of the square root of the larger parameter."""
_SAME = 1e-7
"""Relative slack within which two table probabilities are equal (the convention of R's fisher.test)."""


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    high: float


def clopper_pearson(failures: int, tries: int, confidence: float = 0.95) -> Interval:
    """Return the exact interval of a proportion (Clopper and Pearson, Biometrika 26, 1934).

    It never covers the truth less often than the confidence says. Without tries it is 0 to 1.
    """
    tail = (1 - _checked(failures, tries, confidence)) / 2
    return Interval(_exact_low(failures, tries, tail), _exact_high(failures, tries, tail))


def upper_bound(failures: int, tries: int, confidence: float = 0.95) -> float:
    """Return the exact one-sided bound under which the true proportion lies; 1 without tries."""
    return _exact_high(failures, tries, 1 - _checked(failures, tries, confidence))


def lower_bound(failures: int, tries: int, confidence: float = 0.95) -> float:
    """Return the exact one-sided bound over which the true proportion lies; 0 without failures."""
    return _exact_low(failures, tries, 1 - _checked(failures, tries, confidence))


def zero_failures_bound(tries: int, confidence: float = 0.95) -> float:
    """Return what no failure in that many tries proves: the true rate is below 1-(1-confidence)^(1/tries).

    About 3/tries at 95 % ("rule of three"); 1 without tries.
    """
    _checked(0, tries, confidence)
    return -math.expm1(math.log1p(-confidence) / tries) if tries else 1.0


def tries_needed(claim: float, confidence: float = 0.95, failures: int = 0) -> int:
    """Return how many tries with at most that many failures show that the true rate is below the claim.

    The claim lies strictly between 0 and 1: 0.01 at 95 % needs 299, 0.05 needs 59.
    """
    if not 0 < claim < 1:
        message = f"claim: {claim} is not between 0 and 1"
        raise ValueError(message)
    _checked(failures, failures, confidence)
    low, high = failures, max(failures, 1)
    while upper_bound(failures, high, confidence) > claim:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if upper_bound(failures, middle, confidence) > claim:
            low = middle
        else:
            high = middle
    return high


def wilson(failures: int, tries: int, confidence: float = 0.95) -> Interval:
    """Return the score interval of a proportion (Wilson, JASA 22, 1927): short and good for reading, not for gates.

    At no failures it claims too much (35 % instead of 45 % for 0 of 5, one-sided). Without tries it is 0 to 1.
    """
    _checked(failures, tries, confidence)
    if not tries:
        return Interval(0.0, 1.0)
    from statistics import NormalDist  # noqa: PLC0415 - 3 ms that few commands need

    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate = failures / tries
    centre = rate + z * z / (2 * tries)
    half = z * math.sqrt(rate * (1 - rate) / tries + z * z / (4 * tries * tries))
    scale = 1 + z * z / tries
    low = 0.0 if failures == 0 else (centre - half) / scale
    high = 1.0 if failures == tries else (centre + half) / scale
    return Interval(min(max(low, 0.0), rate), max(min(high, 1.0), rate))


def difference(first: tuple[int, int], second: tuple[int, int], confidence: float = 0.95) -> Interval:
    """Return the interval of the first rate minus the second, each given as (failures, tries).

    Newcombe's hybrid score interval without continuity correction (Statistics in Medicine 17, 1998, method 10).
    Without tries on a side its rate is anything from 0 to 1.
    """
    (low1, high1), (low2, high2) = wilson(*first, confidence), wilson(*second, confidence)
    rate1 = first[0] / first[1] if first[1] else None
    rate2 = second[0] / second[1] if second[1] else None
    if rate1 is None or rate2 is None:
        return Interval(low1 - high2, high1 - low2)
    gap = rate1 - rate2
    return Interval(
        max(gap - math.hypot(rate1 - low1, high2 - rate2), -1.0),
        min(gap + math.hypot(high1 - rate1, rate2 - low2), 1.0),
    )


def fisher(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Return how likely so unequal a split of failures is by chance alone: Fisher's exact test, two-sided.

    Each side is (failures, tries). All splits with the same totals that are no likelier than this one count. 1 where
    a side has no tries.
    """
    for failures, tries in (first, second):
        _checked(failures, tries, 0.5)
    failures, tries = first[0] + second[0], first[1] + second[1]
    low, high = max(0, failures - second[1]), min(failures, first[1])
    logs = {split: _log_split(split, failures, first[1], tries) for split in range(low, high + 1)}
    limit = logs[first[0]] + _SAME
    total = math.fsum(math.exp(value) for value in logs.values())
    return min(1.0, math.fsum(math.exp(value) for value in logs.values() if value <= limit) / total)


def _log_split(split: int, failures: int, size: int, tries: int) -> float:
    return _log_choose(size, split) + _log_choose(tries - size, failures - split) - _log_choose(tries, failures)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _checked(failures: int, tries: int, confidence: float) -> float:
    if not 0 <= failures <= tries:
        message = f"failures: {failures} of {tries} tries is no count"
        raise ValueError(message)
    if not 0 < confidence < 1:
        message = f"confidence: {confidence} is not between 0 and 1"
        raise ValueError(message)
    return confidence


def _exact_low(failures: int, tries: int, tail: float) -> float:
    if failures == 0:
        return 0.0
    if failures == tries:
        return math.exp(math.log(tail) / tries)
    return min(_beta_quantile(tail, failures, tries - failures + 1), failures / tries)


def _exact_high(failures: int, tries: int, tail: float) -> float:
    if failures == tries:
        return 1.0
    if failures == 0:
        return -math.expm1(math.log(tail) / tries)
    return max(_beta_quantile(1 - tail, failures + 1, tries - failures), failures / tries)


def _beta_quantile(share: float, a: float, b: float) -> float:
    """Return x with I_x(a, b) = share, by halving: I rises with x."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        if beta_share(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_share(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b) for a, b > 0 and x from 0 to 1.

    Continued fraction of the Digital Library of Mathematical Functions, 8.17.22, by Lentz's method.
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x > (a + 1) / (a + b + 2):
        return 1 - front * _fraction(1 - x, b, a) / b
    return front * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    numerator, denominator = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = denominator
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            denominator = 1 / _away_from_zero(1 + term * denominator)
            numerator = _away_from_zero(1 + term / numerator)
            value *= numerator * denominator
        if abs(numerator * denominator - 1) < 1e-15:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
