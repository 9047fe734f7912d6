"""The one classifier: what an attempt came to, from what the wire saw; it decides retry, breaker and log."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from woolly_mcpdiag.core.bodies import by_text
from woolly_mcpdiag.core.redact import text as redacted
from woolly_mcpdiag.core.redact import url as redacted_url
from woolly_mcpdiag.wire.exchange import Exchange
from woolly_mcpdiag.wire.facts import rpc_error

Effect = Literal["ok", "fail", "ignore"]


class Outcome(StrEnum):
    """What an attempt came to."""

    OK = "ok"
    APP_ERROR = "app_error"
    """The server answered: a JSON-RPC error, or a tool's own."""
    NOT_SENT = "not_sent"
    """The server cannot have seen the request."""
    REJECTED = "rejected"
    """Refused before anything ran: rate limit, capacity."""
    STALE_SESSION = "stale_session"
    """The server does not know the session (any more)."""
    IN_DOUBT = "in_doubt"
    """The request may have been carried out."""
    CONFIG = "config"
    """Trying again cannot help: wrong URL, credentials, transport or version."""
    CANCELLED = "cancelled"
    """The caller has gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What an attempt came to, why, and what follows from it."""

    outcome: Outcome
    cause: str = ""
    """Name in the cause catalogue; empty where the facts name none."""
    reason: str = ""
    """The facts in one phrase, redacted."""
    effect: Effect = "ignore"
    """What the breaker makes of it."""
    suspect: bool = False
    """The session should not be used again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One way of saying that a session is not known, in words of a server generation."""

    status: int
    says: str
    """Pattern that the body must contain; empty takes any body."""
    cause: str = "session.lost"
    needs_id: bool = True
    """Only a request that carried a session id counts."""


DIALECTS: tuple[Dialect, ...] = (
    Dialect(status=404, says="has been terminated", cause="session.used-after-close"),
    Dialect(status=404, says="[Cc]ould not find session", needs_id=False),
    Dialect(status=404, says="[Ss]ession"),
    Dialect(status=404, says=""),
    Dialect(status=400, says="[Nn]o valid session"),
    Dialect(status=400, says="[Mm]issing session ID"),
    Dialect(status=400, says="[Ss]erver not initialized"),
    Dialect(status=400, says="[Ii]nvalid session"),
    Dialect(status=400, says="[Ss]ession (?:not found|expired|has been terminated|does not exist)"),
    Dialect(status=410, says=""),
)
"""Measured on mcp 1.9 to 2.3, fastmcp 2 to 4, the TypeScript SDK, legacy SSE; any other 400 is not a lost session."""

_BUSY: dict[int, tuple[str, Effect]] = {
    429: ("proxy.rate-limit", "ignore"),
    503: ("server.capacity", "fail"),
}
_CONFIG = {
    400: "",
    401: "auth.required",
    403: "auth.forbidden",
    404: "transport.wrong-path",
    405: "transport.mismatch",
    406: "transport.bad-accept",
    413: "transport.body-too-large",
    415: "transport.bad-accept",
    421: "transport.host-guard",
}
_DOUBT = {500: "server.error", 502: "proxy.upstream-down", 504: "proxy.timeout"}
_NOT_SENT = {
    "ConnectError": "net.refused",
    "ConnectTimeout": "net.connect-timeout",
    "PoolTimeout": "client.pool-exhausted",
}
_DNS = re.compile(r"getaddrinfo|[Nn]ame or service|nodename|[Nn]ame resolution|No address associated")
_TLS = re.compile(r"\bSSL|CERTIFICATE|certificate")
_SDK_WORDS = {
    "Connection closed": "session.stream-cut",
    "SSE stream": "session.stream-cut",
    "Request ": "net.read-timeout",
    "server answered a request with 202": "",
}
"""How the SDK's own errors begin where no answer came, and their causes; a server may use the same codes for others."""
_SDK_CODES = {-32000, -32001}
_VERSION_CODES = {-32020, -32021, -32022}


def classify(exchange: Exchange, error: BaseException | None = None) -> Ruling:
    """Say what an attempt came to.

    ``error`` is what the SDK raised, ``None`` where it returned; a cancelled caller is the caller's to tell.
    """
    if exchange.failed:
        return _failed(exchange)
    if exchange.timed_out:
        return _doubt("net.read-timeout", "no answer in time", suspect=True)
    if error is None:
        return Ruling(outcome=Outcome.OK, effect="ok")
    if 300 <= (exchange.status or 0) < 400:
        return _redirected(exchange)
    if exchange.code is not None:
        return _coded(exchange, str(error))
    if exchange.answered:
        return _app(type(error).__name__)
    return _doubt("", type(error).__name__, suspect=True)


