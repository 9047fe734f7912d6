"""The one list of what an exchange can fail with, in the words that HTTP clients log and the diagnosis reads."""

import socket
import ssl
from dataclasses import dataclass

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.core.outcomes import OutcomeKind

LONGEST = 200
"""Characters of an error that are kept."""


class PeerError(Exception):
    """What the peer sent is no answer; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an exchange, a birth or a call failed."""

    kind: OutcomeKind
    error: str = ""
    """Exception type as httpx calls it, or empty."""
    text: str = ""
    phase: str = ""
    status: int = 0
    code: int = 0
    """Of the JSON-RPC error."""

    @property
    def told(self) -> str:
        """``Type: text``, redacted, at most 200 characters."""
        return redact.text(f"{self.error}: {self.text}" if self.error else self.text)[:LONGEST]


def disconnected(*, reading: bool) -> Failure:
    """Return the failure of a connection that ended before (or, ``reading``, within) its answer."""
    if reading:
        text = "peer closed connection without sending complete message body (incomplete read)"
    else:
        text = "Server disconnected without sending a response."
    return Failure(kind="disconnect", error="RemoteProtocolError", text=text)


def cut(problem: OSError | None) -> Failure:
    """Return the failure of an event stream whose connection ended, or broke with a problem, before its end."""
    if problem is not None:
        return Failure(kind="stream-cut", error="ReadError", text=f"SSE stream: {broken(problem, sent=True).text}")
    text = "SSE stream: peer closed connection without sending complete message body (incomplete chunked read)"
    return Failure(kind="stream-cut", error="RemoteProtocolError", text=text)


def broken(problem: OSError, *, sent: bool) -> Failure:
    """Return the failure of a connection that broke after (``sent``) or while a request was sent."""
    if isinstance(problem, ssl.SSLError):
        return Failure(kind="tls", error="ReadError", text=str(problem))
    return Failure(kind="disconnect", error="ReadError" if sent else "WriteError", text=_words(problem))


def unconnected(problem: OSError, phase: str) -> Failure:
    """Return the failure of a connection that was not made."""
    if isinstance(problem, socket.gaierror):
        return Failure(kind="dns", error="ConnectError", text=str(problem), phase="dns")
    if isinstance(problem, ssl.SSLError) or phase == "tls":
        return Failure(kind="tls", error="ConnectError", text=_tls(problem), phase="tls")
    return Failure(kind="connect", error="ConnectError", text=_words(problem), phase="connect")


def late(error: str, seconds: float, phase: str = "") -> Failure:
    """Return the failure of a step that took too long; ``error`` is ConnectTimeout or ReadTimeout."""
    kind: OutcomeKind = "connect" if error == "ConnectTimeout" else "timeout"
    return Failure(kind=kind, error=error, text=f"nothing within {seconds:g} s", phase=phase)


def nonsense(text: str) -> Failure:
    """Return the failure of an answer that is none."""
    return Failure(kind="protocol", error="", text=text)


def _words(problem: OSError) -> str:
    return f"[Errno {problem.errno}] {problem.strerror}" if problem.errno else str(problem) or type(problem).__name__


def _tls(problem: OSError) -> str:
    text = str(problem) or type(problem).__name__
    return text if "SSL" in text or "TLS" in text or "CERTIFICATE" in text else f"TLS: {text}"
