import anyio
import httpx2
import pytest
from mcp import MCPError

from woolly_mcpdiag.client.degraded import META, is_degraded
from woolly_mcpdiag.client.errors import (
    AcquireTimeoutError,
    CallRejectedError,
    CircuitOpenError,
    ClientClosedError,
    DeadlineExceededError,
    InDoubtError,
    KeyLeasedError,
    OpenFailedError,
    ResilienceError,
    TooManyWaitersError,
)
from woolly_mcpdiag.client.outcome import Outcome
from woolly_mcpdiag.client.policy import BreakerPolicy, Fallback, PoolLimits, RetryPolicy, Timeouts
from woolly_mcpdiag.core.errors import UsageError

pytestmark = pytest.mark.anyio
HANG, RUN_THEN_CUT = "hang", "run then cut"
KINDS = pytest.mark.parametrize("kind", ["handshake", "modern", "sse"])
STILL = BreakerPolicy(failure_threshold=999, failure_rate=1.0, window=999, minimum_calls=999)


class Once:
    """A fault that hits a request of one kind once, or so many times."""

    def __init__(self, rpc: str, what: object, times: int = 1) -> None:
        self.rpc, self.what, self.left = rpc, what, times

    def __call__(self, rpc: str, _session: str) -> object:
        if rpc != self.rpc or self.left <= 0:
            return None
        self.left -= 1
        return self.what() if callable(self.what) else self.what


@pytest.fixture(autouse=True)
async def _bounded():
    with anyio.fail_after(4000):
        yield


@KINDS
async def test_a_hundred_tasks_share_a_few_sessions_and_leave_none_behind(server, client, kind):
    server.kind = kind
    async with client(limits=PoolLimits(max_sessions=4, max_opening=2)) as c, anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(c.call_tool, "read")
    assert server.ran["read"] == 100
    assert server.most_at_once <= 5
    if kind == "handshake":
        assert server.seen["initialize"] == 4
        assert server.seen["server/discover"] == 1, "one probe serves all"
        assert server.seen["DELETE"] == 4
        assert server.sessions == {}
    assert c.stats.size == 0


async def test_it_may_be_closed_from_another_task_than_it_was_opened_in(server, client):
    async with client() as c:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(c.call_tool, "read")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(c.aclose)
        with pytest.raises(ClientClosedError):
            await c.call_tool("read")
    assert server.sessions == {}


@KINDS
@pytest.mark.parametrize("error", [httpx2.ReadError("cut"), httpx2.ConnectError("no"), 503, 400], ids=repr)
async def test_one_bad_exchange_among_ten_fails_one(server, client, kind, error):
    server.kind = kind
    outcomes = []
    async with client() as c, c.session() as session:
        server.fault = Once("tools/call", error)

        async def call() -> None:
            try:
                await session.call_tool("read")
                outcomes.append("ok")
            except ResilienceError as problem:
                outcomes.append(type(problem).__name__)

        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(call)
        assert outcomes.count("ok") == 9
        await session.call_tool("read")


async def test_a_refused_post_on_sse_is_an_error_at_once_and_not_a_hang(server, client):
    server.kind = "sse"
    async with client() as c, c.session() as session:
        server.fault = Once("tools/call", 400)
        begun = anyio.current_time()
        with pytest.raises(CallRejectedError):
            await session.call_tool("read")
        assert anyio.current_time() - begun < 0.05


@KINDS
async def test_a_frozen_server_ends_each_call_at_its_time_out_and_a_thaw_is_noticed(server, client, kind):
    server.kind = kind
    async with client(retry=RetryPolicy(attempts=1), breaker=STILL) as c:
        await c.call_tool("read")
        server.fault = lambda rpc, _session: HANG if rpc != "GET" else None
        took = []
        for _ in range(3):
            begun = anyio.current_time()
            with pytest.raises(ResilienceError):
                await c.call_tool("read", deadline=2.0)
            took.append(anyio.current_time() - begun)
        assert max(took) <= 2.001
        assert took[0] == pytest.approx(1.0, abs=0.001)
        server.thawed()
        await c.call_tool("read")
        server.fault = lambda _rpc, _session: HANG
        begun = anyio.current_time()
    assert anyio.current_time() - begun <= 2.5


