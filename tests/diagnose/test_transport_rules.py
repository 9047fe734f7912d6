"""What a transport rule must not say: of other traffic, of OAuth, of a second stream, of bare 503s, of other clocks."""

import json

import pytest

from woolly_mcpdiag.diagnose.casefile import Cell, CellKey
from woolly_mcpdiag.diagnose.endpoints import find
from woolly_mcpdiag.logs.batch import METHOD_CODE, Kind, Logger

HOST = "http://shop.example"
MCP = f"{HOST}/v1/mcp"


def stamp(at, hour=9):
    return f"2026-11-20 {hour:02d}:{int(at) // 60:02d}:{int(at) % 60:02d},{round(at % 1 * 1000):03d}"


def call(at, method, status, url=MCP, hour=9):
    return f'{stamp(at, hour)} INFO httpx: HTTP Request: {method} {url} "HTTP/1.1 {status} X"'


def client(at, text):
    return f"{stamp(at)} INFO mcp.client.streamable_http: {text}"


def opened(at, name="a"):
    return client(at, f"Received session ID: {ord(name):032x}")


def text(*lines):
    return "\n".join(lines) + "\n"


def causes(found):
    return {finding.cause: finding for finding in found.findings}


def working(at, hour=9, calls=3):
    """A handshake, a stream and some calls."""
    return [
        call(at, "POST", 200, hour=hour),
        call(at + 0.01, "POST", 202, hour=hour),
        call(at + 0.02, "GET", 200, hour=hour),
        *(call(at + 1 + number, "POST", 200, hour=hour) for number in range(calls)),
    ]


# Which addresses are MCP


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_plain_rest_traffic_is_not_diagnosed(judge, method):
    lines = [call(n / 10, method, (400, 200, 404)[n % 3], f"{HOST}/orders") for n in range(12)]
    found = judge(text(*lines))
    assert (found.requests, found.findings, found.ledgers) == (0, [], [])
    assert found.verdict == "No MCP request is in this log."


def cell(url, logger=Logger.HTTPX, method="POST"):
    return Cell(CellKey(0, Kind.CALL, logger, METHOD_CODE[method], 404, url), count=1)


def test_an_unusual_path_is_mcp_only_where_something_else_shows_mcp():
    urls = [f"{HOST}/agents", "https://api.openai.com/v1/responses"]
    assert find(urls, [cell(0), cell(1)], set()) == set()
    assert find(urls, [cell(0), cell(1)], set(), speaks_mcp=True) == {0}
    assert find(urls, [cell(0, Logger.HTTPX2)], set()) == {0}
    assert find(urls, [cell(0, Logger.HTTPX2, "GET")], set()) == set()


def test_addresses_of_oauth_are_never_mcp():
    urls = [f"{HOST}/.well-known/oauth-protected-resource/v1/mcp", f"{HOST}/token", f"{HOST}/mcp/register"]
    assert find(urls, [cell(n) for n in range(3)], set(), speaks_mcp=True) == set()


# OAuth


def challenge(at, *, token=True):
    found = [call(at, "POST", 401)]
    if token:
        found.append(call(at + 0.01, "GET", 404, f"{HOST}/.well-known/oauth-protected-resource/v1/mcp"))
        found.append(call(at + 0.02, "POST", 200, f"{HOST}/token"))
    return found


def test_a_401_that_a_token_answers_is_benign_each_time(judge):
    found = judge(text(*challenge(0), *working(1), *challenge(10), *working(11)))
    assert list(causes(found)) == ["auth.challenge"]
    assert causes(found)["auth.challenge"].count == 2
    assert found.requests == 14


def test_a_401_before_the_first_success_is_benign_without_a_token_in_the_log(judge):
    found = judge(text(*challenge(0, token=False), *working(1)))
    assert {name: finding.confidence for name, finding in causes(found).items()} == {"auth.challenge": "likely"}


def test_401s_after_success_that_no_token_answers_are_a_failure(judge):
    found = judge(text(*challenge(0), *working(1), *challenge(10, token=False), *challenge(11, token=False)))
    assert {name: finding.count for name, finding in causes(found).items()} == {"auth.challenge": 1, "auth.required": 2}


def test_a_client_that_is_refused_again_with_its_token_is_not_benign(judge):
    loop = [line for n in range(3) for line in challenge(10 + n)]
    found = judge(text(*working(0), *loop, call(20, "POST", 200)))
    assert causes(found)["auth.required"].count == 2


# Streams


