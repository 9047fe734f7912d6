"""The one place where a layer before the server reads a request and writes an answer of its own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SESSION = b"mcp-session-id"
VERSION = b"mcp-protocol-version"
MODERN = "2026-07-28"
MOST = 8 * 1024 * 1024
"""Bytes of a request body that a layer reads; a longer one is passed on unread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a layer knows of a request."""

    verb: str
    path: str
    session: str
    version: str
    """MCP-Protocol-Version header; empty where there is none."""
    method: str
    """JSON-RPC method; empty for a GET, a DELETE or a body that is no JSON-RPC."""
    id: int | str | None
    """JSON-RPC id; ``None`` for a notification."""
    tool: str
    """Name of the tool of a ``tools/call``."""


def header(scope: Scope, name: bytes) -> str:
    """Return a request header, empty where it is absent."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def with_headers(scope: Scope, *, drop: Sequence[bytes], add: Sequence[tuple[bytes, bytes]] = ()) -> Scope:
    """Return the scope with other request headers."""
    kept = [(key, value) for key, value in scope["headers"] if key not in drop]
    return {**scope, "headers": [*kept, *add]}


async def look(scope: Scope, receive: Receive) -> tuple[Seen, Receive]:
    """Read the body of a POST; return what it says and a ``receive`` that plays it again."""
    messages: list[Message] = []
    body = b""
    while scope["method"] == "POST" and len(body) <= MOST:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break

    async def replay() -> Message:
        return messages.pop(0) if messages else await receive()

    try:
        row = json.loads(body) if body else {}
    except ValueError:
        row = {}
    if not isinstance(row, dict):
        row = {}
    params = row.get("params")
    seen = Seen(
        verb=scope["method"],
        path=scope["path"],
        session=header(scope, SESSION),
        version=header(scope, VERSION),
        method=str(row.get("method", "")),
        id=row.get("id"),
        tool=str(params.get("name", "")) if row.get("method") == "tools/call" and isinstance(params, dict) else "",
    )
    return seen, replay


async def answer(
    send: Send,
    status: int,
    body: bytes = b"",
    *,
    kind: bytes = b"application/json",
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    """Send a whole response; an empty ``kind`` leaves the content type out."""
    fixed = [(b"content-length", str(len(body)).encode())] + ([(b"content-type", kind)] if kind else [])
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})


def error(code: int, message: str, *, id: object = None, **more: object) -> bytes:  # noqa: A002 - JSON-RPC's word
    """Return a JSON-RPC error without spaces, as the Python SDK writes it."""
    row = {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message, **more}}
    return json.dumps(row, separators=(",", ":")).encode()


def nginx(status: int, phrase: str) -> bytes:
    """Return the page that nginx sends with an error of its own: HTML tells that a proxy spoke."""
    title = f"{status} {phrase}"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
    ).encode()


NGINX = ((b"server", b"nginx/1.22.1"),)


class Front:
    """A layer: everything but HTTP passes; ``exchange`` decides on a request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection of the server."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen, replay = await look(scope, receive)
        await self.exchange(seen, scope, replay, send)

    async def exchange(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the plain layer passes it on."""
        await self.app(scope, receive, send)
