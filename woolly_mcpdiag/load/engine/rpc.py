"""The one place for JSON-RPC and MCP messages: what is sent, and what an answer must say to count."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from woolly_mcpdiag import __version__
from woolly_mcpdiag.load.engine.failure import Failure, nonsense

CLIENT = {"name": "mcpdiag", "version": __version__}
META = "io.modelcontextprotocol/"
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""The parameter that a modern client repeats in the header ``Mcp-Name``."""


class RpcError(msgspec.Struct, gc=False):
    """The error of an answer."""

    code: int = 0
    message: str = ""


class Result(msgspec.Struct, gc=False):
    """What matters of a result; the rest is checked to be JSON and left alone."""

    isError: bool = False  # noqa: N815 - its name in MCP


class Message(msgspec.Struct, gc=False):
    """A message of the peer: an answer, or (``method``) a request or notification of its own."""

    id: int | str | None = None
    method: str | None = None
    result: Result | None = None
    error: RpcError | None = None


class _Initialized(msgspec.Struct):
    protocolVersion: str  # noqa: N815 - its name in MCP


class _Birth(msgspec.Struct):
    result: _Initialized


class _Part(msgspec.Struct):
    text: str = ""


class _Told(msgspec.Struct):
    content: list[_Part] = []


class _Erred(msgspec.Struct):
    result: _Told


decode = msgspec.json.Decoder(Message).decode
"""Read a message; raises ``msgspec.MsgspecError`` or ``UnicodeDecodeError`` (a ``ValueError``) for what is none."""
UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
_erred = msgspec.json.Decoder(_Erred).decode
_birth = msgspec.json.Decoder(_Birth).decode


def version_of(body: bytes) -> str:
    """Return the protocol version of an answer to ``initialize``, empty where it has none."""
    try:
        return _birth(body).result.protocolVersion
    except UNREADABLE:
        return ""


def judge(body: bytes, number: int) -> Failure | None:
    """Say why an answer is none to request ``number``, or what it fails with; ``None`` where it succeeded."""
    try:
        message = decode(body)
    except UNREADABLE as problem:
        return nonsense(f"the answer is no JSON-RPC message: {problem}")
    return verdict(message, number, body)


def verdict(message: Message, number: int, body: bytes) -> Failure | None:
    """Judge a message; see ``judge``."""
    if message.error is not None and message.id in {number, None}:
        error = message.error
        return Failure(kind="rpc", error="MCPError", text=error.message, code=error.code)
    if message.id != number:
        return nonsense(f"the answer has id {message.id!r}, the request {number}")
    if message.result is None:
        return nonsense("the answer has neither a result nor an error")
    if message.result.isError:
        return Failure(kind="tool-error", error="ToolError", text=_tool_says(body))
    return None


def _tool_says(body: bytes) -> str:
    """Return the first text of a result with ``isError``."""
    try:
        for part in _erred(body).result.content:
            if part.text:
                return part.text
    except UNREADABLE:
        pass
    return "the result has isError"


def refusal_code(body: bytes) -> int:
    """Return the code of the JSON-RPC error in a refusal's body, 0 where there is none."""
    try:
        error = decode(body).error
    except UNREADABLE:
        return 0
    return error.code if error is not None else 0


def dumps(row: object) -> bytes:
    """Return compact JSON."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def initialize(version: str) -> dict[str, Any]:
    """Return the parameters of ``initialize``."""
    return {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT}


def stamped(params: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Return parameters as a modern client sends them: with version, client and capabilities in ``_meta``."""
    meta = {META + "protocolVersion": version, META + "clientInfo": CLIENT, META + "clientCapabilities": {}}
    return {**params, "_meta": {**params.get("_meta", {}), **meta}}


def modern_headers(method: str, params: Mapping[str, Any], version: str) -> dict[str, str]:
    """Return the headers that repeat a request's method and name, as 2026-07-28 asks."""
    headers = {"mcp-protocol-version": version, "mcp-method": method}
    name = params.get(_NAMED.get(method, ""))
    if isinstance(name, str):
        headers["mcp-name"] = header_value(name)
    return headers


def header_value(text: str) -> str:
    """Return a text as a header value; one that a header cannot carry is base64 in ``=?base64?…?=``."""
    plain = text.isascii() and text.isprintable() and text == text.strip() and not text.startswith("=?base64?")
    if plain:
        return text
    import base64  # noqa: PLC0415 - a rare path

    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="
