"""A server in this process, as an ``httpx2`` transport, and a clock that jumps: hours of faults in milliseconds."""

import asyncio  # noqa: TID251 - the virtual clock of one of the two backends
import json
import selectors
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator

import anyio
import httpx2
import pytest
import trio.testing

from woolly_mcpdiag.client.policy import PoolLimits, RetryPolicy, Timeouts
from woolly_mcpdiag.client.resilient import ResilientClient
from woolly_mcpdiag.core.events import Event

HANG = "hang"
RUN_THEN_CUT = "run then cut"


class JumpingLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose clock jumps to the next timer where nothing else is to do."""

    def __init__(self) -> None:
        self.jumped = 0.0
        super().__init__(selectors.DefaultSelector())
        real = self._selector.select

        def select(timeout: float | None = None) -> list:
            if ready := real(0):
                return ready
            if timeout is None:
                return real(0.5)
            self.jumped += timeout
            return []

        self._selector.select = select

    def time(self) -> float:
        return self.jumped


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    if request.param == "trio":
        return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return "asyncio", {"loop_factory": JumpingLoop}


@pytest.fixture
def virtual_asyncio() -> tuple[str, dict[str, object]]:
    """For libraries that know asyncio only."""
    return "asyncio", {"loop_factory": JumpingLoop}


class Stream(httpx2.AsyncByteStream):
    """An event stream that is written to, until it is cut."""

    def __init__(self) -> None:
        self.send, self.receive = anyio.create_memory_object_stream[bytes](100)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self.receive:
            yield part

    async def aclose(self) -> None:
        self.send.close()
        self.receive.close()

    def say(self, event: str, data: str) -> None:
        self.send.send_nowait(f"event: {event}\r\ndata: {data}\r\n\r\n".encode())


class Broken(httpx2.AsyncByteStream):
    """A body that breaks off."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"jsonrpc"'
        msg = "cut"
        raise httpx2.ReadError(msg)


UNKNOWN = {
    "2.3": (404, '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Session not found"}}'),
    "1.9": (400, "Bad Request: No valid session ID provided"),
    "ts": (400, '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}}'),
}


