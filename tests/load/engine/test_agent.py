"""How a run of an agent is judged by what its API answers."""

import json

import pytest

from woolly_mcpdiag.load.plan import CallSpec, Model

JSON = [
    ({"content": "x", "metadata": {"duration_ms": 1}}, "ok"),
    ({"content": "x", "metadata": {"error": None}}, "ok"),
    ({"content": "x", "metadata": {"error": "boom"}}, "agent-error"),
    ({"error": {"type": "Timeout"}}, "agent-error"),
    ({"results": [{"metadata": {}}, {"metadata": {"error": "boom"}}], "total_agents": 2}, "agent-error"),
    ({"results": {"tester": {"content": "x"}, "simplifier": {"error": "boom"}}}, "agent-error"),
    ({"results": [{"metadata": {}}, {"content": "the word error"}]}, "ok"),
    ([1, 2], "ok"),
    ("boom", "ok"),
]


@pytest.mark.parametrize(("answer", "outcome"), JSON)
def test_an_error_within_a_200_is_a_failure(peer, kit, answer, outcome):
    server = peer(lambda talk, _asked: talk.say(kit.plain(json.dumps(answer).encode())))
    assert kit.run(kit.agent_plan(server.url + "/run")).outcomes == {outcome: 6}


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([{"type": "start"}, {"type": "content", "content": "x"}, {"type": "end", "metadata": {}}], "ok"),
        ([{"type": "start"}, {"type": "end", "metadata": {"error": "boom"}}], "agent-error"),
        ([{"type": "start"}, {"type": "content", "content": "x"}], "agent-error"),
        ([{"type": "error", "message": "boom"}], "agent-error"),
        ([{"delta": "x"}, {"delta": "y"}], "ok"),
    ],
)
def test_a_streamed_run_is_judged_by_its_events(peer, kit, events, outcome):
    body = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events) + b"data: [DONE]\n\n"
    half = len(body) // 2

    def answer(talk, _asked):
        talk.say(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        talk.say(b"%x\r\n%b\r\n" % (half, body[:half]), b"%x\r\n%b\r\n0\r\n\r\n" % (len(body) - half, body[half:]))

    ran = kit.run(kit.agent_plan(peer(answer).url + "/run"))
    assert ran.outcomes == {outcome: 6}
    assert outcome != "ok" or ran.calls.first.count == 6


def test_places_in_the_body_are_filled_in_for_each_run(peer, kit):
    server = peer(lambda talk, _asked: talk.say(kit.plain(b"{}")))
    kit.run(kit.agent_plan(server.url + "/run"))
    said = {json.loads(asked.partition(b"\r\n\r\n")[2])["user_query"] for asked in server.asked}
    assert said == {f"Test {i}" for i in range(6)}


def test_a_refusal_is_a_failure_with_its_status(peer, kit):
    server = peer(lambda talk, _asked: talk.say(kit.plain(b'{"detail":[]}', b"422 Unprocessable Entity")))
    ran = kit.run(kit.agent_plan(server.url + "/run"))
    (outcome,) = ran.calls.outcomes
    assert (outcome.kind, outcome.status) == ("http", 422)


def test_answers_that_look_like_good_ones_are_judged_by_what_they_say(peer, kit):
    good, bad = b'{"metadata":{"error":null}}', b'{"metadata":{"error":"up"}}'
    said = [
        kit.plain(good),
        kit.plain(good),
        kit.plain(bad),
        kit.plain(good),
        kit.plain(good, b"500 KO"),
        kit.plain(good),
    ]
    server = peer(lambda talk, _asked: talk.say(said[len(server.asked) - 1]))
    call = CallSpec(kind="agent", method="POST", agent="tester", arguments={"user_query": "the same"})
    ran = kit.run(kit.agent_plan(server.url + "/run", calls=(call,), model=Model(concurrency=1, requests=6)))
    assert ran.outcomes == {"ok": 4, "agent-error": 1, "http": 1}
    assert {asked.partition(b"\r\n\r\n")[2] for asked in server.asked} == {b'{"user_query":"the same"}'}
