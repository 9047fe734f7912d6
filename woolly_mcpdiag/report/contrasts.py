"""The one place that compares sides of a load: p50, p95, success and throughput, each with its interval and verdict.

Sides that were run in turns are compared round by round (t-interval on the logarithms of the ratios); stored runs by
their batches (Welch). All contrasts of a comparison share its confidence: each is tested at its part of the error.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from woolly_mcpdiag.core import ratios, stats
from woolly_mcpdiag.core.measures import Calls
from woolly_mcpdiag.report import wording
from woolly_mcpdiag.report.run_model import Better, Comparison, Contrast, Side

CONFIDENCE = 0.95
FIGURES = ("success", "p50", "p95", "throughput")
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_LEAST = 20
"""Calls of a round below which its p95 is merely its worst call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of one side, or one batch of a stored run."""

    calls: Calls
    seconds: float

    @property
    def rate(self) -> float:
        """Calls that succeeded a second."""
        return self.calls.ok / self.seconds if self.seconds > 0 else 0.0

    def quantile(self, name: str) -> float:
        """Return p50, p95 or p99 of the latency in seconds; 0 where nothing succeeded."""
        return self.calls.latency.quantile(_QUANTILES[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """All rounds of one side."""

    name: str
    rounds: tuple[Round, ...]

    def total(self) -> Calls:
        """Return the calls of all rounds."""
        whole = Calls()
        for one in self.rounds:
            whole.merge(one.calls)
        return whole

    def each(self, figure: str) -> list[float]:
        """Return a figure of every round."""
        return [one.rate if figure == "throughput" else one.quantile(figure) for one in self.rounds]


def compare(
    played: Sequence[Played],
    *,
    interleaved: bool,
    throughput: bool = True,
    confidence: float = CONFIDENCE,
    warnings: Sequence[str] = (),
) -> Comparison:
    """Compare every side with the first one.

    ``throughput`` is False where the schedule sets it (open loop). Raises ``ValueError`` for fewer than two sides.
    """
    if len(played) < 2:
        message = f"comparison: {len(played)} sides"
        raise ValueError(message)
    names = [name for name in FIGURES if throughput or name != "throughput"]
    each = 1 - (1 - confidence) / (len(names) * (len(played) - 1))
    ratio = ratios.paired if interleaved else ratios.separate
    contrasts = [
        _success(played[0], other, each) if name == "success" else _timed(name, played[0], other, each, ratio)
        for other in played[1:]
        for name in names
    ]
    few = min(one.calls.tried for side in played for one in side.rounds) if all(s.rounds for s in played) else 0
    unit = "round" if interleaved else "stretch"
    more = [f"{few} calls in a {unit}: a p95 of so few is little more than the worst call."] if few < _LEAST else []
    return Comparison(
        interleaved=interleaved,
        confidence=confidence,
        sides=tuple(map(_side, played)),
        contrasts=tuple(contrasts),
        noise=_noise(played, interleaved=interleaved),
        warnings=(*warnings, *more),
    )


def _side(played: Played) -> Side:
    total = played.total()

    def middle(figure: str) -> float | None:
        values = [value for value in played.each(figure) if value > 0]
        return median(values) if values else None

    return Side(
        name=played.name,
        tried=total.tried,
        failed=total.failed,
        rounds=len(played.rounds),
        rate=middle("throughput"),
        p50=middle("p50"),
        p95=middle("p95"),
        p99=middle("p99"),
    )


def _noise(played: Sequence[Played], *, interleaved: bool) -> str:
    found = [factor for side in played if (factor := ratios.noise(side.each("p95"))) is not None]
    if not found:
        return "Noise cannot be told: it takes three rounds of a side."
    unit = "rounds of the same side" if interleaved else "stretches of the same run"
    return f"Noise: the p95 of two {unit} may differ by a factor of {max(found):.2f} by chance alone (95 %)."


def _timed(
    name: str,
    base: Played,
    other: Played,
    confidence: float,
    ratio: Callable[[Sequence[float], Sequence[float], float], ratios.Ratio],
) -> Contrast:
    first, second = base.each(name), other.each(name)
    values = [median(side) if any(side := [v for v in values if v > 0]) else None for values in (first, second)]
    try:
        found = ratio(first, second, confidence)
    except ValueError:
        return _contrast(
            name, base, other, values, None, "no difference shown", f"{name}: a side had no success to compare"
        )
    rises: Better = "better" if name == "throughput" else "worse"
    falls: Better = "worse" if name == "throughput" else "better"
    verdict: Better = "no difference shown" if not found.differs else rises if found.value > 1 else falls
    return _contrast(name, base, other, values, found, verdict, _ratio_words(name, found, verdict))


def _ratio_words(name: str, found: ratios.Ratio, verdict: Better) -> str:
    if not math.isfinite(found.high):
        return f"{name} ×{found.value:.2f}, from one round a side: no interval, nothing is shown"
    told = f"{name} ×{found.value:.2f} ({found.low:.2f}–{found.high:.2f})"
    if verdict == "no difference shown":
        return f"{told}: no difference shown; anything within the interval is possible"
    change = abs(found.value - 1) * 100
    return f"{told}: {verdict}, {'up' if found.value > 1 else 'down'} by about {change:.0f} %"


def _success(base: Played, other: Played, confidence: float) -> Contrast:
    first, second = base.total(), other.total()
    shares = [calls.ok / calls.tried if calls.tried else None for calls in (first, second)]
    if None in shares:
        return _contrast("success", base, other, shares, None, "no difference shown", "success: a side made no call")
    gap = stats.difference((second.ok, second.tried), (first.ok, first.tried), confidence)
    # The score interval is short at the edge; the exact test must agree before a difference is claimed.
    sure = stats.fisher((first.failed, first.tried), (second.failed, second.tried)) < 1 - confidence
    verdict: Better = "no difference shown"
    if sure and (gap.low > 0 or gap.high < 0):
        verdict = "better" if gap.low > 0 else "worse"
    change = (second.ok / second.tried - first.ok / first.tried) * 100
    told = (
        f"success {wording.percent(first.ok, first.tried)} → {wording.percent(second.ok, second.tried)} "
        f"({_points(change)} points, {_points(gap.low * 100)} to {_points(gap.high * 100)}): {verdict}"
    )
    return Contrast(
        figure="success",
        base=base.name,
        other=other.name,
        base_value=shares[0],
        other_value=shares[1],
        ratio=change / 100,
        low=gap.low,
        high=gap.high,
        verdict=verdict,
        sentence=told,
    )


def _points(value: float) -> str:
    return f"{value:+.0f}" if abs(value) >= 10 else f"{value:+.2g}"


def distrusted(contrast: Contrast) -> Contrast:
    """Return a contrast of speed as undecided: the generator was the bottleneck. Success stays as it is."""
    if contrast.figure == "success":
        return contrast
    told = f"{contrast.sentence.partition(':')[0]}: the generator was the bottleneck, so nothing is shown"
    return replace(contrast, verdict="no difference shown", sentence=told)


def _contrast(
    name: str,
    base: Played,
    other: Played,
    values: Sequence[float | None],
    found: ratios.Ratio | None,
    verdict: Better,
    sentence: str,
) -> Contrast:
    return Contrast(
        figure=name,
        base=base.name,
        other=other.name,
        base_value=values[0],
        other_value=values[1],
        ratio=found.value if found else None,
        low=found.low if found else None,
        high=found.high if found and math.isfinite(found.high) else None,
        verdict=verdict,
        sentence=sentence,
    )


def regressions(found: Comparison) -> list[Contrast]:
    """Return the contrasts that were shown to be worse."""
    return [contrast for contrast in found.contrasts if contrast.verdict == "worse"]
