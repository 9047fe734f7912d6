"""The short cut counts what the long way counts, whatever comes between ordinary answers."""

from dataclasses import replace

import pytest

from woolly_mcpdiag.load.plan import Model

CALLS = 60


@pytest.fixture(params=[0, 1_000_000], ids=["short cut", "long way"])
def counted(request, peer, kit):
    """Run calls with no event of a success written (nothing stops the short cut) and with all of them."""

    def run(answer, **facts):
        def both(talk, asked):
            talk.told += 1
            if not kit.handshake(talk, asked):
                answer(talk, asked, int(kit.number_of(asked)))

        server = peer(both)
        plan = kit.plan(server.url + "/mcp", model=Model(concurrency=2, requests=CALLS), stream=False, **facts)
        return server, kit.run(replace(plan, events_per_second=request.param))

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
