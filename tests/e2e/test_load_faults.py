"""Every fault, for real, without a log: load the demo and let the load say what is wrong."""

from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from woolly_mcpdiag.api import analyze_logs, explaining
from woolly_mcpdiag.api.load import Demand, Loaded, State, load
from woolly_mcpdiag.api.report import report_run
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.core.runs import Meta
from woolly_mcpdiag.demo.faults import faults, switched_on
from woolly_mcpdiag.demo.options import Options
from woolly_mcpdiag.demo.serve import Running, serve
from woolly_mcpdiag.load.plan import (
    AgentTarget,
    CallSpec,
    ClientKind,
    Connection,
    Limits,
    McpTarget,
    Model,
    Plan,
    Sessions,
)

META = Meta(run="r", command="load", version="1", started=0.0)
LIMITS = Limits(call=5.0, connect=0.5, event=0.3, close=0.5, drain=2.0)
BRIEF = Limits(call=0.25, connect=0.25, event=0.25, close=0.25, drain=0.5)
ASKED = {
    "search_code": {"repository_name": "woolly", "query": "session {i}"},
    "find_entities": {"repository_name": "woolly", "kind": "any"},
    "qa_codebase": {"repository_name": "woolly", "question": "pool {i}"},
}
TOOLS = tuple(
    CallSpec(kind="mcp", name=name, arguments=arguments, weight=1.0 if name == "qa_codebase" else 2.0)
    for name, arguments in ASKED.items()
)
RUNS = tuple(
    CallSpec(
        kind="agent",
        method="POST",
        agent=agent,
        weight=2.5,
        arguments={"agent_type": agent, "repository_name": "woolly", "user_query": "pool {i}"},
    )
    for agent in ("simplifier", "tester")
)
OWN = {"naive": "per-call", "shared": "shared"}
LOOKS = 0.2
"""Seconds between two looks at what a running load has seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row: what is loaded, with which client, and what must be named."""

    fault: str
    causes: frozenset[str]
    """Any of these must be named, and nothing else."""
    client: ClientKind = "wire"
    """What shows the fault: the wire engine unless a design of its own is what fails."""
    agents: bool = False
    """Load the agents API beside the MCP server: some faults begin after so many runs of agents."""
    calls: int = 20
    think: float = 0.0
    """Seconds between two calls of a user."""
    apart: float = 0.0
    """Seconds drawn on top, so that users do not keep step."""
    limits: Limits = field(default_factory=lambda: LIMITS)
    stream: bool = True
    deadline: float | None = None
    """Of the agents' own calls."""
    benign: bool = False
    live: bool = False
    """It must be named while the load runs, which takes long enough to look."""


def row(fault: str, *causes: str, **more: object) -> Case:
    """Return a case."""
    return Case(fault=fault, causes=frozenset(causes), **more)


