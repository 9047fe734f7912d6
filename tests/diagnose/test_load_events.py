"""What only a load tells (who waited when, on which session, after which pause), beside the nearest rival."""

import json

MCP = "http://127.0.0.1:8009/mcp"
SSE = "http://127.0.0.1:8009/sse"
MESSAGES = "http://127.0.0.1:8009/messages/"
START = 1_770_000_000.0
UNKNOWN = '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Session not found"}}'


class Told:
    """A run log in the making. Each instant is that of the end."""

    def __init__(self):
        self.rows = []

    def event(self, kind, at, **facts):
        row = {"schema": "mcpdiag.event/1", "kind": kind, "time": START + at, "role": "client"}
        self.rows.append(row | {"logger": "mcpdiag.load"} | facts)

    def post(self, at, status, session, took=0.005, rpc="tools/call", url=MCP, **extra):
        facts = {"status": status} if status else {"error": "ReadError"}
        if status == 404:
            facts |= {"message": UNKNOWN, "size": len(UNKNOWN)}
        self.event(
            "http.exchange",
            at,
            method="POST",
            url=url,
            session=session,
            duration=took,
            extra={"rpc": rpc, **extra},
            **facts,
        )

    def opened(self, at, session, url=MCP):
        self.post(at, 200, session, rpc="initialize", url=url)
        self.event("session.opened", at + 0.0001, session=session, url=url)

    def session(self, at, session):
        """A birth that goes well; ready 10 ms after it began."""
        self.opened(at, session)
        self.post(at + 0.01, 202, session, rpc="notifications/initialized")

    def call(self, at, session, took=0.005, tool="search", sent=None):
        """A call that succeeds; ``sent`` is how long its request took, where the client kept it waiting."""
        self.post(at, 200, session, took if sent is None else sent)
        self.event("call.done", at, session=session, duration=took, message=f"tools/call {tool}")

    def failed(self, at, session, took=0.005, error="HTTPStatusError", message="tools/call search: failed", **extra):
        self.event("call.failed", at, session=session, duration=took, error=error, message=message, extra=extra)

    def lost(self, at, session, took=0.005):
        """A call whose session is unknown."""
        self.post(at, 404, session, took)
        self.failed(at, session, took, outcome="http")

    def text(self):
        """In the order of the ends, as a run writes them."""
        rows = sorted(self.rows, key=lambda row: row["time"])
        return "".join(json.dumps(row) + "\n" for row in rows)


def name(number):
    return f"{number + 1:032x}"


def named(judge, told):
    return {found.cause for found in judge(told.text()).findings if not found.benign}


def test_overlapping_calls_of_a_lost_session_are_not_known_and_unknown_in_turn(judge):
    told = Told()
    for number in range(6):
        begin, session = number * 0.5, name(number)
        told.session(begin, session)
        for step in range(5):
            told.call(begin + 0.02 + step * 0.01, session)
        # Sent before the loss and answered after a refusal.
        told.lost(begin + 0.1, session, took=0.004)
        told.call(begin + 0.13, session, took=0.06)
    assert named(judge, told) == {"session.lost"}


def test_calls_that_begin_after_a_refusal_and_succeed_are_of_another_worker(judge):
    told = Told()
    for number in range(6):
        begin, session = number * 0.5, name(number)
        told.session(begin, session)
        told.call(begin + 0.02, session)
        told.lost(begin + 0.1, session, took=0.004)
        told.call(begin + 0.13, session)
        told.lost(begin + 0.15, session)
    assert named(judge, told) == {"session.no-affinity"}


def test_sessions_that_others_workers_refuse_at_birth_explain_those_refused_later(judge):
    told = Told()
    for number in range(12):
        begin, session = number * 0.05, name(number)
        told.opened(begin, session)
        if number % 2:
            told.post(begin + 0.01, 404, session, rpc="notifications/initialized")
            continue
        told.post(begin + 0.01, 202, session, rpc="notifications/initialized")
        told.call(begin + 0.02, session)
        told.lost(begin + 0.03, session)
    assert named(judge, told) == {"session.no-affinity"}


