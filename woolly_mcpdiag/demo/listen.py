"""The one place for listening: loopback sockets, and an ASGI application served on one in the running event loop."""

import contextlib
import errno
import logging
import socket
from collections.abc import Callable, Iterator

import anyio
import uvicorn
from anyio.abc import TaskGroup, TaskStatus
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.demo.logs import SERVICE

logger = logging.getLogger("uvicorn.error")

LOOPBACK = "127.0.0.1"
GRACE = 1.0
"""Seconds that a server may take to end before it is cancelled."""


def bind(port: int = 0, host: str = LOOPBACK, backlog: int | None = None) -> socket.socket:
    """Return a bound socket; port 0 takes a free one.

    Its protocol is named (``IPPROTO_TCP``): with protocol 0 asyncio does not set TCP_NODELAY and each
    keep-alive request costs 44 ms (measured). Raises ``UsageError`` where the port is taken.
    """
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setblocking(False)
    try:
        sock.bind((host, port))
        if backlog is not None:
            sock.listen(backlog)
    except OSError as problem:
        sock.close()
        if problem.errno == errno.EADDRINUSE:
            msg = f"port {port}: taken on {host}"
            raise UsageError(msg, hint="choose another --port or --mcp-port, or leave it out for a free one") from None
        msg = f"{host}:{port}: {problem.strerror}"
        raise UsageError(msg, hint="choose another --host or --port") from None
    return sock


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: whoever started the demo decides when it ends."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.leaving = anyio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Tick as uvicorn does (it keeps the date header fresh), but leave at once."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with anyio.move_on_after(0.1):
                await self.leaving.wait()


class Site:
    """An ASGI application on a port: it can end and start again there, as a real server does at a restart."""

    def __init__(self, service: str, build: Callable[[], ASGIApp], port: int = 0, host: str = LOOPBACK) -> None:
        """``service`` names whose log this is; ``build`` makes a fresh application for each start."""
        self.service = service
        self.build = build
        self.host = host
        self._socket = bind(port, host)
        self.port: int = self._socket.getsockname()[1]
        self._server: _Server | None = None
        self._ended = anyio.Event()
        self._guard = anyio.CancelScope()

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://{address(self.host, self.port)}"

    async def start(self, tasks: TaskGroup) -> None:
        """Serve; returns when requests are answered."""
        self._ended = anyio.Event()
        await tasks.start(self._serve)

    async def stop(self) -> None:
        """Cut what is open and end. The port stays bound: who connects now waits for the next start."""
        if self._server is not None:
            self._server.should_exit = True
            self._server.leaving.set()
            await self._ended.wait()
            self._server = None

    def kill(self) -> None:
        """Cancel what is left of it and give the port back."""
        self._guard.cancel()
        self._socket.close()

    async def _serve(self, *, task_status: TaskStatus[None]) -> None:
        SERVICE.set(self.service)
        config = uvicorn.Config(
            _signed(self.build()), log_config=None, lifespan="on", timeout_graceful_shutdown=0, server_header=False
        )
        self._server = _Server(config)
        listener = self._socket.dup()
        try:
            # A server that is cancelled from outside leaves tracebacks; it ends by ``stop``, or by ``kill``.
            with anyio.CancelScope(shield=True) as self._guard:
                async with anyio.create_task_group() as watch:
                    watch.start_soon(self._report, self._server, task_status)
                    await self._server.serve([listener])
                    watch.cancel_scope.cancel()
        finally:
            listener.close()
            self._ended.set()

    @staticmethod
    async def _report(server: uvicorn.Server, task_status: TaskStatus[None]) -> None:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await anyio.sleep(0.002)
        logger.info("Uvicorn running on %s (Press CTRL+C to quit)", _where(server))
        task_status.started()


def _signed(app: ASGIApp) -> ASGIApp:
    """Say ``server: uvicorn`` as uvicorn does, but not beside the name of a proxy that answered itself."""

    async def signed(scope: Scope, receive: Receive, send: Send) -> None:
        async def sign(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                if not any(key == b"server" for key, _ in headers):
                    message = {**message, "headers": [(b"server", b"uvicorn"), *headers]}
            await send(message)

        await app(scope, receive, sign)

    return signed


def address(host: str, port: int) -> str:
    """Return host and port as they stand in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _where(server: uvicorn.Server) -> str:
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    return f"http://{address(host, port)}"


async def end(*sites: Site) -> None:
    """End sites together, within ``GRACE`` seconds, and give their ports back."""
    with anyio.move_on_after(GRACE, shield=True):
        async with anyio.create_task_group() as ending:
            for site in sites:
                ending.start_soon(site.stop)
    for site in sites:
        site.kill()
