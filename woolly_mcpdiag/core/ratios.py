"""The one place for comparing two sides by measurements of rounds or batches: a ratio with its t-interval.

Measurements are positive and compared by their logarithms, since latencies and rates vary by factors. Student's t is
taken from the incomplete beta function of ``core.stats``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from woolly_mcpdiag.core.stats import beta_share

_STEPS = 60
FEWEST = 2
"""Measurements a side below which there is no interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times as large the second side is as the first."""

    value: float
    low: float
    high: float
    """The interval; 0 to infinity where there are too few measurements."""
    rounds: int
    """Measurements of the side that has fewer."""

    @property
    def differs(self) -> bool:
        """True where the interval leaves 1 out."""
        return self.low > 1 or self.high < 1


@lru_cache(maxsize=256)
def student(confidence: float, freedom: float) -> float:
    """Return t of Student's distribution for a two-sided interval; ``freedom`` are degrees above 0.

    Raises ``ValueError`` for a confidence that is not between 0 and 1 or no freedom.
    """
    if not 0 < confidence < 1 or freedom <= 0:
        message = f"t: confidence {confidence}, {freedom} degrees of freedom"
        raise ValueError(message)
    # P(|T| > t) = I_x(f/2, 1/2) with x = f/(f+t²); it falls as t rises.
    low, high = 0.0, 1.0
    while _tails(high, freedom) > 1 - confidence:
        high *= 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _tails(middle, freedom) > 1 - confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _tails(t: float, freedom: float) -> float:
    return beta_share(freedom / (freedom + t * t), freedom / 2, 0.5)


def paired(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Ratio:
    """Return the ratio of rounds that were run side by side: the k-th of one with the k-th of the other.

    Rounds in which a side has nothing to compare (0 or less) are left out. Raises ``ValueError`` where none is left.
    """
    gaps = [math.log(b / a) for a, b in zip(first, second, strict=False) if a > 0 and b > 0]
    if not gaps:
        message = "ratio: no round has a measurement of both sides"
        raise ValueError(message)
    mean = math.fsum(gaps) / len(gaps)
    if len(gaps) < FEWEST:
        return Ratio(value=math.exp(mean), low=0.0, high=math.inf, rounds=len(gaps))
    half = student(confidence, len(gaps) - 1) * math.sqrt(_variance(gaps, mean) / len(gaps))
    return _ratio(mean, half, len(gaps))


def separate(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Ratio:
    """Return the ratio of measurements that have no partner: Welch's interval (Biometrika 34, 1947).

    Raises ``ValueError`` where a side has no measurement above 0.
    """
    sides = [[math.log(value) for value in side if value > 0] for side in (first, second)]
    if not all(sides):
        message = "ratio: a side has no measurement"
        raise ValueError(message)
    means = [math.fsum(side) / len(side) for side in sides]
    gap, rounds = means[1] - means[0], min(map(len, sides))
    if rounds < FEWEST:
        return Ratio(value=math.exp(gap), low=0.0, high=math.inf, rounds=rounds)
    shares = [_variance(side, mean) / len(side) for side, mean in zip(sides, means, strict=True)]
    if not any(shares):
        return _ratio(gap, 0.0, rounds)
    freedom = sum(shares) ** 2 / sum(s**2 / (len(side) - 1) for s, side in zip(shares, sides, strict=True))
    return _ratio(gap, student(confidence, freedom) * math.sqrt(sum(shares)), rounds)


def noise(rounds: Sequence[float], confidence: float = 0.95) -> float | None:
    """Return by what factor two rounds of the same side may differ by chance; ``None`` below three rounds."""
    logs = [math.log(value) for value in rounds if value > 0]
    if len(logs) <= FEWEST:
        return None
    spread = math.sqrt(2 * _variance(logs, math.fsum(logs) / len(logs)))
    return math.exp(student(confidence, len(logs) - 1) * spread)


def _variance(values: Sequence[float], mean: float) -> float:
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _ratio(mean: float, half: float, rounds: int) -> Ratio:
    return Ratio(value=math.exp(mean), low=math.exp(mean - half), high=math.exp(mean + half), rounds=rounds)
