"""What no real server says: broken, late, wrong and hostile answers, and what becomes of the calls."""

import json
import threading
from dataclasses import replace

import pytest

from woolly_mcpdiag.load.engine import connection
from woolly_mcpdiag.load.plan import Model, Sessions

ONE = Model(concurrency=1, requests=1)
FEW = Model(concurrency=1, requests=4)


@pytest.fixture
def calls(peer, kit):
    """Run calls against a server whose answers to calls are scripted, the handshake being sound."""

    def run(answer, model=ONE, **facts):
        server = peer(lambda talk, asked: kit.handshake(talk, asked) or answer(talk, asked))
        return server, kit.run(kit.plan(server.url + "/mcp", model=model, stream=False, **facts))

    return run


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (b"\x15\x03\x01 no http at all\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\nnone", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<ht>", "protocol"),
        (b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n", "protocol"),
        (b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /mcp/\r\ncontent-length: 0\r\n\r\n", "http"),
        (b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy", "http"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9\r\n\r\ndata: x\n\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 4\r\n\r\n: x\n", "stream-cut"),
    ],
)
def test_an_answer_that_is_none_is_named(calls, said, outcome):
    _, ran = calls(lambda talk, _asked: talk.say(said))
    assert ran.outcomes == {outcome: 1}
    assert ran.in_flight == 0


@pytest.mark.parametrize(
    ("body", "outcome", "code"),
    [
        (b'{"jsonrpc":"2.0","id":999,"result":{}}', "protocol", 0),
        (b'{"jsonrpc":"2.0","id":%b}', "protocol", 0),
        (b'{"jsonrpc":"2.0","id":%b,"result":null}', "protocol", 0),
        (b'{"jsonrpc":"2.0","id":%b,"result":[1]}', "protocol", 0),
        (b'{"jsonrpc":"2.0","id":%b,"result":{"isError":1}}', "protocol", 0),
        (b'{"jsonrpc":"2.0","id":%b,"result":{"isError":false,"content":[]}}', "ok", 0),
        (b'{"jsonrpc":"2.0","id":%b,"result":{"content":[{"isError":true}]}}', "ok", 0),
        (b'{"jsonrpc":"2.0","id":%b,"result":{"isError":true,"content":[]}}', "tool-error", 0),
        (b'{"jsonrpc":"2.0","id":%b,"error":{"code":-32602,"message":"bad"}}', "rpc", -32602),
        (b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"bad"}}', "rpc", -32700),
        (b"[" * 5000, "protocol", 0),
    ],
)
def test_only_the_matching_result_without_is_error_is_a_success(calls, kit, body, outcome, code):
    def answer(talk, asked):
        talk.say(kit.plain(body.replace(b"%b", kit.number_of(asked))))

    _, ran = calls(answer)
    (found,) = ran.calls.outcomes
    assert (found.kind, found.code) == (outcome, code)


def test_an_event_stream_may_be_split_anywhere_and_say_other_things_first(calls, kit):
    replies = []

    def answer(talk, asked):
        if b'"result":{}' in asked or b"-32601" in asked:
            replies.append(json.loads(asked.partition(b"\r\n\r\n")[2]))
            talk.say(kit.plain(b"", b"202 Accepted"))
            return
        ping = b'{"jsonrpc":"2.0","id":"s1","method":"ping"}'
        sample = b'{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}'
        note = b'{"jsonrpc":"2.0","method":"notifications/message","params":{}}'
        stream = b"id: 1\ndata:\n\n" + b"".join(
            b"event: message\r\ndata: %b\r\n\r\n" % each for each in (ping, note, sample, kit.result_for(asked))
        )
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        data = head + b"".join(b"1\r\n%c\r\n" % byte for byte in stream) + b"0\r\n\r\n"
        talk.say(*(data[at : at + 7] for at in range(0, len(data), 7)))

    _, ran = calls(answer, FEW)
    assert ran.outcomes == {"ok": 4}
    assert [each.get("result") for each in replies if each["id"] == "s1"] == [{}] * 4
    assert [each["error"]["code"] for each in replies if each["id"] == 1] == [-32601] * 4


def test_an_answer_counts_before_its_stream_ends_and_the_next_call_does_not_wait(calls, kit):
    ended = threading.Event()

    def answer(talk, asked):
        event = b"data: " + kit.result_for(asked) + b"\n\n"
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        talk.say(head + b"%x\r\n%b\r\n" % (len(event), event))
        if kit.number_of(asked) == b"2":
            ended.wait(5)
        else:
            ended.set()
        talk.say(b"0\r\n\r\n")

    _, ran = calls(answer, Model(concurrency=1, requests=2))
    assert ran.outcomes == {"ok": 2}