@KINDS
async def test_a_cancelled_call_ends_at_once_though_the_server_is_frozen(server, client, kind):
    server.kind = kind
    async with client() as c:
        await c.call_tool("read")
        server.fault = lambda _rpc, _session: HANG
        begun = anyio.current_time()
        with anyio.move_on_after(0.5):
            await c.call_tool("read")
        assert anyio.current_time() - begun == pytest.approx(0.5, abs=0.001)
        assert c.stats.leased == 0
        assert c.stats.cancelled == 1


async def test_opening_against_a_frozen_server_ends_at_the_open_time_out(server, client):
    server.fault = lambda _rpc, _session: HANG
    async with client(timeouts=Timeouts(open=3.0, close=1.0), retry=RetryPolicy(attempts=1)) as c:
        begun = anyio.current_time()
        with pytest.raises(OpenFailedError, match="no answer within 3 s"):
            await c.call_tool("read")
        assert anyio.current_time() - begun <= 3.01


@pytest.mark.parametrize("status", [429, 503, 500])
async def test_a_transient_refusal_of_the_probe_does_not_downgrade_the_era(server, client, status):
    server.kind = "modern"
    server.fault = Once("server/discover", status)
    async with client() as c:
        await c.call_tool("read")
        assert c.stats.era == "modern"
    assert server.seen["initialize"] == 0


async def test_a_probe_without_answer_does_not_downgrade_the_era(server, client):
    server.kind = "modern"
    server.fault = Once("server/discover", httpx2.ConnectError("no"))
    async with client() as c:
        await c.call_tool("read")
        assert c.stats.era == "modern"


async def test_the_transport_is_found_by_probing_and_pinned(server, client):
    server.kind = "sse"
    async with client() as c:
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(c.call_tool, "read")
        assert c.stats.transport == "sse"
    assert server.seen["server/discover"] == 1


@pytest.mark.parametrize("dialect", ["2.3", "1.9", "ts"])
async def test_a_forgotten_session_is_replaced_in_every_dialect(server, client, dialect):
    server.dialect = dialect
    async with client() as c:
        await c.call_tool("write")
        server.forget()
        await c.call_tool("write")
        assert c.stats.closed_by_reason["stale"] == 1
    assert server.ran["write"] == 2
    assert server.seen["initialize"] == 2
    assert server.seen["DELETE"] == 1, "no DELETE for a session that the server does not know"


async def test_an_sse_stream_that_ends_is_noticed_while_idle(server, client):
    server.kind = "sse"
    async with client() as c:
        await c.call_tool("write")
        server.forget()
        await anyio.sleep(0.1)
        assert c.stats.size == 0
        await c.call_tool("write")
    assert server.ran["write"] == 2


async def test_a_400_for_another_reason_is_no_lost_session(server, client):
    async with client() as c:
        await c.call_tool("read")
        server.fault = Once("tools/call", 400)
        with pytest.raises(CallRejectedError):
            await c.call_tool("read")
        assert c.stats.closed_by_reason == {}
    assert server.seen["initialize"] == 1


async def test_sessions_lost_at_once_are_replaced_one_for_one(server, client):
    async with client() as c:
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(c.call_tool, "read")
        opened = server.seen["initialize"]
        server.forget()
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(c.call_tool, "write")
    assert server.ran["write"] == 20
    assert server.seen["initialize"] - opened <= 4 + 1


async def test_new_sessions_that_are_lost_at_once_are_diagnosed_as_missing_affinity(server, client):
    server.fault = lambda rpc, session: server.sessions.clear() if rpc == "tools/call" else None
    async with client() as c:
        with pytest.raises(CallRejectedError, match="3 new sessions in a row") as refused:
            await c.call_tool("read")
        assert refused.value.cause == "session.no-affinity"
        assert len(refused.value.attempts) == 3


async def test_what_may_have_been_done_is_not_repeated(server, client):
    async with client() as c:
        server.fault = Once("tools/call", RUN_THEN_CUT)
        with pytest.raises(InDoubtError, match="it may have been carried out") as doubt:
            await c.call_tool("write")
        assert server.ran["write"] == 1
        assert doubt.value.attempts[0].outcome is Outcome.IN_DOUBT