def _coded(exchange: Exchange, said: str) -> Ruling:
    """Judge a JSON-RPC error, which may be the server's or the SDK's."""
    if exchange.unready:
        reason = f"JSON-RPC error {exchange.code}, in other words: received request before initialization was complete"
        cause = "session.used-before-ready"
        # A session that has answered before was begun anew by somebody else; a new one will be ready in a moment.
        return Ruling(outcome=Outcome.REJECTED, cause=cause, reason=reason, suspect=exchange.proven)
    words = next((words for words in _SDK_WORDS if said.startswith(words)), None)
    if exchange.code in _SDK_CODES and words is not None:
        return _doubt(_SDK_WORDS[words], exchange.error or said.partition(":")[0], suspect=True)
    return _app(f"JSON-RPC error {exchange.code}")


def _failed(exchange: Exchange) -> Ruling:
    if exchange.status is None or exchange.error:
        return _broken(exchange)
    status = exchange.status
    reason = _refusal(status, exchange.text)
    if dialect := stale_dialect(status, exchange.text, exchange.session):
        return Ruling(outcome=Outcome.STALE_SESSION, cause=dialect.cause, reason=reason, suspect=True)
    if status in _BUSY:
        cause, effect = _BUSY[status]
        return Ruling(outcome=Outcome.REJECTED, cause=cause, reason=reason, effect=effect)
    if status >= 500:
        return _doubt(_DOUBT.get(status, "server.error"), reason)
    if 300 <= status < 400:
        return _redirected(exchange)
    return _refused(exchange, status, reason)


def _refused(exchange: Exchange, status: int, reason: str) -> Ruling:
    code = rpc_error(exchange)
    if status in {400, 404} and code in {-32601, -32602}:
        # The modern era answers an unknown method or bad parameters with such a status: the server did its work.
        return _app(f"JSON-RPC error {code}")
    cause = _CONFIG.get(status, "")
    if status == 403 and "rigin" in exchange.text:
        cause = "transport.origin-guard"
    if status == 400 and (code in _VERSION_CODES or "rotocol version" in exchange.text):
        cause = "transport.protocol-version"
    return Ruling(outcome=Outcome.CONFIG, cause=cause, reason=reason)


def _redirected(exchange: Exchange) -> Ruling:
    where = f" to {redacted_url(exchange.location)}" if exchange.location else ""
    return Ruling(outcome=Outcome.CONFIG, cause="transport.redirect", reason=f"HTTP {exchange.status}{where}")


def _broken(exchange: Exchange) -> Ruling:
    """Judge a transport error: before or after the server may have seen the request."""
    reason = f"{exchange.error}: {_short(exchange.detail)}" if exchange.detail else exchange.error
    if exchange.answered or exchange.sent:
        return _doubt(_cut(exchange), f"{reason} after the request was sent", suspect=True)
    if exchange.error in {"UnsupportedProtocol", "InvalidURL"}:
        return Ruling(outcome=Outcome.CONFIG, reason=reason)
    cause = _NOT_SENT.get(exchange.error, "")
    if exchange.error == "ConnectError" and _DNS.search(exchange.detail):
        cause = "net.dns"
    elif exchange.error == "ConnectError" and _TLS.search(exchange.detail):
        cause = "net.tls-mismatch"
    local = exchange.error == "PoolTimeout"
    return Ruling(outcome=Outcome.NOT_SENT, cause=cause, reason=reason, effect="ignore" if local else "fail")


def _cut(exchange: Exchange) -> str:
    if exchange.error in {"ReadTimeout", "TimeoutError", "WriteTimeout"}:
        return "net.read-timeout"
    return "session.stream-cut" if exchange.answered else "net.connection-cut"


def stale_dialect(status: int, text: str, session: str) -> Dialect | None:
    """Return the dialect in which a refusal says that the session is not known, ``None`` where it does not."""
    for dialect in DIALECTS:
        if dialect.status == status and (session or not dialect.needs_id) and re.search(dialect.says, text):
            return dialect
    return None


def _app(reason: str) -> Ruling:
    return Ruling(outcome=Outcome.APP_ERROR, reason=reason, effect="ok")


def _doubt(cause: str, reason: str, *, suspect: bool = False) -> Ruling:
    return Ruling(outcome=Outcome.IN_DOUBT, cause=cause, reason=reason, effect="fail", suspect=suspect)


def _refusal(status: int, text: str) -> str:
    """Name a refusal; only words of the table are repeated, as a body may echo a tool's arguments."""
    known = by_text(status, text)
    return f"HTTP {status} {known[0].text}" if known else f"HTTP {status}"


def _short(text: str) -> str:
    line = " ".join(redacted(text).split())
    return line if len(line) <= 200 else line[:197] + "..."
