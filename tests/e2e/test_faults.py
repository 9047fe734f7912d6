"""Every fault, for real: run the demo, make traffic, and give its logs to the diagnosis."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx2
import pytest

from woolly_mcpdiag.api import analyze_logs
from woolly_mcpdiag.demo.faults import faults, switched_on
from woolly_mcpdiag.demo.logs import Format
from woolly_mcpdiag.demo.options import Options
from woolly_mcpdiag.demo.plan import AGENTS, ClientName
from woolly_mcpdiag.demo.serve import Running, serve

PATIENCE = 15.0
"""Seconds after which a case has hung."""
Pause = Callable[["Stand"], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A demo under test with its logs."""

    running: Running
    log: Path
    server_log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row."""

    fault: str
    causes: frozenset[str]
    """Any of these must be named; empty: the log cannot tell, and nothing may be named."""
    benign: bool = False
    with_server_log: bool = False
    """Feed the server's log too."""
    waves: tuple[tuple[str, ...], ...] = (AGENTS, AGENTS)
    """Agents that run side by side, wave after wave."""
    pause: Pause | None = None
    """What to wait for between two waves."""
    deadline: float = 2.0
    client: ClientName | None = None
    style: Format = "asctime"
    """Of the logs; debug runs asyncio in its debug mode too."""
    hangs: bool = False
    """True where the runs never end: the case goes on when all have started."""


