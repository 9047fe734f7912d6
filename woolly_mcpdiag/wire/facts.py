"""The one place that turns an HTTP answer or error into the facts of an exchange."""

import json
import re

import httpx2
from mcp import MCPError

from woolly_mcpdiag.wire.exchange import Exchange, Phase

LONGEST = 2_000
"""Characters of a refusal's body that are kept."""
_BEFORE: dict[str, Phase] = {"ConnectError": "connect", "ConnectTimeout": "connect", "PoolTimeout": "pool"}
_NEVER_SENT = {*_BEFORE, "UnsupportedProtocol", "ProxyError", "InvalidURL"}
_LEGACY = {400, 404, 405, 406, 415, 422}
"""Refusals of ``server/discover`` that say: an older server. Anything else says nothing about the era."""
_BUSY = {408, 425, 429, 502, 503, 504}
_VAGUE = (-32602, "Invalid request parameters")
"""All that the Python SDK before 1.18 says, with empty data, to what comes before the handshake's end (measured)."""
_UNREADY = re.compile(r"request before initiali[sz]ation|invalid during session initiali[sz]ation")
"""How the Python SDK's log and servers made after it, and the Go SDK, say so."""
_PERHAPS = re.compile(r"not (?:yet )?(?:been )?initiali[sz]ed", re.IGNORECASE)


def broken(exchange: Exchange, error: Exception) -> None:
    """Note a transport error."""
    name = type(error).__name__
    exchange.error, exchange.detail = name, str(error)
    exchange.phase = _BEFORE.get(name, "write" if name.startswith("Write") else "read")
    exchange.sent = exchange.sent or name not in _NEVER_SENT
    exchange.failed = True


def refused(exchange: Exchange, response: httpx2.Response, body: bytes) -> None:
    """Note a refusal."""
    exchange.status, exchange.failed = response.status_code, True
    exchange.text = body[: 4 * LONGEST].decode("utf-8", "replace")[:LONGEST]
    exchange.content_type = response.headers.get("content-type", "")
    exchange.retry_after = response.headers.get("retry-after", "")


def raised(exchange: Exchange, problem: BaseException, *, proven: bool = False) -> None:
    """Note what the SDK raised; ``proven`` says that the session has answered a request before."""
    if isinstance(problem, MCPError):
        exchange.code = problem.error.code
        exchange.unready, exchange.proven = too_early(problem, proven=proven), proven


def too_early(error: MCPError, *, proven: bool) -> bool:
    """Say whether a JSON-RPC error means that the session's handshake was not complete, so that nothing ran.

    Vague words, which bad parameters or a tool may have as well, count only where the session has answered nothing yet.
    """
    said = error.error
    if _UNREADY.search(said.message):
        return True
    vague = (said.code, said.message) == _VAGUE and not said.data
    return not proven and (vague or _PERHAPS.search(said.message) is not None)


def rpc_error(exchange: Exchange) -> int | None:
    """Return the code of the JSON-RPC error in a refusal's body, ``None`` where there is none."""
    if "json" not in exchange.content_type:
        return None
    try:
        code = json.loads(exchange.text)["error"]["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return code if isinstance(code, int) else None


def means_older(exchange: Exchange) -> bool:
    """Say whether a refused ``server/discover`` tells that the server speaks the handshake era only."""
    if exchange.status is None or exchange.status in _BUSY:
        return False
    return exchange.status in _LEGACY or rpc_error(exchange) is not None


def error_reply(request: httpx2.Request, number: object, exchange: Exchange) -> httpx2.Response:
    """Return an answer that ends the SDK's wait for this request and leaves its session alone."""
    row = {"jsonrpc": "2.0", "id": number, "error": {"code": -32000, "message": "Connection closed"}}
    return made_up(request, 599, exchange.error or "no answer", row)


def made_up(request: httpx2.Request, status: int, why: str, row: object = None) -> httpx2.Response:
    """Return an answer that no server gave, as its reason phrase says; httpx2, which did not see it, logs nothing."""
    reason = {"reason_phrase": f"(mcpdiag: {why})".encode("ascii", "replace")}
    if row is None:
        return httpx2.Response(status, request=request, extensions=reason)
    return httpx2.Response(status, json=row, request=request, extensions=reason)
