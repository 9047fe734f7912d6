"""The one mapping from what the libraries raise, and what the wire saw, to how a call ended."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from woolly_mcpdiag.client.errors import Attempt, ResilienceError
from woolly_mcpdiag.core import redact
from woolly_mcpdiag.core.measures import Outcome
from woolly_mcpdiag.core.outcomes import OutcomeKind
from woolly_mcpdiag.wire.sdk import MCPError
from woolly_mcpdiag.wire.session import first_error
from woolly_mcpdiag.wire.steps import Witness

SAID = 200
"""Characters of an error that are counted together."""
_KINDS: Mapping[str, OutcomeKind] = {
    "ConnectError": "connect",
    "ConnectTimeout": "connect",
    "ConnectionRefusedError": "connect",
    "ProxyError": "connect",
    "gaierror": "dns",
    "SSLError": "tls",
    "SSLCertVerificationError": "tls",
    "PoolTimeout": "pool",
    "ReadTimeout": "timeout",
    "WriteTimeout": "timeout",
    "TimeoutError": "timeout",
    "ReadError": "disconnect",
    "WriteError": "disconnect",
    "RemoteProtocolError": "disconnect",
    "ConnectionResetError": "disconnect",
    "BrokenPipeError": "disconnect",
    "ClosedResourceError": "disconnect",
    "BrokenResourceError": "disconnect",
    "EndOfStream": "disconnect",
    "SSEError": "protocol",
    "ValidationError": "protocol",
    "DecodingError": "protocol",
    "JSONDecodeError": "protocol",
    "NoEndpointError": "protocol",
    "NoSessionError": "session",
    "HTTPStatusError": "http",
    "AcquireTimeoutError": "pool",
    "TooManyWaitersError": "pool",
    "CircuitOpenError": "refused-locally",
    "DeadlineExceededError": "timeout",
    "OpenFailedError": "session",
    "InDoubtError": "disconnect",
}
_CAUSES: Mapping[str, OutcomeKind] = {
    "net.refused": "connect",
    "net.connect-timeout": "connect",
    "net.dns": "dns",
    "net.tls-mismatch": "tls",
    "net.read-timeout": "timeout",
    "client.pool-exhausted": "pool",
}
_DNS = re.compile(r"getaddrinfo|[Nn]ame or service|nodename|[Nn]ame resolution|No address associated")
_TLS = re.compile(r"\bSSL|CERTIFICATE|certificate|WRONG_VERSION")
_NO_ANSWER = re.compile(r"server answered a request with 202|Unexpected content type|Failed to parse JSON|Redirect to ")
"""How the SDK's own errors read where something came that is no answer."""
_SDK_CLOSED, _SDK_TIMEOUT = -32000, -32001
_WAITS: Mapping[str, str] = {"pool": "PoolTimeout", "connect": "ConnectTimeout", "tls": "ConnectTimeout"}
"""What is under way → how HTTP clients call that time-out; any other wait is one for an answer."""


class NoEndpointError(Exception):
    """A legacy SSE stream gave no ``endpoint`` event in time."""


class NoSessionError(Exception):
    """The answer named no session id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a call ended that did not succeed."""

    outcome: Outcome
    error: str
    """Exception type as logs name it, or what the peer said; never empty."""
    text: str
    """As an application would log it, redacted."""
    phase: str = ""
    cause: str = ""
    attempts: int = 1


def timed_out(witness: Witness, limit: float) -> Verdict:
    """Judge a call whose time was over; a refusal that left it waiting is told by its status."""
    error = _WAITS.get(witness.step, "ReadTimeout")
    text = f"{error}: no answer within {limit:g} s, in {witness.step or 'call'}"
    if witness.refused:
        text += f"; the last answer was HTTP {witness.refused}"
    kind: OutcomeKind = "pool" if witness.step == "pool" else "connect" if error == "ConnectTimeout" else "timeout"
    return Verdict(outcome=Outcome(kind, witness.refused), error=error, text=text, phase=witness.step)


