"""The one tree of errors of the client; each carries the attempts that were made.

ResilienceError
├── AcquireTimeoutError      no session came free in time
├── TooManyWaitersError      too many callers wait already
├── CircuitOpenError         the server keeps failing; says when it is tried again
├── OpenFailedError          a session could not be opened
├── CallRejectedError        refused, and another try would not help or not fit
├── InDoubtError             the call may have been carried out, and must not be repeated
├── DeadlineExceededError    the time for the whole call is over
├── ClientClosedError        used before it was entered, or after it was closed
└── KeyLeasedError           the key's session is already on exclusive loan
"""

from collections.abc import Sequence
from dataclasses import dataclass

from woolly_mcpdiag.client.outcome import Outcome
from woolly_mcpdiag.core.causes import catalogue
from woolly_mcpdiag.core.errors import ExitCode, McpdiagError


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a call."""

    number: int
    """From 1."""
    outcome: Outcome
    cause: str = ""
    reason: str = ""
    status: int | None = None
    """HTTP status, where there was one."""
    phase: str = ""
    """``queue``, ``open``, ``connect``, ``pool``, ``write``, ``read`` or empty."""
    session: int = 0
    """Number of the session in this client, 0 for none."""
    elapsed: float = 0.0
    """Seconds."""


_DONE = frozenset({"session.used-before-ready"})
"""Causes whose remedy on the client's side is what this client does already."""


class ResilienceError(McpdiagError):
    """A call that was given up, or could not begin."""

    exit_code = ExitCode.AWAY

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        attempts: Sequence[Attempt] = (),
        cause: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint or remedy(cause))
        self.attempts = tuple(attempts)
        self.cause = cause
        """Name in the cause catalogue; empty where the facts name none."""
        self.retry_after = retry_after
        """Seconds after which another try may help; ``None`` where nobody said."""


class AcquireTimeoutError(ResilienceError):
    """No session came free in time."""


class TooManyWaitersError(ResilienceError):
    """Too many callers wait already."""


class CircuitOpenError(ResilienceError):
    """The server keeps failing, so nothing is sent for a while."""


class OpenFailedError(ResilienceError):
    """A session could not be opened."""


class CallRejectedError(ResilienceError):
    """The server, or something before it, refuses the call."""


class InDoubtError(ResilienceError):
    """The call may have been carried out."""


class DeadlineExceededError(ResilienceError):
    """The time for the whole call is over."""


class ClientClosedError(ResilienceError):
    """The client is not open."""

    exit_code = ExitCode.USAGE


class KeyLeasedError(ResilienceError):
    """The key's session is already on exclusive loan."""

    exit_code = ExitCode.USAGE


def remedy(cause: str) -> str:
    """Return what to do about a cause, one sentence; empty where the catalogue has nothing."""
    known = catalogue().get(cause)
    if known is None:
        return ""
    told = (known.server if cause in _DONE else known.client) or known.server or known.deployment
    return " ".join(told.split()).partition(". ")[0].rstrip(".")
