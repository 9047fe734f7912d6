"""The manners of older servers against the captured records: statuses, sizes and headers of the body table."""

from collections.abc import AsyncIterator

import anyio
import httpx2
import pytest

from woolly_mcpdiag.demo.listen import Site, end
from woolly_mcpdiag.demo.logs import Journal, journals
from woolly_mcpdiag.demo.options import Options, plan_of
from woolly_mcpdiag.demo.plan import Dialect
from woolly_mcpdiag.demo.server import application
from woolly_mcpdiag.demo.shim import older

pytestmark = pytest.mark.anyio

STREAM = {"accept": "text/event-stream"}
POST = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
INIT = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
DIALECTS: tuple[Dialect, ...] = ("1.11", "1.26", "1.30", "2.3")


@pytest.fixture(scope="module")
async def servers(anyio_backend: str) -> AsyncIterator[dict[str, str]]:
    """One real server for each dialect: dialect → URL."""
    plan = plan_of(Options(transport="streamable"))
    with journals("basic", Journal("mcp", "basic")):
        sites = {name: Site("mcp", lambda name=name: older(name)(application(plan))) for name in DIALECTS}
        async with anyio.create_task_group() as tasks:
            for site in sites.values():
                await site.start(tasks)
            yield {name: site.url + "/mcp" for name, site in sites.items()}
            await end(*sites.values())


@pytest.mark.parametrize(("dialect", "size"), [("1.11", 105), ("1.26", 105), ("1.30", 105), ("2.3", 95)])
async def test_a_get_without_a_session_id_is_a_400_of_the_known_size(
    servers: dict[str, str], http: httpx2.AsyncClient, dialect: Dialect, size: int
) -> None:
    response = await http.get(servers[dialect], headers=STREAM)
    assert (response.status_code, len(response.content)) == (400, size)
    assert response.headers["content-length"] == str(size)
    assert len(response.headers["mcp-session-id"]) == 32
    assert response.json()["error"] == {"code": -32600, "message": "Bad Request: Missing session ID"}


@pytest.mark.parametrize(
    ("dialect", "status", "size"), [("1.11", 400, 41), ("1.26", 404, 91), ("1.30", 404, 91), ("2.3", 404, 81)]
)
async def test_an_unknown_session_is_answered_as_that_release_did(
    servers: dict[str, str], http: httpx2.AsyncClient, dialect: Dialect, status: int, size: int
) -> None:
    for method, headers in (("POST", POST), ("GET", STREAM), ("DELETE", STREAM)):
        content = b'{"jsonrpc":"2.0","id":2,"method":"tools/list"}' if method == "POST" else None
        response = await http.request(
            method, servers[dialect], headers={**headers, "mcp-session-id": "f" * 32}, content=content
        )
        assert (method, response.status_code, len(response.content)) == (method, status, size)


@pytest.mark.parametrize("dialect", ["1.11", "1.26"])
async def test_the_id_on_the_400_is_a_ghost_session_whose_stream_says_nothing(
    servers: dict[str, str], http: httpx2.AsyncClient, dialect: Dialect
) -> None:
    ghost = (await http.get(servers[dialect], headers=STREAM)).headers["mcp-session-id"]
    headers = {**STREAM, "mcp-session-id": ghost}
    async with http.stream("GET", servers[dialect], headers=headers) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"] == "text/event-stream"
        assert stream.headers["cache-control"] == "no-cache, no-transform"
        assert stream.headers["mcp-session-id"] == ghost
        second = await http.get(servers[dialect], headers=headers)
        assert (second.status_code, len(second.content)) == (409, 126)
        with anyio.move_on_after(0.1) as waited:
            async for _ in stream.aiter_raw():
                pytest.fail("the ghost spoke")
        assert waited.cancelled_caught
    assert (await http.delete(servers[dialect], headers=headers)).status_code == 200
    gone = await http.get(servers[dialect], headers=headers)
    assert (gone.status_code, len(gone.content)) == (404, 112)


@pytest.mark.parametrize("dialect", ["1.30", "2.3"])
async def test_later_releases_forget_the_session_of_a_refused_request(
    servers: dict[str, str], http: httpx2.AsyncClient, dialect: Dialect
) -> None:
    ghost = (await http.get(servers[dialect], headers=STREAM)).headers["mcp-session-id"]
    again = await http.get(servers[dialect], headers={**STREAM, "mcp-session-id": ghost})
    assert again.status_code == 404


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_modern_probe_is_refused_and_a_handshake_taken(
    servers: dict[str, str], http: httpx2.AsyncClient, dialect: Dialect
) -> None:
    probe = {"jsonrpc": "2.0", "id": 1, "method": "server/discover"}
    refused = await http.post(servers[dialect], headers={**POST, "mcp-protocol-version": "2026-07-28"}, json=probe)
    assert refused.status_code == 400
    assert "Missing session ID" in refused.text
    taken = await http.post(servers[dialect], headers=POST, json=INIT)
    assert taken.status_code == 200
    session = {**POST, "mcp-session-id": taken.headers["mcp-session-id"]}
    hello = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert (await http.post(servers[dialect], headers=session, json=hello)).status_code == 202
    listed = await http.post(servers[dialect], headers=session, json=LIST)
    assert "search_code" in listed.text
    assert (await http.delete(servers[dialect], headers=session)).status_code == 200