@pytest.mark.parametrize("how", ["annotated", "declared", "said"])
async def test_what_may_be_repeated_is_repeated_on_another_session(server, client, how):
    retry = RetryPolicy(idempotent={"wri*"} if how == "declared" else frozenset())
    async with client(retry=retry) as c:
        server.fault = Once("tools/call", RUN_THEN_CUT)
        tool = "read" if how == "annotated" else "write"
        await c.call_tool(tool, idempotent=True if how == "said" else None)
        assert server.ran[tool] == 2
        assert c.stats.repeated_in_doubt == 1
        assert c.stats.closed_by_reason == {"suspect": 1}
    assert len([each for each in server.calls_by_session.values() if each]) == 2


async def test_annotations_need_not_be_trusted(server, client):
    async with client(retry=RetryPolicy(trust_annotations=False)) as c:
        server.fault = Once("tools/call", RUN_THEN_CUT)
        with pytest.raises(InDoubtError):
            await c.call_tool("read")


async def test_what_was_not_sent_is_repeated_whatever_it_is(server, client):
    async with client() as c:
        await c.call_tool("read")
        server.fault = Once("tools/call", lambda: httpx2.ConnectError("no"), times=2)
        await c.call_tool("write")
    assert server.ran["write"] == 1


@pytest.mark.parametrize("after", ["7", "Thu, 01 Jan 2099 00:00:00 GMT"])
async def test_retry_after_is_waited_for_or_ends_the_call_at_once(server, client, after):
    async with client() as c:
        await c.call_tool("read")
        server.fault = Once("tools/call", lambda: httpx2.Response(429, headers={"retry-after": after}))
        begun = anyio.current_time()
        if after == "7":
            await c.call_tool("write")
            assert 7.0 <= anyio.current_time() - begun <= 7.2
        else:
            with pytest.raises(DeadlineExceededError) as late:
                await c.call_tool("write")
            assert anyio.current_time() - begun < 0.1
            assert late.value.retry_after > 1e9
            assert late.value.cause == "proxy.rate-limit"


async def test_a_call_ends_at_its_deadline_whatever_it_waits_for(server, client):
    server.fault = lambda _rpc, _session: HANG
    async with client() as c:
        begun = anyio.current_time()
        with pytest.raises(ResilienceError):
            await c.call_tool("read", deadline=12.0)
        assert anyio.current_time() - begun <= 12.01


async def test_waiting_for_a_session_ends_with_what_is_known(server, client):
    async with client(limits=PoolLimits(max_sessions=1), timeouts=Timeouts(acquire=2.0)) as c:
        async with c.session():
            with pytest.raises(AcquireTimeoutError, match="1 on loan"):
                await c.call_tool("read")
        await c.call_tool("read")


async def test_one_waiter_too_many_is_refused_at_once(server, client):
    limits = PoolLimits(max_sessions=1, max_waiting=1)
    async with client(limits=limits) as c, anyio.create_task_group() as tasks, c.session():
        tasks.start_soon(c.call_tool, "read")
        await anyio.sleep(0.1)
        begun = anyio.current_time()
        with pytest.raises(TooManyWaitersError):
            await c.call_tool("read")
        assert anyio.current_time() == begun


async def test_an_open_circuit_refuses_at_once_and_says_when_it_is_tried_again(server, client):
    async with client(failure_threshold=2, recovery_timeout=60.0, retry=RetryPolicy(attempts=1)) as c:
        await c.call_tool("read")
        server.fault = lambda rpc, _session: 500 if rpc == "tools/call" else None
        for _ in range(2):
            with pytest.raises(InDoubtError):
                await c.call_tool("read")
        sent = server.seen["tools/call"]
        begun = anyio.current_time()
        with pytest.raises(CircuitOpenError, match="tried again in 60 s") as open_:
            await c.call_tool("read")
        assert open_.value.retry_after == pytest.approx(60.0)
        assert anyio.current_time() == begun
        assert server.seen["tools/call"] == sent
        server.fault = lambda _rpc, _session: None
        await anyio.sleep(60.0)
        await c.call_tool("read")
        assert c.stats.breaker == "closed"