def births(told, between):
    """Sessions refused at once; between birth and refusal other requests were sent, so many in turn."""
    for number in range(16):
        begin, session = number * 0.1, name(number)
        told.opened(begin, session)
        for other in range(between[number % len(between)]):
            told.opened(begin + 0.001 * (other + 1), name(1000 + number * 10 + other))
        told.post(begin + 0.01, 404, session, rpc="notifications/initialized")
        for other in range(between[number % len(between)]):
            told.post(begin + 0.02, 404, name(1000 + number * 10 + other), rpc="notifications/initialized")


def test_sessions_that_all_fail_at_birth_whatever_came_between_are_used_too_early(judge):
    told = Told()
    births(told, (0, 1, 2))
    assert named(judge, told) == {"session.used-before-ready"}


def test_sessions_that_all_fail_at_birth_one_after_the_other_may_be_sent_elsewhere_in_turn(judge):
    told = Told()
    births(told, (0,))
    assert named(judge, told) == {"session.no-affinity"}


def early(told, *, late_failures):
    for number in range(4):
        session = name(number)
        told.session(0.0, session)
        for step in range(10):
            at = 0.05 + 0.05 * step
            if at < 0.2 or (late_failures and step % 3 == 0):
                message = "tools/call search: rpc: MCPError: Invalid request parameters"
                told.post(at, 200, session)
                told.failed(at, session, error="McpError", message=message, code=-32602)
            else:
                told.call(at, session)


def test_an_error_that_only_young_sessions_get_is_used_before_ready(judge):
    told = Told()
    early(told, late_failures=False)
    assert named(judge, told) == {"session.used-before-ready"}


def test_the_same_error_at_any_age_is_not(judge):
    told = Told()
    early(told, late_failures=True)
    assert named(judge, told) == {"log.unexplained-failure"}


def test_nobody_answered_while_one_tool_runs_is_a_blocked_event_loop(judge):
    told = Told()
    told.call(0.01, name(0))
    for step in range(6):
        begin = 0.1 + step * 0.4
        told.call(begin + 0.3, name(1), took=0.3, tool="report")
        told.call(begin + 0.301, name(2), took=0.29)
        told.call(begin + 0.301, name(3), took=0.28)
        told.call(begin + 0.32, name(4))
    (found,) = judge(told.text()).findings
    assert (found.cause, found.count, found.confidence) == ("server.event-loop-blocked", 6, "likely")
    assert "`tools/call report` ran" in found.summary


def test_a_slow_tool_beside_which_others_are_answered_blocks_nothing(judge):
    told = Told()
    for step in range(6):
        begin = 0.1 + step * 0.4
        told.call(begin + 0.3, name(1), took=0.3, tool="report")
        for other in range(6):
            told.call(begin + 0.04 * other, name(2))
        told.call(begin + 0.301, name(3), took=0.05)
    assert named(judge, told) == set()


def test_calls_that_wait_for_a_session_in_their_client_do_not_wait_for_the_server(judge):
    told = Told()
    told.call(0.01, name(0))
    for step in range(6):
        begin = 0.1 + step * 0.4
        told.call(begin + 0.3, name(1), took=0.3, tool="report")
        told.call(begin + 0.305, name(1), took=0.3, sent=0.004)
    assert named(judge, told) == set()


def breaks(told, pause):
    for number in range(4):
        session = name(number)
        told.session(0.0, session)
        at = 0.02
        for step in range(6):
            at += pause
            if step % 3 == 2:
                told.post(at, 0, session, took=0.002, reused=True)
                told.failed(
                    at, session, took=0.002, error="RemoteProtocolError", message="tools/call search: disconnect"
                )
            else:
                told.call(at, session)


def test_requests_that_break_after_a_pause_on_kept_connections_are_the_race_however_many(judge):
    told = Told()
    breaks(told, 0.3)
    assert named(judge, told) == {"net.keepalive-race"}


def test_as_many_that_break_without_a_pause_are_not(judge):
    told = Told()
    breaks(told, 0.01)
    assert "net.keepalive-race" not in named(judge, told)


def losses(told, pause):
    """Users whose sessions are unknown after each pause, and who open new ones."""
    for user in range(5):
        at = 0.01 * user
        for born in range(5):
            session = name(user * 100 + born)
            told.session(at, session)
            for step in range(4):
                told.call(at + 0.02 + 0.03 * step, session)
            at += 0.11 + pause
            told.lost(at, session)
            at += 0.02


