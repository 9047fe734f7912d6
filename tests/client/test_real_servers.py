"""Real sockets and processes: the demo's faults, and the scenario in small."""

import importlib.util
import sys
from pathlib import Path

import anyio
import httpx2
import pytest

from woolly_mcpdiag.client.demo_adapter import pooled
from woolly_mcpdiag.client.errors import CallRejectedError
from woolly_mcpdiag.client.resilient import ResilientClient
from woolly_mcpdiag.demo.options import Options
from woolly_mcpdiag.demo.plan import AGENTS
from woolly_mcpdiag.demo.serve import serve

pytestmark = pytest.mark.anyio
BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def wave(http: httpx2.AsyncClient, url: str) -> list[str]:
    """Run every agent at once and return their errors."""
    body = {"agent_types": list(AGENTS), "repository_name": "woolly", "user_query": "sessions"}
    answer = await http.post(url, json=body)
    return [result["metadata"]["error"] for result in answer.json()["results"] if "error" in result["metadata"]]


async def searches(client: ResilientClient) -> None:
    for _ in range(10):
        await client.call_tool("search_code", {"repository_name": "woolly", "query": "pool"})


@pytest.mark.parametrize(
    "fault",
    [
        "restart=7",
        "unknown-session=400",
        "gateway=503:0.2",
        "keepalive-race=50ms:0.5",
        "session-limit=3",
        "stream-cut=250ms",
        "session-race=150ms",
    ],
)
async def test_the_pooled_agents_get_every_answer_through_the_demos_faults(fault: str):
    options = Options(faults=(fault,), client="pooled", deadline=8.0, era="handshake")
    with anyio.fail_after(25):
        async with serve(options, pooled=pooled) as running, httpx2.AsyncClient(timeout=20, verify=False) as http:
            errors = []
            for _ in range(5):
                errors += await wave(http, running.execute_url)
                await anyio.sleep(0.07)
    assert errors == []


async def test_servers_without_affinity_are_named_in_the_handshake_era_and_no_trouble_in_the_modern_one():
    with anyio.fail_after(25):
        async with (
            serve(Options(faults=("no-affinity=3",), era="both")) as running,
            ResilientClient(running.mcp_url, era="handshake") as old,
            ResilientClient(running.mcp_url) as new,
        ):
            found = await old.check()
            assert not found.ready or found.era == "handshake"
            with pytest.raises(CallRejectedError, match="new sessions in a row") as refused:
                await searches(old)
            assert refused.value.cause == "session.no-affinity"
            await searches(new)


async def test_every_session_with_its_stream_and_a_full_load_fit_into_the_least_connections_that_are_taken():
    limits = httpx2.Limits(max_connections=2 * 5, max_keepalive_connections=2 * 5)
    with anyio.fail_after(25):
        async with (
            serve(Options(faults=("none",), era="handshake")) as running,
            httpx2.AsyncHTTPTransport(verify=False, limits=limits) as http,
            ResilientClient(running.mcp_url, http=http, reuse="shared", max_sessions=5) as c,
        ):
            assert await c.warm(5) == 5
            async with anyio.create_task_group() as tasks:
                for _ in range(40):
                    tasks.start_soon(c.call_tool, "search_code", {"repository_name": "woolly", "query": "pool"})
            assert len(http._pool.connections) >= 5, "the streams are open"
            assert (c.stats.failed, c.stats.retries) == (0, 0)


def scenario():
    if "client_scenario" not in sys.modules:
        sys.path.insert(0, str(BENCHMARKS))
        try:
            spec = importlib.util.spec_from_file_location("client_scenario", BENCHMARKS / "client_scenario.py")
            module = importlib.util.module_from_spec(spec)
            sys.modules["client_scenario"] = module
            spec.loader.exec_module(module)
        finally:
            sys.path.remove(str(BENCHMARKS))
    return sys.modules["client_scenario"]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "fault"), [("http", "restart"), ("sse", "freeze")])
async def test_no_repeatable_call_is_lost_and_no_other_is_done_twice_though_the_server(kind, fault, tmp_path):
    s = scenario()
    server = s.Server(kind, tmp_path / "done.txt")
    await anyio.to_thread.run_sync(server.start)
    try:
        load = s.Load(agents=8, calls=8, pause=(0.03, 0.06), after=0.3, frozen=0.8)
        with anyio.fail_after(40):
            got = await s.run("ResilientClient", server, fault, load)
    finally:
        server.kill()
    assert got.ok == got.wanted, got.errors
    assert (got.twice, got.lost) == (0, 0)
    assert got.sessions_left == 0
