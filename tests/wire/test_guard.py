"""The guard under the unmodified SDK; what it stands on is ``test_the_sdk_sends_in_the_context_of_who_sent``."""

import json
from collections.abc import AsyncIterator, Callable

import anyio
import httpx2
import pytest
import trio.testing

from woolly_mcpdiag.wire.exchange import CURRENT, Exchange, Seen
from woolly_mcpdiag.wire.guard import Guard
from woolly_mcpdiag.wire.session import Pin, Session, Target, Waits

pytestmark = pytest.mark.anyio
WAITS = Waits(open=5.0, close=2.0, note=1.0)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


class Answers(httpx2.AsyncBaseTransport):
    """Answers each request with what a function says."""

    def __init__(self, answer: Callable[[str, dict], object]) -> None:
        self.answer = answer
        self.seen: list[str] = []
        self.contexts: dict[str, Exchange | None] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(await request.aread()) if request.method == "POST" else {}
        rpc = body.get("method", request.method)
        self.seen.append(rpc)
        self.contexts[rpc] = CURRENT.get()
        said = self.answer(rpc, body)
        if said == "hang":
            await anyio.sleep_forever()
        if isinstance(said, Exception):
            raise said
        if isinstance(said, httpx2.Response):
            return said
        if said is None:
            return httpx2.Response(202)
        row = {"jsonrpc": "2.0", "id": body.get("id"), "result": said}
        return httpx2.Response(200, json=row, headers={"mcp-session-id": "s1"} if rpc == "initialize" else {})


RESULTS = {
    "initialize": {
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "x", "version": "1"},
    },
    "tools/list": {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]},
    "tools/call": {"content": []},
    "server/discover": httpx2.Response(400, text="no"),
    "GET": httpx2.Response(405),
    "DELETE": httpx2.Response(200),
}


def usual(rpc: str, _body: dict) -> object:
    said = RESULTS.get(rpc)
    return httpx2.Response(said.status_code, content=said.content) if isinstance(said, httpx2.Response) else said


@pytest.fixture
async def opened() -> AsyncIterator[Callable]:
    """Open sessions; each is closed at the end."""
    made: list[Session] = []
    async with anyio.create_task_group() as tasks:

        async def start(
            transport: Answers,
            mode: str = "auto",
            seen: list[Seen] | None = None,
            auth: httpx2.Auth | None = None,
        ) -> Session:
            ready = anyio.Event()
            plan = Pin(transport="streamable", mode=mode)
            session = Session(
                Target(url="http://x.test/mcp", options={"cache": None}, auth=auth),
                plan,
                transport,
                WAITS,
                seen.append if seen is not None else None,
            )
            made.append(session)

            async def own() -> None:
                await session.own(ready.set)
                ready.set()

            tasks.start_soon(own)
            await ready.wait()
            return session

        yield start
        for session in made:
            session.stop()


async def call(session: Session, exchange: Exchange) -> object:
    token = CURRENT.set(exchange)
    try:
        with anyio.fail_after(100):
            return await session.client.call_tool("echo", {})
    finally:
        CURRENT.reset(token)


async def test_the_sdk_sends_in_the_context_of_who_sent(opened):
    transport = Answers(usual)
    session = await opened(transport)
    mine = Exchange(method="tools/call")
    await call(session, mine)
    assert transport.contexts["tools/call"] is mine
    assert transport.contexts["initialize"] is session.opening
    assert mine.answered
    assert mine.status == 200


async def test_the_tools_are_known_at_the_start_so_that_no_call_hides_a_list_of_its_own(opened):
    transport = Answers(usual)
    session = await opened(transport)
    assert list(session.tools) == ["echo"]
    before = len(transport.seen)
    await call(session, Exchange(method="tools/call"))
    assert transport.seen[before:] == ["tools/call"]


async def test_the_true_status_and_retry_after_are_kept(opened):
    refusal = httpx2.Response(429, text="slow down", headers={"retry-after": "7"})
    session = await opened(Answers(lambda rpc, body: refusal if rpc == "tools/call" else usual(rpc, body)))
    exchange = Exchange(method="tools/call")
    with pytest.raises(Exception, match="error response"):
        await call(session, exchange)
    assert (exchange.failed, exchange.status, exchange.retry_after, exchange.text) == (True, 429, "7", "slow down")
    assert exchange.session == "s1"


