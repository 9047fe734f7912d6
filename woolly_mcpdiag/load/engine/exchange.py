"""The one record of a request and what came of it, from its start until its answer has been judged."""

from collections.abc import Callable
from typing import Protocol

from woolly_mcpdiag.load.contract import Asked
from woolly_mcpdiag.load.engine import rpc
from woolly_mcpdiag.load.engine.failure import Failure
from woolly_mcpdiag.load.engine.http import Head

Resume = Callable[["Exchange"], object]


class Connected(Protocol):
    """A connection, as far as an exchange that went over it goes."""

    port: int
    """Our side's."""
    raw: bytes
    """The last answer as it came; empty where it did not come alone and in one piece."""


class Exchange:
    """A request and its answer."""

    __slots__ = (
        "asked",
        "begun",
        "body",
        "connection",
        "deadline",
        "ended",
        "failure",
        "first",
        "head",
        "message",
        "number",
        "over",
        "peer",
        "raw",
        "resume",
        "reused",
        "sent",
        "sink",
    )

    def __init__(self, asked: Asked, resume: Resume, number: int, begun: float, deadline: float) -> None:
        self.asked = asked
        self.resume = resume
        self.number = number
        """JSON-RPC id; 0 where no JSON-RPC answer is waited for."""
        self.begun = begun
        self.deadline = deadline
        self.head: Head | None = None
        self.body = b""
        """The answer's; of an event stream the data of the event that answers."""
        self.message: rpc.Message | None = None
        """The answer, where it came as an event."""
        self.failure: Failure | None = None
        self.raw = b""
        """The request."""
        self.sent = 0.0
        """Instant at which its bytes were given to the system; 0 before."""
        self.first = 0.0
        """Instant of the first byte, for event streams of the first event."""
        self.ended = 0.0
        self.reused = False
        """Its connection had carried another request before."""
        self.connection: Connected | None = None
        self.sink: Callable[[bytes, bytes], None] | None = None
        """Of a standing stream: what its events go to; the exchange ends with its head."""
        self.peer: Callable[[rpc.Message], None] | None = None
        """Takes requests and notifications that the peer sends before its answer."""
        self.over = False

    def fail(self, failure: Failure, now: float) -> None:
        """End it with a failure, unless it has ended."""
        if not self.over:
            self.over = True
            self.failure = failure
            self.ended = now
            self.resume(self)

    def finish(self, now: float) -> None:
        """End it: its answer is whole."""
        if not self.over:
            self.over = True
            self.ended = now
            self.resume(self)

    def event(self, name: bytes, data: bytes, now: float) -> bool:
        """Take an event of the answer's stream; True where it was what is waited for."""
        if name != b"message" or not data or not self.number:
            return False
        if not self.first:
            self.first = now
        try:
            message = rpc.decode(data)
        except rpc.UNREADABLE as problem:
            self.failure = Failure(kind="protocol", text=f"an event is no JSON-RPC message: {problem}")
            self.body = data
            return True
        if message.method is not None:
            if self.peer is not None:
                self.peer(message)
            if message.id is not None and self.connection is not None:
                # What asks for an answer is to be read each time, however alike.
                self.connection.raw = b""
            return False
        if message.id != self.number and not (message.id is None and message.error is not None):
            return False
        self.message, self.body = message, data
        return True

    @property
    def status(self) -> int:
        """Of the answer; 0 where none came."""
        return self.head.status if self.head is not None else 0
