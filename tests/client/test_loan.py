import math

import anyio
import pytest

from woolly_mcpdiag.client.loan import borrower
from woolly_mcpdiag.client.policy import PoolLimits, RetryPolicy

pytestmark = pytest.mark.anyio


def leaks(events) -> list:
    return [event for event in events if event.kind == "lease.leaked"]


async def the_one_who_forgets(c) -> None:
    async with c.session("mine"):
        await anyio.sleep(100.0)


async def test_a_leak_names_the_place_that_borrowed_it(server, client, events):
    async with client(limits=PoolLimits(leak_after=30.0)) as c:
        await the_one_who_forgets(c)
    (leak,) = leaks(events)
    innermost = leak.extra["stack"].split(" < ")[0]
    assert innermost.endswith(" in the_one_who_forgets")
    assert __file__ in innermost
    assert f"borrowed at {innermost}" in leak.message
    assert "woolly_mcpdiag/client/" not in leak.extra["stack"].replace(str(__file__), "")


async def test_the_next_borrower_is_not_blamed_with_an_earlier_ones_place(server, client, events):
    async with client(limits=PoolLimits(max_sessions=1, leak_after=30.0)) as c:
        async with c.session():
            pass
        server.fault = lambda rpc, _session: "hang" if rpc == "tools/call" else None
        with anyio.move_on_after(50.0):
            await c.call_tool("read", deadline=60.0, timeout=60.0)
        server.thawed()
    (leak,) = leaks(events)
    assert "stack" not in leak.extra


async def test_without_leak_detection_no_place_is_kept(server, client, events):
    async with client(limits=PoolLimits(leak_after=math.inf)) as c, c.session():
        (entry,) = c._sessions.pool.entries.values()
        assert entry.borrowed_at == ()
        await anyio.sleep(500.0)
    assert leaks(events) == []


def test_a_place_is_a_file_a_line_and_a_function_and_only_a_few_are_kept():
    def deep(left: int) -> tuple[str, ...]:
        return deep(left - 1) if left else borrower()

    found = deep(20)
    assert len(found) == 6
    assert all(place.startswith(f"{__file__}:") and place.endswith(" in deep") for place in found)


# --- a session that has been idle is asked before it is lent


async def test_a_session_that_has_just_been_used_is_lent_without_a_question(server, client):
    async with client(limits=PoolLimits(validate_after=30.0, max_idle=300.0)) as c:
        for _ in range(3):
            await c.call_tool("read")
            await anyio.sleep(29.0)
    assert server.seen["ping"] == 0


@pytest.mark.parametrize("kind", ["handshake", "sse"])
async def test_an_idle_session_that_is_silent_is_replaced_before_a_call_is_put_at_risk(server, client, kind):
    server.kind = kind
    async with client(limits=PoolLimits(validate_after=30.0, max_idle=300.0), retry=RetryPolicy(attempts=1)) as c:
        await c.call_tool("write")
        (lost,) = server.sessions
        await anyio.sleep(40.0)
        server.fault = lambda _rpc, session: "hang" if session == lost else None
        begun = anyio.current_time()
        await c.call_tool("write")
        assert anyio.current_time() - begun < 1.5, "the time-out of a note, then a new session"
        assert c.stats.closed_by_reason == {"silent": 1}
        server.thawed()
    assert server.ran["write"] == 2
    assert server.seen["ping"] == 1


async def test_a_forgotten_idle_session_is_replaced_without_an_attempt(server, client):
    async with client(limits=PoolLimits(validate_after=30.0, max_idle=300.0)) as c:
        await c.call_tool("write")
        await anyio.sleep(40.0)
        server.forget()
        await c.call_tool("write")
        assert c.stats.retries == 0
    assert server.ran["write"] == 2


async def test_a_session_whose_stream_ends_while_it_is_asked_is_replaced(server, client):
    server.kind = "sse"
    async with client(limits=PoolLimits(validate_after=30.0, max_idle=300.0)) as c:
        await c.call_tool("write")
        await anyio.sleep(40.0)
        server.fault = lambda rpc, _session: server.forget() if rpc == "ping" else None
        await c.call_tool("write")
        assert c.stats.retries == 0
    assert server.ran["write"] == 2


async def test_a_server_that_does_not_know_ping_is_alive(server, client):
    plain = server.row
    error = {"code": -32601, "message": "no such method"}
    server.row = lambda body: {**plain(body), "error": error} if body["method"] == "ping" else plain(body)
    async with client(limits=PoolLimits(validate_after=30.0, max_idle=300.0)) as c:
        await c.call_tool("write")
        await anyio.sleep(40.0)
        await c.call_tool("write")
        assert c.stats.opened == 1
    assert server.seen["ping"] == 1


async def test_who_is_cancelled_while_its_session_is_asked_gives_it_back(server, client):
    async with client(limits=PoolLimits(validate_after=30.0, max_idle=300.0)) as c:
        await c.call_tool("read")
        await anyio.sleep(40.0)
        server.fault = lambda rpc, _session: "hang" if rpc == "ping" else None
        with anyio.move_on_after(0.5):
            await c.call_tool("read")
        assert c.stats.leased == 0
        server.thawed()