def judged(problem: BaseException, witness: Witness, *, lost: bool = False) -> Verdict:
    """Judge what was raised; ``lost`` says that the session's stream ended before its time."""
    problem = first_error(problem)
    lost = lost or bool(witness.lost) or witness.streaming
    if isinstance(problem, ResilienceError):
        return _resilient(problem, witness)
    name = _name(problem)
    said = _said(problem)
    if isinstance(problem, MCPError):
        return _rpc(problem.error.code, said, witness, lost=lost)
    status = _status_of(problem) or (witness.refused if witness.refused and not witness.error else 0)
    if status:
        return _refused(status, witness, said)
    kind = _kind(name, said)
    if kind == "client" and witness.error:
        kind, name = _kind(witness.error, witness.detail), witness.error
        said = witness.detail or said
    if lost and kind in {"disconnect", "client"}:
        kind = "stream-cut"
    return _verdict(Outcome(kind), name, f"{name}: {said}" if said else name, witness)


def _rpc(code: int, said: str, witness: Witness, *, lost: bool) -> Verdict:
    """Judge an error of the SDK, which hides statuses and transport errors behind JSON-RPC codes of its own."""
    if witness.error:
        kind = _kind(witness.error, witness.detail)
        kind = "stream-cut" if lost and kind == "disconnect" else kind
        return _verdict(Outcome(kind), witness.error, f"{witness.error}: {witness.detail}", witness)
    if witness.refused:
        return _refused(witness.refused, witness, said)
    text = f"McpError: {said} ({code})"
    if code == _SDK_CLOSED and said.startswith(("Connection closed", "SSE stream")):
        cut = lost or said.startswith("SSE stream")
        return _verdict(Outcome("stream-cut" if cut else "disconnect"), "McpError", text, witness)
    if code == _SDK_TIMEOUT and "imed out" in said:
        return _verdict(Outcome("timeout"), "ReadTimeout", text, witness)
    if _NO_ANSWER.match(said):
        return _verdict(Outcome("protocol"), "McpError", text, witness)
    return _verdict(Outcome("rpc", witness.status, code), said[:SAID] or f"JSON-RPC error {code}", text, witness)


def _refused(status: int, witness: Witness, said: str) -> Verdict:
    text = f"HTTP {status}: {witness.text or said}".rstrip(": ")
    return _verdict(Outcome("http", status, _code(witness.text)), text[:SAID], text, witness)


def _resilient(problem: ResilienceError, witness: Witness) -> Verdict:
    attempts = problem.attempts
    last: Attempt | None = attempts[-1] if attempts else None
    name = type(problem).__name__
    kind = _KINDS.get(name, "client")
    status = (last.status or 0) if last else 0
    if name not in {"AcquireTimeoutError", "TooManyWaitersError", "CircuitOpenError"}:
        if status >= 300:
            kind = "http"
        else:
            kind = _CAUSES.get(problem.cause, kind)
            status = 0
    else:
        status = 0
    return Verdict(
        outcome=Outcome(kind, status),
        error=name,
        text=redact.text(f"{name}: {problem.message}"),
        phase=(last.phase if last else "") or witness.step,
        cause=problem.cause,
        attempts=max(1, len(attempts)),
    )


def _verdict(outcome: Outcome, error: str, text: str, witness: Witness) -> Verdict:
    return Verdict(outcome=outcome, error=error, text=text, phase=witness.step or "call", attempts=witness.attempts)


def _kind(name: str, said: str) -> OutcomeKind:
    if name in {"ConnectError", "OSError"}:
        if _DNS.search(said):
            return "dns"
        if _TLS.search(said):
            return "tls"
        return "connect"
    return _KINDS.get(name, "client")


def _name(problem: BaseException) -> str:
    return type(problem).__name__


def _said(problem: BaseException) -> str:
    return " ".join(redact.text(str(problem)).split())


def _status_of(problem: BaseException) -> int:
    """Return the status that an ``HTTPStatusError`` of either library carries."""
    response = getattr(problem, "response", None)
    status = getattr(response, "status_code", 0)
    return status if isinstance(status, int) else 0


_CODE = re.compile(r'"code"\s*:\s*(-?\d{1,9})\b')


def _code(body: str) -> int:
    found = _CODE.search(body) if '"error"' in body else None
    return int(found[1]) if found else 0
