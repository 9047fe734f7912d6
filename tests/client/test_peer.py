"""What a real server asks and tells during a call reaches who made it, and nobody else."""

import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp import MCPError
from mcp.server.lowlevel import Server
from mcp.server.mcpserver import Context, MCPServer
from pydantic import BaseModel

from woolly_mcpdiag.client.resilient import ResilientClient
from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.demo.listen import Site
from woolly_mcpdiag.wire.peer import OFFERS, Peer

pytestmark = pytest.mark.anyio
TOOLS = ("elicitation", "sampling", "roots", "progress")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Answer(BaseModel):
    name: str


def asking() -> MCPServer[Any]:
    """A server of the handshake era whose tools ask their caller."""
    server: MCPServer[Any] = MCPServer("asking")

    @server.tool()
    async def elicitation(ctx: Context[Any, Any]) -> str:
        found = await ctx.elicit("who?", Answer)
        return f"{found.action} {found.data.name}"

    @server.tool()
    async def sampling(ctx: Context[Any, Any]) -> str:
        said = types.SamplingMessage(role="user", content=types.TextContent(type="text", text="hello"))
        with warnings.catch_warnings(action="ignore"):
            made = await ctx.session.create_message([said], max_tokens=5, related_request_id=ctx.request_id)
        return made.content.text

    @server.tool()
    async def roots(ctx: Context[Any, Any]) -> str:
        with warnings.catch_warnings(action="ignore"):
            return str((await ctx.session.list_roots()).roots[0].uri)

    @server.tool()
    async def progress(ctx: Context[Any, Any]) -> str:
        await ctx.report_progress(1, 2, "half")
        await ctx.report_progress(2, 2, "whole")
        return "done"

    return server


@asynccontextmanager
async def served(server: Any) -> AsyncIterator[str]:
    site = Site("asking", server.streamable_http_app)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            await site.start(tasks)
            try:
                yield f"{site.url}/mcp"
            finally:
                await site.stop()
                site.kill()


def answering(name: str, told: list[object] | None = None) -> Peer:
    """A peer that answers with its name."""

    async def sampling(_context: object, params: types.CreateMessageRequestParams) -> types.CreateMessageResult:
        text = f"{name} says {params.messages[0].content.text}"
        return types.CreateMessageResult(role="assistant", content=types.TextContent(type="text", text=text), model="m")

    async def elicitation(_context: object, _params: object) -> types.ElicitResult:
        return types.ElicitResult(action="accept", content={"name": name})

    async def roots(_context: object) -> types.ListRootsResult:
        return types.ListRootsResult(roots=[types.Root(uri=f"file:///{name}")])

    async def progress(done: float, total: float | None, message: str | None) -> None:
        if told is not None:
            told.append((done, total, message))

    return Peer(sampling=sampling, elicitation=elicitation, roots=roots, progress=progress)


ANSWERS = {"elicitation": "accept {}", "sampling": "{} says hello", "roots": "file:///{}", "progress": "done"}


async def test_each_caller_answers_what_the_server_asks_during_its_own_call():
    texts: dict[tuple[str, str], str] = {}
    told: list[object] = []

    async def ask(client: ResilientClient, name: str) -> None:
        for tool in TOOLS:
            result = await client.call_tool(tool, key=name, peer=answering(name, told))
            texts[name, tool] = result.content[0].text

    names = ("ann", "bob", "cat")
    async with (
        served(asking()) as url,
        ResilientClient(url, era="handshake", reuse="shared", max_sessions=3, offers=OFFERS) as client,
    ):
        async with anyio.create_task_group() as tasks:
            for name in names:
                tasks.start_soon(ask, client, name)
        with pytest.raises(MCPError, match="nobody offers it"):
            await client.call_tool("roots")
    assert texts == {(name, tool): ANSWERS[tool].format(name) for name in names for tool in TOOLS}
    assert sorted(told) == sorted([(1, 2, "half"), (2, 2, "whole")] * 3)


