"""The one place that decides whether, and when, an attempt is made again. It does no I/O and takes ``now``."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import Literal

from woolly_mcpdiag.client.outcome import Outcome, Ruling
from woolly_mcpdiag.client.policy import RetryPolicy

Source = Literal["backoff", "retry-after", "stale", "budget"]
Why = Literal["not retryable", "not idempotent", "attempts", "deadline", "affinity"]

FRESH_STALE_LIMIT = 3
"""Sessions that were lost before their first use, from which several servers without affinity are the cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Another attempt is made."""

    delay: float
    """Seconds from now."""
    source: Source
    fresh: bool = False
    """On a session that has just been opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """No other attempt is made."""

    why: Why


class Budget:
    """Limits retries to a share of the calls plus a floor, so that retries cannot multiply an outage.

    Where it is empty a retry waits for its turn at the floor's rate. (Finagle: 20 % plus a floor, per server.)
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self.policy = policy
        self.tokens = policy.reserve
        self._then: float | None = None

    def called(self, now: float) -> None:
        """Count a first attempt."""
        self._refill(now)
        self.tokens = min(self.policy.reserve, self.tokens + self.policy.budget)

    def wait(self, now: float) -> float:
        """Return how many seconds a retry would have to wait for its token; infinite where none ever comes."""
        self._refill(now)
        lacking = 1.0 - self.tokens
        if lacking <= 0:
            return 0.0
        return lacking / self.policy.floor if self.policy.floor > 0 else float("inf")

    def take(self, now: float) -> None:
        """Take a token; the balance may go below zero, which is what later retries wait for."""
        self._refill(now)
        self.tokens -= 1.0

    def _refill(self, now: float) -> None:
        if self._then is not None:
            passed = max(0.0, now - self._then)
            self.tokens = min(self.policy.reserve, self.tokens + passed * self.policy.floor)
        self._then = now if self._then is None else max(now, self._then)


@dataclass(slots=True, kw_only=True)
class Retry:
    """The decisions about one call."""

    policy: RetryPolicy
    budget: Budget
    rng: random.Random
    deadline: float
    """On the clock that ``now`` is read from."""
    attempts: int = 0
    stale: int = 0
    fresh_stale: int = 0
    _delays: int = field(default=0)

    def decide(
        self,
        ruling: Ruling,
        now: float,
        *,
        idempotent: bool,
        retry_after: float | None = None,
        unused: bool = False,
    ) -> Again | Stop:
        """Say what follows an attempt that failed.

        ``idempotent`` allows to repeat what may have been done; ``retry_after`` is in seconds; ``unused`` tells that
        its session had never been used before.
        """
        self.attempts += 1
        outcome = ruling.outcome
        if outcome is Outcome.STALE_SESSION:
            return self._after_stale(now, unused=unused)
        if outcome is Outcome.IN_DOUBT and not idempotent:
            return Stop(why="not idempotent")
        if outcome not in {Outcome.NOT_SENT, Outcome.REJECTED, Outcome.IN_DOUBT}:
            return Stop(why="not retryable")
        return self._later(now, retry_after)

    def _after_stale(self, now: float, *, unused: bool) -> Again | Stop:
        self.stale += 1
        self.fresh_stale += unused
        if self.fresh_stale >= FRESH_STALE_LIMIT:
            return Stop(why="affinity")
        if self.stale == 1:
            self.attempts -= 1
            return Again(delay=0.0, source="stale", fresh=True)
        again = self._later(now, None)
        return Again(delay=again.delay, source=again.source, fresh=True) if isinstance(again, Again) else again

    def _later(self, now: float, retry_after: float | None) -> Again | Stop:
        if self.attempts >= self.policy.attempts:
            return Stop(why="attempts")
        base, cap = self.policy.backoff
        delay = self.rng.uniform(0.0, min(cap, base * 2.0**self._delays))
        self._delays += 1
        source: Source = "backoff"
        if retry_after is not None:
            delay, source = retry_after + delay * 0.1, "retry-after"
        queued = self.budget.wait(now)
        if queued > delay:
            delay, source = queued, "budget"
        if now + delay >= self.deadline:
            return Stop(why="deadline")
        self.budget.take(now)
        return Again(delay=delay, source=source)


def seconds(header: str, wall: float) -> float | None:
    """Return the seconds that a Retry-After header asks for, from a number or an HTTP date; ``None`` if neither.

    ``wall`` is the time now, in seconds since the epoch. A date that has passed is 0. (RFC 9110, 10.2.3.)
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) <= 9 else 1e9
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.fromtimestamp(wall, UTC)).total_seconds())


def declared(name: str, patterns: frozenset[str]) -> bool:
    """Say whether a tool's name fits one of the patterns (``search*``) that the policy names as idempotent."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