class Scripted(httpx2.AsyncBaseTransport):
    """An MCP server that does what a test tells it. ``fault`` sees each request and may answer or fail it."""

    def __init__(self) -> None:
        self.kind = "handshake"
        """``handshake``, ``modern`` or ``sse``."""
        self.dialect = "2.3"
        self.latency = 0.01
        self.fault: Callable[[str, str], object] = lambda _rpc, _session: None
        self.sessions: dict[str, Stream | None] = {}
        self.seen: Counter[str] = Counter()
        self.ran: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0
        self.opening = self.most_opening = 0
        self.number = 0
        self.thaw: anyio.Event | None = None
        self.streams: list[Stream] = []
        self.calls_by_session: Counter[str] = Counter()
        self.times: list[tuple[float, str]] = []
        self.result_of: dict[str, dict] = {}
        """What a tool answers instead."""
        self.unready: list[dict] = []
        """Errors that the next requests get, as if they came before the end of the handshake."""
        self.meta: list[dict] = []
        """``_meta`` of the calls."""

    def thawed(self) -> None:
        """Answer what was left unanswered."""
        self.fault = lambda _rpc, _session: None
        if self.thaw:
            self.thaw.set()
        self.thaw = None

    def forget(self) -> None:
        """Restart: no session is known any more, every stream ends."""
        self.sessions.clear()
        for stream in self.streams:
            stream.send.close()
        self.streams.clear()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(await request.aread()) if request.method == "POST" else {}
        rpc = body.get("method", request.method)
        session = request.headers.get("mcp-session-id") or request.url.params.get("session_id") or ""
        self.seen[rpc] += 1
        self.times.append((anyio.current_time(), rpc))
        said = self.fault(rpc, session)
        if said == HANG:
            self.thaw = self.thaw or anyio.Event()
            await self.thaw.wait()
        if isinstance(said, Exception):
            raise said
        if isinstance(said, int):
            return httpx2.Response(said, request=request)
        if isinstance(said, httpx2.Response):
            said.request = request
            return said
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await anyio.sleep(self.latency)
            answer = self.sse(request, body, session) if self.kind == "sse" else self.http(request, body, session)
        finally:
            self.at_once -= 1
        if said == RUN_THEN_CUT:
            return httpx2.Response(200, headers={"content-type": "application/json"}, stream=Broken())
        return answer

    def row(self, body: dict) -> dict[str, object]:
        row = {"jsonrpc": "2.0", "id": body["id"]}
        if self.unready and body["method"] != "initialize":
            return {**row, "error": self.unready.pop(0)}
        if body["method"] == "tools/call" and body["params"]["name"] not in {"read", "write"}:
            return {**row, "error": {"code": -32602, "message": f"no such tool, {body['params']}"}}
        return {**row, "result": self.result(body)}

    def result(self, body: dict) -> object:
        match body["method"]:
            case "initialize":
                return {
                    "protocolVersion": "2025-11-25",
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "scripted", "version": "1"},
                }
            case "server/discover":
                return {
                    "supportedVersions": ["2026-07-28"],
                    "capabilities": {"tools": {}},
                    "resultType": "complete",
                    "ttlMs": 0,
                    "cacheScope": "public",
                    "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "scripted", "version": "1"}},
                }
            case "tools/list":
                schema = {"type": "object"}
                reads = {"readOnlyHint": True, "idempotentHint": True}
                tools = [
                    {"name": "read", "inputSchema": schema, "annotations": reads},
                    {"name": "write", "inputSchema": schema},
                ]
                return {"tools": tools, **self.modern_fields()}
            case "tools/call":
                name = body["params"]["name"]
                self.ran[name] += 1
                self.meta.append(body["params"].get("_meta", {}))
                done = self.result_of.get(name, {"content": [{"type": "text", "text": "done"}]})
                return {**done, **self.modern_fields()}
        return {}

    def modern_fields(self) -> dict[str, object]:
        return {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"} if self.kind == "modern" else {}

    def http(self, request: httpx2.Request, body: dict, session: str) -> httpx2.Response:
        if request.method == "DELETE":
            known = self.sessions.pop(session, False) is not False
            return httpx2.Response(200 if known else 404, request=request)
        rpc = body.get("method", "GET")
        if rpc == "server/discover" and self.kind != "modern":
            return httpx2.Response(400, text="Bad Request: Missing session ID", request=request)
        headers = {}
        if rpc == "initialize":
            self.number += 1
            session = f"{self.number:032x}"
            self.sessions[session] = None
            headers["mcp-session-id"] = session
        elif self.kind != "modern" and session not in self.sessions:
            status, text = UNKNOWN[self.dialect]
            kind = "application/json" if text[0] == "{" else "text/plain"
            return httpx2.Response(status, text=text, headers={"content-type": kind}, request=request)
        if request.method == "GET":
            stream = Stream()
            self.streams.append(stream)
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=stream, request=request)
        self.calls_by_session[session] += rpc == "tools/call"
        if "id" not in body:
            return httpx2.Response(202, request=request)
        return httpx2.Response(200, json=self.row(body), headers=headers, request=request)

    def sse(self, request: httpx2.Request, body: dict, session: str) -> httpx2.Response:
        if request.method == "GET":
            self.number += 1
            stream = Stream()
            stream.say("endpoint", f"/messages/?session_id={self.number:032x}")
            self.sessions[f"{self.number:032x}"] = stream
            self.streams.append(stream)
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=stream, request=request)
        if "session_id" not in request.url.params:
            return httpx2.Response(405, request=request)
        stream = self.sessions.get(session)
        if stream is None:
            return httpx2.Response(404, text="Could not find session", request=request)
        self.calls_by_session[session] += body.get("method") == "tools/call"
        if "id" in body:
            stream.say("message", json.dumps(self.row(body)))
        return httpx2.Response(202, request=request)

    def close_streams(self) -> None:
        for stream in self.streams:
            stream.send.close()
            stream.receive.close()


@pytest.fixture
def server() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.close_streams()


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def client(server: Scripted, events: list[Event]) -> Callable[..., ResilientClient]:
    """Make a client of the scripted server; a test's own settings replace these."""

    def made(**settings) -> ResilientClient:
        import random

        chosen = {
            "limits": PoolLimits(max_sessions=4, max_idle=60.0, max_lifetime=600.0, leak_after=30.0),
            "timeouts": Timeouts(total=30.0, acquire=10.0, open=5.0, call=1.0, close=2.0, note=1.0),
            "retry": RetryPolicy(),
            **settings,
        }
        return ResilientClient(
            "http://scripted.test/mcp", http=server, on_event=events.append, rng=random.Random(7), **chosen
        )

    return made
