"""What a rehearsed outage is found to have done: facts that stay in the run log, so that they can be judged again."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageFacts:
    """How calls fared while the server was away, and afterwards.

    ``ok + degraded + typed_errors + untyped_errors + hangs`` must be ``calls``: each call has one fate.
    """

    calls: int
    """Calls that ran, if only for a part of their time, while the server was away."""
    ok: int
    """Answered in full all the same (retried after the server was back, or just before it went)."""
    degraded: int
    """Answered by a fallback that says so."""
    typed_errors: int
    """Failed with an error of the client's own that names its cause."""
    untyped_errors: int
    """Failed with anything else; 0 is wanted."""
    hangs: int
    """Still running after their deadline and cut off by the rehearsal; 0 is wanted."""
    deadline: float
    """Seconds that a call may take."""
    worst_over: float
    """Seconds by which the slowest call exceeded its deadline; 0 where none did."""
    breaker_opened: bool
    """False as well where the client has no breaker."""
    recovery_time: float
    """Seconds after the server's return within which a call must succeed."""
    recovered_after: float | None
    """Seconds from the server's return to the first call that succeeded; ``None`` where none did."""
    calls_after_recovery: int
    """Calls started after that first success."""
    failures_after_recovery: int
    """Of those, the ones that failed or were answered by a fallback; 0 is wanted."""
    attempt: float = 0.0
    """Seconds that one attempt of a call may take; 0 where nobody said."""
    pace: float = 0.0
    """Seconds that a tenth of the calls took without any outage, those that succeeded; 0 where there were none."""
    examples: tuple[str, ...] = ()
    """A line each of hangs, untyped errors and failures after recovery; redacted."""

    def to_row(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)

    @staticmethod
    def from_row(row: Mapping[str, Any]) -> "OutageFacts":
        """Read a row of ``to_row``; unknown facts are dropped. Raises ``ValueError`` for one that is missing."""
        return made(OutageFacts, row)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingFacts:
    """How the failures that callers saw compare with the client's own log, read back by analyze-logs."""

    seen: int
    """Failures (degraded answers included) that callers saw."""
    logged: int
    """Failures found in the log."""
    with_key: int
    """Of the logged ones: those that name the call's key."""
    with_agent: int
    with_phase: int
    with_cause: int
    missing: int
    """Seen by a caller, but not in the log; 0 is wanted."""
    extra: int
    """In the log, but seen by no caller; 0 is wanted."""
    injected: int | None = None
    """Failures that were provoked one by one; ``None`` where the server was simply away."""
    examples: tuple[str, ...] = ()
    """A line each of what did not match."""

    def to_row(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)

    @staticmethod
    def from_row(row: Mapping[str, Any]) -> "LoggingFacts":
        """Read a row of ``to_row``; unknown facts are dropped. Raises ``ValueError`` for one that is missing."""
        return made(LoggingFacts, row)


Facts = TypeVar("Facts", OutageFacts, LoggingFacts)


def made(kind: type[Facts], row: Mapping[str, Any]) -> Facts:
    """Read a row of ``to_row``. Raises ``ValueError`` for a fact that is missing or no number."""
    missing = [each.name for each in fields(kind) if each.default is MISSING and each.name not in row]
    if missing:
        message = f"facts of a scene: {', '.join(missing)} missing"
        raise ValueError(message)
    known: dict[str, Any] = {each.name: row[each.name] for each in fields(kind) if each.name in row}
    known["examples"] = tuple(str(each) for each in known.get("examples", ()))
    for name, value in known.items():
        if name != "examples" and not isinstance(value, int | float | None):
            message = f"facts of a scene: {name} is {str(value)[:40]!r}, no number"
            raise ValueError(message)
    return kind(**known)
