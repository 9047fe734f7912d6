"""The one place for faults below HTTP: a TCP proxy that can cut, freeze, refuse and swallow connections."""

import contextlib
import socket
import struct
from collections.abc import Callable

import anyio
from anyio.abc import SocketAttribute, SocketListener, SocketStream, TaskGroup, TaskStatus

from woolly_mcpdiag.demo.listen import LOOPBACK, bind
from woolly_mcpdiag.demo.plan import Connect, Wiretap

CHUNK = 65536
GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)
BACKLOG = 128


def reset(stream: SocketStream) -> None:
    """Make the coming close a reset: what was not sent is lost, and the peer reads an error."""
    raw = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - anyio's, not Django's
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def pump(source: SocketStream, target: SocketStream, watch: Callable[[bytes], None] | None = None) -> None:
    """Copy until the source ends; then tell the target that no more comes."""
    with contextlib.suppress(*GONE):
        while True:
            data = await source.receive(CHUNK)
            if watch:
                watch(data)
            await target.send(data)
    with contextlib.suppress(*GONE):
        await target.send_eof()


async def pass_on(client: SocketStream, connect: Connect) -> None:
    """Copy both ways until both sides have ended."""
    async with await connect() as server, anyio.create_task_group() as tasks:
        tasks.start_soon(pump, client, server)
        await pump(server, client)
        tasks.cancel_scope.cancel()


class TcpProxy:
    """Listens on a port and hands each connection to a wiretap; without one it passes everything on."""

    def __init__(self, backend_port: int, wiretap: Wiretap | None, port: int = 0, host: str = LOOPBACK) -> None:
        self.backend_port = backend_port
        self.wiretap: Wiretap = wiretap or pass_on
        self.host = host
        self._socket: socket.socket | None = bind(port, host, backlog=BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        self._scope = anyio.CancelScope()
        self._ended = anyio.Event()
        self._tasks: TaskGroup | None = None

    async def start(self, tasks: TaskGroup) -> None:
        """Accept; returns when connections are taken."""
        self._tasks = tasks
        await tasks.start(self._accept)

    async def refuse(self, duration: float | None, away: anyio.Event) -> None:
        """Close the port, and every open connection, for so many seconds; ``None``: for good.

        ``away`` is set once it is closed.
        """
        await self.down()
        away.set()
        if duration is not None:
            await anyio.sleep(duration)
            await self.up()

    async def swallow(self, duration: float | None, away: anyio.Event) -> None:
        """Leave new connections unanswered for so many seconds; see ``swallow_until``."""
        over = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.swallow_until, over, away)
            await (anyio.sleep_forever() if duration is None else anyio.sleep(duration))
            over.set()

    async def swallow_until(self, over: anyio.Event, away: anyio.Event) -> None:
        """Leave connections in a full accept queue until ``over``: the peer's connect hangs. ``away``: it has begun.

        Linux drops a SYN while the queue is full; backlog 0 holds one connection, and the fillers take that place.
        """
        await self.down()
        trap = bind(self.port, self.host, backlog=0)
        fillers = [socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) for _ in range(3)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex((self.host, self.port))
            away.set()
            await over.wait()
        finally:
            for sock in (trap, *fillers):
                sock.close()
        await self.up()

    def close(self) -> None:
        """Give the port back where it was never served."""
        if self._socket is not None:
            self._socket.close()

    async def down(self) -> None:
        """Close the port and every open connection."""
        self._scope.cancel()
        await self._ended.wait()

    async def up(self) -> None:
        """Take connections again."""
        if self._tasks is not None:
            await self._tasks.start(self._accept)

    async def _accept(self, *, task_status: TaskStatus[None]) -> None:
        sock = self._socket or bind(self.port, self.host, backlog=BACKLOG)
        self._socket = None
        self._ended = anyio.Event()
        try:
            with anyio.CancelScope() as self._scope:
                async with await SocketListener.from_socket(sock) as listener:
                    task_status.started()
                    await listener.serve(self._handle)
        finally:
            self._ended.set()

    async def _handle(self, client: SocketStream) -> None:
        async with client:
            try:
                await self.wiretap(client, self._connect)
            except* GONE:
                pass

    async def _connect(self) -> SocketStream:
        return await anyio.connect_tcp(LOOPBACK, self.backend_port)
