"""The one loop that makes a call: deadline, retry, breaker, lease, attempt; and what is left when it gives up."""

import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import anyio

from woolly_mcpdiag.client.circuit import Circuit
from woolly_mcpdiag.client.errors import (
    AcquireTimeoutError,
    Attempt,
    CallRejectedError,
    CircuitOpenError,
    DeadlineExceededError,
    InDoubtError,
    OpenFailedError,
    ResilienceError,
)
from woolly_mcpdiag.client.journal import Journal
from woolly_mcpdiag.client.loan import Lease
from woolly_mcpdiag.client.outcome import Effect, Outcome, Ruling, classify
from woolly_mcpdiag.client.policy import RetryPolicy, Timeouts
from woolly_mcpdiag.client.retry import Again, Budget, Retry, Stop, seconds
from woolly_mcpdiag.client.sessions import OpenError, Sessions
from woolly_mcpdiag.wire.exchange import CURRENT, Exchange
from woolly_mcpdiag.wire.facts import raised
from woolly_mcpdiag.wire.peer import Peer
from woolly_mcpdiag.wire.sdk import Client

T = TypeVar("T")
_NOT_MODERN = {400, 404, 405}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """What a caller wants done."""

    method: str
    """JSON-RPC method."""
    run: Callable[[Client], Awaitable[T]]
    idempotent: Callable[[], bool]
    """Asked when it matters: a server's annotations are known with its first session only."""
    name: str = ""
    """Of the tool or prompt; never its arguments."""
    key: str | None = None
    agent: str = ""
    deadline: float
    """Seconds for everything."""
    limit: float
    """Seconds for one attempt."""
    peer: Peer | None = None
    """Who answers what the server asks while it works on it."""

    @property
    def what(self) -> str:
        """The call in words."""
        return f"{self.method} {self.name}".strip()


@dataclass(slots=True, kw_only=True)
class Try(Generic[T]):
    """What one attempt came to."""

    ruling: Ruling
    result: T | None = None
    error: BaseException | None = None
    status: int | None = None
    retry_after: str = ""
    phase: str = ""
    unused: bool = False
    number: int = 0
    session: str = ""
    elapsed: float = 0.0


@dataclass(slots=True)
class Tally:
    """Calls that have ended, by what they came to."""

    ok: int = 0
    app_errors: int = 0
    degraded: int = 0
    failed: int = 0
    cancelled: int = 0
    attempts: int = 0
    retries: int = 0
    repeated_in_doubt: int = 0
    """Attempts that repeat one which may have been carried out."""


