"""The one circuit breaker: closed, open, half-open. It does no I/O and takes ``now``.

An attempt is ok, a failure, or ignored; ignored ones (a lost session, a cancelled caller, a local queue) say nothing
about the server and only give their place back.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from woolly_mcpdiag.client.outcome import Effect
from woolly_mcpdiag.client.policy import BreakerPolicy


class State(StrEnum):
    """What it does with the next attempt."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one attempt; given back exactly once, with ``record``."""

    generation: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """No leave now."""

    retry_after: float
    """Seconds until it is tried again; 0 while a trial is under way, whose end nobody knows."""


class Breaker:
    """Counts attempts; refuses them while the server keeps failing."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self.policy = policy
        self.state = State.CLOSED
        self.generation = 0
        self.row = 0
        """Failures in a row."""
        self.trials = 0
        """Half-open attempts under way."""
        self.passed = 0
        """Half-open attempts that were ok."""
        self.reopened = 0
        """Failed trials since it was last closed."""
        self.opened_at = 0.0
        self._window: deque[tuple[float, bool]] = deque(maxlen=policy.window)

    @property
    def open_for(self) -> float:
        """Seconds that it stays open this time."""
        exponent = min(self.reopened, 64)
        return min(self.policy.open_at_most, self.policy.open_for * self.policy.growth**exponent)

    def remaining(self, now: float) -> float:
        """Return the seconds until it may be tried; 0 where it is not open. A clock that steps back does not add."""
        if self.state is not State.OPEN:
            return 0.0
        return min(self.open_for, max(0.0, self.opened_at + self.open_for - now))

    def admit(self, now: float) -> Permit | Refusal:
        """Ask for leave to make an attempt."""
        if self.state is State.OPEN:
            if (left := self.remaining(now)) > 0:
                return Refusal(left)
            self._become(State.HALF_OPEN)
        if self.state is State.HALF_OPEN:
            if self.trials + self.passed >= self.policy.probes:
                return Refusal(0.0)
            self.trials += 1
        return Permit(self.generation)

    def record(self, permit: Permit, effect: Effect, now: float) -> bool:
        """Take what an attempt came to; say whether others should ask again.

        A result of an earlier generation (the state has changed since) is dropped.
        """
        if permit.generation != self.generation:
            return False
        if self.state is State.HALF_OPEN:
            self._trial(effect, now)
            return True
        if effect == "ignore":
            return False
        self._window.append((now, effect == "ok"))
        self.row = 0 if effect == "ok" else self.row + 1
        if effect == "fail" and (self.row >= self.policy.failure_threshold or self._rate_is_too_high(now)):
            self._open(now)
            return True
        return False

    def rate(self, now: float) -> tuple[int, int]:
        """Return how many attempts of the window failed, and how many there are."""
        while self._window and self._window[0][0] <= now - self.policy.window_seconds:
            self._window.popleft()
        return sum(not ok for _, ok in self._window), len(self._window)

    def _rate_is_too_high(self, now: float) -> bool:
        failed, seen = self.rate(now)
        return seen >= self.policy.minimum_calls and failed / seen >= self.policy.failure_rate

    def _trial(self, effect: Effect, now: float) -> None:
        self.trials -= 1
        if effect == "fail":
            self.reopened += 1
            self._open(now)
        elif effect == "ok":
            self.passed += 1
            if self.passed >= self.policy.probes:
                self.reopened = 0
                self._become(State.CLOSED)

    def _open(self, now: float) -> None:
        self._become(State.OPEN)
        self.opened_at = now

    def _become(self, state: State) -> None:
        self.state = state
        self.generation += 1
        self.row = self.trials = self.passed = 0
        self._window.clear()
