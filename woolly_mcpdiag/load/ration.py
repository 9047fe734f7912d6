"""The one place that decides which events are written when there are more than anybody can read."""

from math import ceil, log1p
from random import Random

FAILURES = 10
"""Failures may be so many times as many as successes."""
SLOT = 0.1
"""Seconds after which a tenth of a second's ration is added; a whole one is there at the start, for short bursts."""
_ENOUGH = SLOT / 2
"""Seconds of successes from which those of the next slot are foreseen; ticks are about a slot apart."""
_AIM = 0.8
"""Part of the ration that is aimed at, since the next slot may bring more than the last."""
_EACH = 2
"""Events of a success: its exchange and its end."""
_NONE = 1 << 20
"""More successes than there can be before the ration grows."""


class Ration:
    """How many events may be written, and which successes are told."""

    def __init__(self, successes: int, shares: int, seed: int = 0) -> None:
        """``successes`` a second are for all shares together; each slot of each has one at least."""
        each = successes * SLOT / shares
        self._each = ceil(each), ceil(each * FAILURES)
        self._most = [round(n / SLOT) for n in self._each]
        self._left = list(self._most)
        self._slot: int | None = None
        self._part = 1.0
        self._good = 0
        self._since = 0.0
        self._drawn = Random(seed).random  # noqa: S311 - which successes are told is no secret

    def start(self, instant: float) -> None:
        """Say when the run starts."""
        self._since = instant

    def at(self, instant: float) -> None:
        """Add what is due by an instant; it is never taken back by an earlier one."""
        slot = int(instant / SLOT)
        if slot == self._slot:
            return
        past = slot - self._slot if self._slot is not None else 0
        if past > 0 or self._slot is None:
            self._slot = slot
            pairs = zip(self._left, self._each, self._most, strict=True)
            self._left = [min(left + each * past, most) for left, each, most in pairs]

    def seen(self, successes: int, instant: float) -> None:
        """Learn how many more calls have succeeded by an instant, so that those told are spread evenly over time."""
        self._good += successes
        past = instant - self._since
        if past >= _ENOUGH:
            likely = _EACH * self._good * SLOT / past
            self._part = min(1.0, _AIM * self._each[0] / likely) if likely else 1.0
            self._good, self._since = 0, instant

    def take(self, *, failure: bool) -> bool:
        """Say whether one more may be written, and count it."""
        if self._left[failure] <= 0:
            return False
        self._left[failure] -= 1
        return True

    def take_success(self, events: int) -> bool:
        """Say whether all events of one more success may be written, and count them."""
        if self._left[0] < events:
            return False
        self._left[0] -= events
        return True

    def draw(self) -> bool:
        """Say whether the next success is to be told."""
        left = self._left[0]
        return left > 0 and (self._part >= 1.0 or 2 * left > self._most[0] or self._drawn() < self._part)

    def gap(self) -> int:
        """Return for how many successes ``draw`` would say no before it says yes, the ration staying as it is."""
        left = self._left[0]
        if left < _EACH:
            return _NONE
        if self._part >= 1.0 or 2 * left > self._most[0]:
            return 0
        return int(log1p(-self._drawn()) / log1p(-self._part)) if self._part > 0 else _NONE