async def test_a_transport_error_is_the_attempts_own_and_the_session_lives(opened):
    answers = iter([httpx2.ReadError("cut"), {"content": []}])
    session = await opened(Answers(lambda rpc, body: next(answers) if rpc == "tools/call" else usual(rpc, body)))
    exchange = Exchange(method="tools/call")
    with pytest.raises(Exception, match="Connection closed"):
        await call(session, exchange)
    assert (exchange.error, exchange.phase, exchange.sent) == ("ReadError", "read", True)
    await call(session, Exchange(method="tools/call"))
    assert session.usable


@pytest.mark.parametrize(
    ("error", "phase", "sent"),
    [
        (httpx2.ConnectError("x"), "connect", False),
        (httpx2.PoolTimeout("x"), "pool", False),
        (httpx2.WriteError("x"), "write", True),
        (httpx2.ReadTimeout("x"), "read", True),
    ],
    ids=repr,
)
async def test_an_error_tells_how_far_the_request_got(opened, error, phase, sent):
    session = await opened(Answers(lambda rpc, body: error if rpc == "tools/call" else usual(rpc, body)))
    exchange = Exchange(method="tools/call")
    with pytest.raises(Exception, match="Connection closed"):
        await call(session, exchange)
    assert (exchange.phase, exchange.sent) == (phase, sent)


async def test_a_note_that_is_never_answered_holds_up_nobody(opened):
    turn = iter(["hang", {"content": []}])

    def answer(rpc, body):
        if rpc == "notifications/cancelled":
            return "hang"
        return next(turn) if rpc == "tools/call" else usual(rpc, body)

    session = await opened(Answers(answer))
    begun = anyio.current_time()
    with anyio.move_on_after(1.0):
        await session.client.call_tool("echo", {})
    await session.client.call_tool("echo", {})
    assert anyio.current_time() - begun == pytest.approx(1.0, abs=0.001)


async def test_an_exchange_of_another_method_is_not_the_attempts_own(opened):
    session = await opened(
        Answers(lambda rpc, body: httpx2.Response(500) if rpc == "tools/list" and body["id"] > 3 else usual(rpc, body))
    )
    mine = Exchange(method="tools/call")
    token = CURRENT.set(mine)
    with pytest.raises(Exception, match="error response"):
        await session.client.list_tools()
    CURRENT.reset(token)
    assert not mine.failed
    assert mine.status is None


async def test_every_exchange_is_seen_with_its_method_status_and_time(opened):
    seen: list[Seen] = []
    session = await opened(Answers(usual), seen=seen)
    await call(session, Exchange(method="tools/call"))
    told = [(one.verb, one.rpc, one.status) for one in seen]
    assert ("POST", "server/discover", 400) in told
    assert ("POST", "tools/call", 200) in told
    assert ("GET", "", 405) in told


async def test_a_session_that_is_not_known_at_once_is_kept_and_its_stream_asked_for_when_it_is(opened):
    def lagging(rpc: str, body: dict) -> object:
        early = transport.seen.count("notifications/initialized") < 3
        return httpx2.Response(404) if early and rpc in {"notifications/initialized", "GET"} else usual(rpc, body)

    transport = Answers(lagging)
    session = await opened(transport, mode="legacy")
    assert session.ready
    await anyio.sleep(0.5)  # The SDK asks once more after a second.
    assert transport.seen.count("notifications/initialized") == 3
    assert transport.seen.count("initialize") == 1
    known = [rpc for rpc in transport.seen if rpc in {"notifications/initialized", "GET"}]
    assert (known.count("GET"), known[-1]) == (2, "GET"), transport.seen


async def test_a_session_that_the_server_forgot_gets_no_delete(opened):
    transport = Answers(usual)
    session = await opened(transport)
    session.stop(forget=True)
    await anyio.sleep(1)
    assert session.ended
    assert "DELETE" not in transport.seen


