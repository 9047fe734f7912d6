"""The one picture of a client's state and of what it has done so far."""

from collections.abc import Mapping
from dataclasses import dataclass

from woolly_mcpdiag.client.call import Caller
from woolly_mcpdiag.client.sessions import Sessions


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


def collected(sessions: Sessions, caller: Caller) -> Stats:
    """Return the state now and the counts since the start."""
    pool, circuit, tally = sessions.pool, caller.circuit, caller.tally
    pin, counts = sessions.pin, pool.counts
    return Stats(
        idle=pool.number("idle"),
        leased=pool.number("leased"),
        opening=pool.number("opening"),
        waiting=len(pool.waiting),
        waiting_for_breaker=circuit.waiting,
        opened=counts.opened,
        open_failed=counts.failed,
        closed_by_reason=dict(counts.closed),
        granted=counts.granted,
        waited=counts.waited,
        wait_mean=counts.wait_total / counts.waited if counts.waited else 0.0,
        refused=counts.refused,
        breaker=circuit.breaker.state.value,
        breaker_refused=circuit.refused,
        budget=caller.budget.tokens,
        ok=tally.ok,
        app_errors=tally.app_errors,
        degraded=tally.degraded,
        failed=tally.failed - tally.degraded,
        cancelled=tally.cancelled,
        attempts=tally.attempts,
        retries=tally.retries,
        repeated_in_doubt=tally.repeated_in_doubt,
        findings=dict(sessions.findings.counts),
        era="" if pin is None or pin.mode == "auto" else "modern" if pin.modern else "handshake",
        transport=pin.transport if pin else "",
    )