async def test_in_the_modern_era_each_caller_answers_too():
    async def call_tool(_context: object, asked: types.CallToolRequestParams) -> Any:
        if asked.input_responses:
            content = asked.input_responses["who"].content
            return types.CallToolResult(content=[types.TextContent(type="text", text=content["name"])])
        wanted = {"type": "object", "properties": {"name": {"type": "string"}}}
        question = types.ElicitRequest(params=types.ElicitRequestFormParams(message="who?", requested_schema=wanted))
        return types.InputRequiredResult(input_requests={"who": question}, request_state="x")

    async def list_tools(_context: object, _page: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[types.Tool(name="ask", input_schema={"type": "object"})])

    texts: list[str] = []

    async def ask(client: ResilientClient, name: str) -> None:
        result = await client.call_tool("ask", peer=answering(name))
        texts.append(result.content[0].text)

    server = Server("asking", on_call_tool=call_tool, on_list_tools=list_tools)
    async with served(server) as url, ResilientClient(url, offers=["elicitation"]) as client:
        async with anyio.create_task_group() as tasks:
            for name in ("ann", "bob"):
                tasks.start_soon(ask, client, name)
        assert client.stats.era == "modern"
    assert sorted(texts) == ["ann", "bob"]


async def through_fastmcp(url: str, transport: Any) -> dict[str, str]:
    fastmcp = pytest.importorskip("fastmcp", reason="the extra fastmcp is not installed")
    told: list[object] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append((done, total, message))

    async def elicitation(*_: object) -> dict[str, str]:
        return {"name": "eve"}

    async def sampling(messages: list[Any], *_: object) -> str:
        return f"eve says {messages[0].content.text}"

    handlers = {"elicitation_handler": elicitation, "sampling_handler": sampling, "roots": ["file:///eve"]}
    async with fastmcp.Client(transport, progress_handler=progress, **handlers) as client:
        found = {tool: (await client.call_tool(tool)).content[0].text for tool in TOOLS}
    assert told == [(1, 2, "half"), (2, 2, "whole")]
    return found


EVE = {tool: text.format("eve") for tool, text in ANSWERS.items()}


async def test_a_fastmcp_client_is_asked_and_told_through_a_client_of_its_own_and_a_shared_one():
    adapter = pytest.importorskip("woolly_mcpdiag.client.fastmcp", reason="the extra fastmcp is not installed")
    async with served(asking()) as url:
        assert await through_fastmcp(url, adapter.ResilientTransport(url, era="handshake")) == EVE
        async with ResilientClient(url, era="handshake", offers=OFFERS) as client:
            assert await through_fastmcp(url, adapter.ResilientTransport(client)) == EVE
        async with ResilientClient(url, era="handshake") as client:
            with pytest.raises(Exception, match="elicitation, roots, sampling: the fastmcp client has a handler"):
                await through_fastmcp(url, adapter.ResilientTransport(client))


async def test_a_toolset_hands_its_peer_to_each_call():
    pydantic_ai = pytest.importorskip("pydantic_ai", reason="the extra pydantic-ai is not installed")
    from pydantic_ai.models.test import TestModel

    from woolly_mcpdiag.client.pydantic_ai import ResilientToolset

    async with served(asking()) as url, ResilientClient(url, era="handshake", offers=OFFERS) as client:
        tools = ResilientToolset(client, peer=lambda ctx: answering(ctx.deps))
        agent = pydantic_ai.Agent(TestModel(call_tools=["sampling"]), toolsets=[tools], deps_type=str)
        assert "ann says hello" in (await agent.run("go", deps="ann")).output


async def test_a_fastmcp_server_asks_through_the_pool():
    fastmcp = pytest.importorskip("fastmcp", reason="the extra fastmcp is not installed")
    pytest.importorskip("fastmcp.server.server", reason="fastmcp's server is not installed")
    from woolly_mcpdiag.client.fastmcp import ResilientTransport

    server = fastmcp.FastMCP("real")

    @server.tool
    async def ask(ctx: fastmcp.Context) -> str:
        await ctx.report_progress(1, 1, "asked")
        return (await ctx.elicit("who?", response_type=str)).data

    async def elicitation(*_: object) -> dict[str, str]:
        return {"value": "eve"}

    server.streamable_http_app = server.http_app
    async with (
        served(server) as url,
        fastmcp.Client(ResilientTransport(url, era="handshake"), elicitation_handler=elicitation) as client,
    ):
        assert (await client.call_tool("ask")).content[0].text == "eve"


def test_an_unknown_offer_is_refused():
    with pytest.raises(UsageError, match="offers dreams"):
        ResilientClient("http://localhost/mcp", offers=["dreams"])