async def until(true: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    while not true():  # noqa: ASYNC110
        await anyio.sleep(0.01)


def seen(path: Path, text: str) -> int:
    """Return how often a text stands in a file that may not be there yet."""
    return path.read_text().count(text) if path.exists() else 0


async def idle_expired(stand: Stand) -> None:
    await until(lambda: seen(stand.server_log, "idle timeout") >= len(AGENTS))


async def restarted(stand: Stand) -> None:
    await stand.running.happening("restart").wait()


async def away(stand: Stand) -> None:
    await stand.running.happening("away").wait()


async def idle(_stand: Stand) -> None:
    end = anyio.current_time() + 0.25
    await until(lambda: anyio.current_time() > end)


async def grown_up(_stand: Stand) -> None:
    end = anyio.current_time() + 0.4
    await until(lambda: anyio.current_time() > end)


async def streams_cut(_stand: Stand) -> None:
    end = anyio.current_time() + 0.4
    await until(lambda: anyio.current_time() > end)


async def conflict(stand: Stand) -> None:
    await until(lambda: seen(stand.log, "409") >= 3)


async def logs_of(case: Case, folder: Path) -> tuple[Path, Path]:
    """Run a case and return the agents' log and the server's."""
    log, server_log = folder / "agents.log", folder / "server.log"
    options = Options(
        faults=(case.fault,),
        client=case.client,
        deadline=case.deadline,
        style=case.style,
        log=log,
        server_log=server_log,
    )
    with anyio.fail_after(PATIENCE):
        async with serve(options) as running, httpx2.AsyncClient(timeout=None, trust_env=False) as http:
            stand = Stand(running=running, log=log, server_log=server_log)
            async with anyio.create_task_group() as tasks:
                for number, wave in enumerate(case.waves):
                    if number and case.pause:
                        await case.pause(stand)
                    tasks.start_soon(_wave, http, running, wave)
                    if case.hangs:
                        wanted = sum(len(one) for one in case.waves[: number + 1])
                        await until(lambda wanted=wanted: seen(log, "200 OK") >= wanted)
                    else:
                        await running.calls(sum(len(one) for one in case.waves[: number + 1]))
                tasks.cancel_scope.cancel()
    return log, server_log


async def _wave(http: httpx2.AsyncClient, running: Running, agents: tuple[str, ...]) -> None:
    body = {"agent_types": list(agents), "repository_name": "woolly", "user_query": "session pool"}
    await http.post(running.execute_url, json=body)


def row(fault: str, *causes: str, **more: object) -> Case:
    """Return a case."""
    return Case(fault=fault, causes=frozenset(causes), **more)


LOST = ("session.lost", "session.server-restarted", "session.idle-expired")
TWO_EACH = (AGENTS, AGENTS)

CASES = (
    row("ghost-session", "session.harvested-from-400", hangs=True, waves=(("simplifier",), AGENTS)),
    row("unknown-session=404", *LOST, waves=TWO_EACH * 3),
    row("unknown-session=400", *LOST, waves=TWO_EACH * 3),
    row("session-race=300ms", "session.used-before-ready", with_server_log=True),
    row("session-race=300ms:404", "session.used-before-ready", client="shared", pause=grown_up),
    row("no-affinity", "session.no-affinity", waves=TWO_EACH),
    row("restart=5", *LOST, with_server_log=True, pause=restarted),
    row("idle-expiry=200ms", *LOST, pause=idle_expired),
    row("session-limit=2", "server.capacity", "proxy.rate-limit", with_server_log=True),
    row("slow-initialize=5s", "net.read-timeout", deadline=0.3),
    row("frozen", "net.read-timeout", deadline=0.3),
    row("sse-no-endpoint", "transport.mismatch", "proxy.buffering", deadline=2.2, waves=(AGENTS,)),
    row("stream-cut=200ms", "session.stream-cut", "proxy.idle-cut", pause=streams_cut),
    row("buffered-stream", "net.read-timeout", deadline=0.3),
    row("reopen-conflict=100ms", "session.stream-conflict", pause=conflict),
    row("rate-limit=5", "proxy.rate-limit"),
    row("gateway=502", "proxy.upstream-down"),
    row("gateway=503", "proxy.rate-limit", "server.capacity", "proxy.upstream-down"),
    row("gateway=504:1:300ms", "proxy.timeout"),
    row("keepalive-race=200ms:0.3", "net.keepalive-race", waves=(AGENTS * 8, AGENTS), pause=idle),
    row("blocked-loop=300ms", "server.event-loop-blocked", style="debug"),
    row("blocked-loop=301ms"),
    row("tool-error", "server.tool-error", with_server_log=True),
    row("redirect", "transport.redirect"),
    row("host-guard", "transport.host-guard"),
    row("auth", "auth.required"),
    row("down=refuse:5", "net.refused", pause=away),
    row("down=blackhole:5", "net.connect-timeout", pause=away, deadline=0.5),
    row("wrong-transport=sse-client", "transport.mismatch"),
    row("wrong-transport=sse-client-stateless", "transport.mismatch", deadline=2.2, waves=(AGENTS,)),
    row("wrong-transport=streamable-client", "transport.mismatch"),
    row("era-probe", "transport.era-probe", benign=True),
)


OPEN = {"net.read-timeout", "log.unexplained-failure"}
"""Findings that name no cause: calls failed, and the log does not say why."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fault)
def test_the_log_of_a_fault_leads_to_its_cause_and_to_nothing_else(case: Case, tmp_path: Path) -> None:
    log, server_log = anyio.run(logs_of, case, tmp_path, backend_options={"debug": case.style == "debug"})
    paths = [log, server_log] if case.with_server_log else [log]
    findings = analyze_logs([str(path) for path in paths]).report.findings
    named = {found.cause for found in findings if not found.benign}
    benign = {found.cause for found in findings if found.benign}
    if case.benign:
        assert (named, benign & case.causes) == (set(), case.causes)
    elif case.causes:
        assert named
        assert named <= case.causes
    else:
        assert named == set()
    if switched_on(case.fault)[0].seen_in != "client" and case.style != "debug":
        alone = analyze_logs([str(log)]).report
        named = {found.cause for found in alone.findings if not found.benign}
        assert named <= {*case.causes, *OPEN}
        # Either it says what this log cannot show, or it says that calls failed and the cause is open.
        assert alone.invisible or named <= OPEN


def test_every_fault_has_a_case_and_every_case_expects_what_its_fault_promises() -> None:
    assert {switched_on(case.fault)[0].name for case in CASES} == set(faults())
    for case in CASES:
        assert case.causes <= set(switched_on(case.fault)[0].causes), case.fault


def test_a_fault_that_the_clients_log_cannot_show_says_why() -> None:
    silent = [fault for fault in faults().values() if fault.seen_in != "client"]
    assert [fault.name for fault in silent if not fault.note] == []


async def _errors(options: Options) -> list[str]:
    """Run one agent of each type; return what went wrong."""
    async with serve(options) as running, httpx2.AsyncClient(timeout=10, trust_env=False) as http:
        body = {"agent_types": list(AGENTS), "repository_name": "woolly", "user_query": "session pool"}
        results = (await http.post(running.execute_url, json=body)).json()["results"]
    return [row["metadata"]["error"] for row in results if "error" in row["metadata"]]


@pytest.mark.parametrize("client", ["per-call", "shared", "plain"])
def test_the_first_customers_server_serves_a_streamable_client_on_the_same_url(client: ClientName) -> None:
    assert anyio.run(_errors, Options(faults=("ghost-session",), client=client)) == []


def test_workers_without_affinity_serve_the_modern_era_which_has_no_sessions() -> None:
    assert anyio.run(_errors, Options(faults=("no-affinity",), era="modern")) == []
