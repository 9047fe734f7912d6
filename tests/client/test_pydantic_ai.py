"""The adapter under real pydantic-ai agents with a scripted model, against the scripted server."""

import anyio
import pytest

pytest.importorskip("pydantic_ai", reason="the extra pydantic-ai is not installed")

from pydantic_ai import Agent
from pydantic_ai.messages import BinaryContent, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel

from woolly_mcpdiag.client.errors import InDoubtError
from woolly_mcpdiag.client.policy import RetryPolicy
from woolly_mcpdiag.client.pydantic_ai import ResilientToolset

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(virtual_asyncio) -> tuple[str, dict[str, object]]:
    return virtual_asyncio


def model(*calls: tuple[str, dict], seen: list | None = None) -> FunctionModel:
    """Return a model that calls tools in turn and then says what the last one answered; without threads: time jumps."""
    left = list(calls)

    async def answer(messages, info):
        if seen is not None:
            seen.append(sorted(tool.name for tool in info.function_tools))
        if left:
            name, arguments = left.pop(0)
            return ModelResponse(parts=[ToolCallPart(name, arguments)])
        part = messages[-1].parts[-1]
        return ModelResponse(parts=[TextPart(f"{getattr(part, 'outcome', part.part_kind)}: {part.content}")])

    return FunctionModel(answer)


@pytest.mark.parametrize("kind", ["handshake", "modern", "sse"])
async def test_an_agent_sees_the_tools_and_calls_them(server, client, kind):
    server.kind = kind
    seen: list = []
    async with client() as c:
        agent = Agent(model(("read", {"a": 1}), seen=seen), toolsets=[ResilientToolset(c)])
        run = await agent.run("go")
    assert run.output == "success: done"
    assert seen[0] == ["read", "write"]


async def test_twenty_agents_share_the_pool_and_survive_a_restart(server, client):
    done = []
    async with client(reuse="shared") as c:
        tools = ResilientToolset(c)

        async def work() -> None:
            agent = Agent(model(("write", {}), ("write", {})), toolsets=[tools], name="simplifier")
            done.append((await agent.run("go")).output)

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(work)
            await anyio.sleep(0.05)
            server.forget()
    assert done == ["success: done"] * 20
    assert server.ran["write"] == 40


async def test_the_list_of_tools_is_kept_for_a_while(server, client):
    async with client() as c:
        tools = ResilientToolset(c, tools_kept=60.0)
        for _ in range(3):
            await Agent(model(), toolsets=[tools]).run("go")
        listed = server.seen["tools/list"]
        await anyio.sleep(61.0)
        await Agent(model(), toolsets=[tools]).run("go")
    assert server.seen["tools/list"] > listed
    assert listed == 2, "one of them makes the session ready"


async def test_the_servers_own_error_goes_back_to_the_model(server, client):
    async with client() as c:
        server.result_of["read"] = {"isError": True, "content": [{"type": "text", "text": "no such page"}]}
        run = await Agent(model(("read", {})), toolsets=[ResilientToolset(c, max_retries=2)]).run("go")
    assert run.output == "retried: no such page"


@pytest.mark.parametrize("given_up", ["raise", "tell"])
async def test_a_call_that_is_given_up_ends_the_run_or_is_told(server, client, given_up):
    async with client(retry=RetryPolicy(attempts=1)) as c:
        agent = Agent(model(("write", {})), toolsets=[ResilientToolset(c, given_up=given_up)])
        server.fault = lambda rpc, _session: 500 if rpc == "tools/call" else None
        if given_up == "raise":
            with pytest.raises(InDoubtError, match="HTTP 500"):
                await agent.run("go")
        else:
            assert "write is not available" in (await agent.run("go")).output


async def test_the_key_is_found_from_the_run_and_the_agents_name_is_told(server, client, events):
    async with client() as c:
        tools = ResilientToolset(c, key=lambda ctx: ctx.deps, id="repo")
        agent = Agent(model(("read", {}), ("read", {})), toolsets=[tools], deps_type=str, name="simplifier")
        await agent.run("go", deps="tenant-1")
    done = [event for event in events if event.kind == "call.done" and event.method == "tools/call"]
    assert {(event.key, event.agent) for event in done} == {("tenant-1", "simplifier")}
    assert tools.id == "repo"


async def test_the_librarys_own_toolset_works_over_the_other_adapter(server, client):
    fastmcp = pytest.importorskip("fastmcp", reason="the extra fastmcp is not installed")
    from pydantic_ai.mcp import MCPToolset

    from woolly_mcpdiag.client.fastmcp import ResilientTransport

    async with client() as c:
        agent = Agent(model(("write", {}), ("write", {})), toolsets=[MCPToolset(fastmcp.Client(ResilientTransport(c)))])
        async with agent:
            server.forget()
            run = await agent.run("go")
    assert run.output == "success: done"
    assert server.ran["write"] == 2


PNG = {"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"}


@pytest.mark.parametrize(
    ("result", "value"),
    [
        ({"content": [{"type": "text", "text": "plain"}]}, "plain"),
        ({"content": [{"type": "text", "text": '{"a": 1}'}]}, {"a": 1}),
        ({"content": [{"type": "text", "text": "{no"}]}, "{no"),
        ({"content": [{"type": "text", "text": "3"}], "structuredContent": {"result": 3}}, 3),
        ({"content": [], "structuredContent": {"a": 1, "b": 2}}, {"a": 1, "b": 2}),
        ({"content": [PNG]}, BinaryContent(data=b"\x89PNG\r\n\x1a\n", media_type="image/png")),
        ({"content": [{"type": "resource_link", "uri": "file:///a", "name": "a"}, PNG][:1]}, "file:///a"),
        (
            {"content": [{"type": "resource", "resource": {"uri": "file:///a", "text": "inside"}}]},
            "inside",
        ),
        (
            {"content": [{"type": "resource", "resource": {"uri": "file:///a", "blob": "AAA="}}]},
            BinaryContent(data=b"\0\0", media_type="application/octet-stream"),
        ),
        ({"content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}, ["one", "two"]),
    ],
)
async def test_what_a_tool_answers_reaches_the_model_in_its_own_type(server, client, result, value):
    got = []

    async def answer(messages, _info):
        if len(messages) == 1:
            return ModelResponse(parts=[ToolCallPart("read", {})])
        got.append(messages[-1].parts[0].content)
        return ModelResponse(parts=[TextPart("x")])

    async with client() as c:
        server.result_of["read"] = result
        await Agent(FunctionModel(answer), toolsets=[ResilientToolset(c)]).run("go")
    assert got == [value]