def reopened(*, line):
    start = [call(0, "POST", 200), opened(0.01), call(0.02, "POST", 202), call(0.03, "GET", 200)]
    lost = [client(1, "GET stream disconnected, reconnecting in 1000ms...")] if line else []
    return [*start, *lost, call(2, "GET", 400), call(3, "POST", 200)]


@pytest.mark.parametrize(("line", "confidence"), [(True, "likely"), (False, "possible")])
def test_400_to_a_second_stream_of_a_living_session_is_a_stream_conflict(judge, line, confidence):
    found = causes(judge(text(*reopened(line=line))))
    assert {name: finding.confidence for name, finding in found.items()} == {"session.stream-conflict": confidence}
    assert "answers a second stream of a session with 400" in found["session.stream-conflict"].summary


def test_400_to_a_first_get_is_no_stream_conflict(judge):
    lines = [call(0, "POST", 200), call(0.02, "POST", 202), call(1, "DELETE", 200), call(2, "GET", 400)]
    assert "session.stream-conflict" not in causes(judge(text(*lines, call(3, "POST", 200))))


def test_405_to_get_is_a_server_without_streams(judge):
    found = causes(judge(text(call(0, "POST", 200), call(0.1, "GET", 405), call(1, "POST", 200))))
    assert list(found) == ["transport.no-get-stream"]


@pytest.mark.parametrize(("closed", "expected"), [(True, ["transport.get-stream-after-close"]), (False, [])])
def test_a_reconnect_line_is_noise_only_behind_the_delete(judge, closed, expected):
    end = [call(8, "DELETE", 200)] if closed else []
    found = judge(text(*working(0), *end, client(9, "GET stream disconnected, reconnecting in 1000ms...")))
    assert list(causes(found)) == expected
    assert "refused" not in found.verdict


# 503


def test_503_after_good_answers_is_only_possibly_a_limit_of_the_server(judge):
    found = causes(judge(text(*working(0), *(call(10 + n, "POST", 503) for n in range(5)))))["server.capacity"]
    assert found.confidence == "possible"
    assert "load balancer" in found.because[1]
    assert "rate limit" in found.because[2]
    assert not found.server.startswith("Raise")


def event(at, status, session=""):
    row = {"schema": "mcpdiag.event/1", "kind": "http.exchange", "time": 1.79e9 + at, "method": "POST", "url": MCP}
    return json.dumps(row | {"status": status, "role": "client"} | ({"session": session} if session else {}))


@pytest.mark.parametrize(("refused", "confidence"), [("", "likely"), ("b" * 32, "possible")])
def test_503_to_requests_without_a_session_alone_is_likely_a_limit(judge, refused, confidence):
    lines = [event(n, 200, "a" * 32) for n in range(5)]
    found = judge(text(*lines, event(6, 503, refused), event(7, 503, refused), event(8, 200, "a" * 32)))
    assert causes(found)["server.capacity"].confidence == confidence


def test_a_rate_limit_is_told_in_one_piece(judge):
    found = causes(judge(text(*working(0), call(9, "POST", 429), call(10, "POST", 429))))["proxy.rate-limit"]
    assert found.summary.startswith("2 requests were refused by a rate limit; 8 are in the log")


# Clocks of several inputs


def traffic(hour=9):
    return [*working(0, hour), *working(20, hour), call(40, "POST", 404, hour=hour)]


def proxied(zone="+0000"):
    found = []
    for line in traffic():
        moment, method, status = line[11:19], line.split()[6], line.split()[9]
        found.append(f'10.0.0.1 - - [20/Nov/2026:{moment} {zone}] "{method} /v1/mcp HTTP/1.1" {status} 90 "-" "x"')
    return found


@pytest.mark.parametrize("hour", [9, 11, 4])
def test_a_client_in_another_zone_is_joined_with_its_proxy(judge, hour):
    found = judge(text(*traffic(hour)), text(*proxied()))
    assert (found.requests, found.statuses[404]) == (13, 1)
    assert found.last - found.first == pytest.approx(40, abs=1)
    assert any("in another time zone" in note for note in found.notes) == (hour != 9)


def test_a_client_at_another_time_of_another_zone_stays_apart(judge):
    later = [line.replace(" 11:00:", " 11:07:") for line in traffic(11)]
    assert judge(text(*later), text(*proxied())).requests == 26


def test_the_same_log_twice_is_counted_once_and_said(judge):
    found = judge(text(*traffic()), text(*traffic(), ""))
    assert found.requests == 13
    assert any("counted once" in note for note in found.notes)


def test_two_clients_that_do_the_same_at_other_times_are_both_counted(judge):
    assert judge(text(*traffic()), text(*traffic(12))).requests == 26
