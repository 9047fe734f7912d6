"""The one place for the manners of older servers: a layer that makes the real one answer as its ancestors did.

Source of every row: 1 350 recorded probes of real servers; 29 releases compared for the dates of change.
"""

from collections.abc import Callable

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from woolly_mcpdiag.demo.logs import HUSH
from woolly_mcpdiag.demo.plan import Dialect
from woolly_mcpdiag.demo.wire import MODERN, SESSION, VERSION, Front, Seen, answer, error, with_headers

PING = 15.0
"""Seconds between the comments that keep a silent stream alive, so that no read timeout ever fires."""
UNKNOWN = b"Bad Request: No valid session ID provided"
TERMINATED = "Not Found: Session has been terminated"
STREAM = (
    (b"cache-control", b"no-cache, no-transform"),
    (b"connection", b"keep-alive"),
    (b"content-type", b"text/event-stream"),
    (b"x-accel-buffering", b"no"),
)


def older(dialect: Dialect) -> Callable[[ASGIApp], ASGIApp]:
    """Return the layer of a dialect; with 2.3 it only takes the modern era away."""
    return lambda app: Older(app, dialect)


class Older(Front):
    """Answers as mcp 1.11 … 1.30 did.

    Unknown session: 400 with 41 bytes of text before 1.26, 404 since. A refused request without a session id
    leaves a ghost session behind until 1.29: its id is on the 400, and a GET with it is a stream that says nothing.
    """

    def __init__(self, app: ASGIApp, dialect: Dialect) -> None:
        super().__init__(app)
        self.keeps_ghosts = dialect in ("1.11", "1.26")
        self.unknown_is_400 = dialect == "1.11"
        self.id_is_text = dialect != "2.3"
        self.ghosts: dict[str, bool] = {}
        """Ghost session id → a stream is open on it."""
        self.ended: set[str] = set()

    async def exchange(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for a ghost, or pass on and translate what comes back."""
        if seen.session in self.ghosts:
            await self._haunt(seen, receive, send)
            return
        if seen.session in self.ended:
            await answer(send, 404, error(-32600, TERMINATED, id="server-error"), headers=[_id(seen.session)])
            return
        if seen.version == MODERN:
            scope = with_headers(scope, drop=(VERSION,))
        HUSH.set(self.keeps_ghosts and not seen.session)
        await self.app(scope, receive, _Translate(self, seen, send))

    async def _haunt(self, seen: Seen, receive: Receive, send: Send) -> None:
        own = _id(seen.session)
        if seen.verb == "DELETE":
            del self.ghosts[seen.session]
            self.ended.add(seen.session)
            await answer(send, 200, headers=[own])
        elif seen.verb != "GET":
            body = error(-32602, "Invalid request parameters", id=seen.id, data="")
            await answer(
                send, 200, b"event: message\r\ndata: " + body + b"\r\n\r\n", kind=b"text/event-stream", headers=[own]
            )
        elif self.ghosts[seen.session]:
            body = error(-32600, "Conflict: Only one SSE stream is allowed per session", id="server-error")
            await answer(send, 409, body, headers=[own])
        else:
            self.ghosts[seen.session] = True
            try:
                await silence(receive, send, [*STREAM, own])
            finally:
                if seen.session in self.ghosts:
                    self.ghosts[seen.session] = False


async def silence(receive: Receive, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
    """Send an event stream that carries only keep-alive comments, until the client is gone."""
    await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def ping() -> None:
        while True:
            await anyio.sleep(PING)
            await send({"type": "http.response.body", "body": b": ping\r\n\r\n", "more_body": True})

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ping)
        while (await receive())["type"] != "http.disconnect":
            pass
        tasks.cancel_scope.cancel()


class _Translate:
    """A ``send`` that holds an error back until its body is known, and says it in the older words."""

    def __init__(self, shim: Older, seen: Seen, send: Send) -> None:
        self.shim = shim
        self.seen = seen
        self.send = send
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self.seen.verb == "DELETE" and message["status"] == 200:
                self.shim.ended.add(self.seen.session)
            if message["status"] >= 400:
                self.start = message
                return
        if self.start is None:
            await self.send(message)
            return
        self.body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._finish(self.start)

    async def _finish(self, start: Message) -> None:
        headers = [(key, value) for key, value in start["headers"] if key != b"content-length"]
        fresh = next((value.decode() for key, value in headers if key == SESSION), "")
        if fresh and not self.seen.session and self.shim.keeps_ghosts:
            self.shim.ghosts[fresh] = False
        if start["status"] == 404 and b"Session not found" in self.body and self.shim.unknown_is_400:
            await answer(self.send, 400, UNKNOWN, kind=b"")
            return
        body = self.body.replace(b'"id":null', b'"id":"server-error"', 1) if self.shim.id_is_text else self.body
        kept = [(key, value) for key, value in headers if key != b"content-type"]
        kind = next((value for key, value in headers if key == b"content-type"), b"")
        await answer(self.send, start["status"], body, kind=kind, headers=kept)


class ModernOnly(Front):
    """Answers only the 2026-07-28 era: a handshake is refused with the versions that are served."""

    async def exchange(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what names no modern version."""
        if seen.version == MODERN:
            await self.app(scope, receive, send)
            return
        data = {"supported": [MODERN], "requested": seen.version or "none"}
        await answer(send, 400, error(-32022, "Unsupported protocol version", id=seen.id, data=data))


def _id(session: str) -> tuple[bytes, bytes]:
    return SESSION, session.encode("latin-1")
