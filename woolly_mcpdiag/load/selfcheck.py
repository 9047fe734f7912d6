"""The one rule for when a run was limited by the generator itself, so that its figures are not the target's.

A process is held to be the bottleneck where, over the whole of a plan, one of these is true:

- it used more than 0.9 of a core, in a plan of a second or longer. In a closed loop that share is also the part of the
  time between two calls of a user that the generator itself takes, so a target that is slower keeps it down;
- its ticks were late by more than 10 ms at the 99th percentile, and that is more than 5 % of the median service time;
- in an open loop more than 1 % of the calls were started over 10 ms late, and 10 ms are more than 5 % of the median.

The last two leave out targets that were shown to be slower by so much that the delay does not change their figures.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from woolly_mcpdiag.core.histogram import Histogram
from woolly_mcpdiag.core.measures import Tally
from woolly_mcpdiag.core.runs import Generator
from woolly_mcpdiag.load.plan import Plan
from woolly_mcpdiag.load.recorder import LATE, WARMUP
from woolly_mcpdiag.load.travel import Snapshot

BUSY = 0.9
"""Of a core."""
LAG = 0.010
"""Seconds."""
LATE_SHARE = 0.01
SLOWER = 0.05
"""Part of the median service time that a delay may be without changing what is reported."""
_LONG_ENOUGH = 1.0
"""Seconds of a plan from which its use of a core says something."""
_NOTICED = 0.05
"""Share of the time spent waiting for a core that is worth telling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fared:
    """How the processes of one plan fared."""

    plan: Plan
    snapshots: Sequence[Snapshot]
    tally: Tally


def generator(parts: Iterable[Fared]) -> Generator:
    """Return how the generator fared over all plans; the first plan in which it was the bottleneck says why."""
    lag = Histogram()
    cpu, processes, late, dropped, why = 0.0, 1, 0, 0, ""
    for part in parts:
        lag.merge(_lag(part))
        cpu = max(cpu, _cpu(part))
        processes = max(processes, len(part.snapshots))
        late += _counted(part, "late")
        dropped += _counted(part, "dropped")
        why = why or _why(part)
    return Generator(
        processes=processes,
        cpu=cpu,
        lag_p99=lag.quantile(0.99),
        lag_max=lag.greatest if lag.count else 0.0,
        late=late,
        dropped=dropped,
        bound=bool(why),
        why=why,
    )


def _why(part: Fared) -> str:
    typical, lag = _typical(part.tally), _lag(part).quantile(0.99)
    long = max((snapshot.at for snapshot in part.snapshots), default=0.0) >= _LONG_ENOUGH
    found = []
    if long and (cpu := _cpu(part)) > BUSY:
        found.append(f"the busiest of its processes used {cpu:.0%} of a core")
    if lag > LAG and lag > SLOWER * typical:
        found.append(f"its loop was {lag * 1000:.0f} ms late at the 99th percentile, answers took {_told(typical)}")
    started, late = _counted(part, "started"), _counted(part, "late")
    if part.plan.model.kind == "open" and late > LATE_SHARE * started and SLOWER * typical < LATE:
        found.append(f"{late:,} of {started:,} calls ({late / max(started, 1):.1%}) started over 10 ms late")
    if not found:
        return ""
    waited = max((snapshot.waited / snapshot.at for snapshot in part.snapshots if snapshot.at > 0), default=0.0)
    if waited > _NOTICED:
        found.append(f"it waited {waited:.0%} of the time for a core that others used")
    where = f" ({part.plan.scene})" if part.plan.scene else ""
    return f"{'; '.join(found)}{where}"


def _told(typical: float) -> str:
    return f"{typical * 1000:.1f} ms (median)" if typical else "no time that was measured"


def _typical(tally: Tally) -> float:
    """Return the median service time of all measured calls, in seconds."""
    whole = Histogram()
    for series, calls in tally.calls.items():
        if series.scene != WARMUP:
            whole.merge(calls.service)
    return whole.quantile(0.5)


def _lag(part: Fared) -> Histogram:
    whole = Histogram()
    for snapshot in part.snapshots:
        if snapshot.lag is not None:
            whole.merge(Histogram.from_row(dict(snapshot.lag)))
    return whole


def _cpu(part: Fared) -> float:
    return max((snapshot.cpu / snapshot.at for snapshot in part.snapshots if snapshot.at > 0), default=0.0)


def _counted(part: Fared, name: str) -> int:
    """Return a counter over all scenes."""
    return sum(n for full, n in part.tally.counters.items() if full.rpartition("/")[2] == name)
