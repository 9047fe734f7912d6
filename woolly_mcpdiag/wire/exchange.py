"""The one record of what the wire saw of an attempt; it travels to the HTTP layer in a context variable.

The SDK runs the sending of each message in the context of whoever sent it, which is how an HTTP exchange finds the
attempt that it belongs to.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, Protocol

Phase = Literal["", "connect", "pool", "write", "read"]


class Cancellable(Protocol):
    """What ends an attempt early: an ``anyio.CancelScope``."""

    def cancel(self) -> None:
        """End it."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """What HTTP said about one attempt. Absent facts are empty or ``None``."""

    method: str
    """The JSON-RPC method of the attempt; exchanges of other methods are not its own."""
    scope: Cancellable | None = None
    """Ended where an answer can never come (legacy SSE: the POST was refused)."""
    sent: bool = False
    """The server may have seen the request."""
    answered: bool = False
    """A status below 400 came back: the request was taken."""
    failed: bool = False
    status: int | None = None
    """Of the refusal, or of the answer."""
    text: str = ""
    """The body of a refusal, at most 2,000 characters."""
    content_type: str = ""
    retry_after: str = ""
    """The header as it came."""
    location: str = ""
    """Where a redirect leads."""
    session: str = ""
    """The session id that the request carried."""
    error: str = ""
    """Type of the exception, without its module."""
    detail: str = ""
    """Its text."""
    phase: Phase = ""
    """Where the exception came up."""
    timed_out: bool = False
    """The attempt's own time was over."""
    code: int | None = None
    """Of the JSON-RPC error that the SDK raised."""
    unready: bool = False
    """That error says that the session's handshake was not complete; nothing ran."""
    proven: bool = False
    """The session had answered a request before that error."""

    def fail(self) -> None:
        """Mark it as over; end the wait where no answer can come."""
        self.failed = True
        if self.scope is not None:
            self.scope.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One HTTP exchange, for whoever keeps a record of them."""

    verb: str
    url: str
    rpc: str = ""
    """JSON-RPC method; empty for GET and DELETE."""
    status: int | None = None
    duration: float = 0.0
    """Seconds to the headers of the answer."""
    session: str = ""
    error: str = ""
    contained: bool = False
    """A failure that was kept from the SDK, so that the session lives on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An answer that tells how the server, or what is before it, is set up; not that anything has failed."""

    verb: str
    status: int
    location: str = ""
    """Where a redirect leads."""
    followed: bool = False
    """It leads to the same origin."""


CURRENT: ContextVar[Exchange | None] = ContextVar("mcpdiag_exchange", default=None)
"""The attempt that this task works for."""
