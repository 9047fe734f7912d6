import pytest

from woolly_mcpdiag.client.outcome import DIALECTS, Outcome, classify, stale_dialect
from woolly_mcpdiag.core.causes import catalogue
from woolly_mcpdiag.wire.exchange import Exchange

RPC = '{"jsonrpc":"2.0","id":null,"error":{"code":%d,"message":"%s"}}'
OLD = "Bad Request: No valid session ID provided"


def refused(status: int, text: str = "", session: str = "abc", content_type: str = "") -> Exchange:
    return Exchange(
        method="tools/call", failed=True, status=status, text=text, session=session, content_type=content_type
    )


@pytest.mark.parametrize(
    ("exchange", "outcome", "cause", "effect"),
    [
        # a session that is not known, in the words of each generation
        (refused(404, RPC % (-32600, "Session not found")), Outcome.STALE_SESSION, "session.lost", "ignore"),
        (
            refused(404, "Not Found: Session has been terminated"),
            Outcome.STALE_SESSION,
            "session.used-after-close",
            "ignore",
        ),
        (refused(400, OLD), Outcome.STALE_SESSION, "session.lost", "ignore"),
        (refused(400, RPC % (-32000, OLD)), Outcome.STALE_SESSION, "session.lost", "ignore"),
        (
            refused(400, RPC % (-32000, "Bad Request: Server not initialized")),
            Outcome.STALE_SESSION,
            "session.lost",
            "ignore",
        ),
        (refused(400, "Bad Request: Missing session ID"), Outcome.STALE_SESSION, "session.lost", "ignore"),
        (refused(404, "Could not find session", session=""), Outcome.STALE_SESSION, "session.lost", "ignore"),
        (refused(410), Outcome.STALE_SESSION, "session.lost", "ignore"),
        # the same statuses for other reasons
        (refused(404, "Not Found", session=""), Outcome.CONFIG, "transport.wrong-path", "ignore"),
        (refused(400, "Bad Request: Missing session ID", session=""), Outcome.CONFIG, "", "ignore"),
        (
            refused(400, "Bad Request: Unsupported protocol version: 2020"),
            Outcome.CONFIG,
            "transport.protocol-version",
            "ignore",
        ),
        (
            refused(400, RPC % (-32022, "x"), content_type="application/json"),
            Outcome.CONFIG,
            "transport.protocol-version",
            "ignore",
        ),
        (refused(400, "Could not parse message"), Outcome.CONFIG, "", "ignore"),
        (refused(404, RPC % (-32601, "x"), session="", content_type="application/json"), Outcome.APP_ERROR, "", "ok"),
        (refused(400, RPC % (-32602, "x"), session="", content_type="application/json"), Outcome.APP_ERROR, "", "ok"),
        # refused before anything ran
        (refused(429), Outcome.REJECTED, "proxy.rate-limit", "ignore"),
        (refused(503, "too many sessions"), Outcome.REJECTED, "server.capacity", "fail"),
        # it may have run
        (refused(500), Outcome.IN_DOUBT, "server.error", "fail"),
        (refused(502), Outcome.IN_DOUBT, "proxy.upstream-down", "fail"),
        (refused(504), Outcome.IN_DOUBT, "proxy.timeout", "fail"),
        (refused(599), Outcome.IN_DOUBT, "server.error", "fail"),
        # another try cannot help
        (refused(401), Outcome.CONFIG, "auth.required", "ignore"),
        (refused(403), Outcome.CONFIG, "auth.forbidden", "ignore"),
        (refused(403, "Invalid Origin header"), Outcome.CONFIG, "transport.origin-guard", "ignore"),
        (refused(405), Outcome.CONFIG, "transport.mismatch", "ignore"),
        (refused(406), Outcome.CONFIG, "transport.bad-accept", "ignore"),
        (refused(413), Outcome.CONFIG, "transport.body-too-large", "ignore"),
        (refused(421), Outcome.CONFIG, "transport.host-guard", "ignore"),
        (refused(307), Outcome.CONFIG, "transport.redirect", "ignore"),
    ],
    ids=lambda value: f"{value.status} {value.text[-45:]} {value.session}" if isinstance(value, Exchange) else "",
)
def test_a_refusal_is_judged_by_status_body_and_session(exchange: Exchange, outcome: Outcome, cause: str, effect: str):
    ruling = classify(exchange, RuntimeError("what the SDK makes of it"))
    assert (ruling.outcome, ruling.cause, ruling.effect) == (outcome, cause, effect)
    assert cause == "" or cause in catalogue()
    assert ruling.reason, "no empty messages"


