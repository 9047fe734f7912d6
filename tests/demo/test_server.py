import anyio
import pytest
from mcp.client.client import Client
from mcp.client.sse import sse_client

from woolly_mcpdiag.demo.clients.sdk import text_of
from woolly_mcpdiag.demo.serve import Running

pytestmark = pytest.mark.anyio

MODES = ("legacy", "auto", "2026-07-28")


@pytest.mark.parametrize("mode", MODES)
async def test_streamable_http_answers_in_every_era(healthy: Running, mode: str) -> None:
    async with Client(healthy.base + "/mcp", mode=mode) as client:
        result = await client.call_tool("search_code", {"repository_name": "woolly", "query": "session"})
    assert "api/agents" in text_of(result)


async def test_legacy_sse_answers(healthy: Running) -> None:
    async with Client(sse_client(healthy.base + "/sse/"), mode="legacy") as client:
        result = await client.call_tool("find_entities", {"repository_name": "woolly", "kind": "class"})
    assert "UniversalAgent" in text_of(result)


async def test_every_tool_is_described_and_annotated(healthy: Running) -> None:
    async with Client(healthy.base + "/mcp") as client:
        tools = (await client.list_tools()).tools
    names = {tool.name for tool in tools}
    assert {"search_code", "find_entities", "qa_codebase", "slow", "failing", "counter", "progress"} <= names
    assert [tool.name for tool in tools if not tool.description or tool.annotations is None] == []
    undescribed = [
        (tool.name, name)
        for tool in tools
        for name, schema in tool.input_schema.get("properties", {}).items()
        if "description" not in schema
    ]
    assert undescribed == []


async def test_the_counter_shows_a_call_that_ran_twice(healthy: Running) -> None:
    async with Client(healthy.base + "/mcp") as client:
        first = text_of(await client.call_tool("counter", {"name": "orders"}))
        second = text_of(await client.call_tool("counter", {"name": "orders"}))
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert (first, second) == ("1", "2")
    annotations = tools["counter"].annotations
    assert annotations is not None
    assert annotations.idempotent_hint is False


async def test_the_failing_tool_fails_inside_a_successful_response(healthy: Running) -> None:
    async with Client(healthy.base + "/mcp") as client:
        result = await client.call_tool("failing", {"reason": "no such index"})
    assert result.is_error
    assert "no such index" in str(result.content)


@pytest.mark.parametrize("mode", MODES)
async def test_a_tool_that_works_on_reports_each_step(healthy: Running, mode: str) -> None:
    told: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(progress)

    async with Client(healthy.base + "/mcp", mode=mode) as client:
        await client.call_tool("progress", {"steps": 3, "pause": 0}, progress_callback=hear)
        with anyio.move_on_after(2):
            while len(told) < 3:
                await anyio.lowlevel.checkpoint()
    assert told == [1.0, 2.0, 3.0]


async def test_the_slow_tool_does_not_hold_up_others(healthy: Running) -> None:
    done: list[str] = []

    async with Client(healthy.base + "/mcp", mode="2026-07-28") as client, anyio.create_task_group() as tasks:

        async def slow() -> None:
            await client.call_tool("slow", {"seconds": 30})
            done.append("slow")

        tasks.start_soon(slow)
        text_of(await client.call_tool("find_entities", {"repository_name": "woolly"}))
        done.append("quick")
        tasks.cancel_scope.cancel()
    assert done == ["quick"]
