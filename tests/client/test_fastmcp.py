"""The adapter under the real fastmcp ``Client``, against the scripted server."""

import anyio
import pytest

fastmcp = pytest.importorskip("fastmcp", reason="the extra fastmcp is not installed")

from mcp import MCPError  # noqa: E402

from woolly_mcpdiag.client.fastmcp import GIVEN_UP, ResilientTransport  # noqa: E402
from woolly_mcpdiag.client.policy import RetryPolicy  # noqa: E402
from woolly_mcpdiag.core.errors import UsageError  # noqa: E402

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(virtual_asyncio) -> tuple[str, dict[str, object]]:
    return virtual_asyncio


@pytest.mark.parametrize("kind", ["handshake", "modern", "sse"])
async def test_tools_are_listed_and_called_through_the_pool(server, client, kind):
    server.kind = kind
    async with client() as c:
        async with fastmcp.Client(ResilientTransport(c)) as f:
            assert [tool.name for tool in await f.list_tools()] == ["read", "write"]
            assert (await f.call_tool("read")).content[0].text == "done"
            assert f.server_info.name == "scripted"
        assert c.stats.ok >= 2
        assert not server.sessions or c.stats.idle, "the pool outlives the fastmcp client"


async def test_a_restart_between_two_calls_is_not_noticed(server, client):
    async with client() as c, fastmcp.Client(ResilientTransport(c)) as f:
        await f.call_tool("write")
        server.forget()
        await f.call_tool("write")
    assert server.ran["write"] == 2


async def test_twenty_calls_at_once_use_several_sessions(server, client):
    async with (
        client(reuse="shared") as c,
        fastmcp.Client(ResilientTransport(c)) as f,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(20):
            tasks.start_soon(f.call_tool, "read")
    assert server.ran["read"] == 20
    assert len(server.calls_by_session) > 1


async def test_a_call_that_is_given_up_says_why(server, client):
    async with client(retry=RetryPolicy(attempts=1)) as c, fastmcp.Client(ResilientTransport(c)) as f:
        server.fault = lambda rpc, _session: 500 if rpc == "tools/call" else None
        with pytest.raises(MCPError, match="HTTP 500") as told:
            await f.call_tool("write")
    assert told.value.error.code == GIVEN_UP
    assert told.value.error.data["type"] == "InDoubtError"
    assert told.value.error.data["cause"] == "server.error"


async def test_the_servers_own_error_comes_through_as_it_is(server, client):
    async with client() as c, fastmcp.Client(ResilientTransport(c)) as f:
        with pytest.raises(MCPError, match="no such tool") as told:
            await f.call_tool("nothing")
    assert told.value.error.code == -32602


async def test_the_callers_meta_reaches_the_server_and_that_of_the_hop_does_not(server, client):
    async with client() as c, fastmcp.Client(ResilientTransport(c)) as f:
        await f.call_tool("read", meta={"tenant": "one"}, progress_handler=_nothing)
    assert server.meta[-1]["tenant"] == "one"


async def _nothing(*_told) -> None:
    pass


async def test_a_cancelled_call_gives_its_session_back(server, client):
    async with client() as c, fastmcp.Client(ResilientTransport(c)) as f:
        await f.call_tool("read")
        server.fault = lambda rpc, _session: "hang" if rpc == "tools/call" else None
        with anyio.move_on_after(0.5):
            await f.call_tool("read")
        await anyio.sleep(0.1)
        assert c.stats.leased == 0
        server.thawed()


async def test_a_url_gets_a_client_of_its_own_that_ends_with_the_connection(server):
    transport = ResilientTransport("http://scripted.test/mcp", http=server, max_sessions=2)
    for _ in range(2):
        async with fastmcp.Client(transport) as f:
            await f.call_tool("read")
        assert server.sessions == {}
    assert repr(transport) == "<ResilientTransport('http://scripted.test/mcp')>"


async def test_a_server_that_is_away_is_told_by_the_connection(server, client):
    server.fault = lambda _rpc, _session: 401
    async with client() as c:
        with pytest.raises(Exception, match="HTTP 401"):
            async with fastmcp.Client(ResilientTransport(c)):
                pass


def test_settings_beside_a_client_are_refused(client):
    with pytest.raises(UsageError, match="max_sessions: given beside a client"):
        ResilientTransport(client(), max_sessions=3)
