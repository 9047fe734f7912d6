"""The agents API over httpx, against a real server."""

import json
from collections.abc import AsyncIterator

import anyio
import pytest

from woolly_mcpdiag.core.errors import McpdiagError
from woolly_mcpdiag.core.measures import Outcome
from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.plan import AgentTarget, CallSpec, Connection, Limits, Model, Plan
from woolly_mcpdiag.load.tasks import factory

pytestmark = pytest.mark.anyio
BODY = {"agent_type": "simplifier", "repository_name": "w", "user_query": "q"}


def agents(url: str, *, count: int = 2, body: dict | None = None, limits: Limits | None = None, **at) -> Plan:
    return Plan(
        calls=(CallSpec(kind="agent", method="POST", agent="simplifier", arguments=body or BODY),),
        agent=AgentTarget(at=Connection(url=url, **at)),
        client="http",
        model=Model(concurrency=count, requests=count),
        limits=limits or Limits(call=20.0),
    )


@pytest.fixture
async def answering(anyio_backend: str) -> AsyncIterator[dict]:
    """A server that says one thing to everybody; what it was asked is kept."""
    state: dict = {"says": b"", "asked": []}

    async def handle(client: anyio.abc.SocketStream) -> None:
        async with client:
            try:
                while True:
                    state["asked"].append(await client.receive(65536))
                    await client.send(state["says"])
                    if b"chunked" in state["says"]:
                        return
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        port = listener.listeners[0].extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - not of a database
        state["url"] = f"http://127.0.0.1:{port}/api/v1/agents/execute"
        yield state
        tasks.cancel_scope.cancel()
    await listener.aclose()


def http(status: str, body: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return ("\r\n".join([*lines, "", body])).encode()


async def test_a_run_that_failed_behind_200_is_a_failure(faulty, load) -> None:
    async with faulty("tool-error", client="per-call") as running:
        told = await load(agents(running.execute_url))
    assert told.outcomes == {Outcome("agent-error", 200): 2}
    assert all("ToolFailedError" in done.error and done.key.startswith("simplifier_") for done in told.calls)
    assert [one.status for one in told.exchanges] == [200, 200]


async def test_a_streamed_answer_is_read_to_its_end(healthy, load) -> None:
    told = await load(agents(healthy.execute_url, body=BODY | {"stream": True}))
    assert told.kinds == {"ok": 2}
    assert all(done.sent < done.first < done.ended for done in told.calls)


async def test_a_refusal_is_told_with_its_words(healthy, load) -> None:
    told = await load(agents(healthy.execute_url, body={"agent_type": "nobody"}, count=1))
    assert told.outcomes == {Outcome("http", 422): 1}
    (one,) = told.exchanges
    assert "choose from" in one.body
    assert '"nobody"' in one.request


async def test_a_redirect_is_told_and_not_followed(answering, load) -> None:
    answering["says"] = http("307 Temporary Redirect", "", "location: https://h.example/agents?token=abcdef")
    told = await load(agents(answering["url"], count=1))
    assert told.outcomes == {Outcome("http", 307): 1}
    assert "h.example/agents" in told.calls[0].error
    assert "abcdef" not in told.calls[0].error + str(told.exchanges)
    assert b"".join(answering["asked"]).count(b"POST ") == 1


async def test_a_stream_that_breaks_off_was_cut(answering, load) -> None:
    start = 'data: {"type":"start","agent_type":"simplifier"}\n\n'
    head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    answering["says"] = f"{head}{len(start):x}\r\n{start}\r\n".encode()
    told = await load(agents(answering["url"], count=1))
    assert told.kinds == {"stream-cut": 1}
    assert told.calls[0].first > 0


async def test_an_answer_that_never_comes_ends_with_the_limit(answering, load) -> None:
    told = await load(agents(answering["url"], count=1, limits=Limits(call=0.2)))
    assert told.kinds == {"timeout": 1}
    assert [one.status for one in told.exchanges] == [0]


async def test_headers_and_proxies_go_where_they_belong(answering, load) -> None:
    answering["says"] = http("400 Bad Request", json.dumps({"error": "no"}))
    proxy = answering["url"].partition("/api")[0]
    plan = agents("http://agents.invalid/run", count=1, proxy=proxy, headers={"X-Api-Key": "s3cret"})
    told = await load(plan)
    asked = answering["asked"][0].decode().lower()
    assert asked.startswith("post http://agents.invalid/run")
    assert "x-api-key: s3cret" in asked
    assert "s3cret" not in str(told.exchanges)
    assert told.outcomes == {Outcome("http", 400): 1}


async def test_nobody_listens(load) -> None:
    told = await load(agents("http://127.0.0.1:9/run", count=1))
    assert told.outcomes == {Outcome("connect"): 1}
    assert told.calls[0].error.startswith("ConnectError")
    assert told.phases["connect", True] == 1


@pytest.mark.parametrize("at", [{"proxy": "gopher://h"}, {"ca_file": "/nowhere.pem"}])
async def test_what_cannot_be_used_is_told_before_anything_is_sent(at) -> None:
    with pytest.raises(McpdiagError) as problem:
        factory(agents("http://h/", **at), Share(), None).prepare()
    assert next(iter(at.values())) in problem.value.message