def test_short_pauses_before_each_loss_at_different_moments_are_an_idle_limit(judge):
    told = Told()
    losses(told, 0.3)
    assert named(judge, told) == {"session.idle-expired"}


def test_losses_of_busy_sessions_at_one_moment_are_a_restart(judge):
    told = Told()
    for user in range(5):
        told.session(0.01 * user, name(user))
        for step in range(20):
            told.call(0.05 + 0.05 * step + 0.005 * user, name(user))
        told.lost(1.06 + 0.005 * user, name(user))
    assert named(judge, told) == {"session.server-restarted"}


def cut(told, url):
    for number in range(3):
        begin, session = number * 0.05, name(number)
        told.event(
            "http.exchange", begin, method="GET", url=SSE if url == MESSAGES else MCP, status=200, session=session
        )
        told.event("session.opened", begin, session=session, url=SSE if url == MESSAGES else MCP)
        for step in range(4):
            told.post(begin + 0.01 + 0.05 * step, 202 if url == MESSAGES else 200, session, url=url)
        told.event(
            "stream.lost",
            begin + 0.3,
            session=session,
            url=SSE if url == MESSAGES else MCP,
            error="RemoteProtocolError",
            message="SSE stream: peer closed connection (incomplete chunked read)",
        )
        told.post(begin + 0.31, 404, session, url=url)
        told.failed(begin + 0.31, session)


def test_an_http_sse_session_is_unknown_once_its_stream_is_cut(judge):
    told = Told()
    cut(told, MESSAGES)
    assert named(judge, told) == {"session.stream-cut"}


def test_a_streamable_session_that_is_unknown_when_its_stream_ends_was_lost_with_the_server(judge):
    told = Told()
    cut(told, MCP)
    assert named(judge, told) & {"session.server-restarted", "session.lost"}
    assert "session.stream-cut" not in named(judge, told)


def test_agents_that_quote_a_failed_tool_name_it(judge):
    told = Told()
    for number in range(3):
        told.event(
            "agent.failed",
            number * 0.1,
            agent="tester",
            error="ToolFailedError",
            message="POST /execute: agent-error after 0.1 s: ToolFailedError: Error executing tool search: no index",
        )
    assert named(judge, told) == {"server.tool-error"}


def test_an_answer_that_quotes_the_request_behind_it_sends_the_reader_there(judge):
    told = Told()
    agents = "http://127.0.0.1:8000/api/v1/agents/execute"
    quoted = "MCP call failed: Client error '400 Bad Request' for url 'http://localhost:8009/sse/'"
    for number in range(6):
        status, said = (500, json.dumps({"detail": quoted})) if number % 2 else (200, "done")
        told.event(
            "http.exchange", number, method="POST", url=agents, status=status, size=97, agent="tester", message=said
        )
    told.event("call.failed", 5, agent="tester", error="HTTPStatusError", message=f"POST /execute: http 500: {quoted}")
    (found,) = judge(told.text()).findings
    assert found.cause == "server.error"
    assert "400 at http://localhost:8009/sse/" in found.summary
    assert "mcpdiag load http://localhost:8009/sse/" in found.client


def test_streams_torn_at_one_moment_tell_a_restart_whatever_the_silence_before(judge):
    told = Told()
    for number in range(5):
        begin, session = number * 0.02, name(number)
        told.session(begin, session)
        told.call(begin + 0.03, session)
        torn = "SSE stream: peer closed connection without sending complete message body (incomplete chunked read)"
        told.event(
            "stream.lost", 0.3 + number / 1e3, session=session, url=MCP, error="RemoteProtocolError", message=torn
        )
        told.lost(0.35 + begin / 10, session)
    assert named(judge, told) == {"session.server-restarted"}


def test_sessions_given_up_at_their_first_refusal_are_dealt_out_where_others_come_back(judge):
    told = Told()
    for number in range(16):
        begin, session = number * 0.1, name(number)
        told.session(begin, session)
        told.call(begin + 0.03, session)
        if number < 3:  # known and unknown in turn
            told.post(begin + 0.05, 404, session)
            told.post(begin + 0.07, 200, session)
            told.post(begin + 0.09, 404, session)
        else:
            told.lost(begin + 0.04 + 0.02 * (number % 5), session)
    assert named(judge, told) == {"session.no-affinity"}