class Caller:
    """Makes calls with everything that a client has."""

    def __init__(
        self,
        sessions: Sessions,
        circuit: Circuit,
        journal: Journal,
        retry: RetryPolicy,
        timeouts: Timeouts,
        rng: random.Random,
    ) -> None:
        self.sessions, self.circuit, self.journal = sessions, circuit, journal
        self.policy, self.timeouts, self.rng = retry, timeouts, rng
        self.budget = Budget(retry)
        self.tally = Tally()

    async def make(self, call: Call[T]) -> T:
        """Return what the server answers. Raises ``ResilienceError``, or the SDK's error for the server's own."""
        begun = anyio.current_time()
        end = begun + call.deadline
        self.budget.called(begun)
        plan = Retry(policy=self.policy, budget=self.budget, rng=self.rng, deadline=end)
        attempts: list[Attempt] = []
        not_before = float("-inf")
        while True:
            try:
                made = await self._admitted(call, end, not_before)
            except ResilienceError as error:
                raise self._ended(call, error, attempts, begun) from None
            if made is None:
                continue
            self.tally.attempts += 1
            if made.ruling.outcome is Outcome.OK:
                self._succeeded(call, made, len(attempts) + 1, begun)
                return made.result  # type: ignore[return-value]  # what ran was the caller's own
            attempts.append(self._attempt_of(made, len(attempts) + 1))
            if made.ruling.outcome is Outcome.APP_ERROR:
                self._app_error(call, made, attempts[-1])
            now = anyio.current_time()
            after = seconds(made.retry_after, self.journal.wall()) if made.retry_after else None
            may = call.idempotent()
            then = plan.decide(made.ruling, now, idempotent=may, retry_after=after, unused=made.unused)
            self._tell(call, made, attempts[-1], then)
            if isinstance(then, Stop):
                raise self._given_up(call, made, attempts, then, after)
            if then.fresh:
                # Sessions from before are probably lost as well.
                not_before = now
            self.tally.retries += 1
            self.tally.repeated_in_doubt += made.ruling.outcome is Outcome.IN_DOUBT
            if then.delay > 0:
                await anyio.sleep(then.delay)

    async def probe(self) -> Effect:
        """Ask the server whether it is back: a new session with its first answer, or what the modern era has for it."""
        begun = anyio.current_time()
        try:
            lease = await self.sessions.lease(None, self.timeouts.open, not_before=begun)
        except OpenError as error:
            return error.ruling.effect
        except ResilienceError:
            return "ignore"
        try:
            new = not lease.session.pin.modern
            return "ok" if new or await lease.session.alive(self.timeouts.call) else "fail"
        finally:
            self.sessions.give_back(lease)

    async def _admitted(self, call: Call[T], end: float, not_before: float) -> Try[T] | None:
        """Make one attempt with leave of the breaker; ``None`` where the circuit opened while it waited."""
        permit = await self.circuit.admit(end, patient=self.policy.attempts > 1)
        made: Try[T] | None = None
        try:
            made = await self._attempt(call, end, not_before)
        except CircuitOpenError:
            return None
        finally:
            ruling = made.ruling if made is not None else Ruling(outcome=Outcome.CANCELLED)
            if self.circuit.record(permit, ruling.effect, ruling.cause):
                self._opened()
        return made

    def _opened(self) -> None:
        circuit = self.circuit
        self.sessions.refuse_waiting(lambda: circuit.error(circuit.breaker.remaining(anyio.current_time())))

    async def _attempt(self, call: Call[T], end: float, not_before: float) -> Try[T]:
        begun = anyio.current_time()
        left = end - begun
        if left <= 0:
            raise self._too_late(call)
        try:
            lease = await self.sessions.lease(call.key, min(self.timeouts.acquire, left), not_before=not_before)
        except OpenError as error:
            unused = error.ruling.outcome is Outcome.STALE_SESSION
            return Try(
                ruling=error.ruling,
                error=error,
                status=error.status,
                retry_after=error.retry_after_header,
                phase="open",
                unused=unused,
                elapsed=anyio.current_time() - begun,
            )
        except AcquireTimeoutError as error:
            if anyio.current_time() < end:
                raise
            raise self._too_late(call, error.cause) from error
        evict = ""
        try:
            made = await self._on(lease, call, end)
            if made.ruling.outcome is Outcome.STALE_SESSION:
                evict = "stale"
            elif made.ruling.suspect:
                evict = "suspect"
        except BaseException:
            self.tally.cancelled += 1
            raise
        finally:
            self.sessions.give_back(lease, evict)
        made.elapsed = anyio.current_time() - begun
        return made

    async def _on(self, lease: Lease, call: Call[T], end: float) -> Try[T]:
        exchange = Exchange(method=call.method)
        session = lease.session
        result: T | None = None
        error: BaseException | None = None
        token = CURRENT.set(exchange)
        try:
            with anyio.CancelScope(deadline=min(end, anyio.current_time() + call.limit)) as scope:
                exchange.scope = scope
                with session.held(call.peer):
                    result = await call.run(session.client)
            if scope.cancelled_caught and not exchange.failed:
                exchange.timed_out = True
        except Exception as problem:  # noqa: BLE001 - whatever the SDK raises is judged, never lost
            error = problem
            raised(exchange, problem, proven=session.proven)
        finally:
            exchange.scope = None
            CURRENT.reset(token)
        ruling = classify(exchange, error) if result is None else Ruling(outcome=Outcome.OK, effect="ok")
        session.proven |= exchange.answered and result is not None
        if session.pin.modern and ruling.outcome is Outcome.CONFIG and exchange.status in _NOT_MODERN:
            # The server speaks the older era now (it was replaced): probe again.
            self.sessions.unpin()
            ruling = Ruling(outcome=Outcome.STALE_SESSION, cause=ruling.cause, reason=ruling.reason, suspect=True)
        return Try(
            ruling=ruling,
            result=result,
            error=error,
            status=exchange.status,
            retry_after=exchange.retry_after,
            phase=exchange.phase or ("read" if ruling.outcome is Outcome.IN_DOUBT else ""),
            unused=lease.unused,
            number=lease.entry.number,
            session=session.id,
        )

    def _attempt_of(self, made: Try[Any], number: int) -> Attempt:
        ruling = made.ruling
        return Attempt(
            number=number,
            outcome=ruling.outcome,
            cause=ruling.cause,
            reason=ruling.reason,
            status=made.status,
            phase=made.phase,
            session=made.number,
            elapsed=made.elapsed,
        )

    def _succeeded(self, call: Call[Any], made: Try[Any], number: int, begun: float) -> None:
        self.tally.ok += 1
        if not self.journal.wants(logging.DEBUG):
            return
        took = anyio.current_time() - begun
        failed = bool(getattr(made.result, "is_error", False))
        self.journal.tell(
            "call.done",
            logging.DEBUG,
            f"{call.what}: done after {took:.3f} s",
            method=call.method,
            status=made.status,
            duration=took,
            session=made.session,
            key=call.key or "",
            agent=call.agent,
            error="isError" if failed else "",
            extra={"tool": call.name, "attempt": number, "outcome": "app_error" if failed else "ok"},
        )

    def _app_error(self, call: Call[Any], made: Try[Any], attempt: Attempt) -> None:
        """Hand on the server's own error as it is."""
        self.tally.app_errors += 1
        self.journal.attempt_failed(
            call.what, attempt, key=call.key or "", agent=call.agent, session=made.session, then="handed on"
        )
        if made.error is not None:
            raise made.error

    def _tell(self, call: Call[Any], made: Try[Any], attempt: Attempt, then: Again | Stop) -> None:
        told = f"given up: {then.why}" if isinstance(then, Stop) else f"again in {then.delay:.3f} s ({then.source})"
        self.journal.attempt_failed(
            call.what, attempt, key=call.key or "", agent=call.agent, session=made.session, then=told
        )
        if isinstance(then, Again):
            self.journal.tell(
                "call.retried",
                logging.DEBUG,
                f"{call.what}: {told}",
                method=call.method,
                key=call.key or "",
                agent=call.agent,
                extra={"attempt": attempt.number + 1, "delay": then.delay, "source": then.source},
            )

    def _given_up(
        self, call: Call[Any], made: Try[Any], attempts: list[Attempt], stop: Stop, after: float | None
    ) -> ResilienceError:
        self.tally.failed += 1
        ruling = made.ruling
        fact = f"{self.journal.url}: {call.what}: {ruling.reason or ruling.outcome.value}"
        tries = f"{len(attempts)} attempt{'s' if len(attempts) != 1 else ''}"

        def error(kind: type[ResilienceError], message: str, hint: str = "", cause: str = "") -> ResilienceError:
            return kind(message, hint, attempts=attempts, cause=cause or ruling.cause, retry_after=after)

        if stop.why == "affinity":
            new = f"{fact}, on {len(attempts)} new sessions in a row"
            return error(CallRejectedError, new, cause="session.no-affinity")
        if stop.why == "deadline":
            return error(DeadlineExceededError, f"{fact} ({tries}); the next would come after the deadline")
        if isinstance(made.error, OpenError):
            return error(OpenFailedError, f"{made.error.message} ({tries})", made.error.hint)
        if ruling.outcome is Outcome.IN_DOUBT:
            hint = "" if call.idempotent() else "look whether it was done; declare it idempotent if it may be repeated"
            return error(InDoubtError, f"{fact} ({tries}); it may have been carried out", hint)
        return error(CallRejectedError, f"{fact} ({tries}, {ruling.outcome.value.replace('_', ' ')})")

    def _too_late(self, call: Call[Any], cause: str = "") -> DeadlineExceededError:
        message = f"{self.journal.url}: {call.what}: not done within {call.deadline:.3g} s"
        return DeadlineExceededError(message, cause=self.circuit.cause or cause)

    def _ended(self, call: Call[Any], error: ResilienceError, attempts: list[Attempt], begun: float) -> ResilienceError:
        """Complete an error that ends the call between two attempts."""
        self.tally.failed += 1
        error.attempts = tuple(attempts)
        error.cause = error.cause or (attempts[-1].cause if attempts else "")
        took = anyio.current_time() - begun
        self.journal.tell(
            "call.rejected",
            logging.WARNING,
            f"{call.what}: {error.message} (after {took:.3f} s)",
            method=call.method,
            duration=took,
            key=call.key or "",
            agent=call.agent,
            error=type(error).__name__,
            extra={"attempt": len(attempts), "cause": error.cause, "remedy": error.hint, "phase": "queue"},
        )
        return error
