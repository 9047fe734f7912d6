"""Event streams that are cut some time after they opened."""

import anyio
from anyio.abc import SocketStream

from woolly_mcpdiag.demo.faults.fault import Fault, seconds
from woolly_mcpdiag.demo.plan import Connect, Plan
from woolly_mcpdiag.demo.tcp import pump


class Cut:
    """Passes on; a connection that carries an event stream is closed after a while, without its last chunk."""

    def __init__(self, after: float) -> None:
        self.after = after

    async def __call__(self, client: SocketStream, connect: Connect) -> None:
        """Handle one connection."""
        stream = anyio.Event()

        def watch(data: bytes) -> None:
            if b"content-type: text/event-stream" in data[:1024].lower():
                stream.set()

        async with await connect() as server, anyio.create_task_group() as tasks:

            async def cut() -> None:
                await stream.wait()
                await anyio.sleep(self.after)
                tasks.cancel_scope.cancel()

            tasks.start_soon(cut)
            tasks.start_soon(pump, client, server)
            await pump(server, client, watch)
            tasks.cancel_scope.cancel()


def apply(plan: Plan, value: str) -> None:
    """Put the proxy in front; legacy SSE needs its stream most."""
    plan.wiretap = Cut(seconds("stream-cut", value))
    plan.use_sse()


FAULT = Fault(
    name="stream-cut",
    what="each event stream is cut that long after it opened",
    causes=("session.stream-cut", "proxy.idle-cut"),
    value="age at which a stream is cut",
    default="2s",
    client="shared",
    apply=apply,
)
