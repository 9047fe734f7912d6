"""The one shard: drives an engine and a recorder through a share of a plan and reports; knows no engine and no process.

The channel may be a pipe on this machine or, later, a connection to another one.
"""

import sys
from pathlib import Path
from time import monotonic, process_time  # noqa: TID251 - there is no event loop here; those of engines use it too
from typing import Protocol

from woolly_mcpdiag.core.histogram import Histogram
from woolly_mcpdiag.core.runs import to_line
from woolly_mcpdiag.load.contract import EngineFactory, Share
from woolly_mcpdiag.load.plan import Plan
from woolly_mcpdiag.load.recorder import ShardRecorder
from woolly_mcpdiag.load.schedule import total_time
from woolly_mcpdiag.load.travel import Snapshot, Word, snapshot_line

TICK = 0.1
"""Seconds between two ticks that the contract allows an engine; what is beyond is lag."""
EVERY = 1.0
"""Seconds between two snapshots."""
_SCHEDSTAT = Path("/proc/self/schedstat")


class Channel(Protocol):
    """How a shard talks to whoever runs it."""

    def send(self, word: Word, said: str) -> None:
        """Send a message; never blocks."""

    def flush(self, *, end: bool = False) -> None:
        """Pass on what can be passed on without waiting; all of it at the end."""

    def start(self) -> float:
        """Wait until all shards may start and return the common instant."""

    @property
    def stopped(self) -> bool:
        """True once nothing more is to be started."""

    @property
    def full(self) -> bool:
        """True where the other side does not keep up."""


def now() -> float:
    """Return the instant that engines know as ``anyio.current_time()``: CLOCK_MONOTONIC, outside an event loop too."""
    return monotonic()


def run_shard(
    plan: Plan, share: Share, channel: Channel, factory: EngineFactory, *, wall: float, source: str = ""
) -> None:
    """Run a share of a plan to its end. Raises ``McpdiagError`` where the engine cannot be prepared."""
    recorder = ShardRecorder(plan, share, wall=wall, source=source)
    engine = factory(plan, share, recorder)
    engine.prepare()
    channel.send(Word.READY, "")
    channel.flush(end=True)
    start = channel.start()
    shard = _Shard(plan, recorder, channel, start)
    recorder.start(start)
    engine.run(start, shard.tick)
    shard.end()


class _Shard:
    """The clockwork of a running share."""

    def __init__(self, plan: Plan, recorder: ShardRecorder, channel: Channel, start: float) -> None:
        self._recorder, self._channel, self._start = recorder, channel, start
        self._total = total_time(plan.model)
        self._lag = Histogram()
        self._last: float | None = None
        self._next = start + EVERY
        self._cpu, self._waited = process_time(), _waited()

    def tick(self) -> bool:
        """Pass on what has happened; False once nothing more is to be started."""
        at = now()
        if self._last is not None:
            self._lag.add(max(at - self._last - TICK, 0.0))
        self._report(at)
        if at >= self._next:
            self._channel.send(Word.SNAPSHOT, self._snapshot(at))
            self._next += EVERY * max(1, int((at - self._next) / EVERY) + 1)
        self._channel.flush()
        # From the end of this tick, so that its own work does not look like a busy loop.
        self._last = now()
        return not self._channel.stopped and (self._total is None or at < self._start + self._total)

    def end(self) -> None:
        """Pass on all that is left."""
        self._report(now(), end=True)
        self._channel.send(Word.END, self._snapshot(now()))
        self._channel.flush(end=True)

    def _report(self, at: float, *, end: bool = False) -> None:
        recorder = self._recorder
        recorder.flush(at, end=end)
        if self._channel.full and recorder.events:
            recorder.count("events_left_out", len(recorder.events))
        else:
            for line in recorder.events:
                self._channel.send(Word.EVENT, line)
        recorder.events.clear()
        for sample in recorder.samples:
            self._channel.send(Word.SAMPLE, to_line(sample))
        recorder.samples.clear()

    def _snapshot(self, at: float) -> str:
        return snapshot_line(
            Snapshot(
                at=max(at - self._start, 0.0),
                tally=self._recorder.tally,
                in_flight=self._recorder.in_flight,
                cpu=process_time() - self._cpu,
                waited=_waited() - self._waited,
                lag=self._lag.to_row(),
            )
        )


def _waited() -> float:
    """Return the seconds that this process waited for a core although it could run; 0 where nobody counts them."""
    if sys.platform != "linux":
        return 0.0
    try:
        return int(_SCHEDSTAT.read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
