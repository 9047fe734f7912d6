"""What logs of other applications taught: the sign as they write it, and beside it what must not be taken for it."""

import pytest

MCP = "http://127.0.0.1:8009/mcp"
BOOM = "peer closed connection without sending complete message body (incomplete chunked read)"


def stamp(at):
    return f"2026-03-01 10:{int(at) // 60:02d}:{int(at) % 60:02d},{round(at % 1 * 1000):03d}"


def call(at, method, status, url=MCP):
    return f'{stamp(at)} INFO httpx: HTTP Request: {method} {url} "HTTP/1.1 {status} X"'


def said(at, text, level="ERROR"):
    return f"{stamp(at)} {level} app: {text}"


def log(*rows):
    return "\n".join(rows) + "\n"


def names(found):
    return {finding.cause: finding.confidence for finding in found.findings if not finding.benign}


def session(at, calls=3):
    return [
        call(at, "POST", 200),
        call(at + 0.01, "POST", 202),
        *(call(at + 0.1 * n, "POST", 200) for n in range(1, calls)),
    ]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("PoolTimeout('')", "client.pool-exhausted"),
        ("httpx.ConnectError('All connection attempts failed')", "net.refused"),
        ("ReadTimeout('')", "net.read-timeout"),
        ("ConnectTimeout()", "net.connect-timeout"),
    ],
)
def test_an_exception_written_as_its_repr_is_one(judge, error, cause):
    found = judge(log(*session(0), *(said(5 + n, f"job {n} failed: {error}") for n in range(3))))
    assert list(names(found)) == [cause]


def test_source_code_that_raises_is_no_failure(judge):
    assert not names(judge(log(*session(0), said(5, "model wrote: raise PoolTimeout(message)"))))


def test_a_redirect_that_nobody_follows_is_not_called_harmless(judge):
    alone = judge(log(*(call(n, "POST", 307, f"{MCP}/") for n in range(3)))).findings[0]
    both = [row for n in range(3) for row in (call(n, "POST", 307, f"{MCP}/"), call(n + 0.01, "POST", 200))]
    followed = judge(log(*both)).findings[0]
    assert (alone.cause, alone.severity, alone.confidence) == ("transport.redirect", "error", "likely")
    assert "pays twice" not in alone.summary
    assert (followed.severity, followed.confidence) == ("warning", "certain")
    assert "pays twice" in followed.summary


def posted(at, name, status=202):
    return call(at, "POST", status, f"http://127.0.0.1:8009/messages/?session_id={ord(name):032x}")


def test_streams_cut_one_by_one_after_the_same_silence_met_an_idle_limit(judge):
    rows = [call(0.1 * n, "GET", 200, "http://127.0.0.1:8009/sse") for n in range(3)]
    for number, name in enumerate("abc"):
        rows += [
            posted(1 + 1.7 * number, name),
            said(3.004 + 1.7 * number, f"Error in sse_reader: RemoteProtocolError: {BOOM}"),
        ]
    rows += [posted(0.5 * n, "d") for n in range(14)]
    found = judge(log(*sorted(rows)))
    assert names(found) == {"proxy.idle-cut": "likely"}
    assert "2.0 s after the last message" in found.findings[0].because[0]


@pytest.mark.parametrize(("at", "cause"), [(12.7, "session.stream-cut"), (15.02, "proxy.idle-cut")])
def test_one_cut_after_a_silence_is_an_idle_limit_only_where_limits_are_set(judge, at, cause):
    rows = [*session(0, 1), *(said(at + 0.001 * n, f"job {n}: RemoteProtocolError('{BOOM}')") for n in range(4))]
    assert list(names(judge(log(*rows)))) == [cause]


def test_streams_that_end_together_and_for_good_were_cut(judge):
    opened = [*session(0), call(0.02, "GET", 200), call(0.03, "GET", 200)]
    ended = [f"{stamp(9)} INFO mcp.client.streamable_http: GET stream disconnected, reconnecting in 1000ms..."] * 2
    assert names(judge(log(*opened, *ended))) == {"session.stream-cut": "likely"}
    assert not names(judge(log(*opened, *ended, call(10, "POST", 200))))
    assert not names(judge(log(*opened, call(8.9, "DELETE", 200), *ended)))


def served(*rows):
    lines = [f'INFO:     127.0.0.1:50000 - "{method} /mcp HTTP/1.1" {status} X' for method, status in rows]
    return "".join(f"{line}\n" for line in lines)


def test_sessions_of_which_nothing_is_ever_taken_lack_their_id(judge):
    rows = [("POST", 200), ("POST", 400), ("GET", 400), ("DELETE", 400)]
    assert names(judge(served(*rows * 6))) == {"session.missing-id": "likely"}
    half = [("POST", 200), ("POST", 202), ("GET", 400), ("POST", 200), ("POST", 400), ("DELETE", 400)]
    assert "session.missing-id" not in names(judge(served(*rows * 3, *half * 3)))


