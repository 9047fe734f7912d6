"""The one place where a call is made: filled in, given a deadline and a session, judged and told."""

from dataclasses import dataclass

import anyio

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.core.measures import Kind, Outcome
from woolly_mcpdiag.load import templates
from woolly_mcpdiag.load.contract import Done, Share
from woolly_mcpdiag.load.plan import Plan
from woolly_mcpdiag.load.tasks.driver import Asked, Driver, Held, Reply
from woolly_mcpdiag.load.tasks.failures import SAID, Verdict, judged, timed_out
from woolly_mcpdiag.load.tasks.ledger import Ledger
from woolly_mcpdiag.load.tasks.owned import Owned
from woolly_mcpdiag.load.tasks.seats import Seat, Seats
from woolly_mcpdiag.wire.steps import WITNESS, Witness

GRACE = 1.0
"""Seconds after its deadline at which a call that still runs counts as hung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Which call, whose, and when."""

    spec: int
    worker: int
    scheduled: float
    """Instant at which it was to start; 0 where nothing is scheduled."""
    wave: int = -1


@dataclass(slots=True)
class _Try:
    """What became of a call so far."""

    held: Held | None = None
    first_use: bool = False
    called: float = 0.0
    cut_off: bool = False
    """Its limit ended it."""
    reply: Reply | None = None
    verdict: Verdict | None = None


class Calls:
    """Makes the calls of one engine and knows which are under way."""

    def __init__(self, plan: Plan, share: Share, drivers: dict[Kind, Driver], ledger: Ledger) -> None:
        self._plan = plan
        self._share = share
        self._drivers = drivers
        self._ledger = ledger
        self._made = 0
        self._running: dict[int, float] = {}
        self._hung: set[int] = set()

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return len(self._running)

    def look(self, now: float) -> None:
        """Count the calls that their deadline did not end."""
        for number, deadline in self._running.items():
            if now > deadline + GRACE and number not in self._hung:
                self._hung.add(number)
                self._ledger.recorder.count("hangs")

    async def make(self, turn: Turn, seats: Seats) -> Outcome:
        """Make a call to its end and tell how it went. A cancelled call is counted as unfinished."""
        spec = self._plan.calls[turn.spec]
        number = self._made = self._made + 1
        witness = Witness(method=spec.method, agent=spec.agent, key=f"{spec.agent or 'user'}_{turn.worker}")
        asked = self._asked(turn, number - 1, witness.key)
        sent = anyio.current_time()
        in_flight = len(self._running)
        self._running[number] = sent + asked.limit + self._plan.limits.grace
        self._ledger.recorder.started()
        witness.quiet = not self._ledger.recorder.detailed
        WITNESS.set(witness)
        tried = _Try()
        try:
            seat = await self._attempt(tried, asked, seats, turn.worker, witness)
        finally:
            self._running.pop(number, None)
            if tried.cut_off and self._plan.limits.grace > 0 and number not in self._hung:
                # A client with deadlines of its own should have ended it before.
                self._ledger.recorder.count("hangs")
            self._hung.discard(number)
            WITNESS.set(None)
            if tried.reply is None and tried.verdict is None:
                self._ledger.recorder.count("unfinished")
        outcome = self._tell(turn, tried, witness, sent=sent, in_flight=in_flight)
        if seat is not None:
            await seats.leave(seat, tried.held, outcome)
        return outcome

    async def _attempt(self, tried: _Try, asked: Asked, seats: Seats, worker: int, witness: Witness) -> Seat | None:
        """Make the call within its limit; what comes of it is in ``tried``."""
        seat: Seat | None = None
        driver = self._drivers[asked.spec.kind]
        try:
            with anyio.CancelScope(deadline=anyio.current_time() + asked.limit + self._plan.limits.grace) as scope:
                seat = await seats.take(worker, witness)
                quiet, witness.quiet = witness.quiet, witness.quiet and not seats.lasting
                tried.held = await seat.session(witness.key)
                witness.renew()
                witness.quiet = quiet
                witness.step, witness.session = "call", tried.held.id
                tried.first_use, tried.called = seat.uses == 1, anyio.current_time()
                tried.reply = await driver.call(tried.held, asked)
            if tried.reply is None or anyio.current_time() > scope.deadline:
                # An answer that comes too late is none.
                tried.cut_off = scope.cancelled_caught
                tried.reply, tried.verdict = None, timed_out(witness, asked.limit)
        except Exception as problem:  # noqa: BLE001 - whatever a library raises is how the call ended
            lost = isinstance(tried.held, Owned) and tried.held.lost
            tried.verdict = judged(problem, witness, lost=lost)
        except BaseException as problem:
            ended = isinstance(problem, anyio.get_cancelled_exc_class())
            if ended and anyio.current_effective_deadline() > anyio.current_time():
                # Nobody here has cancelled: a scope of a library did, in another task than its own.
                tried.verdict = judged(problem, witness)
            else:
                if seat is not None:
                    with anyio.CancelScope(shield=True):
                        await seats.leave(seat, tried.held, Outcome("client"))
                raise
        return seat

    def _tell(self, turn: Turn, tried: _Try, witness: Witness, *, sent: float, in_flight: int) -> Outcome:
        ended = anyio.current_time()
        reply, verdict = tried.reply, tried.verdict
        key, session, attempts, degraded, cause, error, phase = witness.key, witness.session, 1, False, "", "", ""
        if reply is not None:
            outcome = Outcome(reply.kind, reply.status, 0, reply.kind == "tool-error")
            attempts, degraded, key = reply.attempts, reply.degraded, reply.key or key
            session = reply.session or session
            error = redact.text(reply.said)[:SAID] if reply.kind != "ok" else ""
            phase = "call" if reply.kind != "ok" else ""
        elif verdict is not None:
            outcome, error, phase = verdict.outcome, verdict.text[:SAID] or verdict.error, verdict.phase
            cause, attempts = verdict.cause, max(verdict.attempts, witness.attempts)
        else:
            outcome = Outcome("client")
        if outcome.kind == "ok" and tried.first_use and isinstance(tried.held, Owned):
            self._ledger.recorder.phase("first-call", ended - tried.called)
        if outcome.kind == "ok" and witness.quiet and attempts == 1 and not degraded:
            first = witness.first - sent if witness.first else 0.0
            self._ledger.recorder.quick(turn.spec, ended - (turn.scheduled or sent), ended - sent, first)
            return outcome
        self._ledger.recorder.done(
            Done(
                spec=turn.spec,
                outcome=outcome,
                scheduled=turn.scheduled or sent,
                sent=sent,
                ended=ended,
                first=witness.first,
                worker=turn.worker,
                session=session,
                attempts=attempts,
                degraded=degraded,
                wave=turn.wave,
                cause=cause,
                error=error or ("" if outcome.kind == "ok" else outcome.kind),
                phase=phase,
                key=key,
                in_flight=in_flight,
            )
        )
        return outcome

    def _asked(self, turn: Turn, made: int, key: str) -> Asked:
        plan, spec = self._plan, self._plan.calls[turn.spec]
        i = made * self._share.of + self._share.number
        row = plan.feed[i % len(plan.feed)] if plan.feed else None
        given = templates.values(i, turn.worker, plan.model.seed, row)
        return Asked(
            spec=spec,
            arguments=templates.filled(spec.arguments, given),
            body=templates.filled_body(spec.body, given) if spec.body else "",
            key=key,
            limit=plan.limits.call,
        )
