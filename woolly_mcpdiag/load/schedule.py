"""The one place that says when calls start, which they are, and whose share they are: pure and seeded."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, count
from math import ceil, sqrt
from random import Random

from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.plan import Model, Plan

_SLACK = 1e-9
"""Seconds: an arrival that rounding puts so little before the end belongs after it."""


def total_time(model: Model) -> float | None:
    """Return the seconds after which nothing more is started; ``None`` where only calls or waves are counted.

    The stages' last target is held where ``duration`` is longer than all of them; a shorter one cuts them off. The
    warm-up is the first part of this time, not added to it.
    """
    if model.duration is not None:
        return model.duration
    return sum(stage.duration for stage in model.stages) if model.stages else None


def aimed(model: Model, elapsed: float) -> float:
    """Return the users (closed, waves) or arrivals a second (open) aimed at, so many seconds after the start.

    Stages ramp from nobody (closed) or from ``rate`` (open); a stage of no length jumps.
    """
    if not model.stages:
        return model.rate if model.kind == "open" else float(model.concurrency)
    for piece in _pieces(model):
        if elapsed < piece.end:
            return piece.low + (piece.high - piece.low) * (elapsed - piece.start) / (piece.end - piece.start)
    return model.stages[-1].target


def users(model: Model, share: Share, elapsed: float) -> int:
    """Return how many users of a share are wanted: user k is while more than k are aimed at."""
    return _part(ceil(aimed(model, max(elapsed, 0.0)) - _SLACK), share)


def budget(model: Model, share: Share) -> int | None:
    """Return how many calls a share may start in all, its users together; ``None`` where time alone ends it.

    The budgets of all shares add up to ``requests``. A share without users would never spend its own: see ``shares``.
    """
    return None if model.requests is None else _part(model.requests, share)


def shares(plan: Plan) -> int:
    """Return into how many shares a plan is split: ``processes``, but none without a user or a call.

    Waves stay in one share: users that are born at the same instant need one clock and one loop.
    """
    model = plan.model
    if model.kind == "waves":
        return 1
    most = plan.processes
    if model.kind == "closed":
        most = min(most, ceil(max((stage.target for stage in model.stages), default=model.concurrency)))
    return max(1, min(most, most if model.requests is None else model.requests))


def arrivals(model: Model, share: Share) -> Iterator[float]:
    """Yield when the arrivals of a share are due: seconds after the start, in order; endless where nothing ends it.

    Arrival i of the whole belongs to the share with number i % of, so the shares together are the same arrivals
    whatever their number. Poisson arrivals are a unit process on the scale of arrivals expected (time change).
    """
    total = total_time(model)
    pieces = _pieces(model)
    for index, expected in enumerate(_expected(model)):
        if model.requests is not None and index >= model.requests:
            return
        at = _when(model, pieces, expected)
        if at is None or (total is not None and at >= total - _SLACK):
            return
        if index % share.of == share.number:
            yield at


def waves(model: Model, share: Share) -> Iterator[int]:
    """Yield the numbers of the waves of a share; endless where ``waves`` is 0."""
    return iter(range(share.number, model.waves, share.of)) if model.waves else count(share.number, share.of)


def picks(plan: Plan, share: Share) -> Iterator[int]:
    """Yield endlessly which of ``Plan.calls`` is next: each in turn where weights are equal, else drawn by weight.

    Arrivals of an open model are the same calls whatever the number of shares; users of the other models draw from
    their own share's sequence, so that a slow share does not change the mix.
    """
    if plan.model.kind == "open":
        return _every(_sequence(plan, 0), share)
    return _sequence(plan, share.number)


def chance(model: Model, share: Share, purpose: str = "") -> Random:
    """Return the seeded generator of a share for one purpose."""
    return Random(f"{model.seed}/{share.number}/{purpose}")  # noqa: S311 - a workload to repeat, not a secret


def think(model: Model, drawn: Random) -> float:
    """Return the seconds of a pause between two calls of a user."""
    low, high = model.think
    return drawn.uniform(low, high) if high > low else low


@dataclass(frozen=True, slots=True)
class _Piece:
    """A ramp from ``low`` to ``high`` between two instants; ``before`` arrivals are expected by its start."""

    start: float
    end: float
    low: float
    high: float
    before: float

    @property
    def expected(self) -> float:
        """Arrivals within it."""
        return (self.low + self.high) / 2 * (self.end - self.start)

    def when(self, expected: float) -> float:
        """Return the instant by which so many arrivals are expected, counted from the very start."""
        more = expected - self.before
        slope = (self.high - self.low) / (self.end - self.start)
        # The root of slope/2·x² + low·x = more, in the form that does not cancel for small slopes.
        root = self.low + sqrt(max(self.low * self.low + 2 * slope * more, 0.0))
        return min(self.start + 2 * more / root, self.end) if root else self.start


def _pieces(model: Model) -> tuple[_Piece, ...]:
    found: list[_Piece] = []
    start, low, before = 0.0, model.rate if model.kind == "open" else 0.0, 0.0
    for stage in model.stages:
        if stage.duration > 0:
            found.append(_Piece(start, start + stage.duration, low, stage.target, before))
            before += found[-1].expected
            start += stage.duration
        low = stage.target
    return tuple(found)


def _when(model: Model, pieces: tuple[_Piece, ...], expected: float) -> float | None:
    for piece in pieces:
        if expected < piece.before + piece.expected:
            return piece.when(expected)
    last = pieces[-1] if pieces else _Piece(0.0, 0.0, 0.0, 0.0, 0.0)
    rate = model.stages[-1].target if model.stages else model.rate
    return last.end + (expected - last.before - last.expected) / rate if rate > 0 else None


def _expected(model: Model) -> Iterator[float]:
    if model.arrival == "constant":
        yield from map(float, count())
    drawn = chance(model, Share(), "arrivals").expovariate
    yield from accumulate(drawn(1.0) for _ in count())


def _part(whole: int, share: Share) -> int:
    """Return how many of 0 … whole-1 are ``number`` modulo ``of``."""
    return max(0, (whole - share.number + share.of - 1) // share.of)


def _sequence(plan: Plan, number: int) -> Iterator[int]:
    weights = [call.weight for call in plan.calls]
    if min(weights) == max(weights):
        yield from (index % len(weights) for index in count(number))
    edges = list(accumulate(weights))
    drawn = chance(plan.model, Share(number, number + 1), "picks").random
    while True:
        yield min(bisect_right(edges, drawn() * edges[-1]), len(edges) - 1)


def _every(sequence: Iterator[int], share: Share) -> Iterator[int]:
    for index, pick in enumerate(sequence):
        if index % share.of == share.number:
            yield pick