async def test_waiting_for_a_breaker_costs_neither_attempts_nor_budget(server, client):
    async with client(breaker=BreakerPolicy(failure_threshold=2, open_for=2.0)) as c:
        await c.call_tool("read")
        server.fault = Once("tools/call", 500, times=2)
        async with anyio.create_task_group() as tasks:
            for _ in range(12):
                tasks.start_soon(c.call_tool, "read")
        assert c.stats.ok == 13
        assert c.stats.retries <= 4
        assert c.stats.failed == 0


async def test_an_open_circuit_ends_the_wait_of_those_in_the_queue(server, client):
    limits = PoolLimits(max_sessions=1)
    async with client(limits=limits, failure_threshold=1, recovery_timeout=60.0) as c:
        await c.call_tool("read")
        server.fault = lambda rpc, _session: 500 if rpc == "tools/call" else None
        ends = []

        async def call() -> None:
            with pytest.raises(ResilienceError):
                await c.call_tool("write")
            ends.append(anyio.current_time())

        begun = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(call)
        assert max(ends) - begun < 0.1


async def test_a_full_local_connection_pool_never_opens_the_circuit(server, client):
    async with client(failure_threshold=1, recovery_timeout=60.0) as c:
        await c.call_tool("read")
        server.fault = Once("tools/call", lambda: httpx2.PoolTimeout("full"), times=3)
        await c.call_tool("read")
        assert c.stats.breaker == "closed"


async def test_a_server_that_is_down_is_not_opened_in_a_loop(server, client):
    server.fault = lambda _rpc, _session: httpx2.ConnectError("no")
    async with client(failure_threshold=5, recovery_timeout=60.0) as c, anyio.create_task_group() as tasks:

        async def call() -> None:
            with pytest.raises(ResilienceError):
                await c.call_tool("read")

        for _ in range(50):
            tasks.start_soon(call)
    assert sum(server.seen.values()) <= 8


async def test_the_servers_own_error_is_handed_on_as_it_is(server, client):
    async with client() as c:
        await c.call_tool("read")
        with pytest.raises(MCPError, match="no such tool"):
            await c.call_tool("nothing")
        assert c.stats.app_errors == 1
        assert c.stats.breaker == "closed"


async def test_a_fallback_is_used_after_giving_up_only_and_marked(server, client):
    asked = []

    async def degrade(name, arguments):
        asked.append((name, dict(arguments)))
        return "from memory"

    fallback = Fallback(list_tools="stale", call_tool=degrade)
    async with client(fallback=fallback, retry=RetryPolicy(attempts=2)) as c:
        await c.list_tools()
        await anyio.sleep(5.0)
        server.fault = Once("tools/call", 500)
        assert not is_degraded(await c.call_tool("read", {"a": 1}))
        assert asked == []
        server.fault = lambda rpc, _session: 500 if rpc != "DELETE" else None
        result = await c.call_tool("read", {"a": 1})
        assert result.content[0].text == "from memory"
        assert result.meta[META] == {"source": "function"}
        assert asked == [("read", {"a": 1})]
        listed = await c.list_tools()
        assert [tool.name for tool in listed.tools] == ["read", "write"]
        assert 5.0 <= listed.meta[META]["age"] < 10.0
        assert c.stats.degraded == 2
        assert c.stats.failed == 0
        assert c.stats.success_rate == pytest.approx(2 / 4)


async def test_closing_lets_running_calls_end_refuses_new_ones_and_says_goodbye_once(server, client):
    server.latency = 0.5
    async with client() as c, anyio.create_task_group() as tasks:
        await c.warm(2)
        tasks.start_soon(c.call_tool, "read")
        await anyio.sleep(0.1)
        assert await c.aclose() == 0
        with pytest.raises(ClientClosedError):
            await c.call_tool("read")
    assert server.ran["read"] == 1
    assert server.seen["DELETE"] == 2
    assert server.sessions == {}


async def test_an_exception_in_the_block_comes_out_unchanged_and_leaves_no_session(server, client):
    async def fails() -> None:
        async with client() as c:
            await c.call_tool("read")
            {}["mine"]

    with pytest.raises(KeyError, match="mine"):
        await fails()
    assert server.sessions == {}


