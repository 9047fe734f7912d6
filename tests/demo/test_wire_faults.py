"""Each fault on the wire: statuses, headers and bodies as they were recorded."""

import anyio
import httpx2
import pytest

from woolly_mcpdiag.demo.options import Options
from woolly_mcpdiag.demo.serve import Running, serve

pytestmark = pytest.mark.anyio

POST = {"accept": "application/json, text/event-stream"}
INIT = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}


async def _open(http: httpx2.AsyncClient, running: Running) -> dict[str, str]:
    """Shake hands; return the headers of the session."""
    taken = await http.post(running.mcp_url, headers=POST, json=INIT)
    session = {**POST, "mcp-session-id": taken.headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25"}
    await http.post(running.mcp_url, headers=session, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
    return session


@pytest.mark.parametrize(
    ("fault", "status", "size"), [("unknown-session=404", 404, 81), ("unknown-session=400", 400, 41)]
)
async def test_a_forgotten_session_is_answered_in_its_dialect(
    http: httpx2.AsyncClient, fault: str, status: int, size: int
) -> None:
    async with serve(Options(faults=(fault,))) as running:
        session = await _open(http, running)
        answers = [await http.post(running.mcp_url, headers=session, json=LIST) for _ in range(8)]
    codes = [answer.status_code for answer in answers]
    assert codes == sorted(codes, key=lambda code: code == status)
    assert (codes[0], codes[-1], len(answers[-1].content)) == (200, status, size)


async def test_a_session_that_is_not_ready_answers_an_error_inside_a_200(http: httpx2.AsyncClient) -> None:
    async with serve(Options(faults=("session-race=60s",))) as running:
        session = await _open(http, running)
        answer = await http.post(running.mcp_url, headers=session, json=LIST)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream"
    assert len(answer.content) == 123
    assert '"code":-32602,"message":"Invalid request parameters","data":""' in answer.text


@pytest.mark.parametrize(
    ("fault", "status", "size", "header"),
    [
        ("auth", 401, 74, ("www-authenticate", "Bearer")),
        ("host-guard", 421, 19, ("content-length", "19")),
        ("gateway=502", 502, 157, ("server", "nginx")),
        ("gateway=503", 503, 197, ("server", "nginx")),
    ],
)
async def test_a_refusal_has_its_recorded_status_size_and_header(
    http: httpx2.AsyncClient, fault: str, status: int, size: int, header: tuple[str, str]
) -> None:
    async with serve(Options(faults=(fault,))) as running:
        answer = await http.post(running.mcp_url, headers=POST, json=INIT)
    assert (answer.status_code, len(answer.content)) == (status, size)
    assert answer.headers[header[0]].startswith(header[1])


async def test_a_rate_limit_names_when_to_come_back(http: httpx2.AsyncClient) -> None:
    async with serve(Options(faults=("rate-limit=1",))) as running:
        answers = [await http.post(running.mcp_url, headers=POST, json=INIT) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429, 429]
    assert len(answers[-1].content) == 169
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_a_session_too_many_is_refused_with_503(http: httpx2.AsyncClient) -> None:
    async with serve(Options(faults=("session-limit=1",))) as running:
        await _open(http, running)
        answer = await http.post(running.mcp_url, headers=POST, json=INIT)
    assert (answer.status_code, answer.json()["error"]["message"]) == (503, "Too many open sessions")


async def test_a_get_stream_that_is_cut_is_a_conflict_until_the_server_notices(http: httpx2.AsyncClient) -> None:
    async with serve(Options(faults=("reopen-conflict=20ms",))) as running:
        session = await _open(http, running)
        stream = {**session, "accept": "text/event-stream"}
        first = await http.get(running.mcp_url, headers=stream)
        second = await http.get(running.mcp_url, headers=stream)
        with anyio.fail_after(3):
            while (await http.get(running.mcp_url, headers=stream)).status_code == 409:
                await anyio.lowlevel.checkpoint()
    assert (first.status_code, first.content) == (200, b"")
    assert (second.status_code, len(second.content)) == (409, 116)


async def test_a_cut_stream_ends_without_its_last_chunk(http: httpx2.AsyncClient) -> None:
    async with serve(Options(faults=("stream-cut=20ms",))) as running:
        with pytest.raises(httpx2.RemoteProtocolError, match="incomplete chunked read"):
            await http.get(running.mcp_url, headers={"accept": "text/event-stream"})


async def test_a_frozen_server_takes_the_request_and_says_nothing(http: httpx2.AsyncClient) -> None:
    async with serve(Options(faults=("frozen",))) as running:
        with pytest.raises(httpx2.ReadTimeout):
            await http.post(running.mcp_url, headers=POST, json=INIT, timeout=0.1)


async def test_a_buffered_stream_never_opens(http: httpx2.AsyncClient) -> None:
    async with serve(Options(faults=("buffered-stream",))) as running:
        with pytest.raises(httpx2.ReadTimeout):
            await http.get(running.mcp_url, headers={"accept": "text/event-stream"}, timeout=0.1)


async def test_a_swallowed_connection_never_opens_and_a_refused_one_fails_at_once() -> None:
    for how, error in (("refuse", httpx2.ConnectError), ("blackhole", httpx2.ConnectTimeout)):
        async with serve(Options(faults=(f"down={how}",))) as running, httpx2.AsyncClient(trust_env=False) as http:
            await running.happening("away").wait()
            with pytest.raises(error):
                await http.post(running.mcp_url, json=INIT, timeout=0.2)


async def test_a_server_that_was_down_for_a_while_comes_back(http: httpx2.AsyncClient) -> None:
    for how in ("refuse", "blackhole"):
        async with serve(Options(faults=(f"down={how}:0:50ms",))) as running:
            with anyio.fail_after(3):
                await running.happening("back").wait()
                answer = await http.post(running.mcp_url, headers=POST, json=INIT)
        assert answer.status_code == 200


async def test_a_connection_that_idled_is_reset_on_its_next_request() -> None:
    async with (
        serve(Options(faults=("keepalive-race=0.01ms:1",))) as running,
        httpx2.AsyncClient(trust_env=False, verify=False) as http,
    ):
        assert (await http.post(running.mcp_url, headers=POST, json=INIT)).status_code == 200
        with pytest.raises(httpx2.ReadError):
            await http.post(running.mcp_url, headers=POST, json=INIT)


async def test_only_the_modern_era_is_served_where_that_is_asked_for(http: httpx2.AsyncClient) -> None:
    async with serve(Options(era="modern")) as running:
        refused = await http.post(running.mcp_url, headers=POST, json=INIT)
        asked = {"agent_type": "tester", "repository_name": "woolly", "user_query": "x"}
        served = await http.post(running.execute_url, json=asked)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, -32022)
    assert "error" not in served.json()["metadata"]
