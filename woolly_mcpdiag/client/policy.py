"""The one place for what a user may set: limits, time-outs, retries, breaker, fallback; contradictions are refused."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from woolly_mcpdiag.core.errors import UsageError

Reuse = Literal["shared", "affine", "fresh"]
"""Who gets a session next: anybody; only who names the same key; nobody."""
Degrade = Callable[[str, Mapping[str, Any]], Awaitable[object]]
"""Takes a tool's name and arguments, returns a text or a ``CallToolResult``."""


def _positive(what: str, value: float, *, zero: bool = False) -> None:
    if math.isnan(value) or value < 0 or (value == 0 and not zero):
        msg = f"{what}: {value:g} is {'below 0' if zero else 'not above 0'}"
        raise UsageError(msg, hint=f"give {what} a number {'from 0' if zero else 'above 0'}")


def _count(what: str, value: int, least: int) -> None:
    if value < least or int(value) != value:
        msg = f"{what}: {value!r} is no whole number from {least}"
        raise UsageError(msg, hint=f"give {what} a whole number from {least}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """How many sessions there are, and how long they live. Durations in seconds.

    Raises ``UsageError`` for limits that contradict each other.
    """

    max_sessions: int = 10
    """In the modern era, which has no sessions: calls in flight."""
    max_waiting: int = 100
    """Callers waiting for a session; one more is refused at once."""
    max_opening: int = 2
    """Sessions being opened at once."""
    min_idle: int = 0
    """Sessions opened at the start."""
    max_idle: float = 300.0
    """Seconds unused after which a session is closed; keep it below the server's own limit (mcp: 30 minutes)."""
    max_lifetime: float = 1800.0
    """Seconds after which a session is retired on return, less up to 5 % at random so that not all go at once."""
    validate_after: float = 30.0
    """Seconds unused after which a session must answer a ping before it is lent; what has just answered need not.

    In the modern era there is no session that could be gone.
    """
    leak_after: float = 300.0
    """Seconds on loan after which a leak is reported, with the place that borrowed it; ``inf`` keeps no places."""

    def __post_init__(self) -> None:
        _count("max_sessions", self.max_sessions, 1)
        _count("max_waiting", self.max_waiting, 0)
        _count("max_opening", self.max_opening, 1)
        _count("min_idle", self.min_idle, 0)
        for name in ("max_idle", "max_lifetime", "leak_after"):
            _positive(name, getattr(self, name))
        _positive("validate_after", self.validate_after, zero=True)
        if self.min_idle > self.max_sessions:
            msg = f"min_idle: {self.min_idle} is above max_sessions, {self.max_sessions}"
            raise UsageError(msg, hint="lower min_idle or raise max_sessions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds for each step. Raises ``UsageError`` for one that is not above 0."""

    total: float = 30.0
    """A call with all its attempts and waits."""
    acquire: float = 10.0
    """Waiting for a session."""
    open: float = 10.0
    """Opening a session: handshake and first answer."""
    call: float = 10.0
    """One attempt."""
    close: float = 3.0
    """Closing a session, DELETE included."""
    note: float = 2.0
    """A message that no answer is waited for."""

    def __post_init__(self) -> None:
        for name in ("total", "acquire", "open", "call", "close", "note"):
            _positive(name, getattr(self, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When an attempt is made again. Raises ``UsageError`` for values that contradict each other."""

    attempts: int = 4
    """Attempts of a call; waiting for an open breaker and the first lost session cost none."""
    backoff: tuple[float, float] = (0.1, 5.0)
    """Base and cap in seconds; the delay is drawn evenly from 0 to ``min(cap, base * 2**n)`` (full jitter)."""
    budget: float = 0.2
    """Retries allowed for each call, on average."""
    floor: float = 1.0
    """Retries a second that are allowed whatever the share."""
    reserve: float = 20.0
    """Retries that may be made at once."""
    idempotent: frozenset[str] = frozenset()
    """Patterns of tool names that may be repeated, such as ``search*``."""
    trust_annotations: bool = True
    """Take ``readOnlyHint`` and ``idempotentHint`` of the server at their word."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "idempotent", frozenset(self.idempotent))
        _count("attempts", self.attempts, 1)
        base, cap = self.backoff
        _positive("backoff base", base, zero=True)
        _positive("backoff cap", cap, zero=True)
        if base > cap:
            msg = f"backoff: the base, {base:g} s, is above the cap, {cap:g} s"
            raise UsageError(msg, hint="give the smaller one first: (0.1, 5.0)")
        for name in ("budget", "floor", "reserve"):
            _positive(name, getattr(self, name), zero=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When calls stop for a while. Raises ``UsageError`` for values that contradict each other."""

    failure_threshold: int = 5
    """Failures in a row that open it."""
    failure_rate: float = 0.5
    """Share of failures in the window that opens it."""
    window: int = 20
    """Attempts that are looked at, at most."""
    window_seconds: float = 30.0
    """Age of the oldest of them."""
    minimum_calls: int = 10
    """Attempts in the window below which the share says nothing."""
    open_for: float = 0.25
    """Seconds until it is tried again."""
    growth: float = 1.25
    """Each failed trial makes that longer by this factor ..."""
    open_at_most: float = 60.0
    """... up to so many seconds."""
    probes: int = 1
    """Attempts let through while it is tried; all must succeed."""
    probe: Literal["active", "call"] = "active"
    """Who tries: the client itself in the background while calls wait, so that none of them is spent, or a call."""

    def __post_init__(self) -> None:
        for name in ("failure_threshold", "window", "minimum_calls", "probes"):
            _count(name, getattr(self, name), 1)
        for name in ("window_seconds", "open_for", "open_at_most"):
            _positive(name, getattr(self, name))
        if not 0 < self.failure_rate <= 1:
            msg = f"failure_rate: {self.failure_rate:g} is no share"
            raise UsageError(msg, hint="give a number above 0 and up to 1")
        if self.growth < 1:
            msg = f"growth: {self.growth:g} is below 1"
            raise UsageError(msg, hint="1 keeps the wait as it is, 2 doubles it")
        if self.minimum_calls > self.window:
            msg = f"minimum_calls: {self.minimum_calls} is above window, {self.window}"
            raise UsageError(
                msg, hint="the window would never hold enough attempts: lower minimum_calls or raise window"
            )
        if self.open_for > self.open_at_most:
            msg = f"open_for: {self.open_for:g} s is above open_at_most, {self.open_at_most:g} s"
            raise UsageError(msg, hint="raise open_at_most or lower open_for")
        if self.probe not in {"active", "call"}:
            msg = f"probe {self.probe}: there is none of that name"
            raise UsageError(msg, hint="use active or call")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """What is answered where a call is given up; such results are marked as degraded."""

    list_tools: Literal["", "stale"] = ""
    """``stale`` answers with the last list that was seen."""
    call_tool: Degrade | None = None


def simple_breaker(failure_threshold: int | None, recovery_timeout: float | None) -> BreakerPolicy:
    """Return the breaker that opens after so many failures in a row and is tried every ``recovery_timeout`` seconds.

    What is ``None`` stays as by default.
    """
    threshold = 5 if failure_threshold is None else failure_threshold
    if recovery_timeout is None:
        return BreakerPolicy(failure_threshold=threshold)
    _positive("recovery_timeout", recovery_timeout)
    return BreakerPolicy(
        failure_threshold=threshold,
        open_for=recovery_timeout,
        open_at_most=recovery_timeout,
        growth=1.0,
        probe="call",
    )
