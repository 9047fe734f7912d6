"""Ctrl-C: the block ends within its limits, on both backends, and the server's sessions are ended."""

import signal
from collections.abc import Awaitable, Callable

import anyio
import pytest

from woolly_mcpdiag.client.errors import ResilienceError
from woolly_mcpdiag.client.policy import Timeouts

QUICK = Timeouts(total=30.0, open=5.0, call=5.0, close=0.2, note=0.1)


def interrupted(main: Callable[[], Awaitable[None]], backend: str, options: dict) -> bool:
    """Run it to its end; say whether what ended it was the interrupt."""
    try:
        anyio.run(main, backend=backend, backend_options=options)
    except KeyboardInterrupt:
        return True
    except BaseExceptionGroup as group:
        return group.subgroup(KeyboardInterrupt) is not None
    return False


@pytest.mark.parametrize("frozen", [False, True])
def test_an_interrupt_ends_the_block_within_the_close_time_out(server, client, anyio_backend, frozen):
    times = []

    async def main() -> None:
        try:
            async with client(timeouts=QUICK) as c, anyio.create_task_group() as tasks:
                await c.warm(2)
                server.fault = lambda rpc, _session: "hang" if frozen or rpc == "tools/call" else None
                for _ in range(4):
                    tasks.start_soon(c.call_tool, "read")
                await anyio.sleep(0.05)
                times.append(anyio.current_time())
                signal.raise_signal(signal.SIGINT)
                await anyio.sleep(60.0)
        finally:
            times.append(anyio.current_time())

    assert interrupted(main, *anyio_backend)
    assert times[1] - times[0] <= 0.2 + 0.1
    if not frozen:
        assert server.sessions == {}


def test_an_interrupt_while_the_first_session_is_opened_leaves_none_behind(server, client, anyio_backend):
    server.latency = 0.05

    async def main() -> None:
        async with client(timeouts=QUICK) as c, anyio.create_task_group() as tasks:

            async def call() -> None:
                with pytest.raises(ResilienceError):
                    await c.call_tool("read")

            tasks.start_soon(call)
            await anyio.sleep(0.07)
            assert server.seen["initialize"] == 1
            signal.raise_signal(signal.SIGINT)
            await anyio.sleep(60.0)

    assert interrupted(main, *anyio_backend)
    assert server.sessions == {}
