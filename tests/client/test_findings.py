import logging

import anyio
import httpx2
import pytest

from woolly_mcpdiag.client.errors import CallRejectedError
from woolly_mcpdiag.client.findings import Findings
from woolly_mcpdiag.client.policy import PoolLimits
from woolly_mcpdiag.wire.exchange import Finding

pytestmark = pytest.mark.anyio


def remarks(caplog) -> list[str]:
    return [r.getMessage() for r in caplog.records if "configuration:" in r.getMessage()]


async def busy(c) -> None:
    """Open three sessions, use them, and let a while pass."""
    assert await c.warm(3) == 3
    for _ in range(5):
        await c.call_tool("read")
    await anyio.sleep(20.0)


@pytest.mark.parametrize("status", [405, 409])
async def test_a_refused_stream_is_reported_once_for_all_sessions_and_causes_no_storm(server, client, caplog, status):
    caplog.set_level(logging.INFO, logger="mcpdiag.client")
    server.fault = lambda rpc, _session: status if rpc == "GET" else None
    async with client(limits=PoolLimits(max_sessions=3, max_opening=1, validate_after=1e9)) as c:
        await busy(c)
        assert c.stats.findings == {f"GET {status}": server.seen["GET"]}
        assert c.stats.retries == c.stats.failed == 0
    (told,) = remarks(caplog)
    assert f"GET is answered {status}" in told
    assert ("transport.no-get-stream" if status == 405 else "session.stream-conflict") in told
    # A server without streams is asked by the first session only; a conflict may be over the next time.
    assert server.seen["GET"] <= (1 if status == 405 else 3 * 2)


async def test_a_delete_that_is_not_allowed_is_reported_once_and_not_repeated(server, client, caplog):
    caplog.set_level(logging.INFO, logger="mcpdiag.client")
    server.fault = lambda rpc, _session: 405 if rpc == "DELETE" else None
    async with client() as c:
        await c.warm(3)
    (told,) = remarks(caplog)
    assert told.endswith("DELETE is answered 405: the server does not let sessions be ended, which it need not")
    assert server.seen["DELETE"] == 3


async def test_a_redirect_of_every_request_is_followed_once_each_and_reported_once(server, client, caplog):
    caplog.set_level(logging.INFO, logger="mcpdiag.client")
    plain = server.handle_async_request
    slashed = []

    async def handle(request: httpx2.Request) -> httpx2.Response:
        slashed.append(request.url.path == "/mcp/")
        if request.url.path == "/mcp":
            return httpx2.Response(307, headers={"location": "/mcp/?token=secret"}, request=request)
        return await plain(request)

    server.handle_async_request = handle
    async with client() as c:
        await busy(c)
    assert slashed.count(True) == slashed.count(False)
    assert server.sessions == {}
    told = [line for line in remarks(caplog) if "307" in line]
    assert {line.split("configuration: ")[1].split()[0] for line in told} == {"POST", "GET", "DELETE"}
    assert len(told) == 3
    assert all("[transport.redirect]" in line and "http://scripted.test/mcp/" in line for line in told)
    assert "secret" not in "".join(told)


async def test_a_replaced_server_is_asked_for_its_stream_again(server, client):
    server.kind = "handshake"
    server.fault = lambda rpc, _session: 405 if rpc == "GET" else None
    async with client() as c:
        await c.call_tool("read")
        c._sessions.unpin()
        server.fault = lambda _rpc, _session: None
        server.forget()
        await c.call_tool("read")
        await anyio.sleep(2.0)
    assert server.seen["GET"] == 2


async def test_a_redirect_elsewhere_is_a_finding_that_nobody_follows(server, client, caplog):
    caplog.set_level(logging.INFO, logger="mcpdiag.client")
    elsewhere = httpx2.Response(307, headers={"location": "http://else.test/mcp"})
    async with client() as c:
        await c.call_tool("read")
        server.fault = lambda rpc, _session: elsewhere if rpc == "tools/call" else None
        with pytest.raises(CallRejectedError):
            await c.call_tool("read")
    (told,) = remarks(caplog)
    assert "POST is answered 307: not followed, another origin; it leads to http://else.test/mcp" in told


def test_a_finding_is_told_once_and_counted_always():
    told = []
    findings = Findings(lambda level, text: told.append((level, text)))
    assert [findings(Finding(verb="GET", status=409)) for _ in range(3)] == [True] * 3
    assert findings(Finding(verb="GET", status=405)) is False
    assert [level for level, _ in told] == [logging.WARNING, logging.INFO]
    assert findings.counts == {"GET 409": 3, "GET 405": 1}