async def test_a_cancelled_block_still_says_goodbye_within_the_close_time_out(server, client):
    begun = anyio.current_time()
    with anyio.move_on_after(1.0):
        async with client() as c:
            await c.call_tool("read")
            await anyio.sleep(1000)
    assert server.sessions == {}
    assert anyio.current_time() - begun < 2.0


async def test_a_session_that_is_still_being_opened_at_the_end_is_not_left_behind(server, client):
    server.latency = 0.2
    async with client() as c, anyio.create_task_group() as tasks:
        tasks.start_soon(c.call_tool, "read")
        await anyio.sleep(0.7)
        tasks.cancel_scope.cancel()
    assert server.sessions == {}


async def test_a_key_gets_its_session_again_and_no_two_keys_share_one(server, client):
    async with client() as c:
        ids = {}
        for key in ("a", "b", "a", "b"):
            async with c.session(key) as session:
                ids.setdefault(key, set()).add(session.id)
        assert [len(each) for each in ids.values()] == [1, 1]
        assert ids["a"] != ids["b"]


async def test_fresh_sessions_are_used_once(server, client):
    async with client(reuse="fresh") as c:
        for _ in range(3):
            await c.call_tool("read")
    assert server.seen["initialize"] == 3
    assert server.seen["DELETE"] == 3


async def test_a_key_cannot_be_borrowed_twice_at_once(server, client):
    async with client() as c, c.session("a") as first:
        with pytest.raises(KeyLeasedError, match="session key a: on exclusive loan already"):
            async with c.session("a"):
                pass
        first.invalidate()
    assert c.stats.closed_by_reason == {"invalidated": 1}


async def test_a_borrowed_session_is_of_no_use_after_the_loan(server, client):
    async with client() as c:
        async with c.session() as session:
            await session.call_tool("read")
        with pytest.raises(UsageError, match="given back"):
            await session.call_tool("read")


async def test_idle_sessions_are_gone_before_the_server_forgets_them(server, client):
    async with client(limits=PoolLimits(max_idle=60.0)) as c:
        await c.call_tool("read")
        await anyio.sleep(80.0)
        assert c.stats.size == 0
        assert server.sessions == {}
        await c.call_tool("read")
        assert c.stats.retries == 0


async def test_a_loan_that_lasts_is_reported(server, client, events):
    async with client(limits=PoolLimits(leak_after=30.0)) as c, c.session("mine"):
        await anyio.sleep(100.0)
    leaks = [event for event in events if event.kind == "lease.leaked"]
    assert [event.key for event in leaks] == ["mine"]
    assert "test_a_loan_that_lasts_is_reported" in leaks[0].message or leaks[0].extra["task"]


@KINDS
async def test_readiness_means_that_a_first_request_was_answered(server, client, kind):
    server.kind = kind
    async with client() as c:
        assert await c.ensure_session_ready("agent")
        assert server.seen["tools/list"] == 1
        found = await c.check("agent")
        assert (found.ready, found.tools, found.server) == (True, 2, "scripted 1")
        assert server.seen["tools/list"] == 1


async def test_a_session_whose_first_request_fails_is_not_ready(server, client):
    server.fault = lambda rpc, _session: 500 if rpc == "tools/list" else None
    async with client() as c:
        assert not await c.ensure_session_ready("agent")
        found = await c.check("agent")
        assert found.cause == "server.error"
        assert found.reason
    assert server.sessions == {}


async def test_a_refused_initialized_is_not_taken_for_ready(server, client):
    server.fault = Once("notifications/initialized", 404, times=99)
    async with client() as c:
        assert not await c.ensure_session_ready()


VAGUE = {"code": -32602, "message": "Invalid request parameters", "data": ""}
SAID = {"code": -32602, "message": "Received request before initialization was complete"}
GO = {"code": 0, "message": 'method "tools/list" is invalid during session initialization'}


@pytest.mark.parametrize("error", [VAGUE, SAID, GO], ids=["vague", "python", "go"])
async def test_a_session_that_is_not_ready_at_once_is_asked_again(server, client, error):
    async with client() as c:
        server.unready = [error] * 4
        await c.call_tool("write")
        assert c.stats.findings == {"POST 200": 1}
        assert c.stats.retries == 0
    assert (server.ran["write"], server.seen["initialize"]) == (1, 1)