async def test_a_delete_whose_connection_was_just_closed_is_sent_again(opened):
    lost = iter([httpx2.ReadError("closed"), httpx2.Response(200)])
    transport = Answers(lambda rpc, body: next(lost) if rpc == "DELETE" else usual(rpc, body))
    session = await opened(transport)
    session.stop()
    await anyio.sleep(1)
    assert transport.seen.count("DELETE") == 2
    assert session.guard.deleted == 200


async def test_a_delete_to_a_server_that_is_away_is_tried_twice_and_no_more(opened):
    transport = Answers(lambda rpc, body: httpx2.ConnectError("away") if rpc == "DELETE" else usual(rpc, body))
    session = await opened(transport)
    session.stop()
    await anyio.sleep(1)
    assert transport.seen.count("DELETE") == 2
    assert session.ended


class Late(httpx2.AsyncByteStream):
    """An answer that comes once it is allowed to."""

    def __init__(self, number: object, allowed: anyio.Event) -> None:
        self.number, self.allowed = number, allowed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await self.allowed.wait()
        row = json.dumps({"jsonrpc": "2.0", "id": self.number, "result": {"content": []}})
        yield f"data: {row}\n\n".encode()


async def test_an_answer_that_comes_while_the_session_is_closed_prints_no_traceback(opened, caplog):
    allowed = anyio.Event()

    def answer(rpc, body):
        if rpc == "DELETE":
            allowed.set()
        if rpc != "tools/call":
            return usual(rpc, body)
        return httpx2.Response(200, stream=Late(body["id"], allowed), headers={"content-type": "text/event-stream"})

    session = await opened(Answers(answer))
    with anyio.move_on_after(1.0):
        await session.client.call_tool("echo", {})
    session.stop()
    await anyio.sleep(1)
    assert session.ended
    assert "Traceback" not in caplog.text
    assert "Error parsing" not in caplog.text


async def test_a_session_whose_opening_ends_half_way_is_deleted(opened):
    transport = Answers(lambda rpc, body: "hang" if rpc == "tools/list" else usual(rpc, body))
    session = await opened(transport)
    assert not session.ready
    assert session.opening.timed_out
    assert transport.seen[-1] == "DELETE"


