import contextlib
import json
import logging
import random

import anyio
import httpx2
import pytest
from mcp import MCPError

from woolly_mcpdiag.client.errors import ResilienceError
from woolly_mcpdiag.client.policy import Fallback, RetryPolicy
from woolly_mcpdiag.client.resilient import ResilientClient
from woolly_mcpdiag.client.sinks import JsonLines, attributes
from woolly_mcpdiag.core.causes import catalogue
from woolly_mcpdiag.core.events import Event

pytestmark = pytest.mark.anyio
SECRET = "hunter2-swordfish"  # noqa: S105 - what must not be seen


async def test_a_failed_attempt_tells_who_what_where_how_long_why_and_what_to_do(server, client, events, caplog):
    async with client() as c:
        await c.call_tool("read", key="simplifier_1", agent="simplifier")
        server.fault = lambda rpc, _session: httpx2.ReadTimeout("") if rpc == "tools/call" else None
        with pytest.raises(ResilienceError) as given_up:
            await c.call_tool("write", key="simplifier_1", agent="simplifier")
    (failed,) = [event for event in events if event.kind == "call.failed"]
    assert (failed.key, failed.agent, failed.method) == ("simplifier_1", "simplifier", "tools/call")
    assert failed.session == f"{1:032x}"
    assert failed.duration is not None
    assert failed.error == "in_doubt"
    assert failed.extra["attempt"] == 1
    assert failed.extra["phase"] == "read"
    assert failed.extra["cause"] == "net.read-timeout"
    assert failed.extra["remedy"]
    assert "ReadTimeout" in failed.message, "an httpx ReadTimeout prints nothing by itself"
    assert failed.message in caplog.text
    assert given_up.value.hint
    assert given_up.value.attempts[0].phase == "read"


async def test_an_answer_that_ends_before_its_result_names_phase_and_cause(server, client):
    cut = httpx2.Response(200, text=": nothing\n\n", headers={"content-type": "text/event-stream"})
    async with client() as c:
        await c.call_tool("read")
        server.fault = lambda rpc, _session: cut if rpc == "tools/call" else None
        with pytest.raises(ResilienceError) as given_up:
            await c.call_tool("write")
    (attempt,) = given_up.value.attempts
    assert (attempt.phase, attempt.cause) == ("read", "session.stream-cut")


async def test_tool_arguments_results_and_credentials_reach_no_log_and_no_event(server, events, caplog):
    caplog.set_level(logging.DEBUG, logger="mcpdiag.client")
    echo = f'{{"jsonrpc":"2.0","id":1,"error":{{"code":-32600,"message":"bad argument {SECRET}"}}}}'
    answers = iter([None, 400, 500, 429, 404, 503])

    def fault(rpc, _session):
        status = next(answers, None) if rpc == "tools/call" else None
        if status is None:
            return None
        return httpx2.Response(status, text=echo, headers={"content-type": "application/json"})

    server.fault = fault
    url = f"http://user:{SECRET}@scripted.test/mcp?token={SECRET}"
    headers = {"authorization": f"Bearer {SECRET}"}
    retry = RetryPolicy(attempts=2)
    told, handed_on = [], []
    async with ResilientClient(
        url, http=server, headers=headers, on_event=events.append, retry=retry, rng=random.Random(1)
    ) as c:
        for tool in ("read", "write", "write", "write", "nothing", "read"):
            try:
                await c.call_tool(tool, {"password": SECRET, "query": SECRET})
            except ResilienceError as problem:
                told.append(str(problem) + problem.hint)
            except MCPError:
                handed_on.append(tool)
    assert handed_on == ["nothing"], "the server's own words are for the caller"
    assert len(told) >= 2
    assert SECRET not in "".join(told)
    assert {event.kind for event in events} >= {"call.done", "call.failed", "http.exchange", "session.ready"}
    assert SECRET not in "".join(event.to_json() for event in events)
    assert SECRET not in "".join(record.getMessage() for record in caplog.records if record.name == "mcpdiag.client")


async def test_every_call_ends_in_exactly_one_way(server, client, events):
    turn = iter(range(10_000))
    server.fault = lambda rpc, _session: 500 if rpc == "tools/call" and next(turn) % 3 == 0 else None

    async def degrade(_name, _arguments):
        return "memory"

    async with client(fallback=Fallback(call_tool=degrade)) as c, anyio.create_task_group() as tasks:

        async def call(tool) -> None:
            with contextlib.suppress(ResilienceError, MCPError):
                await c.call_tool(tool, agent=f"agent-{tool}")

        for number in range(60):
            tasks.start_soon(call, ("read", "write", "nothing")[number % 3])
    ends = [e for e in events if e.kind in {"call.done", "call.degraded"} or e.extra.get("then") == "handed on"]
    assert len(ends) == 60
    assert c.stats.ok + c.stats.app_errors + c.stats.degraded == 60
    leases = [event for event in events if event.kind == "call.failed"]
    assert all(event.extra["cause"] in catalogue() for event in leases if "cause" in event.extra)


async def test_every_event_can_be_written_and_read_again(server, client, events, tmp_path):
    path = tmp_path / "run.jsonl"
    with path.open("w", encoding="utf-8") as lines:
        async with client() as c:
            await c.call_tool("read", key="k", agent="a")
            server.forget()
            await c.call_tool("read")
        sink = JsonLines(lines)
        for event in events:
            sink(event)
    read = [Event.from_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert read == events
    assert len(read) > 10


async def test_times_of_events_never_step_back(server, client, events):
    async with client() as c:
        for _ in range(5):
            await c.call_tool("read")
    times = [event.time for event in events]
    assert times == sorted(times)


async def test_a_sink_that_raises_is_dropped_and_the_call_goes_on(server, caplog):
    told = []

    def sink(event):
        told.append(event)
        msg = "disk full"
        raise RuntimeError(msg)

    async with ResilientClient("http://scripted.test/mcp", http=server, on_event=sink) as c:
        await c.call_tool("read")
    assert len(told) == 1
    assert "disk full" in caplog.text


async def test_opentelemetry_names_what_it_has_names_for(server, client, events):
    async with client() as c:
        await c.call_tool("read", agent="simplifier")
    done = next(event for event in events if event.kind == "call.done")
    told = attributes(done)
    assert told["mcp.method.name"] == "tools/call"
    assert told["gen_ai.tool.name"] == "read"
    assert told["mcp.session.id"] == f"{1:032x}"
    assert told["gen_ai.agent.name"] == "simplifier"
    exchange = next(event for event in events if event.kind == "http.exchange" and event.status == 200)
    assert attributes(exchange)["http.response.status_code"] == 200
    assert attributes(exchange)["http.request.method"] == "POST"
    assert json.dumps(told)
