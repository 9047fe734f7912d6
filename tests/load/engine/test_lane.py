"""The short cut counts what the long way counts, whatever comes between ordinary answers."""

import threading
from dataclasses import replace

import pytest

from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.engine import lane
from woolly_mcpdiag.load.engine.connection import Connection
from woolly_mcpdiag.load.engine.loop import NEVER, Loop
from woolly_mcpdiag.load.engine.place import Place
from woolly_mcpdiag.load.plan import CallSpec, Limits, Model, Plan
from woolly_mcpdiag.load.plan import Connection as Reached
from woolly_mcpdiag.load.recorder import ShardRecorder

CALLS = 60
PLAN = Plan(calls=(CallSpec(kind="mcp", name="x"),))


WAYS = {"short cut": ("the same", 0), "short cut, all told": ("the same", 1_000_000), "long way": ("the {i}th", 0)}


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def counted(request, peer, kit, monkeypatch):
    """Run calls that are the same each time, without and with an event of each success, and calls that vary."""
    text, events = request.param
    entered = []
    enter = lane.enter
    monkeypatch.setattr(lane, "enter", lambda *given: entered.append(enter(*given)) or entered[-1])

    def run(answer, **facts):
        def both(talk, asked):
            talk.told += 1
            if not kit.handshake(talk, asked):
                answer(talk, asked, int(kit.number_of(asked)))

        server = peer(both)
        facts = {"arguments": {"text": text}, "stream": False, **facts}
        plan = kit.plan(server.url + "/mcp", model=Model(concurrency=2, requests=CALLS), **facts)
        ran = kit.run(replace(plan, events_per_second=events))
        assert any(entered) == (text == "the same")
        return server, ran

    return run


def check(ran, **outcomes: int) -> None:
    assert ran.outcomes == outcomes
    assert ran.in_flight == 0
    assert ran.counter("started") == CALLS
    assert ran.calls.latency.count == ran.calls.service.count == ran.calls.first.count == outcomes["ok"]


def test_ordinary_answers_all_count(counted, kit):
    server, ran = counted(lambda talk, asked, _number: talk.say(kit.plain(kit.result_for(asked))))
    check(ran, ok=CALLS)
    assert ran.answers[200] == CALLS + 2 + 2
    numbers = [kit.number_of(asked) for asked in server.asked if b"tools/call" in asked]
    assert len(numbers) == CALLS
    assert server.accepted == 2


def test_numbers_go_on_beyond_a_thousand(peer, kit):
    server = peer(lambda talk, asked: kit.handshake(talk, asked) or talk.say(kit.plain(kit.result_for(asked))))
    plan = kit.plan(server.url + "/mcp", model=Model(concurrency=1, requests=2100), stream=False, arguments={"a": 1})
    ran = kit.run(replace(plan, events_per_second=0))
    numbers = [int(kit.number_of(asked)) for asked in server.asked if b"tools/call" in asked]
    assert numbers == list(range(2, 2102))
    assert (ran.outcomes, ran.counter("started")) == ({"ok": 2100}, 2100)


def test_a_deadline_that_is_brought_up_to_date_first_is_not_over():
    loop = Loop()
    line = Connection(
        loop, Place(Reached(url="http://127.0.0.1:9/")), Limits(), ShardRecorder(PLAN, Share(), wall=0.0), []
    )
    for instant, over in ((6.0, False), (4.0, True)):

        def note(instant=instant) -> None:
            line.deadline = instant

        line.deadline = 1.0
        line.read_by(lambda _mask: None, note)
        line.expire(5.0)
        assert (line.deadline == NEVER) == over
    loop.close()


def stream(body: bytes) -> bytes:
    event = b"event: message\r\ndata: " + body + b"\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(event), event)


def test_answers_as_event_streams_all_count(counted, kit):
    server, ran = counted(lambda talk, asked, _number: talk.say(stream(kit.result_for(asked))))
    check(ran, ok=CALLS)
    assert ran.answers[200] == CALLS + 2 + 2
    assert server.accepted == 2


