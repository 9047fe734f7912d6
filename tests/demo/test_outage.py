"""The proxy that takes a server away: each way as its client meets it, and back again."""

from collections.abc import AsyncIterator

import anyio
import httpx2
import pytest

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.demo.outage import HOWS, Proxy, outage_process
from woolly_mcpdiag.demo.serve import Running

pytestmark = pytest.mark.anyio

POST = {"accept": "application/json, text/event-stream"}
INIT = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
MOMENT = 0.3


@pytest.fixture
async def proxy(healthy: Running) -> AsyncIterator[Proxy]:
    made = Proxy(healthy.base + "/mcp")
    async with anyio.create_task_group() as tasks:
        await made.start(tasks)
        yield made
        await made.stop()
        tasks.cancel_scope.cancel()


def address(proxy: Proxy) -> str:
    return f"http://127.0.0.1:{proxy.front.port}/mcp"


async def opened(proxy: Proxy) -> dict[str, str]:
    async with httpx2.AsyncClient(trust_env=False) as http:
        taken = await http.post(address(proxy), headers=POST, json=INIT)
        return {**POST, "mcp-session-id": taken.headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25"}


async def asked(proxy: Proxy, headers: dict[str, str]) -> int:
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        return (await http.post(address(proxy), headers=headers, json=LIST)).status_code


@pytest.mark.parametrize(
    ("how", "after"),
    [("refused", 200), ("blackhole", 200), ("frozen", 200), ("restart", 404)],
)
async def test_a_server_that_was_away_comes_back_and_only_a_restart_costs_its_sessions(
    proxy: Proxy, how: str, after: int
) -> None:
    session = await opened(proxy)
    assert await asked(proxy, session) == 200
    await proxy.do(how)
    answered = 0
    with anyio.move_on_after(MOMENT) as waited:
        try:
            answered = await asked(proxy, session)
        except httpx2.ConnectError:
            answered = -1
    assert (waited.cancelled_caught, answered) == ((how in {"blackhole", "frozen"}), (-1 if answered else 0))
    await proxy.do("back")
    assert await asked(proxy, session) == after
    assert await asked(proxy, await opened(proxy)) == 200


async def test_a_frozen_request_is_answered_when_the_server_thaws(proxy: Proxy) -> None:
    session = await opened(proxy)
    await proxy.do("frozen")
    statuses: list[int] = []
    answered = anyio.Event()

    async def ask() -> None:
        statuses.append(await asked(proxy, session))
        answered.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        with anyio.move_on_after(MOMENT) as waited:
            await answered.wait()
        assert waited.cancelled_caught
        await proxy.do("back")
    assert statuses == [200]


async def test_a_server_that_cannot_end_a_session_is_made_to_look_as_if_it_had() -> None:
    """A server whose DELETE is refused: the proxy itself answers for its sessions after a restart."""
    reply = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nmcp-session-id: abc\r\n\r\n"

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            head = await stream.receive()
            await stream.send(reply % (b"405 Method Not Allowed" if head.startswith(b"DELETE") else b"200 OK"))

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        made = Proxy(f"http://127.0.0.1:{port}/mcp")
        await made.start(tasks)
        session = {**POST, "mcp-session-id": "abc"}
        assert await asked(made, session) == 200
        await made.do("restart")
        await made.do("back")
        assert await asked(made, session) == 404
        await made.stop()
        tasks.cancel_scope.cancel()


def test_the_proxy_runs_in_a_process_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    with outage_process("http://127.0.0.1:9/mcp") as outages:
        assert outages.url.endswith("/mcp")
        for how in HOWS:
            outages.away(how)  # type: ignore[arg-type]
            outages.back()
        with pytest.raises(UsageError, match="outage meteor: there is none of that name"):
            outages.away("meteor")  # type: ignore[arg-type]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("url", ["", "ftp://x/mcp", "localhost:8000"])
def test_an_upstream_that_is_no_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(UsageError, match="no http or https URL"), outage_process(url):
        pass