def broken(error: str, detail: str = "", *, sent: bool = False, answered: bool = False) -> Exchange:
    return Exchange(method="tools/call", failed=True, error=error, detail=detail, sent=sent, answered=answered)


@pytest.mark.parametrize(
    ("exchange", "outcome", "cause", "effect"),
    [
        (broken("ConnectError", "All connection attempts failed"), Outcome.NOT_SENT, "net.refused", "fail"),
        (broken("ConnectError", "[Errno -2] Name or service not known"), Outcome.NOT_SENT, "net.dns", "fail"),
        (broken("ConnectError", "[SSL: WRONG_VERSION_NUMBER]"), Outcome.NOT_SENT, "net.tls-mismatch", "fail"),
        (broken("ConnectTimeout"), Outcome.NOT_SENT, "net.connect-timeout", "fail"),
        (broken("PoolTimeout"), Outcome.NOT_SENT, "client.pool-exhausted", "ignore"),
        (broken("UnsupportedProtocol"), Outcome.CONFIG, "", "ignore"),
        (broken("ReadTimeout", sent=True), Outcome.IN_DOUBT, "net.read-timeout", "fail"),
        (broken("ReadError", sent=True), Outcome.IN_DOUBT, "net.connection-cut", "fail"),
        (broken("RemoteProtocolError", sent=True, answered=True), Outcome.IN_DOUBT, "session.stream-cut", "fail"),
    ],
    ids=lambda value: f"{value.error} {value.detail}" if isinstance(value, Exchange) else "",
)
def test_a_transport_error_is_judged_by_whether_the_server_may_have_seen_the_request(exchange, outcome, cause, effect):
    ruling = classify(exchange, RuntimeError("Connection closed"))
    assert (ruling.outcome, ruling.cause, ruling.effect) == (outcome, cause, effect)
    assert ruling.reason, "an httpx ReadTimeout prints nothing by itself"
    assert ruling.suspect is (outcome is Outcome.IN_DOUBT)


def coded(code: int | None, *, answered: bool = True) -> Exchange:
    return Exchange(method="tools/call", answered=answered, code=code)


@pytest.mark.parametrize(
    ("exchange", "error", "outcome", "cause"),
    [
        (coded(None), None, Outcome.OK, ""),
        (coded(-32602), RuntimeError("no such tool"), Outcome.APP_ERROR, ""),
        (coded(-32000), RuntimeError("Connection closed"), Outcome.IN_DOUBT, "session.stream-cut"),
        (coded(-32000), RuntimeError("SSE stream ended without a response"), Outcome.IN_DOUBT, "session.stream-cut"),
        (coded(-32001), RuntimeError("Request 'tools/call' timed out"), Outcome.IN_DOUBT, "net.read-timeout"),
        (coded(-32000), RuntimeError("the vault is locked"), Outcome.APP_ERROR, ""),
        (coded(None), RuntimeError("Invalid structured content"), Outcome.APP_ERROR, ""),
        (coded(None, answered=False), RuntimeError("who knows"), Outcome.IN_DOUBT, ""),
        (Exchange(method="tools/call", timed_out=True), None, Outcome.IN_DOUBT, "net.read-timeout"),
        (
            Exchange(method="tools/call", status=307, location="http://elsewhere/mcp"),
            RuntimeError("x"),
            Outcome.CONFIG,
            "transport.redirect",
        ),
    ],
)
def test_what_the_sdk_says_counts_where_http_was_well(
    exchange: Exchange, error: Exception | None, outcome: Outcome, cause: str
):
    ruling = classify(exchange, error)
    assert (ruling.outcome, ruling.cause) == (outcome, cause)


def test_no_reason_repeats_what_a_body_or_an_error_may_echo():
    echoed = "value of the tool's argument"
    for exchange in (refused(400, echoed), refused(500, echoed), refused(404, echoed), coded(-32602), coded(-32000)):
        assert echoed not in classify(exchange, RuntimeError(echoed)).reason


def test_a_redirect_is_named_without_its_query():
    exchange = Exchange(method="x", status=307, location="https://user:pw@host/mcp?token=abc#f")
    ruling = classify(exchange, RuntimeError("x"))
    assert ruling.cause == "transport.redirect"
    assert "pw" not in ruling.reason
    assert "abc" not in ruling.reason


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: f"{dialect.status} {dialect.says}")
def test_every_dialect_is_reached_by_some_text(dialect):
    samples = [
        OLD,
        "Bad Request: Missing session ID",
        "Server not initialized",
        "Invalid session ID",
        "Session expired",
    ]
    samples += ["Session not found", "Session has been terminated", "Could not find session", "anything"]
    assert any(stale_dialect(dialect.status, text, "abc") is dialect for text in samples)
    assert dialect.cause in catalogue()