def test_a_ping_within_each_answer_is_answered_each_time(peer, kit):
    ping = b'{"jsonrpc":"2.0","id":7,"method":"ping"}\r\n\r\nevent: message\r\ndata: '
    asked_back = []

    def answer(talk, asked):
        if kit.handshake(talk, asked):
            return
        if b'"method"' in asked:
            # The reply to the ping before it comes on another connection; without it this call is never answered.
            replied.acquire()
            asked_back.append(asked)
            talk.say(stream(ping + kit.result_for(asked)))
        else:
            replied.release()
            talk.say(kit.plain(b"", b"202 Accepted"))

    replied = threading.Semaphore(1)
    server = peer(answer)
    plan = kit.plan(server.url + "/mcp", model=Model(concurrency=1, requests=20), stream=False, arguments={"a": 1})
    assert kit.run(replace(plan, events_per_second=0)).outcomes == {"ok": 20}
    assert len(asked_back) == 20


@pytest.mark.parametrize("answered", [b'"id":4%d', b'"id":%d,"id":1'])
def test_an_event_that_answers_another_request_is_no_answer(counted, kit, answered):
    def answer(talk, asked, number):
        good = kit.result_for(asked)
        talk.say(stream(good.replace(b'"id":%d' % number, answered % (number % 10)) if number == 25 else good))

    _, ran = counted(answer)
    assert ran.outcomes == {"ok": CALLS - ran.outcomes["stream-cut"], "stream-cut": ran.outcomes["stream-cut"]}
    assert ran.outcomes["stream-cut"] in {1, 2}


def test_heads_and_lengths_that_change_do_not_matter(counted, kit):
    def answer(talk, asked, number):
        body = kit.result_for(asked, b'{"content":[],"x":"' + b"y" * (number % 3) + b'"}')
        talk.say(kit.plain(body, more=b"date: %d\r\n" % (number // 5)))

    check(counted(answer)[1], ok=CALLS)


def test_answers_in_pieces_count_as_well(counted, kit):
    def answer(talk, asked, number):
        whole = kit.plain(kit.result_for(asked))
        at = number % len(whole)
        talk.say(*((whole[:at], whole[at:]) if number % 4 == 0 and at else (whole,)))

    check(counted(answer)[1], ok=CALLS)


@pytest.mark.parametrize(
    ("result", "outcome"),
    [(b'"result":{"isError":true,"content":[]}', "tool-error"), (b'"error":{"code":-32603,"message":"x"}', "rpc")],
)
def test_a_failure_between_them_is_told(counted, kit, result, outcome):
    def answer(talk, asked, number):
        good = kit.result_for(asked)
        bad = b'{"jsonrpc":"2.0","id":%d,%b}' % (number, result)
        talk.say(kit.plain(bad if number % 10 == 0 else good))

    _, ran = counted(answer)
    assert ran.outcomes[outcome] == CALLS - ran.outcomes["ok"] >= 5
    assert ran.in_flight == 0


def test_an_answer_to_another_request_is_none(counted, kit):
    def answer(talk, asked, number):
        wrong = asked.replace(b'"id":%d' % number, b'"id":%d' % (number + 10))
        talk.say(kit.plain(kit.result_for(wrong if number == 25 else asked)))

    _, ran = counted(answer)
    assert ran.outcomes == {"ok": CALLS - ran.outcomes["protocol"], "protocol": ran.outcomes["protocol"]}
    assert ran.outcomes["protocol"] in {1, 2}


def test_a_connection_that_ends_between_them_fails_one_call(counted, kit):
    def answer(talk, asked, _number):
        if talk.told % 15 == 0:
            talk.hang_up()
        else:
            talk.say(kit.plain(kit.result_for(asked)))

    _, ran = counted(answer)
    assert set(ran.outcomes) == {"ok", "disconnect"}
    assert ran.outcomes["disconnect"] >= 3
    assert sum(ran.outcomes.values()) == CALLS


def test_a_session_that_is_lost_between_them_is_born_again(counted, kit):
    def answer(talk, asked, number):
        good = kit.plain(kit.result_for(asked))
        talk.say(kit.plain(b"Session not found", b"404 Not Found") if number == 20 else good)

    _, ran = counted(answer)
    # Who lost his with the last call has no use for another.
    assert 0 <= 2 + ran.outcomes["http"] - ran.counter("sessions_opened") <= 2
    assert ran.counter("sessions_opened") > 2
    assert sum(ran.outcomes.values()) == CALLS


def test_silence_between_them_is_a_timeout(counted, kit):
    def answer(talk, asked, number):
        if number != 12:
            talk.say(kit.plain(kit.result_for(asked)))

    _, ran = counted(answer, limits=replace(kit.limits, call=0.15))
    assert ran.outcomes == {"ok": CALLS - 2, "timeout": 2}
