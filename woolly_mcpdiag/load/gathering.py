"""The one place where the snapshots of all processes become the intervals of a run."""

from collections.abc import Sequence

from woolly_mcpdiag.core.measures import Tally, merged
from woolly_mcpdiag.core.runs import Interval
from woolly_mcpdiag.load.deltas import difference
from woolly_mcpdiag.load.plan import Plan
from woolly_mcpdiag.load.schedule import aimed
from woolly_mcpdiag.load.travel import Snapshot

_FINE = 600.0
"""Seconds of a run that are told second by second."""
_COARSE = 60.0
"""From then on an interval is a sixtieth of what went before, so that a day has about 900."""
_PATIENCE = 2.0
"""Seconds that an interval waits for the slowest process."""
_SHORTEST = 0.2
"""Seconds: a shorter rest at the end, in which nothing happened, is no interval of its own."""


class Gathering:
    """Merges what the shares of one plan have counted; intervals add up exactly to the last snapshots."""

    def __init__(self, plan: Plan, offset: float) -> None:
        """``offset`` is the start of the plan in seconds since the start of the run."""
        self._plan, self._offset = plan, offset
        self._at = 0.0
        self._told = Tally()
        self.tally = Tally()
        """All that was counted so far."""
        self.in_flight = 0

    def take(
        self, snapshots: Sequence[Snapshot], live: Sequence[Snapshot], *, end: float | None = None
    ) -> Interval | None:
        """Return the interval that is complete by now, if one is.

        ``snapshots`` are the last ones of all processes, ``live`` those of processes that still run; ``end`` is when
        the plan ended, in seconds since its start.
        """
        at = end if end is not None else self._complete(snapshots, live)
        if at is None or not snapshots:
            return None
        self.tally = merged(snapshot.tally for snapshot in snapshots)
        self.in_flight = sum(snapshot.in_flight for snapshot in live)
        change = difference(self.tally, self._told)
        at = max(at, self._at)
        if end is not None and at - self._at < _SHORTEST and not _happened(change):
            return None
        row = Interval(
            start=self._offset + self._at,
            end=self._offset + at,
            tally=change,
            in_flight=self.in_flight,
            users=aimed(self._plan.model, at) if end is None else 0.0,
        )
        self._at, self._told = at, self.tally
        return row

    def _complete(self, snapshots: Sequence[Snapshot], live: Sequence[Snapshot]) -> float | None:
        """Return until when an interval can be told, in whole seconds but for the tick's lateness."""
        if not snapshots:
            return None
        slowest = min((snapshot.at for snapshot in live), default=0.0)
        quickest = max(snapshot.at for snapshot in snapshots)
        width = self._width()
        if int(slowest) >= int(self._at) + width:
            return slowest
        return quickest if int(quickest) >= int(self._at) + width + _PATIENCE else None

    def _width(self) -> int:
        past = self._offset + self._at
        return 1 if past < _FINE else int(past / _COARSE)


def _happened(change: Tally) -> bool:
    return bool(change.calls or change.phases or change.answers or +change.counters)
