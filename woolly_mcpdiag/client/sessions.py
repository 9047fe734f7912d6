"""The one place where the pool's steps are carried out: sessions are opened and closed in tasks of their own."""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import anyio
from anyio.abc import TaskGroup

from woolly_mcpdiag.client.errors import (
    AcquireTimeoutError,
    ClientClosedError,
    OpenFailedError,
    ResilienceError,
    TooManyWaitersError,
)
from woolly_mcpdiag.client.findings import Findings
from woolly_mcpdiag.client.journal import Journal
from woolly_mcpdiag.client.loan import Lease, borrower
from woolly_mcpdiag.client.outcome import Outcome, Ruling, classify
from woolly_mcpdiag.client.pool import Close, Entry, Leak, Open, Pool, Settled, Step, Ticket, TooManyError
from woolly_mcpdiag.wire.sdk import AsyncBaseTransport, Tool
from woolly_mcpdiag.wire.session import Pin, Session, Target, Waits


class OpenError(OpenFailedError):
    """A failed opening with what it came to."""

    ruling: Ruling
    status: int | None
    retry_after_header: str
    elapsed: float


class Sessions:
    """A pool of sessions of one target. ``run`` must be entered first; everything else may be called from any task."""

    def __init__(
        self,
        target: Target,
        plans: Sequence[Pin],
        pool: Pool,
        waits: Waits,
        http: AsyncBaseTransport,
        journal: Journal,
    ) -> None:
        self.pool = pool
        self.pin: Pin | None = plans[0] if len(plans) == 1 and plans[0].mode != "auto" else None
        self.last_error: OpenError | None = None
        self.tools: Mapping[str, Tool] = {}
        self.findings = Findings(journal.remark)
        self._target, self._plans, self._waits, self._http, self._journal = target, plans, waits, http, journal
        self._fixed = self.pin is not None
        self._tasks: TaskGroup | None = None
        self._sessions: dict[int, Session] = {}
        self._owners: set[Session] = set()
        self._modern: Session | None = None
        self._wakes: dict[Ticket, anyio.Event] = {}
        self._changed = anyio.Event()
        self._watched = 0
        self._todo: deque[Step] = deque()
        self._doing = False
        self._pin_found()

    def start(self, tasks: TaskGroup) -> None:
        """Take the task group that the sessions' owners run in."""
        self._tasks = tasks
        tasks.start_soon(self._tend)

    async def lease(
        self, key: str | None, limit: float, *, not_before: float = float("-inf"), trace: bool = False
    ) -> Lease:
        """Borrow a session, one that became ready since ``not_before``; wait for it up to ``limit`` seconds.

        ``trace`` keeps the place in the code, for a loan without an end of its own.
        Raises ``AcquireTimeoutError``, ``TooManyWaitersError``, ``ClientClosedError``, or why none could be opened.
        """
        now = anyio.current_time()
        if self._tasks is None or self.pool.draining:
            raise self.closed_error()
        try:
            ticket, steps = self.pool.ask(now, key, not_before=not_before)
        except TooManyError:
            most = self.pool.limits.max_waiting
            msg = f"{self._journal.url}: {most} callers wait for a session already"
            raise TooManyWaitersError(msg, hint="raise max_sessions or max_waiting, or send less at once") from None
        self._do(steps)
        if not ticket.settled:
            await self._wait(ticket, limit, now)
        if ticket.error is not None:
            raise ticket.error
        if ticket.entry is None:
            raise self._timed_out(limit)
        lease = Lease(ticket.entry, self._sessions[ticket.entry.number], anyio.current_time() - now)
        lease.entry.holder = anyio.get_current_task().name or ""
        if trace and self.pool.limits.leak_after < float("inf"):
            lease.entry.borrowed_at = borrower()
        # It may have died while it was handed over, or while nobody used it.
        why = "" if lease.session.usable else "died"
        if not why and await self._is_gone(lease, limit - lease.waited):
            why = "silent"
        if not why:
            return lease
        self.give_back(lease, why)
        left = limit - (anyio.current_time() - now)
        return await self.lease(key, left, not_before=not_before, trace=trace)

    async def _is_gone(self, lease: Lease, limit: float) -> bool:
        """Say whether a session that nobody has used for a while no longer answers; it is given back if that ends."""
        if lease.session.pin.modern or lease.entry.rested < self.pool.limits.validate_after:
            return False
        try:
            return not await lease.session.alive(min(limit, self._waits.note))
        except BaseException:
            self.give_back(lease)
            raise

    def give_back(self, lease: Lease, evict: str = "") -> None:
        """Return a session; ``evict`` says why nobody may have it again."""
        if not evict and not lease.session.usable and lease.entry.state == "leased":
            evict = "died"
        if lease.entry.state == "gone":
            self._sessions.pop(lease.entry.number, None)
        self._do(self.pool.release(lease.entry, anyio.current_time(), evict))

    def refuse_waiting(self, error: Callable[[], ResilienceError]) -> None:
        """End every wait: nobody could do anything with a session now."""
        self._do(self.pool.refuse_waiting(error))

    def unpin(self) -> None:
        """Probe era and transport again with the next session; the server is not what it was."""
        if not self._fixed:
            self.pin, self._modern = None, None
            self.findings.forget()
            self._pin_found()

    async def warm(self, count: int) -> int:
        """Open sessions until there are ``count`` or one cannot be opened; return how many are ready."""
        failed = self.pool.counts.failed
        while not self.pool.draining:
            self._do(self.pool.warm(count, anyio.current_time()))
            if not self.pool.number("opening") or self.pool.counts.failed > failed:
                break
            await self._change()
        return self.pool.size - self.pool.number("opening")

    async def close(self, patience: float) -> int:
        """Take nothing more in, wait up to ``patience`` seconds for what is on loan, and close every session.

        Returns how many were still on loan. A cancelled caller does not shorten it; each step has its limit.
        """
        self._do(self.pool.drain(self.closed_error))
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(patience):
                while self.pool.number("leased"):
                    await self._change()
            left = self.pool.number("leased")
            for session in list(self._owners):
                if session.ready:
                    session.stop()
                else:
                    session.abort()
            with anyio.move_on_after(self._waits.close + 0.5):
                while self._owners:
                    await self._change()
        return left

    def closed_error(self) -> ClientClosedError:
        """Return the error for a use before the start or after the end."""
        when = "closed" if self.pool.draining else "not open yet"
        return ClientClosedError(f"{self._journal.url}: the client is {when}", hint="use it inside its `async with`")

    async def _wait(self, ticket: Ticket, limit: float, begun: float) -> None:
        wake = self._wakes[ticket] = anyio.Event()
        try:
            with anyio.move_on_after(limit):
                await wake.wait()
        except BaseException:
            # A session that was handed over in the same instant goes on to the next, also after a native cancel().
            self._do(self.pool.cancel(ticket, anyio.current_time()))
            raise
        finally:
            del self._wakes[ticket]
        if not ticket.settled:
            self._do(self.pool.cancel(ticket, anyio.current_time()))
        elif ticket.entry is not None:
            self._journal.tell(
                "lease.granted",
                logging.DEBUG,
                f"session {ticket.entry.number} granted after {anyio.current_time() - begun:.3f} s",
                duration=anyio.current_time() - begun,
                key=ticket.group or "",
                extra={"number": ticket.entry.number, "waiting": len(self.pool.waiting)},
            )

    def _timed_out(self, limit: float) -> AcquireTimeoutError:
        pool, last = self.pool, self.last_error
        why = f"; the last one could not be opened: {last.message}" if last else ""
        msg = (
            f"{self._journal.url}: no session within {limit:.3g} s "
            f"({pool.number('leased')} on loan, {pool.number('opening')} opening, {len(pool.waiting)} waiting){why}"
        )
        cause = last.cause if last else "client.pool-exhausted"
        return AcquireTimeoutError(msg, hint="raise max_sessions or send less at once" if not last else "", cause=cause)

    def _do(self, steps: Sequence[Step]) -> None:
        """Carry out steps in order; those that follow from one wait for their turn."""
        self._todo.extend(steps)
        if self._doing:
            return
        self._doing = True
        try:
            while self._todo:
                self._carry_out(self._todo.popleft())
        finally:
            self._doing = False
        self._notify()

    def _carry_out(self, step: Step) -> None:
        match step:
            case Open(entry):
                self._open(entry)
            case Close(entry, reason):
                self._close(entry, reason)
            case Settled(ticket):
                if wake := self._wakes.get(ticket):
                    wake.set()
            case Leak(entry, held):
                self._leaked(entry, held)

    def _notify(self) -> None:
        if self._watched:
            changed, self._changed = self._changed, anyio.Event()
            changed.set()

    async def _change(self) -> None:
        """Wait until something in the pool has changed."""
        self._watched += 1
        try:
            await self._changed.wait()
        finally:
            self._watched -= 1

    def _open(self, entry: Entry) -> None:
        if self._tasks is None:
            return
        if self._modern is not None and self._modern.usable:
            # Without sessions there is nothing to open: the pool only limits the calls in flight.
            self._sessions[entry.number] = self._modern
            self._do(self.pool.opened(entry, anyio.current_time()))
            return
        self._journal.tell(
            "session.opening",
            logging.DEBUG,
            f"session {entry.number} opening ({entry.reason})",
            key=entry.group or "",
            extra={"number": entry.number, "reason": entry.reason},
        )
        self._tasks.start_soon(self._own, entry)

    async def _own(self, entry: Entry) -> None:
        begun = anyio.current_time()
        session: Session | None = None
        for plan in [self.pin] if self.pin else self._plans:
            seen = self._journal.saw if self._journal.wants(logging.DEBUG) else None
            streamless = self.findings.counts["GET 405"] > 0
            session = Session(self._target, plan, self._http, self._waits, seen, self.findings, streamless=streamless)
            self._owners.add(session)
            try:
                await session.own(partial(self._ready, entry, session))
            finally:
                self._owners.discard(session)
            if session.ready or not session.wrong_transport or self.pool.draining:
                break
        if session is None:
            return
        self._notify()
        if session.ready:
            self._over(session, anyio.current_time() - begun)
        else:
            self._not_opened(entry, session, anyio.current_time() - begun)

    def _ready(self, entry: Entry, session: Session) -> None:
        self.last_error, self.tools = None, session.tools
        if not self._fixed:
            self.pin = session.pin
        if session.pin.modern:
            self._modern = session
        self._pin_found()
        self._sessions[entry.number] = session
        probe = session.guard.probe_status if session.guard else None
        extra: dict[str, str | int | float | bool] = {
            "number": entry.number,
            "transport": session.pin.transport,
            "era": "modern" if session.pin.modern else "handshake",
            "version": session.client.protocol_version,
        }
        if probe is not None:
            extra["probe_status"] = probe
        self._journal.tell(
            "session.ready",
            logging.INFO,
            f"session {entry.number} ready after {session.took:.3f} s "
            f"({session.pin.transport}, {session.client.protocol_version})",
            duration=session.took,
            session=session.id,
            key=entry.group or "",
            extra=extra,
        )
        self._do(self.pool.opened(entry, anyio.current_time()))

    def _not_opened(self, entry: Entry, session: Session, took: float) -> None:
        ruling = classify(session.opening, session.error)
        if ruling.outcome is Outcome.IN_DOUBT:
            # Whatever became of the opening, the call itself was not sent.
            ruling = replace(ruling, outcome=Outcome.NOT_SENT)
        if ruling.outcome is Outcome.CONFIG and not self._fixed:
            self.unpin()
        reason = ruling.reason
        if session.opening.timed_out:
            reason = f"no answer within {self._waits.open:.3g} s"
        error = OpenError(f"{self._journal.url}: {reason or 'no session could be opened'}", cause=ruling.cause)
        error.ruling, error.elapsed = ruling, took
        error.status, error.retry_after_header = session.opening.status, session.opening.retry_after
        self.last_error = error
        self._journal.tell(
            "session.refused",
            logging.DEBUG if self.pool.draining else logging.WARNING,
            f"session {entry.number} not opened after {took:.3f} s: {reason}",
            status=session.opening.status,
            duration=took,
            key=entry.group or "",
            error=session.opening.error or ruling.outcome.value,
            extra={"number": entry.number, "cause": ruling.cause, "remedy": error.hint},
        )
        self._do(self.pool.failed(entry, error, anyio.current_time()))

    def _over(self, session: Session, lived: float) -> None:
        if session is self._modern:
            self._modern = None
            self._pin_found()
        for number in [number for number, each in self._sessions.items() if each is session]:
            entry = self.pool.entries.get(number)
            if entry is None or entry.state != "leased":
                del self._sessions[number]
            if entry is not None:
                self._do(self.pool.died(entry, anyio.current_time()))
        lost = session.lost or (type(session.error).__name__ if session.error else "")
        self._journal.tell(
            "stream.lost" if session.lost else "session.closed",
            logging.INFO,
            f"session closed after {lived:.3f} s{f': {lost}' if lost else ''}",
            duration=lived,
            session=session.id,
            error=type(session.error).__name__ if session.error else "",
            extra={"reason": lost, "deleted": (session.guard.deleted if session.guard else 0) or 0},
        )
        self._notify()

    def _close(self, entry: Entry, reason: str) -> None:
        session = self._sessions.pop(entry.number, None)
        if session is None or (session is self._modern and not self.pool.draining):
            return
        session.stop(forget=reason == "stale")

    def _leaked(self, entry: Entry, held: float) -> None:
        place = " < ".join(entry.borrowed_at)
        self._journal.tell(
            "lease.leaked",
            logging.WARNING,
            f"session {entry.number}: on loan to {entry.holder} for {held:.0f} s"
            f"{f', borrowed at {place}' if place else ''}; give it back or raise leak_after",
            duration=held,
            key=entry.group or "",
            extra={"number": entry.number, "task": entry.holder, "stack": place},
        )

    def _pin_found(self) -> None:
        """Until the first session is ready, one is opened at a time: one probe serves all who wait."""
        probing = self.pin is None or (self.pin.modern and self._modern is None)
        self.pool.max_opening = 1 if probing else self.pool.limits.max_opening

    async def _tend(self) -> None:
        limits = self.pool.limits
        pause = min(15.0, max(0.01, min(limits.max_idle, limits.max_lifetime, limits.leak_after) / 4))
        while not self.pool.draining:
            await anyio.sleep(pause)
            self._do(self.pool.tick(anyio.current_time()))