CASES = (
    row("ghost-session", "session.harvested-from-400", client="naive", calls=15, limits=BRIEF, live=True),
    row("unknown-session=404", "session.lost", calls=80),
    row("unknown-session=400", "session.lost", calls=80),
    row("session-race=200ms", "session.used-before-ready", calls=60, think=0.03),
    row("session-race=150ms:404", "session.used-before-ready", calls=10),
    # The engine gives a session up soon: only that no session ever works tells, and that all were so young.
    row("no-affinity", "session.no-affinity", calls=60),
    row("restart=5", "session.server-restarted", agents=True, calls=80, think=0.03),
    # The server counts an open GET stream as use.
    row("idle-expiry=200ms", "session.idle-expired", think=0.3, stream=False, live=True),
    row("session-limit=2", "server.capacity"),
    row("slow-initialize=5s", "net.read-timeout", limits=BRIEF, live=True),
    row("frozen", "net.read-timeout", limits=BRIEF, live=True),
    row("sse-no-endpoint", "transport.mismatch", "proxy.buffering", limits=BRIEF, live=True),
    row("stream-cut=200ms", "session.stream-cut", calls=40, think=0.05),
    row("buffered-stream", "net.read-timeout", limits=BRIEF, live=True),
    # The stream is opened again a second after its cut, and still held then.
    row("reopen-conflict=300ms", "session.stream-conflict", calls=80, think=0.1, live=True),
    row("rate-limit=5", "proxy.rate-limit"),
    row("gateway=502", "proxy.upstream-down"),
    row("gateway=504:1:300ms", "proxy.timeout", live=True),
    row("keepalive-race=100ms:0.3", "net.keepalive-race", calls=50, think=0.15, live=True),
    row("blocked-loop=200ms", "server.event-loop-blocked", calls=50, live=True),
    row("tool-error", "server.tool-error"),
    row("redirect", "transport.redirect"),
    row("host-guard", "transport.host-guard"),
    row("auth", "auth.required"),
    row("down=refuse:5", "net.refused", agents=True, calls=60, think=0.02),
    # Between a port that is closed and one that swallows lies a moment in which it refuses.
    row(
        "down=blackhole:5",
        "net.connect-timeout",
        "net.refused",
        agents=True,
        calls=30,
        limits=BRIEF,
        deadline=0.2,
    ),
    row("wrong-transport=sse-client", "transport.mismatch"),
    row("wrong-transport=sse-client-stateless", "transport.mismatch", limits=BRIEF, live=True),
    # The wire engine is told the era before it starts; the SDK asks for it in each session.
    row("era-probe", "transport.era-probe", client="shared", benign=True, calls=10),
)


def plan_of(case: Case, running: Running) -> Plan:
    transport = "sse" if running.plan.client_transport == "sse" else "streamable"
    return Plan(
        calls=TOOLS + (RUNS if case.agents else ()),
        mcp=McpTarget(at=Connection(url=running.mcp_url), transport=transport),
        agent=AgentTarget(at=Connection(url=running.execute_url)) if case.agents else None,
        client=case.client,
        model=Model(concurrency=5, requests=case.calls, think=(case.think, case.think + case.apart)),
        sessions=Sessions(policy=OWN.get(case.client, "per-worker")),
        limits=case.limits,
        stream=case.stream,
    )


async def loaded_with(case: Case, events: Path, states: list[State]) -> Loaded:
    """Load a demo that has the fault; it runs here, the load in processes of its own."""
    with anyio.fail_after(30):
        async with serve(Options(faults=(case.fault,), deadline=case.deadline)) as running:
            plan = plan_of(case, running)
            demand = Demand(events=events)
            return await anyio.to_thread.run_sync(lambda: load([plan], META, demand, on_state=states.append))


def told(findings: list[Finding]) -> list[tuple[str, int, str]]:
    return [(found.cause, found.count, found.confidence) for found in findings]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.fault}-{case.client}")
def test_a_load_names_the_cause_of_a_fault_and_nothing_else(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "_EVERY", LOOKS)
    states: list[State] = []
    events = tmp_path / "run.jsonl"
    findings = anyio.run(loaded_with, case, events, states).report.findings
    named = {found.cause for found in findings if not found.benign}
    if case.benign:
        assert named == set()
        assert case.causes <= {found.cause for found in findings if found.benign}
    else:
        assert named
        assert named <= case.causes
    assert told(report_run(str(events)).report.findings) == told(findings)
    assert told(analyze_logs(str(events)).report.findings) == told(findings)
    if case.live:
        # Early on it may be known less precisely.
        assert set(switched_on(case.fault)[0].causes) & {found.cause for state in states for found in state.findings}


def test_every_fault_is_loaded_and_each_row_expects_what_its_fault_promises() -> None:
    assert {switched_on(case.fault)[0].name for case in CASES} == set(faults())
    for case in CASES:
        assert case.causes <= set(switched_on(case.fault)[0].causes), case.fault