@pytest.mark.parametrize(
    ("answer", "older"),
    [
        (httpx2.Response(400, text="x"), True),
        (httpx2.Response(404, text="x"), True),
        (httpx2.Response(405), True),
        (httpx2.Response(500, json={"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "x"}}), True),
        (httpx2.Response(500, text="x"), False),
        (httpx2.Response(429), False),
        (httpx2.Response(503), False),
        (httpx2.Response(401), False),
        (httpx2.ConnectTimeout("x"), False),
    ],
    ids=repr,
)
async def test_only_a_refusal_that_means_an_older_server_leads_to_the_older_era(opened, answer, older):
    transport = Answers(lambda rpc, body: answer if rpc == "server/discover" else usual(rpc, body))
    session = await opened(transport)
    assert session.ready is older
    assert ("initialize" in transport.seen) is older


@pytest.fixture
def logged(caplog) -> Callable[[], list[str]]:
    """Return what httpx2 has logged: verb and status."""
    caplog.set_level("INFO", logger="httpx2")

    def lines() -> list[str]:
        found = [record.getMessage() for record in caplog.records if record.name == "httpx2"]
        return [f"{line.split()[2]} {line.split()[5]}" for line in found]

    return lines


async def test_httpx_logs_what_came_over_the_wire_and_no_answer_that_was_made_up(opened, logged):
    def answer(rpc, body):
        if rpc == "DELETE":
            return httpx2.Response(404)
        return httpx2.ConnectError("x") if rpc == "tools/call" else usual(rpc, body)

    session = await opened(Answers(answer))
    with pytest.raises(Exception, match="Connection closed"):
        await call(session, Exchange(method="tools/call"))
    session.stop()
    await anyio.sleep(1)
    assert session.ended
    assert logged() == ["POST 400", "POST 200", "POST 202", "GET 405", "POST 200", "DELETE 404"]


async def test_a_note_that_is_sent_apart_is_logged_with_its_own_status(opened, logged):
    def answer(rpc, body):
        if rpc == "tools/call":
            return "hang"
        return httpx2.Response(503) if rpc == "notifications/cancelled" else usual(rpc, body)

    session = await opened(Answers(answer))
    with anyio.move_on_after(1.0):
        await session.client.call_tool("echo", {})
    await anyio.sleep(0.1)
    assert logged()[-1] == "POST 503"


async def test_a_redirected_note_follows_within_the_origin_and_never_in_circles(opened):
    asked = []

    class Slashed(Answers):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.url.path == "/mcp" or b"notifications/cancelled" in await request.aread():
                asked.extend([request.url.path] if request.method == "POST" else [])
                return httpx2.Response(307, headers={"location": "/mcp/"})
            return await super().handle_async_request(request)

    transport = Slashed(lambda rpc, body: "hang" if rpc == "tools/call" else usual(rpc, body))
    session = await opened(transport)
    asked.clear()
    with anyio.move_on_after(1.0):
        await session.client.call_tool("echo", {})
    await anyio.sleep(0.1)
    assert asked == ["/mcp", "/mcp", "/mcp/", "/mcp/", "/mcp/"], "the call, then the note and three hops"


async def test_credentials_that_the_server_asks_for_are_sent_with_what_is_sent_apart(opened):
    class Token(httpx2.Auth):
        def auth_flow(self, request):
            response = yield request
            if response.status_code == 401:
                request.headers["authorization"] = "Bearer new"
                yield request

    def answer(rpc, body):
        return "hang" if rpc == "tools/call" else usual(rpc, body)

    noted = []

    class Guarded(Answers):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if "authorization" not in request.headers:
                return httpx2.Response(401)
            noted.append(json.loads(await request.aread() or b"{}").get("method", request.method))
            return await super().handle_async_request(request)

    session = await opened(Guarded(answer), auth=Token())
    with anyio.move_on_after(1.0):
        await session.client.call_tool("echo", {})
    await anyio.sleep(0.1)
    assert "notifications/cancelled" in noted


async def test_closing_the_guard_leaves_the_shared_transport_open():
    closed = []

    class Shared(Answers):
        async def aclose(self) -> None:
            closed.append(True)

    async with anyio.create_task_group() as tasks, Guard(Shared(usual), tasks, sse=False, note_timeout=1.0):
        pass
    assert closed == []


async def test_a_message_that_comes_after_the_end_is_not_sent():
    transport = Answers(usual)
    async with anyio.create_task_group() as tasks:
        guard = Guard(transport, tasks, sse=False, note_timeout=1.0)
        async with guard:
            answer = await guard.post("http://x.test/mcp", json={"method": "notifications/cancelled"})
    assert answer.status_code == 202
    assert transport.seen == []


class Primed(httpx2.AsyncByteStream):
    """An answer that is cut after an event id: the client comes back for the rest."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"id: e1\nretry: 500\ndata:\n\n"


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_answer_that_is_cut_after_an_event_id_is_fetched_with_it(opened):
    """The SDK leaves its own generators to the garbage collector here, of which trio warns."""
    asked: list[str] = []
    number: list[object] = []

    class Resumable(Answers):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.method == "GET" and "last-event-id" in request.headers:
                asked.append(request.headers["last-event-id"])
                row = json.dumps({"jsonrpc": "2.0", "id": number[-1], "result": {"content": []}})
                return httpx2.Response(200, text=f"data: {row}\n\n", headers={"content-type": "text/event-stream"})
            return await super().handle_async_request(request)

    def answer(rpc, body):
        if rpc != "tools/call":
            return usual(rpc, body)
        number.append(body["id"])
        return httpx2.Response(200, stream=Primed(), headers={"content-type": "text/event-stream"})

    session = await opened(Resumable(answer))
    begun = anyio.current_time()
    await call(session, Exchange(method="tools/call"))
    assert asked == ["e1"]
    assert anyio.current_time() - begun == pytest.approx(0.5, abs=0.001), "the server's retry is kept"
