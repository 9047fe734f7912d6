"""The one place where calls wait for the breaker: waiting costs a call its deadline only, no attempt and no budget."""

import logging
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskGroup

from woolly_mcpdiag.client.breaker import Breaker, Permit, Refusal, State
from woolly_mcpdiag.client.errors import CircuitOpenError
from woolly_mcpdiag.client.journal import Journal
from woolly_mcpdiag.client.outcome import Effect
from woolly_mcpdiag.client.policy import BreakerPolicy


class Circuit:
    """A breaker that can be waited for."""

    def __init__(self, policy: BreakerPolicy, journal: Journal, max_waiting: int) -> None:
        self.breaker = Breaker(policy)
        self.waiting = 0
        self.refused = 0
        self.cause = ""
        """Of the last failure: why the circuit is, or may soon be, open. Name in the catalogue."""
        self._journal = journal
        self._max_waiting = max_waiting
        self._changed = anyio.Event()
        self._tasks: TaskGroup | None = None
        self._probe: Callable[[], Awaitable[Effect]] | None = None
        self._probing = False

    def start(self, tasks: TaskGroup, probe: Callable[[], Awaitable[Effect]]) -> None:
        """Take what asks the server whether it is back, and the task group that this runs in."""
        if self.breaker.policy.probe == "active":
            self._tasks, self._probe = tasks, probe

    async def admit(self, deadline: float, *, patient: bool = True) -> Permit:
        """Return leave for one attempt, at once where it is closed.

        Raises ``CircuitOpenError`` at once where it is not tried again before ``deadline``, where too many wait, or
        where the caller is not ``patient``.
        """
        while True:
            now = anyio.current_time()
            background = self._tasks is not None and patient and self.breaker.state is not State.CLOSED
            answer = Refusal(self.breaker.remaining(now)) if background else self._ask(now)
            if isinstance(answer, Permit):
                return answer
            left = answer.retry_after
            if not patient or now + left >= deadline or self.waiting >= self._max_waiting:
                self.refused += 1
                raise self.error(left)
            if background and self._tasks is not None and not self._probing:
                self._probing = True
                self._tasks.start_soon(self._try_until_closed)
            await self._wait(deadline - now if background else left or deadline - now)

    def record(self, permit: Permit, effect: Effect, cause: str = "") -> bool:
        """Take what an attempt came to, and why it failed; say whether it has opened the circuit."""
        # A call that began before the trouble may still succeed in the midst of it.
        if effect == "ok" and self.breaker.state is State.CLOSED:
            self.cause = ""
        elif effect == "fail" and cause:
            self.cause = cause
        now = anyio.current_time()
        before = self.breaker.state
        if not self.breaker.record(permit, effect, now):
            return False
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
        if self.breaker.state is before:
            return False
        self._tell(before, now)
        return self.breaker.state is State.OPEN

    def error(self, left: float) -> CircuitOpenError:
        """Return the error for a call that is not let through."""
        when = f"it is tried again in {left:.3g} s" if left else "a trial is under way"
        return CircuitOpenError(
            f"{self._journal.url}: the circuit is open, {when}",
            hint="call again then",
            cause=self.cause,
            retry_after=left,
        )

    def _ask(self, now: float) -> Permit | Refusal:
        before = self.breaker.state
        answer = self.breaker.admit(now)
        if self.breaker.state is not before:
            self._tell(before, now)
        return answer

    async def _try_until_closed(self) -> None:
        """Ask the server whenever the breaker allows it, as long as anybody waits for the answer."""
        try:
            while self._probe is not None and self.waiting and self.breaker.state is not State.CLOSED:
                answer = self._ask(anyio.current_time())
                if isinstance(answer, Refusal):
                    await anyio.sleep(answer.retry_after or self.breaker.policy.open_for)
                    continue
                effect: Effect = "ignore"
                try:
                    effect = await self._probe()
                finally:
                    self.record(answer, effect)
                if effect == "ignore":
                    await anyio.sleep(self.breaker.policy.open_for)
        finally:
            self._probing = False

    async def _wait(self, limit: float) -> None:
        self.waiting += 1
        try:
            with anyio.move_on_after(limit):
                await self._changed.wait()
        finally:
            self.waiting -= 1

    def _tell(self, before: State, now: float) -> None:
        breaker = self.breaker
        left = breaker.remaining(now)
        more = f" for {left:.3g} s" if left else ""
        self._journal.tell(
            "breaker.changed",
            logging.WARNING if breaker.state is State.OPEN else logging.INFO,
            f"breaker of {self._journal.url}: {before.value} to {breaker.state.value}{more}",
            extra={
                "from": before.value,
                "to": breaker.state.value,
                "retry_after": left,
                "generation": breaker.generation,
            },
        )
