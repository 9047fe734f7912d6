"""The one place for how calls follow each other: users in a loop, arrivals on a schedule, waves of births."""

import heapq
from collections.abc import Iterator

import anyio
import anyio.lowlevel

from woolly_mcpdiag.load import schedule
from woolly_mcpdiag.load.contract import Recorder, Share
from woolly_mcpdiag.load.plan import Plan
from woolly_mcpdiag.load.tasks.calls import Calls, Turn
from woolly_mcpdiag.load.tasks.ledger import Ledger
from woolly_mcpdiag.load.tasks.seats import Halls

LOOK = 0.1
"""Seconds between two looks at how many users are wanted."""


_GOES_ON = {"ok", "tool-error", "agent-error", "rpc"}
"""Ends of a call after which its session can be used again."""


class Pace:
    """What all models share: the start, the end, what to call next, and whether to go on."""

    def __init__(self, plan: Plan, share: Share, calls: Calls, halls: Halls, recorder: Recorder) -> None:
        self.plan, self.share = plan, share
        self.calls, self.halls, self.recorder = calls, halls, recorder
        self.stopped = anyio.Event()
        self.start = 0.0
        self._picks: Iterator[int] = schedule.picks(plan, share)
        self._left = schedule.budget(plan.model, share)
        self._total = schedule.total_time(plan.model)

    @property
    def end(self) -> float:
        """Instant from which nothing new is started."""
        return float("inf") if self._total is None else self.start + self._total

    @property
    def goes_on(self) -> bool:
        """False once nothing new may be started."""
        return not self.stopped.is_set() and self._left != 0 and anyio.current_time() < self.end

    def next(self) -> int:
        """Take one call out of the budget and return which it is."""
        if self._left is not None:
            self._left -= 1
        return next(self._picks)

    def pick(self) -> int:
        """Return which call is next where a schedule counts them."""
        return next(self._picks)

    async def until(self, instant: float) -> bool:
        """Wait for an instant; return False where the end, or somebody, came first."""
        instant_or_end = min(instant, self.end)
        with anyio.CancelScope(deadline=instant_or_end):
            await self.stopped.wait()
        return not self.stopped.is_set() and instant < self.end

    async def make(self, spec: int, worker: int, *, scheduled: float = 0.0, wave: int = -1) -> bool:
        """Make a call; say whether it succeeded."""
        seats = self.halls.of(self.plan.calls[spec].kind)
        outcome = await self.calls.make(Turn(spec=spec, worker=worker, scheduled=scheduled, wave=wave), seats)
        return outcome.kind == "ok"


async def closed(pace: Pace) -> None:
    """Let users call again and again; how many there are follows the stages."""
    model, share = pace.plan.model, pace.share
    wanted = 0
    about: set[int] = set()
    drawn = schedule.chance(model, share, "think")

    async def user(index: int) -> None:
        worker = index * share.of + share.number
        try:
            while index < wanted and pace.goes_on:
                await pace.make(pace.next(), worker)
                pause = schedule.think(model, drawn)
                if pause > 0:
                    await pace.until(anyio.current_time() + pause)
                else:
                    await anyio.lowlevel.checkpoint()
        finally:
            about.discard(index)

    async with anyio.create_task_group() as tasks:
        while pace.goes_on:
            wanted = schedule.users(model, share, anyio.current_time() - pace.start)
            for index in range(wanted):
                if index not in about:
                    about.add(index)
                    tasks.start_soon(user, index)
            if not model.stages:
                return
            await pace.until(anyio.current_time() + LOOK)


async def opened(pace: Pace) -> None:
    """Start each arrival at its instant, whatever became of those before."""
    model, share, recorder = pace.plan.model, pace.share, pace.recorder
    free: list[int] = []
    most = max(1, (model.max_in_flight - share.number + share.of - 1) // share.of)
    busy = workers = 0

    async def arrival(worker: int, scheduled: float) -> None:
        nonlocal busy
        try:
            await pace.make(pace.pick(), worker * share.of + share.number, scheduled=scheduled)
        finally:
            busy -= 1
            heapq.heappush(free, worker)

    async with anyio.create_task_group() as tasks:
        for at in schedule.arrivals(model, share):
            scheduled = pace.start + at
            if anyio.current_time() < scheduled and not await pace.until(scheduled):
                return
            if pace.stopped.is_set():
                return
            if busy >= most:
                recorder.count("dropped")
                continue
            recorder.late(max(0.0, anyio.current_time() - scheduled))
            if free:
                worker = heapq.heappop(free)
            else:
                worker, workers = workers, workers + 1
            busy += 1
            tasks.start_soon(arrival, worker, scheduled)


async def waves(pace: Pace, ledger: Ledger) -> None:
    """Let users be born at one instant, call, and leave; the next wave comes when all have left."""
    model, share = pace.plan.model, pace.share
    for index in schedule.waves(model, share):
        if not pace.goes_on:
            return
        ledger.refused_400 = False
        size = max(1, schedule.users(model, Share(), anyio.current_time() - pace.start))
        good = await _wave(pace, index, size)
        if pace.stopped.is_set() and not good:
            return
        pace.recorder.wave(index, failed=not good, refused=ledger.refused_400)
        await pace.until(anyio.current_time() + schedule.think(model, schedule.chance(model, share, str(index))))


async def _wave(pace: Pace, index: int, size: int) -> bool:
    bad: list[int] = []
    mine = pace.halls.for_wave()

    async def user(worker: int) -> None:
        for _ in range(pace.plan.model.calls_per_session):
            if not pace.goes_on:
                break
            spec = pace.next()
            turn = Turn(spec=spec, worker=worker, scheduled=0.0, wave=index)
            outcome = await pace.calls.make(turn, mine.of(pace.plan.calls[spec].kind))
            if outcome.kind != "ok":
                bad.append(worker)
            if outcome.kind not in _GOES_ON:
                break
        await mine.dismiss(worker)

    async with anyio.create_task_group() as tasks:
        for worker in range(size):
            tasks.start_soon(user, worker)
    return not bad
