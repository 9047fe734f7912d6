"""The one place for passing requests on: a reverse proxy with one upstream, or several taken in turn."""

import logging
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

import anyio
import httpx2
from starlette.types import Receive, Scope, Send

from woolly_mcpdiag.demo.wire import NGINX, answer, nginx

logger = logging.getLogger("demo.proxy")

HOP = {b"connection", b"keep-alive", b"transfer-encoding", b"te", b"trailer", b"upgrade", b"proxy-connection"}
"""Headers that belong to one connection (RFC 9110, 7.6.1)."""


class ReverseProxy:
    """Passes each request to the next upstream, whatever session it belongs to: a balancer without affinity."""

    def __init__(self, upstreams: Sequence[str]) -> None:
        self.upstreams = [url.rstrip("/") for url in upstreams]
        self.turn = 0
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=64)
        self.http = httpx2.AsyncClient(timeout=httpx2.Timeout(30, read=None), limits=limits, trust_env=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection of the server."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            upstream = self.upstreams[self.turn % len(self.upstreams)]
            self.turn += 1
            await self._pass(upstream, scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.http.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def _pass(self, upstream: str, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        own = _origin(scope)
        started = False
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
                request = self.http.build_request(
                    scope["method"],
                    upstream
                    + scope["raw_path"].decode()
                    + ("?" + scope["query_string"].decode() if scope["query_string"] else ""),
                    headers=_request_headers(scope["headers"]),
                    content=body,
                )
                response = await self.http.send(request, stream=True)
                try:
                    headers = _answer_headers(response.headers.raw, upstream, own)
                    started = True
                    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
                    first = "text/event-stream" in response.headers.get("content-type", "")
                    async for chunk in response.aiter_raw():
                        data = chunk.replace(upstream.encode(), own) if first else chunk
                        first = False
                        await send({"type": "http.response.body", "body": data, "more_body": True})
                    await send({"type": "http.response.body", "body": b""})
                finally:
                    await response.aclose()
                tasks.cancel_scope.cancel()
        except* httpx2.HTTPError as group:
            if started:
                raise
            problem = group.exceptions[0]
            logger.warning("upstream %s: %s: %s", upstream, type(problem).__name__, problem)
            await answer(send, 502, nginx(502, "Bad Gateway"), kind=b"text/html", headers=NGINX)


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _request_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(key, value) for key, value in headers if key not in HOP and key not in (b"host", b"content-length")]


def _answer_headers(headers: Iterable[tuple[bytes, bytes]], upstream: str, own: bytes) -> list[tuple[bytes, bytes]]:
    kept = []
    for name, value in headers:
        key = name.lower()
        if key not in HOP and key not in (b"date", b"server"):
            kept.append((key, value.replace(upstream.encode(), own) if key == b"location" else value))
    return kept


def _origin(scope: Scope) -> bytes:
    host = next((value for key, value in scope["headers"] if key == b"host"), b"")
    return b"http://" + bytes(host)


def origin(url: str) -> str:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
