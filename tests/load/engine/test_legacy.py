"""HTTP+SSE in detail: where to post, who answers, and what a cut stream means."""

import queue
from dataclasses import replace

import pytest

from woolly_mcpdiag.load.plan import Model

FEW = Model(concurrency=1, requests=3)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n\r\n"


class Legacy:
    """A scripted HTTP+SSE server of one session."""

    def __init__(self, kit, endpoint: str = "/m/?session_id=5e55", *, head: bytes = HEAD) -> None:
        self.kit, self.endpoint, self.head = kit, endpoint, head
        self.events: queue.Queue[bytes | None] = queue.Queue()
        self.answer = lambda asked: b"data: " + kit.result_for(asked) + b"\r\n\r\n"

    def __call__(self, talk, asked: bytes) -> None:
        if asked.startswith(b"GET"):
            talk.say(self.head)
            if self.endpoint:
                event = f"event: endpoint\r\ndata: {self.endpoint}\r\n\r\n".encode()
                talk.say(*(event[at : at + 3] for at in range(0, len(event), 3)))
            while (event := self.events.get()) is not None:
                talk.say(event)
            talk.hang_up()
            return
        if b'"initialize"' in asked:
            self.events.put(b"data: " + self.kit.result_for(asked, b'{"protocolVersion":"2024-11-05"}') + b"\n\n")
        elif b"notifications/" not in asked:
            self.events.put(self.answer(asked))
        talk.say(self.kit.plain(b"Accepted", b"202 Accepted"))


@pytest.fixture
def legacy(peer, kit):
    made = []

    def run(script, model=FEW, **facts):
        made.append(script)
        server = peer(script)
        script.url = server.url
        return server, kit.run(kit.plan(server.url + "/sse", transport="sse", model=model, **facts))

    yield run
    for script in made:
        script.events.put(None)


@pytest.mark.parametrize("endpoint", ["/m/?session_id=5e55", "m/?x=1&session_id=5e55", "?sessionId=5e55"])
def test_the_endpoint_may_be_relative_and_its_query_names_the_session(legacy, kit, endpoint):
    server, ran = legacy(Legacy(kit, endpoint))
    assert ran.outcomes == {"ok": 3}
    assert all(b"5e55" in asked.partition(b"\r\n")[0] for asked in server.asked if asked.startswith(b"POST"))
    assert any('"session.opened"' in event and '"5e55"' in event for event in ran.events)


@pytest.mark.parametrize("endpoint", ["http://elsewhere.example/m", "//elsewhere.example/m", "http://[/m"])
def test_an_endpoint_elsewhere_is_never_posted_to(legacy, kit, endpoint):
    server, ran = legacy(Legacy(kit, endpoint), replace(FEW, requests=1))
    assert ran.outcomes == {"session": 1}
    assert ran.phase("endpoint") == (0, 1)
    assert not any(asked.startswith(b"POST") for asked in server.asked)


def test_a_stream_without_an_endpoint_fails_in_its_time(legacy, kit):
    limits = replace(kit.limits, event=0.1)
    _, ran = legacy(Legacy(kit, ""), replace(FEW, requests=1), limits=limits)
    assert ran.outcomes == {"session": 1}
    assert "ReadTimeout" in ran.samples[0].error


def test_a_stream_that_is_cut_fails_the_calls_that_wait_on_it(legacy, kit):
    script = Legacy(kit)
    script.answer = lambda _asked: None
    _, ran = legacy(script, replace(FEW, requests=1))
    assert ran.outcomes == {"stream-cut": 1}
    assert "SSE stream" in ran.samples[0].error
    assert ran.counter("streams_cut") == 1


def test_an_answer_to_another_request_is_none_to_this_one(legacy, kit):
    script = Legacy(kit)
    script.answer = lambda _asked: b'data: {"jsonrpc":"2.0","id":77,"result":{}}\n\n'
    _, ran = legacy(script, replace(FEW, requests=1), limits=replace(kit.limits, call=0.2))
    assert ran.outcomes == {"timeout": 1}


def test_an_event_that_is_no_message_is_a_protocol_failure(legacy, kit):
    script = Legacy(kit)
    script.answer = lambda _asked: b"data: <html>\n\n"
    assert legacy(script, replace(FEW, requests=1))[1].outcomes == {"protocol": 1}


def test_a_refused_post_fails_its_call_at_once(peer, kit):
    script = Legacy(kit)

    def answer(talk, asked):
        if b"tools/call" in asked:
            talk.say(kit.plain(b"Could not find session", b"404 Not Found"))
        else:
            script(talk, asked)

    ran = kit.run(kit.plan(peer(answer).url + "/sse", transport="sse", model=replace(FEW, requests=1)))
    script.events.put(None)
    (outcome,) = ran.calls.outcomes
    assert (outcome.kind, outcome.status) == ("http", 404)


def test_a_get_that_is_no_event_stream_is_no_birth(peer, kit):
    server = peer(lambda talk, _asked: talk.say(kit.plain(b"{}")))
    ran = kit.run(kit.plan(server.url + "/sse", transport="sse", model=replace(FEW, requests=1)))
    assert ran.outcomes == {"session": 1}
    assert ran.phase("stream") == (0, 1)
