import anyio
import httpx2
import pytest

from woolly_mcpdiag.client.errors import CircuitOpenError, ResilienceError
from woolly_mcpdiag.client.policy import BreakerPolicy, RetryPolicy

pytestmark = pytest.mark.anyio
KINDS = pytest.mark.parametrize("kind", ["handshake", "modern", "sse"])
POLICY = {"failure_threshold": 2, "open_for": 1.0, "growth": 2.0}


async def outage(server, c, calls: int, seconds: float) -> list[float]:
    """Let calls run into a server that is away for a while; return how long each took."""
    await c.call_tool("read")
    server.forget()
    server.fault = lambda _rpc, _session: httpx2.ConnectError("away")
    took = []

    async def call() -> None:
        begun = anyio.current_time()
        await c.call_tool("read")
        took.append(anyio.current_time() - begun)

    async with anyio.create_task_group() as tasks:
        for _ in range(calls):
            tasks.start_soon(call)
        await anyio.sleep(seconds)
        server.fault = lambda _rpc, _session: None
    return took


@KINDS
async def test_while_calls_wait_the_client_itself_finds_out_that_the_server_is_back(server, client, kind):
    server.kind = kind
    async with client(breaker=BreakerPolicy(**POLICY)) as c:
        took = await outage(server, c, 10, 6.0)
        assert max(took) < 7.2, "tried after 1, 2 and 4 seconds"
        assert c.stats.breaker == "closed"
        assert c.stats.failed == 0
        # Two that opened the circuit, at most one more each that was under way; no call was spent on a trial.
        assert c.stats.retries <= 10
    assert server.ran["read"] == 11


@pytest.mark.parametrize(("probe", "lost"), [("active", 0), ("call", 1)])
async def test_trials_in_the_background_cost_a_call_no_attempts_and_its_own_do(server, client, probe, lost):
    async with client(breaker=BreakerPolicy(**POLICY, probe=probe), retry=RetryPolicy(attempts=3)) as c:
        await c.call_tool("read")
        server.fault = lambda _rpc, _session: httpx2.ConnectError("away")
        errors = []

        async def call() -> None:
            try:
                await c.call_tool("read")
            except ResilienceError as error:
                errors.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await anyio.sleep(9.0)
            server.fault = lambda _rpc, _session: None
        assert len(errors) == lost
        assert c.stats.ok == 2 - lost


async def test_nobody_waits_nothing_is_sent(server, client):
    async with client(breaker=BreakerPolicy(**POLICY), retry=RetryPolicy(attempts=1)) as c:
        await c.call_tool("read")
        server.fault = lambda _rpc, _session: 500
        for _ in range(2):
            with pytest.raises(ResilienceError):
                await c.call_tool("read")
        sent = sum(server.seen.values())
        with pytest.raises(CircuitOpenError):
            await c.call_tool("read")
        await anyio.sleep(50.0)
        assert sum(server.seen.values()) == sent


async def test_at_most_one_trial_at_a_time_however_many_wait(server, client):
    opening = []

    def fault(rpc, _session):
        if rpc in {"server/discover", "initialize"}:
            opening.append(anyio.current_time())
        return httpx2.ConnectError("away")

    async with client(breaker=BreakerPolicy(**POLICY)) as c:
        await c.call_tool("read")
        server.forget()
        server.fault = fault

        async def call() -> None:
            with pytest.raises(ResilienceError):
                await c.call_tool("read", deadline=20.0)

        begun = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(call)
        trials = [at - begun for at in opening if at - begun > 0.5]
        assert len(trials) == 4, "after 1, 2, 4 and 8 seconds"
        assert anyio.current_time() - begun <= 20.01


@KINDS
async def test_a_trial_that_hangs_ends_and_the_next_one_is_made(server, client, kind):
    server.kind = kind
    async with client(breaker=BreakerPolicy(**POLICY)) as c:
        await c.call_tool("read")
        server.fault = lambda rpc, _session: "hang" if rpc != "DELETE" else None
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(c.call_tool, "read")
            await anyio.sleep(9.0)
            server.thawed()
        assert c.stats.ok == 4
        assert c.stats.breaker == "closed"


async def test_a_client_that_is_closed_during_an_outage_ends_at_once(server, client):
    async with client(breaker=BreakerPolicy(**POLICY)) as c, anyio.create_task_group() as tasks:
        await c.call_tool("read")
        server.forget()
        server.fault = lambda _rpc, _session: httpx2.ConnectError("away")

        async def call() -> None:
            with pytest.raises(ResilienceError):
                await c.call_tool("read", deadline=10.0)

        for _ in range(5):
            tasks.start_soon(call)
        await anyio.sleep(3.0)
        begun = anyio.current_time()
        await c.aclose(patience=0.0)
        assert anyio.current_time() - begun < 0.1
        tasks.cancel_scope.cancel()
