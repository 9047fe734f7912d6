import pytest
from hypothesis import given
from hypothesis import strategies as st

from woolly_mcpdiag.core.causes import catalogue
from woolly_mcpdiag.core.explain import rank


def names(status: int | None, text: str) -> list[str]:
    return [found.cause for found in rank(status, text)]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("PoolTimeout", "client.pool-exhausted"),
        ("httpcore.PoolTimeout: ", "client.pool-exhausted"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "net.tls-mismatch"),
        ("RuntimeError: Attempted to exit cancel scope in a different task", "client.closed-in-other-task"),
        ("asyncio.exceptions.CancelledError: Cancelled by cancel scope 7fb93ffb3090", "client.shared-object"),
        ("ConnectError: [Errno -2] Name or service not known", "net.dns"),
        ("httpx.ConnectError: All connection attempts failed", "net.refused"),
        ("ConnectTimeout", "net.connect-timeout"),
        ("RemoteProtocolError: Server disconnected without sending a response.", "net.keepalive-race"),
        ("OSError: [Errno 24] Too many open files", "server.fd-exhausted"),
        ("Exceeded concurrency limit.", "server.capacity"),
        ("Invalid Host header: mcp:8000", "transport.host-guard"),
        ("upstream timed out (110: Connection timed out) while reading response header", "proxy.timeout"),
        ("limiting requests, excess: 5.1 by zone mcp", "proxy.rate-limit"),
        ("GET stream disconnected, reconnecting in 1000ms...", "transport.get-stream-after-close"),
    ],
)
def test_an_exception_or_a_log_line_names_its_cause_first(text, cause):
    assert names(None, text)[0] == cause


@pytest.mark.parametrize(
    ("text", "causes"),
    [
        ("ClosedResourceError", {"session.stream-cut", "session.used-after-close"}),
        (
            "Received request before initialization was complete",
            {"session.used-before-ready", "session.reinitialized"},
        ),
        ("peer closed connection ... (incomplete chunked read)", {"session.stream-cut", "proxy.idle-cut"}),
    ],
)
def test_a_text_that_fits_two_causes_names_both_before_others(text, causes):
    assert set(names(None, text)[:2]) == causes


def test_an_unknown_session_leads_to_lost_no_affinity_and_restart():
    assert names(400, "No valid session ID provided")[:3] == [
        "session.lost",
        "session.no-affinity",
        "session.server-restarted",
    ]
    assert names(404, "Session not found")[0] == "session.lost"


def test_a_missing_session_leads_to_the_transport_and_the_harvested_id():
    for text in ("Missing session ID", "105"):
        assert names(400, text)[:2] == ["transport.mismatch", "session.harvested-from-400"]


def test_a_number_beside_a_status_is_the_size_of_the_body():
    assert names(404, "9")[0] == "transport.wrong-path"
    assert "9 bytes is the size of" in rank(404, "9")[0].reasons[0]
    assert rank(None, "105") == []


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (401, "auth.required"),
        (409, "session.stream-conflict"),
        (413, "transport.body-too-large"),
        (421, "transport.host-guard"),
        (429, "proxy.rate-limit"),
        (502, "proxy.upstream-down"),
        (504, "proxy.timeout"),
        (307, "transport.redirect"),
        (499, "client.gave-up"),
    ],
)
def test_a_status_alone_leads_to_its_most_typical_cause(status, cause):
    assert names(status, "")[0] == cause


def test_the_body_decides_between_the_causes_of_a_status():
    assert names(403, "Invalid Origin header")[0] == "transport.origin-guard"
    assert names(403, "Forbidden")[0] == "auth.forbidden"
    assert names(503, "Too many open sessions")[0] == "server.capacity"
    assert names(503, "Service Temporarily Unavailable")[0] == "proxy.rate-limit"


def test_a_text_under_a_status_it_never_comes_with_weighs_less():
    alone = {found.cause: found.score for found in rank(None, "Session not found")}
    odd = {found.cause: found.score for found in rank(502, "Session not found")}
    assert odd["session.no-affinity"] < alone["session.no-affinity"]


def test_what_no_cause_knows_gives_nothing():
    assert rank(418, "") == []
    assert rank(None, "short and stout") == []
    assert rank(None, "") == []


def test_every_cause_is_found_by_each_of_its_own_texts():
    for cause in catalogue().values():
        for text in cause.bodies:
            assert cause.name in names(None, text), (cause.name, text)


@given(st.none() | st.integers(100, 599), st.text(max_size=60))
def test_scores_fall_and_stay_within_0_and_1_and_have_a_reason(status, text):
    ranked = rank(status, text)
    assert [r.score for r in ranked] == sorted((r.score for r in ranked), reverse=True)
    assert all(0 < r.score <= 1 and r.reasons for r in ranked)
    assert len({r.cause for r in ranked}) == len(ranked)
