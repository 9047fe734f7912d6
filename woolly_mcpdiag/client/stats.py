"""The one picture of a client's state and of what it has done so far."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Gauges now, counts since the start. Durations in seconds."""

    idle: int
    leased: int
    opening: int
    waiting: int
    """Callers that wait for a session."""
    waiting_for_breaker: int
    opened: int
    open_failed: int
    closed_by_reason: Mapping[str, int]
    granted: int
    waited: int
    wait_mean: float
    """Of the grants that were waited for."""
    refused: int
    """For too many waiters."""
    breaker: str
    """``closed``, ``open`` or ``half_open``."""
    breaker_refused: int
    budget: float
    """Retries that may be made at once."""
    ok: int
    app_errors: int
    degraded: int
    failed: int
    cancelled: int
    attempts: int
    retries: int
    repeated_in_doubt: int
    """Attempts that repeat one which may have been carried out: so many idempotent calls may have run twice."""
    findings: Mapping[str, int]
    """Answers that tell of the server's configuration, such as ``GET 405``; each kind is logged once."""
    era: str
    """``handshake``, ``modern``, or empty while it is not known."""
    transport: str

    @property
    def size(self) -> int:
        """Places of the pool that are taken."""
        return self.idle + self.leased + self.opening

    @property
    def success_rate(self) -> float | None:
        """Share of calls that the server answered; degraded ones do not count as such. ``None`` before the first."""
        answered = self.ok + self.app_errors
        total = answered + self.degraded + self.failed
        return answered / total if total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What a readiness check found."""

    ready: bool
    elapsed: float
    transport: str = ""
    era: str = ""
    version: str = ""
    """Of the protocol."""
    server: str = ""
    """Its name and version, where it gives them."""
    tools: int = 0
    cause: str = ""
    """Name in the cause catalogue."""
    reason: str = ""
    hint: str = ""
