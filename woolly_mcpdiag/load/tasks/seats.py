"""The one place for whose session a call uses: one for each call, for each user, for everybody, or one of a pool."""

from collections import deque
from collections.abc import Mapping

import anyio

from woolly_mcpdiag.core.measures import Kind, Outcome
from woolly_mcpdiag.load.plan import Policy
from woolly_mcpdiag.load.tasks.driver import Driver, Held
from woolly_mcpdiag.load.tasks.ledger import Ledger
from woolly_mcpdiag.wire.steps import Witness

_GONE = {400, 404, 410}
"""Statuses of a session that the server does not know."""
_BROKEN = {"disconnect", "stream-cut", "protocol", "session", "client"}


class Seat:
    """A place for a session, opened when a call first needs it."""

    def __init__(self, driver: Driver) -> None:
        self.held: Held | None = None
        self.uses = 0
        self._driver = driver
        self._opening = anyio.Lock()

    async def session(self, key: str) -> Held:
        """Return its session, a new one where there is none. Raises what opening raises."""
        async with self._opening:
            if self.held is not None and not self.held.usable and self._driver.renews:
                await self.drop()
            if self.held is None:
                self.held, self.uses = await self._driver.open(key), 0
            self.uses += 1
            return self.held

    async def drop(self) -> None:
        """Close its session."""
        held, self.held = self.held, None
        if held is not None:
            await self._driver.close(held)


class Seats:
    """All seats of one driver."""

    def __init__(self, driver: Driver, policy: Policy, size: int, ledger: Ledger) -> None:
        """``size`` is the number of sessions of a pool."""
        self._driver = driver
        self._policy: Policy = "shared" if driver.own_sessions else policy
        self._ledger = ledger
        self._size = size
        self._workers: dict[int, Seat] = {}
        self._free: deque[Seat] = deque(Seat(driver) for _ in range(size if self._policy == "pool" else 0))
        self._room = anyio.Semaphore(max(1, len(self._free)))
        self._all: set[Seat] = set(self._free)

    @property
    def lasting(self) -> bool:
        """Sessions outlive the call that opens them."""
        return self._policy != "per-call"

    async def take(self, worker: int, witness: Witness) -> Seat:
        """Return the seat for a call of a user; only a pool lets it wait."""
        if self._policy == "pool":
            witness.step = "pool"
            since = anyio.current_time()
            await self._room.acquire()
            self._ledger.recorder.phase("pool", anyio.current_time() - since)
            return self._free.pop()
        number = worker if self._policy == "per-worker" else 0
        if self._policy == "per-call" or number not in self._workers:
            seat = Seat(self._driver)
            self._all.add(seat)
            if self._policy == "per-call":
                return seat
            self._workers[number] = seat
        return self._workers[number]

    async def leave(self, seat: Seat, held: Held | None, outcome: Outcome) -> None:
        """Give a seat back after a call with a session; one that is used up or broken is closed."""
        if self._policy == "per-call":
            self._all.discard(seat)
            await seat.drop()
            return
        gone = outcome.kind in _BROKEN or (outcome.kind == "http" and outcome.status in _GONE)
        if gone and held is not None and held is seat.held and self._driver.renews and not self._driver.own_sessions:
            await seat.drop()
        if self._policy == "pool":
            self._free.append(seat)
            self._room.release()

    async def dismiss(self, worker: int) -> None:
        """Close the session of a user who has gone."""
        seat = self._workers.pop(worker, None) if self._policy == "per-worker" else None
        if seat is not None:
            self._all.discard(seat)
            await seat.drop()

    async def close(self) -> None:
        """Close all sessions, side by side."""
        async with anyio.create_task_group() as tasks:
            for seat in self._all:
                tasks.start_soon(seat.drop)
        self._all.clear()
        self._workers.clear()


class Halls:
    """The seats of all drivers of a run."""

    def __init__(self, drivers: Mapping[Kind, Driver], policy: Policy, size: int, ledger: Ledger) -> None:
        self._drivers, self._policy, self._size, self._ledger = drivers, policy, size, ledger
        self._seats = {kind: Seats(driver, policy, size, ledger) for kind, driver in drivers.items()}

    def of(self, kind: Kind) -> Seats:
        """Return the seats for calls of a kind."""
        return self._seats[kind]

    def for_wave(self) -> "Halls":
        """Return seats for users who are born in one wave and leave with it; sessions that all share stay."""
        if self._policy in {"shared", "pool"}:
            return self
        return Halls(self._drivers, "per-worker", self._size, self._ledger)

    async def dismiss(self, worker: int) -> None:
        """Close the sessions of a user who has gone."""
        for seats in self._seats.values():
            await seats.dismiss(worker)

    async def close(self) -> None:
        """Close all sessions, side by side."""
        async with anyio.create_task_group() as tasks:
            for seats in self._seats.values():
                tasks.start_soon(seats.close)