def test_a_connection_closed_as_a_request_is_sent_is_a_disconnect(calls, kit):
    def answer(talk, asked):
        if kit.number_of(asked) == b"3":
            talk.hang_up()
        else:
            talk.say(kit.plain(kit.result_for(asked)))

    _, ran = calls(answer, FEW)
    assert ran.outcomes == {"ok": 3, "disconnect": 1}
    (sample,) = ran.samples
    assert sample.error == "RemoteProtocolError: Server disconnected without sending a response."
    assert '"method":"tools/call"' in sample.request
    exchange = next(e for e in map(json.loads, ran.events) if e["kind"] == "http.exchange" and "status" not in e)
    assert exchange["error"] == "RemoteProtocolError"
    assert exchange["session"] == "5e55"
    assert exchange["extra"]["reused"] is True


def test_a_connection_closed_while_idle_is_opened_again_without_a_failure(calls, kit):
    def answer(talk, asked):
        talk.say(kit.plain(kit.result_for(asked)))
        talk.hang_up()

    server, ran = calls(answer, replace(FEW, think=(0.02, 0.02)))
    assert ran.outcomes == {"ok": 4}
    assert server.accepted >= 4


def test_a_body_that_is_cut_off_is_a_disconnect(calls):
    def answer(talk, _asked):
        talk.say(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
        talk.hang_up()

    assert calls(answer)[1].outcomes == {"disconnect": 1}


def test_a_stream_that_is_cut_off_is_a_stream_cut(calls):
    def answer(talk, _asked):
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        talk.say(head + b"4\r\n: x\n\r\n")
        talk.hang_up()

    _, ran = calls(answer)
    assert ran.outcomes == {"stream-cut": 1}
    assert "incomplete chunked read" in ran.samples[0].error


def test_a_body_without_end_is_refused(calls, monkeypatch):
    monkeypatch.setattr(connection, "MOST_BODY", 1_000_000)
    monkeypatch.setattr(connection, "AT_ONCE", 10_000)

    def answer(talk, _asked):
        talk.say(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n", *[b" " * 50_000] * 100)

    _, ran = calls(answer)
    assert ran.outcomes == {"protocol": 1}
    assert "larger than 1000000 bytes" in ran.samples[0].error


def test_silence_is_a_timeout_and_the_next_call_has_a_connection_of_its_own(calls, kit):
    def answer(talk, asked):
        if kit.number_of(asked) != b"2":
            talk.say(kit.plain(kit.result_for(asked)))

    _, ran = calls(answer, FEW, limits=replace(kit.limits, call=0.1))
    assert ran.outcomes == {"timeout": 1, "ok": 3}
    assert ran.samples[0].error == "ReadTimeout: nothing within 0.1 s"


@pytest.mark.parametrize("said", [b"404 Not Found", b"400 Bad Request"])
def test_a_session_that_is_not_known_any_more_is_replaced(calls, kit, said):
    failing = [True]

    def answer(talk, asked):
        if kit.number_of(asked) == b"3" and failing:
            failing.clear()
            error = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Session not found"}}'
            talk.say(kit.plain(error, said))
        else:
            talk.say(kit.plain(kit.result_for(asked)))

    server, ran = calls(answer, FEW)
    assert ran.calls.ok == 3
    (failed,) = (outcome for outcome in ran.calls.outcomes if outcome.kind != "ok")
    assert (failed.kind, failed.status, failed.code) == ("http", int(said[:3]), -32600)
    assert ran.counter("sessions_opened") == 2
    assert sum(b'"initialize"' in asked for asked in server.asked) == 2


def test_a_birth_that_is_refused_fails_its_call_and_nothing_more_is_sent(peer, kit):
    server = peer(lambda talk, _asked: talk.say(kit.plain(b"Too many open sessions", b"503 Service Unavailable")))
    ran = kit.run(kit.plan(server.url + "/mcp", model=ONE))
    (outcome,) = ran.calls.outcomes
    assert (outcome.kind, outcome.status) == ("session", 503)
    assert ran.phase("initialize") == (0, 1)
    assert ran.counter("sessions_failed") == 1
    assert len(server.asked) == 1
    assert any("too-many-sessions" in event for event in ran.events)


def test_nothing_listening_is_no_connection(peer, kit):
    server = peer(lambda _talk, _asked: None)
    server.close()
    ran = kit.run(kit.plan(server.url + "/mcp", model=FEW))
    assert ran.outcomes == {"connect": 4}
    assert "ConnectError" in ran.samples[0].error


def test_a_name_that_is_none_is_a_dns_failure(kit):
    ran = kit.run(kit.plan("http://no-such-host.invalid/mcp", model=ONE))
    assert ran.outcomes == {"dns": 1}
    assert ran.phase("dns") == (0, 1)


def test_plain_http_under_an_https_url_is_a_tls_failure(real, kit):
    ran = kit.run(kit.plan(real.replace("http:", "https:") + "/plain/mcp", model=ONE))
    assert ran.outcomes == {"tls": 1}
    assert ran.phase("tls") == (0, 1)
    assert "WRONG_VERSION_NUMBER" in ran.samples[0].error


def test_a_tls_handshake_that_is_never_answered_ends_in_its_time(peer, kit):
    server = peer(lambda _talk, _asked: None)
    with_tls = server.url.replace("http:", "https:")
    ran = kit.run(kit.plan(with_tls + "/mcp", model=ONE, limits=replace(kit.limits, connect=0.1)))
    assert ran.outcomes == {"connect": 1}
    assert ran.samples[0].error == "ConnectTimeout: nothing within 0.1 s"


def test_a_request_carries_host_headers_session_and_version(calls, kit):
    secret = {"Authorization": "Bearer opensesame-77", "X-Team": "blue"}

    def answer(talk, asked):
        talk.say(kit.plain(b"no", b"403 Forbidden") if kit.number_of(asked) == b"2" else kit.plain(b""))

    server, ran = calls(answer, headers=secret)
    sent = server.asked[2].lower()
    assert b"post /mcp http/1.1\r\nhost: 127.0.0.1:" in sent
    for line in (b"authorization: bearer opensesame-77", b"x-team: blue", b"mcp-session-id: 5e55"):
        assert line + b"\r\n" in sent
    assert b"mcp-protocol-version: 2025-06-18\r\n" in sent
    assert b"accept-encoding" not in sent
    assert "opensesame" not in "".join(ran.events) + repr(ran.samples)


def test_a_call_that_outlives_the_drain_is_unfinished(calls, kit):
    limits = replace(kit.limits, call=60, drain=0.1)
    _, ran = calls(lambda _talk, _asked: None, Model(concurrency=2, duration=0.1), limits=limits)
    assert ran.counter("unfinished") == 2


def test_an_arrival_that_finds_nobody_free_is_dropped_and_latency_counts_from_its_instant(calls, kit):
    served = threading.Event()

    def answer(talk, asked):
        served.wait(0.3)
        served.set()
        talk.say(kit.plain(kit.result_for(asked)))

    model = Model(kind="open", rate=100, requests=40, max_in_flight=10)
    _, ran = calls(answer, model, sessions=Sessions(policy="shared"))
    assert ran.calls.ok + ran.counter("dropped") == 40
    assert ran.counter("dropped") > 0
    assert ran.calls.latency.greatest > ran.calls.service.greatest


def test_no_session_in_time_is_a_failure_of_the_pool(calls, kit):
    first = threading.Event()

    def answer(talk, asked):
        if first.is_set():
            talk.say(kit.plain(kit.result_for(asked)))
        first.set()

    plan = {"sessions": Sessions(policy="pool", size=1), "limits": replace(kit.limits, call=0.2)}
    _, ran = calls(answer, Model(concurrency=2, requests=2), **plan)
    assert ran.outcomes in ({"timeout": 1, "pool": 1}, {"timeout": 1, "ok": 1})
    assert sum(ran.phase("pool")) == 2


def test_a_wave_sends_its_first_bytes_once_all_its_connections_are_open(peer, kit):
    server = peer(lambda talk, asked: kit.handshake(talk, asked) or talk.say(kit.plain(kit.result_for(asked))))
    ran = kit.run(kit.plan(server.url + "/mcp", model=Model(kind="waves", waves=2, concurrency=6), stream=False))
    assert ran.outcomes == {"ok": 12}
    births = [step for step in ran.steps if step in {"connect", "initialize"}]
    assert births == (["connect"] * 6 + ["initialize"] * 6) * 2


def test_a_wave_with_a_400_is_told(calls, kit):
    _, ran = calls(lambda talk, _asked: talk.say(kit.plain(b"bad", b"400 Bad Request")), Model(kind="waves", waves=2))
    assert (ran.counter("waves"), ran.counter("waves_failed"), ran.counter("waves_400")) == (2, 2, 2)


def test_users_come_and_go_with_the_stages(calls, kit):
    from woolly_mcpdiag.load.plan import Stage

    server, ran = calls(
        lambda talk, asked: talk.say(kit.plain(kit.result_for(asked))),
        Model(stages=(Stage(duration=0.0, target=4), Stage(duration=0.3, target=1)), duration=0.5, think=(0.01, 0.01)),
    )
    assert set(ran.outcomes) == {"ok"}
    assert 4 <= ran.counter("sessions_opened") == ran.counter("sessions_closed")
    assert server.accepted >= 4
