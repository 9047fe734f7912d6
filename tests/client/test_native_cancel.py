"""Native ``Task.cancel()``: what anyio's scopes are too kind to do between a hand-over and the waking of who waits."""

import asyncio  # noqa: TID251 - its own cancel() is what is tested

import pytest

from woolly_mcpdiag.client.policy import PoolLimits

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("another_waits", [False, True])
async def test_a_session_handed_to_a_task_that_is_cancelled_before_it_wakes_is_not_lost(server, client, another_waits):
    async with client(limits=PoolLimits(max_sessions=1)) as c:
        served = []

        async def call(name) -> None:
            await c.call_tool("read")
            served.append(name)

        async with c.session():
            first = asyncio.create_task(call("first"))
            await asyncio.sleep(0.01)
            second = asyncio.create_task(call("second")) if another_waits else None
            await asyncio.sleep(0.01)
        # The session was handed to the first at the end of the block; it has not run since.
        assert c.stats.leased == 1
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        if second:
            await asyncio.wait_for(second, 5)
            assert served == ["second"]
        assert c.stats.leased == 0
        assert c.stats.size == 1
        await asyncio.wait_for(call("third"), 5)


async def test_a_call_cancelled_natively_gives_its_session_and_its_probe_back(server, client):
    async with client(failure_threshold=1, recovery_timeout=0.05) as c:
        await c.call_tool("read")
        server.fault = lambda rpc, _session: 500 if rpc == "tools/call" else None
        with pytest.raises(Exception, match="HTTP 500"):
            await c.call_tool("write")
        await asyncio.sleep(0.06)
        server.fault = lambda rpc, _session: "hang" if rpc == "tools/call" else None
        probe = asyncio.create_task(c.call_tool("write"))
        await asyncio.sleep(0.02)
        assert c.stats.breaker == "half_open"
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        server.thawed()
        await asyncio.wait_for(c.call_tool("write"), 5)
        assert c.stats.breaker == "closed"
        assert c.stats.leased == 0


async def test_wait_for_and_gather_around_calls_leave_the_client_whole(server, client):
    async with client() as c:
        server.latency = 0.2
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(c.call_tool("read"), 0.05)
        done = await asyncio.gather(*(c.call_tool("read") for _ in range(8)))
        assert len(done) == 8
        assert c.stats.leased == 0
    assert server.sessions == {}
