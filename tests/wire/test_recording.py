"""A recording transport tells what the wire saw, changes nothing, and keeps no secret."""

import gzip
import json
from collections.abc import AsyncIterator

import anyio
import httpx2
import pytest

from woolly_mcpdiag.wire.recording import Heard, Listener, Recording
from woolly_mcpdiag.wire.steps import WITNESS, Steps, Witness

pytestmark = pytest.mark.anyio
REFUSAL = b'{"error":{"code":-32600,"message":"Session not found","token":"s3cretvalue99"}}'
ENDPOINT = b"event: endpoint\r\ndata: /messages/?session_id=abc1\r\n\r\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Parts(httpx2.AsyncByteStream):
    """A body that comes in parts, and may break off."""

    def __init__(self, *parts: bytes | Exception) -> None:
        self.parts = parts
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            if isinstance(part, Exception):
                raise part
            yield part
            await anyio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        self.closed = True


class Wire(httpx2.AsyncBaseTransport):
    """Answers one after the other."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx2.Request] = []
        self.closed = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        said = self.answers.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    async def aclose(self) -> None:
        self.closed = True


class Ears:
    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.steps: list[tuple[str, bool]] = []
        self.lost: list[tuple[str, str]] = []

    @property
    def listener(self) -> Listener:
        return Listener(
            heard=self.heard.append,
            stepped=lambda name, _took, failed: self.steps.append((name, failed)),
            lost=lambda heard, error, _detail: self.lost.append((heard.session, error)),
        )


def client(wire: Wire, ears: Ears, **options) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=Recording(wire, ears.listener, **options), headers={"x-api-key": "k3y-value"})


def events(*parts: bytes | Exception) -> httpx2.Response:
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Parts(*parts))


async def test_a_success_is_told_by_its_headers_and_passed_on() -> None:
    ears, wire = Ears(), Wire(httpx2.Response(200, json={"x": 1}, headers={"mcp-session-id": "s1"}))
    async with client(wire, ears) as http:
        response = await http.post("http://h/mcp?token=t0ken", json={"method": "initialize", "id": 1})
    assert response.json() == {"x": 1}
    (heard,) = ears.heard
    assert (heard.verb, heard.status, heard.rpc, heard.session) == ("POST", 200, "initialize", "s1")
    assert "t0ken" not in heard.url
    assert heard.request == heard.body == heard.offered == ""
    assert wire.closed


async def test_a_refusal_is_told_with_its_body_and_passed_on_unchanged() -> None:
    headers = {"mcp-session-id": "ghost", "content-encoding": "gzip", "set-cookie": "c00kie"}
    packed = gzip.compress(REFUSAL)
    ears, wire = Ears(), Wire(httpx2.Response(400, headers=headers, stream=Parts(packed[:9], packed[9:])))
    async with client(wire, ears) as http:
        response = await http.post("http://h/mcp", json={"method": "tools/call", "params": {"arguments": {"a": "s3"}}})
    assert response.content == REFUSAL
    (heard,) = ears.heard
    assert "Session not found" in heard.body
    assert (heard.status, heard.session, heard.offered, heard.size) == (400, "", "ghost", len(packed))
    assert heard.request.startswith("POST http://h/mcp\n")
    assert "HTTP 400" in heard.response
    for secret in ("k3y-value", "c00kie", "s3cretvalue99", '"s3"'):
        assert secret not in heard.request + heard.response + heard.body


async def test_a_refusal_whose_body_breaks_off_is_told_and_breaks_off() -> None:
    ears, wire = Ears(), Wire(httpx2.Response(502, stream=Parts(b"Bad gat", httpx2.ReadError("reset"))))
    async with client(wire, ears) as http:
        with pytest.raises(httpx2.ReadError):
            await http.get("http://h/mcp")
    assert (ears.heard[0].status, ears.heard[0].body, ears.heard[0].size) == (502, "Bad gat", None)


async def test_a_failure_is_told_and_raised() -> None:
    ears, wire = Ears(), Wire(httpx2.ConnectError("refused by http://me:hunter22@h/"))
    async with client(wire, ears) as http:
        with pytest.raises(httpx2.ConnectError):
            await http.post("http://h/mcp", json={"method": "ping"})
    (heard,) = ears.heard
    assert (heard.status, heard.error, heard.rpc) == (0, "ConnectError", "ping")
    assert "hunter22" not in heard.detail


async def test_an_endpoint_event_names_the_session_of_its_stream() -> None:
    ears, wire = Ears(), Wire(events(ENDPOINT[:20], ENDPOINT[20:], httpx2.RemoteProtocolError("chunked read")))
    witness = Witness()
    WITNESS.set(witness)
    async with client(wire, ears, sse=True) as http, http.stream("GET", "http://h/sse") as response:
        with pytest.raises(httpx2.RemoteProtocolError):
            await response.aread()
    assert ears.steps == [("stream", False), ("endpoint", False)]
    assert ears.lost == [("abc1", "RemoteProtocolError")]
    assert (witness.session, witness.step) == ("abc1", "endpoint")
    assert witness.lost


async def test_a_stream_that_ends_after_its_session_was_deleted_is_not_lost() -> None:
    ears, stream = Ears(), events(b": ping\n\n")
    wire = Wire(stream, httpx2.Response(200), events(b": ping\n\n"))
    async with client(wire, ears) as http:
        async with http.stream("GET", "http://h/mcp", headers={"mcp-session-id": "s1"}) as response:
            await http.delete("http://h/mcp", headers={"mcp-session-id": "s1"})
            await response.aread()
        assert ears.lost == []
        await http.get("http://h/mcp", headers={"mcp-session-id": "s2"})
    assert ears.lost == [("s2", "")]


async def test_a_stream_that_is_closed_here_is_not_lost() -> None:
    ears, parts = Ears(), Parts(b": ping\n\n", b": ping\n\n")
    wire = Wire(httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=parts))
    headers = {"mcp-session-id": "s1"}
    async with client(wire, ears) as http, http.stream("GET", "http://h/mcp", headers=headers) as got:
        await anext(got.aiter_raw())
    assert ears.lost == []
    assert parts.closed


async def test_streams_can_be_refused_without_a_word_to_the_wire() -> None:
    ears, wire = Ears(), Wire()
    async with client(wire, ears, streams=False) as http:
        response = await http.get("http://h/mcp", headers={"mcp-session-id": "s1"})
    assert response.status_code == 405
    assert wire.asked == ears.heard == []


async def test_the_first_byte_belongs_to_the_answer_of_the_call() -> None:
    ears, witness = Ears(), Witness(method="tools/call")
    WITNESS.set(witness)
    wire = Wire(httpx2.Response(200, stream=Parts(b"[]")), httpx2.Response(200, stream=Parts(b"{}")))
    async with client(wire, ears) as http:
        await http.post("http://h/mcp", json={"method": "tools/list"})
        assert witness.first == 0
        await http.post("http://h/mcp", json={"method": "tools/call"})
    assert witness.first > 0
    assert [heard.witness for heard in ears.heard] == [witness, witness]


async def test_the_trace_tells_connecting_and_tls() -> None:
    told: list[tuple[str, bool]] = []
    witness = Witness(step="call")
    steps = Steps(lambda name, _took, failed: told.append((name, failed)), witness)
    for name in ("connect_tcp.started", "connect_tcp.complete", "start_tls.started"):
        await steps(f"connection.{name}", {})
    assert (witness.step, witness.sent) == ("tls", False)
    await steps("connection.start_tls.failed", {})
    assert witness.step == "tls"
    await steps("http11.send_request_headers.started", {})
    assert told == [("connect", False), ("tls", True)]
    assert steps.connected
    assert witness.sent


async def test_a_batch_or_an_odd_body_is_no_method() -> None:
    ears, wire = Ears(), Wire(httpx2.Response(202), httpx2.Response(202))
    async with client(wire, ears) as http:
        await http.post("http://h/mcp", content=json.dumps([1]))
        await http.post("http://h/mcp", content=b"\xff")
    assert [heard.rpc for heard in ears.heard] == ["", ""]
