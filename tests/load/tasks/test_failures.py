"""What is raised, and what the wire saw, tells how a call ended."""

import anyio
import httpx
import httpx2
import pytest

from woolly_mcpdiag.client.errors import (
    AcquireTimeoutError,
    Attempt,
    CallRejectedError,
    CircuitOpenError,
    DeadlineExceededError,
    OpenFailedError,
)
from woolly_mcpdiag.client.outcome import Outcome as Result
from woolly_mcpdiag.core.measures import Outcome
from woolly_mcpdiag.load.tasks.failures import NoEndpointError, NoSessionError, judged, timed_out
from woolly_mcpdiag.wire.sdk import MCPError
from woolly_mcpdiag.wire.steps import Witness

REQUEST = httpx.Request("POST", "http://h/mcp")
BODY = '{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"Session not found"}}'


def status_error(status: int) -> Exception:
    response = httpx2.Response(status, request=httpx2.Request("GET", "http://h/sse"))
    return httpx2.HTTPStatusError(f"Client error '{status}'", request=response.request, response=response)


def attempt(status: int | None, cause: str = "") -> Attempt:
    return Attempt(
        number=1, outcome=Result.REJECTED, cause=cause, reason="", status=status, phase="read", session=1, elapsed=0.1
    )


@pytest.mark.parametrize(
    ("problem", "outcome"),
    [
        (httpx2.ConnectError("All connection attempts failed"), Outcome("connect")),
        (httpx.ConnectTimeout(""), Outcome("connect")),
        (httpx2.ConnectError("[Errno -2] Name or service not known"), Outcome("dns")),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"), Outcome("tls")),
        (httpx2.PoolTimeout(""), Outcome("pool")),
        (httpx.ReadTimeout(""), Outcome("timeout")),
        (TimeoutError(), Outcome("timeout")),
        (httpx2.ReadError(""), Outcome("disconnect")),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), Outcome("disconnect")),
        (httpx.RemoteProtocolError("peer closed connection (incomplete chunked read)"), Outcome("disconnect")),
        (anyio.ClosedResourceError(), Outcome("disconnect")),
        (status_error(503), Outcome("http", 503)),
        (NoEndpointError("none"), Outcome("protocol")),
        (NoSessionError("none"), Outcome("session")),
        (RuntimeError("x"), Outcome("client")),
        (ExceptionGroup("x", [ExceptionGroup("y", [status_error(404)])]), Outcome("http", 404)),
        (MCPError(-32602, "Invalid request parameters"), Outcome("rpc", 0, -32602)),
        (MCPError(-32000, "Connection closed"), Outcome("disconnect")),
        (MCPError(-32000, "SSE stream ended without a response"), Outcome("stream-cut")),
        (MCPError(-32600, "server answered a request with 202 Accepted"), Outcome("protocol")),
        (MCPError(-32000, "the index is closed"), Outcome("rpc", 0, -32000)),
        (AcquireTimeoutError("x", attempts=(attempt(503),)), Outcome("pool")),
        (CircuitOpenError("x"), Outcome("refused-locally")),
        (DeadlineExceededError("x"), Outcome("timeout")),
        (CallRejectedError("x", attempts=(attempt(404),)), Outcome("http", 404)),
        (OpenFailedError("x", cause="net.refused", attempts=(attempt(None, "net.refused"),)), Outcome("connect")),
        (OpenFailedError("x"), Outcome("session")),
    ],
    ids=lambda value: f"{type(value).__name__}-{value}"[:60],
)
def test_an_exception_has_one_meaning_and_a_text(problem: BaseException, outcome: Outcome) -> None:
    verdict = judged(problem, Witness())
    assert verdict.outcome == outcome
    assert verdict.error
    assert verdict.text


def test_a_status_that_the_sdk_hides_is_told() -> None:
    witness = Witness(refused=404, text=BODY)
    verdict = judged(MCPError(-32600, "Session terminated"), witness)
    assert verdict.outcome == Outcome("http", 404, -32600)
    assert "Session not found" in verdict.error


def test_a_transport_error_that_the_sdk_hides_is_told() -> None:
    witness = Witness(error="ReadError", detail="reset by peer")
    verdict = judged(MCPError(-32000, "Connection closed"), witness)
    assert (verdict.outcome, verdict.text) == (Outcome("disconnect"), "ReadError: reset by peer")


def test_a_connection_that_closes_with_its_stream_was_cut() -> None:
    assert judged(MCPError(-32000, "Connection closed"), Witness(), lost=True).outcome == Outcome("stream-cut")
    assert judged(anyio.ClosedResourceError(), Witness(), lost=True).outcome == Outcome("stream-cut")
    assert judged(httpx.ReadError("reset"), Witness(streaming=True)).outcome == Outcome("stream-cut")
    assert judged(httpx2.RemoteProtocolError("gone"), Witness(lost="gone")).outcome == Outcome("stream-cut")


@pytest.mark.parametrize(
    ("step", "kind", "error"),
    [
        ("pool", "pool", "PoolTimeout"),
        ("connect", "connect", "ConnectTimeout"),
        ("endpoint", "timeout", "ReadTimeout"),
        ("call", "timeout", "ReadTimeout"),
    ],
)
def test_a_limit_is_told_by_what_was_under_way(step: str, kind: str, error: str) -> None:
    verdict = timed_out(Witness(step=step), 2.5)
    assert (verdict.outcome, verdict.error, verdict.phase) == (Outcome(kind), error, step)
    assert "2.5 s" in verdict.text


def test_a_refusal_behind_a_time_out_is_told_with_it() -> None:
    verdict = timed_out(Witness(step="call", refused=404), 1.0)
    assert verdict.outcome == Outcome("timeout", 404)
    assert "HTTP 404" in verdict.text


def test_no_secret_is_told() -> None:
    verdict = judged(httpx2.ReadError("GET http://me:hunter22@h/?token=abc failed"), Witness())
    assert "hunter22" not in verdict.text + verdict.error
    assert "abc" not in verdict.text
