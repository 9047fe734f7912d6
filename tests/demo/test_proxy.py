from collections.abc import AsyncIterator

import anyio
import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.sse import sse_client

from woolly_mcpdiag.demo.clients.sdk import text_of
from woolly_mcpdiag.demo.listen import Site, end
from woolly_mcpdiag.demo.options import Options
from woolly_mcpdiag.demo.proxy import ReverseProxy
from woolly_mcpdiag.demo.serve import Running, serve

pytestmark = pytest.mark.anyio

ASKED = {"agent_type": "simplifier", "repository_name": "woolly", "user_query": "session"}


@pytest.fixture(scope="module")
async def passed_on(healthy: Running) -> AsyncIterator[str]:
    """A proxy in front of the healthy demo's MCP server."""
    site = Site("proxy", lambda: ReverseProxy([healthy.mcp.url]))
    async with anyio.create_task_group() as tasks:
        await site.start(tasks)
        yield site.url
        await end(site)


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_streamable_http_passes_with_its_stream_of_progress(passed_on: str, mode: str) -> None:
    told: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(progress)

    async with Client(passed_on + "/mcp", mode=mode) as client:
        await client.call_tool("progress", {"steps": 2, "pause": 0}, progress_callback=hear)
    assert told == [1.0, 2.0]


async def test_legacy_sse_passes(passed_on: str) -> None:
    async with Client(sse_client(passed_on + "/sse/"), mode="legacy") as client:
        result = await client.call_tool("find_entities", {"repository_name": "woolly"})
    assert "SessionPool" in text_of(result)


async def test_a_redirect_leads_back_through_the_proxy(passed_on: str, http: httpx2.AsyncClient) -> None:
    response = await http.post(passed_on + "/mcp/", json={})
    assert (response.status_code, response.headers["location"]) == (307, passed_on + "/mcp")


async def test_a_dead_upstream_is_a_502_with_a_page_of_the_proxy(http: httpx2.AsyncClient) -> None:
    site = Site("proxy", lambda: ReverseProxy(["http://127.0.0.1:1"]))
    async with anyio.create_task_group() as tasks:
        await site.start(tasks)
        response = await http.get(site.url + "/mcp")
        await end(site)
    assert response.status_code == 502
    assert "nginx" in response.text


async def test_faults_stand_in_front_of_somebody_elses_server(healthy: Running, http: httpx2.AsyncClient) -> None:
    upstream = healthy.mcp.url + "/mcp"
    async with serve(Options(upstream=upstream, client="per-call")) as running:
        good = await http.post(running.execute_url, json=ASKED)
    async with serve(Options(upstream=upstream, faults=("gateway=503",))) as running:
        bad = await http.post(running.execute_url, json=ASKED)
        raw = await http.post(running.mcp_url, json={})
    assert "error" not in good.json()["metadata"]
    assert "error" in bad.json()["metadata"]
    assert (raw.status_code, raw.headers["content-type"]) == (503, "text/html")
