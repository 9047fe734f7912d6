"""The one listener to the trace extension of httpcore and httpcore2: what connecting took, for one request.

Neither library is imported here, so that whoever uses only one of them does not load the other.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

import anyio

STEPS = {"connect_tcp": "connect", "start_tls": "tls"}
"""Name in the trace → name of the phase. Resolving a name is part of ``connect``."""
Stepped = Callable[[str, float, bool], None]
"""Takes the name of a phase, its seconds, and whether it failed."""


@dataclass(slots=True, kw_only=True)
class Witness:
    """What the wire saw of one call, or of the birth of one session. Absent facts are empty or 0."""

    method: str = ""
    """The JSON-RPC method of the call; only its answer has a first byte."""
    key: str = ""
    agent: str = ""
    step: str = ""
    """What is under way: pool, connect, tls, stream, endpoint, initialize, initialized, call."""
    status: int = 0
    """Of the last answer, refused era probes and streams apart."""
    refused: int = 0
    """Status of the last refusal."""
    text: str = ""
    """Of that refusal: the first 2,000 characters, redacted."""
    error: str = ""
    """Type of the last transport error."""
    detail: str = ""
    """Its text, redacted."""
    session: str = ""
    sent: bool = False
    """A request was sent, so the peer may have seen it."""
    streaming: bool = False
    """The answer is an event stream."""
    first: float = 0.0
    """Instant of the first byte of the answer."""
    quiet: bool = False
    """Nobody wants its successes told one by one."""
    lost: str = ""
    """Why the legacy SSE stream that was opened for it ended before its time."""
    attempts: int = 1
    """Of the call, retries of a client included."""

    def renew(self) -> None:
        """Forget what was seen: what comes now is a step of its own."""
        self.status = self.refused = 0
        self.text = self.error = self.detail = ""
        self.sent = self.streaming = False


WITNESS: ContextVar[Witness | None] = ContextVar("mcpdiag_witness", default=None)
"""Of the call that this task works for."""


class Steps:
    """To be given as the ``trace`` extension of a request."""

    def __init__(self, told: Stepped, witness: Witness | None = None) -> None:
        self._told = told
        self._witness = witness
        self._since = 0.0
        self._step = ""
        self.connected = False
        """A connection was made for this request; False where a kept one is used."""

    async def __call__(self, name: str, info: Mapping[str, object]) -> None:
        """Take one line of the trace, such as ``connection.connect_tcp.started``."""
        del info
        what, _, state = name.rpartition(".")
        what = what.rpartition(".")[2]
        phase = STEPS.get(what)
        witness = self._witness
        if phase is None:
            if what == "send_request_headers" and state == "started" and witness is not None:
                witness.sent = True
            return
        now = anyio.current_time()
        if state == "started":
            self._since, self.connected = now, True
            if witness is not None:
                self._step, witness.step = witness.step, phase
        else:
            if witness is not None and state == "complete":
                witness.step = self._step
            self._told(phase, now - self._since, state == "failed")