def test_what_an_application_quotes_of_an_answer_explains_the_400(judge):
    quoted = (
        "MCP error 400: Invalid Content-Type header",
        '{"error":{"code":-32700,"message":"Parse error: Expecting"}}',
    )
    causes = [list(names(judge(log(call(0, "POST", 400), said(0.01, f"answer {text}"))))) for text in quoted]
    assert causes == [["transport.bad-accept"], ["transport.bad-message"]]


def debug(at, status, size):
    head = f"(b'HTTP/1.1', {status}, b'X', [(b'content-length', b'{size}')])"
    return f"{stamp(at)} DEBUG httpcore.http11: receive_response_headers.complete return_value={head}"


def test_a_400_too_long_to_be_about_a_session_is_about_the_message(judge):
    rows = session(0)
    for at in (1.0, 1.1, 1.2):
        rows += [debug(at, 400, 1202), call(at, "POST", 400)]
    assert names(judge(log(*rows))) == {"transport.bad-message": "possible"}
    assert "transport.bad-message" not in names(judge(log(*(row.replace("1202", "41") for row in rows))))


def test_a_tool_that_failed_is_named_by_what_the_client_raises(judge):
    failed = ["Traceback (most recent call last):", "fastmcp.exceptions.ToolError: Unknown tool: 'x'"]
    assert names(judge(log(*session(0), said(1, "step 1 failed"), *failed))) == {"server.tool-error": "likely"}


def test_a_failed_tool_is_counted_once_where_its_server_logs_it_twice(judge):
    pair = ["Traceback (most recent call last):", "mcp.exceptions.UnexpectedToolError: Error executing tool boom"]
    rows = [row for n in range(3) for row in (said(n, "Tool 'boom' raised an unexpected exception"), *pair)]
    assert judge(log(*session(0), *rows)).findings[0].count == 3


def test_invalid_request_parameters_inside_a_200_may_be_an_early_request(judge):
    text = '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Invalid request parameters","data":""}}'
    assert names(judge(log(*session(0), said(1, f"tool failed: {text}")))) == {"session.used-before-ready": "possible"}


@pytest.mark.parametrize(
    ("status", "path", "expected"),
    [
        (401, "mcp", {"auth.required": "certain"}),
        (400, "sse", {"transport.mismatch": "possible"}),
        (409, "mcp", {"log.unexplained-failure": "certain"}),
        (404, "orders", {}),
    ],
)
def test_a_refusal_that_only_an_exception_tells_of_is_named(judge, status, path, expected):
    text = f"job failed: HTTPStatusError: Client error '{status} X' for url 'http://127.0.0.1:8009/{path}'"
    assert names(judge(log(said(0, text), said(1, text)))) == expected


def test_streams_without_posts_are_no_mismatch_where_the_posts_wait_in_the_pool(judge):
    rows = [call(0, "GET", 200, "http://127.0.0.1:8009/sse"), said(5, "job 1: PoolTimeout('')")]
    assert list(names(judge(log(*rows)))) == ["client.pool-exhausted"]


def test_all_refused_for_a_limit_are_not_said_to_be_beside_others(judge):
    full = [call(n, "POST", 503) for n in range(3)]
    found = judge(log(*full, said(3, "Too many open sessions"))).findings[0]
    assert (found.cause, "others were served" in found.summary) == ("server.capacity", False)


def test_a_proxys_two_logs_count_a_refusal_once(judge):
    access = '127.0.0.1 - - [01/Mar/2026:10:00:00 +0000] "POST /mcp HTTP/1.1" 403 153 "-" "x"\n' * 3
    error = '2026/03/01 10:00:00 [error] 1#1: *1 access forbidden by rule, client: 1, request: "POST /mcp HTTP/1.1"\n'
    found = judge(access, error * 3).findings[0]
    assert (found.cause, found.count, found.confidence) == ("auth.forbidden", 3, "certain")
    assert not any("Not told apart" in line for line in found.because)


def test_an_exception_of_the_sdk_shows_that_the_only_address_is_mcp(judge):
    failed = ["Traceback (most recent call last):", "mcp.shared.exceptions.MCPError: Not Found"]
    rows = [call(0, "POST", 404, "http://127.0.0.1:8009/tools"), said(1, "run 0 failed"), *failed]
    assert list(names(judge(log(*rows)))) == ["transport.wrong-path"]


def test_a_call_that_always_fails_is_not_intermittent_because_initialize_works(judge):
    rows = [("POST", 200), ("POST", 400), ("GET", 400), ("DELETE", 400)]
    same = next(one for one in judge(served(*rows * 6)).hypotheses if one.name == "deterministic")
    assert same.answer == "supported"
    mixed = [("POST", 200), ("POST", 202), ("POST", 200), ("POST", 400)]
    same = next(one for one in judge(served(*mixed * 6)).hypotheses if one.name == "deterministic")
    assert same.answer == "refuted"


def test_the_advice_for_a_server_that_went_away_is_not_about_idle_limits(judge):
    ended = [f"{stamp(9)} INFO mcp.client.streamable_http: GET stream disconnected, reconnecting in 1000ms..."] * 2
    assert "ping" not in judge(log(*session(0), call(0.02, "GET", 200), *ended)).findings[0].server