async def test_a_session_that_never_gets_ready_is_named_before_the_deadline(server, client):
    server.unready = [VAGUE] * 999
    async with client() as c:
        with pytest.raises(OpenFailedError, match="received request before initialization") as failed:
            await c.call_tool("write")
    assert failed.value.cause == "session.used-before-ready"
    assert "mcp 1.18" in failed.value.hint
    assert len(failed.value.attempts) == 4


async def test_a_session_that_others_have_begun_anew_is_replaced(server, client):
    async with client() as c:
        await c.call_tool("read")
        server.unready = [SAID]
        await c.call_tool("write")
        assert c.stats.closed_by_reason == {"suspect": 1}
    assert (server.ran["write"], server.seen["initialize"]) == (1, 2)


async def test_bad_parameters_on_a_session_that_has_answered_are_the_callers(server, client):
    async with client() as c:
        await c.call_tool("read")
        server.unready = [VAGUE]
        with pytest.raises(MCPError, match="Invalid request parameters"):
            await c.call_tool("write")


@pytest.mark.parametrize("status", [400, 404])
async def test_a_new_session_that_the_server_does_not_know_yet_is_kept(server, client, status):
    server.fault = Once("notifications/initialized", status, times=3)
    async with client() as c:
        await c.call_tool("write")
        assert c.stats.findings == {f"POST {status}": 1}
    assert (server.ran["write"], server.seen["initialize"]) == (1, 1)


async def test_a_server_that_was_replaced_by_an_older_one_is_probed_again(server, client):
    server.kind = "modern"
    async with client() as c:
        await c.call_tool("write")
        server.kind = "handshake"
        await c.call_tool("write")
        assert c.stats.era == "handshake"


async def test_a_client_is_entered_once_and_not_after_its_end(server, client):
    c = client()
    with pytest.raises(ClientClosedError, match="not open yet"):
        await c.call_tool("read")
    async with c:
        with pytest.raises(UsageError, match="open already"):
            async with c:
                pass
    with pytest.raises(ClientClosedError, match="closed"):
        async with c:
            pass


async def test_a_refused_second_stream_and_a_missing_one_cause_no_storm(server, client):
    server.fault = lambda rpc, _session: 405 if rpc == "GET" else None
    async with client() as c:
        await c.call_tool("read")
        await anyio.sleep(50.0)
        await c.call_tool("read")
    assert server.seen["GET"] <= 2


async def test_an_hour_of_faults_loses_no_repeatable_call(server, client):
    turn = {"n": 0}

    def fault(rpc, _session):
        turn["n"] += 1
        if rpc == "tools/call" and turn["n"] % 97 == 0:
            return httpx2.ReadError("cut")
        if turn["n"] % 701 == 0:
            server.forget()
        return None

    server.fault = fault
    async with client(retry=RetryPolicy(attempts=6)) as c, anyio.create_task_group() as tasks:

        async def agent() -> None:
            for _ in range(40):
                await c.call_tool("read")
                await anyio.sleep(90.0)

        for _ in range(10):
            tasks.start_soon(agent)
    assert c.stats.ok == 400
    assert c.stats.failed == 0


async def test_a_client_that_is_dropped_without_being_closed_says_so(server, client):
    c = client()
    c._tasks = object()
    with pytest.warns(ResourceWarning, match=r"scripted\.test/mcp was never closed"):
        c.__del__()
    c._tasks = None


async def test_a_redirect_within_the_origin_is_followed_and_one_elsewhere_is_a_finding(server, client):
    async with client() as c:
        await c.call_tool("read")
        server.fault = Once("tools/call", lambda: httpx2.Response(307, headers={"location": "/other"}))
        await c.call_tool("write")
        server.fault = Once("tools/call", lambda: httpx2.Response(307, headers={"location": "http://else.test/mcp"}))
        with pytest.raises(CallRejectedError, match=r"HTTP 307 to http://else\.test/mcp") as refused:
            await c.call_tool("write")
        assert refused.value.cause == "transport.redirect"
    assert server.ran["write"] == 1
