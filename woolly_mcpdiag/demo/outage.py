"""The one place for taking any MCP server away on command: a proxy in front of it, in a process of its own."""

import contextlib
import json
import logging
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Literal, get_args

import anyio
import anyio.to_thread
import httpx2
from anyio.abc import SocketStream, TaskGroup
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.demo import child
from woolly_mcpdiag.demo.listen import Site, end
from woolly_mcpdiag.demo.plan import Connect
from woolly_mcpdiag.demo.proxy import ReverseProxy, origin
from woolly_mcpdiag.demo.tcp import CHUNK, GONE, TcpProxy
from woolly_mcpdiag.demo.wire import SESSION, Front, Seen, answer, error

MODULE = "woolly_mcpdiag.demo.outage"
How = Literal["refused", "blackhole", "frozen", "restart"]
"""refused: the port is closed · blackhole: connects are never answered · frozen: connections are accepted and nothing
is ever answered · restart: the port is closed, and every session is gone when it is back."""
HOWS: tuple[str, ...] = get_args(How)
_IN_QUERY = re.compile(rb"(?:^|&)session_?id=([^&]+)", re.IGNORECASE)
_KNOWN = 10_000
"""Sessions remembered."""


class Outages:
    """The proxy as its user sees it: an address, and two commands."""

    def __init__(self, process: child.Child, url: str) -> None:
        self.url = url
        """In place of the server's own URL."""
        self._process = process

    def away(self, how: How) -> None:
        """Take the server away; returns when it is. Raises ``UsageError`` for an unknown way."""
        if how not in HOWS:
            msg = f"outage {how}: there is none of that name"
            raise UsageError(msg, hint=f"use one of {', '.join(HOWS)}")
        self._do(how)

    def back(self) -> None:
        """Let it be reached again; returns when it can be."""
        self._do("back")

    def _do(self, what: str) -> None:
        if self._process.stdin is None:
            return
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        self._process.stdin.flush()
        child.ready(self._process)


@contextlib.contextmanager
def outage_process(upstream: str) -> Iterator[Outages]:
    """Run the proxy while the block runs. Raises ``UsageError`` for a URL that is none."""
    if not upstream.startswith(("http://", "https://")):
        msg = f"upstream {upstream!r}: no http or https URL"
        raise UsageError(msg, hint="write for example http://localhost:8000/mcp")
    started = child.start(MODULE, {"upstream": upstream})
    try:
        yield Outages(started, str(child.ready(started)["url"]))
    finally:
        child.end([started])


class Sessions(Front):
    """Remembers the sessions that pass, so that a restart can end them upstream."""

    def __init__(self, app: ASGIApp, upstream: str, http: httpx2.AsyncClient) -> None:
        super().__init__(app)
        self.upstream = upstream
        self.http = http
        self.known: dict[str, tuple[str, list[tuple[bytes, bytes]]]] = {}
        """Session id → path and request headers of its last request."""
        self.forgotten: set[str] = set()
        """Ended by a restart, though the server itself could not be made to forget them."""

    async def exchange(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, unless the session fell to a restart."""
        found = _IN_QUERY.search(scope["query_string"])
        if (seen.session or (found[1].decode("latin-1") if found else "")) in self.forgotten:
            await answer(send, 404, error(-32600, "Session not found", id=seen.id))
            return
        kept = [(key, value) for key, value in scope["headers"] if key in {b"authorization", b"mcp-protocol-version"}]

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                for key, value in message["headers"]:
                    if key.lower() == SESSION and len(self.known) < _KNOWN:
                        self.known[value.decode("latin-1")] = (scope["path"], kept)
            await send(message)

        await self.app(scope, receive, watched)

    async def end_all(self) -> None:
        """Have the server forget every session, as a restart of its own would."""
        gone, self.known = self.known, {}
        async with anyio.create_task_group() as tasks:
            for session, (path, headers) in gone.items():
                tasks.start_soon(self._end, session, path, headers)

    async def _end(self, session: str, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        with anyio.move_on_after(1.0):
            try:
                reply = await self.http.delete(self.upstream + path, headers=[*headers, (SESSION, session.encode())])
            except httpx2.HTTPError:
                pass
            else:
                if reply.status_code < 300 or reply.status_code == 404:
                    return
        self.forgotten.add(session)


class Proxy:
    """The proxy itself."""

    def __init__(self, upstream: str) -> None:
        self.behind = ReverseProxy([origin(upstream)])
        self.sessions = Sessions(self.behind, origin(upstream), self.behind.http)
        self.site = Site("outage", lambda: self.sessions)
        self.front = TcpProxy(self.site.port, self._pass_on)
        self._flowing = anyio.Event()
        self._flowing.set()
        self._tasks: TaskGroup | None = None
        self._return: Callable[[], Awaitable[None]] | None = None

    async def start(self, tasks: TaskGroup) -> None:
        """Listen; returns when requests are passed on."""
        self._tasks = tasks
        await self.site.start(tasks)
        await self.front.start(tasks)

    async def stop(self) -> None:
        """Close everything."""
        await self.do("back")
        await self.front.down()
        await end(self.site)

    async def do(self, what: str) -> None:
        """Carry out a command; one outage ends where the next begins."""
        if self._return is not None:
            await self._return()
            self._return = None
        if what == "frozen":
            self._flowing, self._return = anyio.Event(), self._thaw
        elif what == "blackhole" and self._tasks is not None:
            self._return = await self._tasks.start(self._blackhole)
        elif what in {"refused", "restart"}:
            await self.front.down()
            self._return = self.front.up
            if what == "restart":
                await self.sessions.end_all()

    async def _thaw(self) -> None:
        self._flowing.set()

    async def _blackhole(self, *, task_status: anyio.abc.TaskStatus[Callable[[], Awaitable[None]]]) -> None:
        over, away, back = anyio.Event(), anyio.Event(), anyio.Event()

        async def ended() -> None:
            over.set()
            await back.wait()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.front.swallow_until, over, away)
            await away.wait()
            task_status.started(ended)
        back.set()

    async def _pass_on(self, client: SocketStream, connect: Connect) -> None:
        async with await connect() as server, anyio.create_task_group() as tasks:
            tasks.start_soon(self._pump, client, server)
            await self._pump(server, client)
            tasks.cancel_scope.cancel()

    async def _pump(self, source: SocketStream, target: SocketStream) -> None:
        with contextlib.suppress(*GONE):
            while True:
                data = await source.receive(CHUNK)
                await self._flowing.wait()
                await target.send(data)
        with contextlib.suppress(*GONE):
            await target.send_eof()


async def run(told: dict[str, Any]) -> None:
    """Be that process: obey each line of the input, and say when it is done; end with the input."""
    # The caller's own log is what counts; this one's server would only speak of cut connections.
    logging.disable(logging.CRITICAL)
    proxy = Proxy(told["upstream"])
    path = told["upstream"].removeprefix(origin(told["upstream"]))
    async with anyio.create_task_group() as tasks, child.ignoring_interrupts():
        await proxy.start(tasks)
        child.tell({"url": f"http://127.0.0.1:{proxy.front.port}{path}"})
        while line := await anyio.to_thread.run_sync(sys.stdin.buffer.readline, abandon_on_cancel=True):
            await proxy.do(json.loads(line))
            child.tell({"done": json.loads(line)})
        await proxy.stop()
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(run, json.loads(sys.argv[1]))
