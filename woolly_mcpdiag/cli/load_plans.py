"""The one place that makes the plans of a load, its record's head and its demand, from an order and found targets."""

import os
import platform
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from woolly_mcpdiag import __version__
from woolly_mcpdiag.cli.load_options import Order
from woolly_mcpdiag.cli.load_targets import connection
from woolly_mcpdiag.core.redact import url as redacted_url
from woolly_mcpdiag.core.runs import Meta
from woolly_mcpdiag.load.plan import AgentTarget, CallSpec, ClientKind, McpTarget, Model, Plan, Sessions

if TYPE_CHECKING:
    from woolly_mcpdiag.api.load import Demand
    from woolly_mcpdiag.load.preflight import Found, Wanted

DEMO_TOOLS = ("search_code", "find_entities", "qa_codebase")
"""What the demo's own agents call; its other tools are slow or fail on purpose."""
_OWN: dict[str, Sessions] = {
    "shared": Sessions(policy="shared"),
    "per-call": Sessions(policy="per-call"),
    "naive": Sessions(policy="per-call"),
}
"""The sessions of designs that decide about them."""


def wanted(order: Order) -> "Wanted":
    """Return what the preflight is to look at."""
    from woolly_mcpdiag.load.preflight import Wanted

    return Wanted(
        mcp=order.mcp,
        era=order.era,
        tools=order.tools,
        allow=order.allow,
        methods=order.methods,
        prefer=DEMO_TOOLS if order.demo else (),
        agent=order.agent,
        runs=order.runs if order.agent is not None else (),
        seed=order.model.seed,
        row=order.feed[0] if order.feed else {},
        connect=order.limits.connect,
        event=order.limits.event,
    )


def planned(order: Order, found: "Found", events: Path | None = None) -> "tuple[list[Plan], Meta, Demand]":
    """Return the plans in their order, what is recorded of the run, and what it must fulfil."""
    from woolly_mcpdiag.api.load import Demand

    runs = order.runs if found.agent is not None else ()
    calls = (*runs, *found.calls)
    plans = [
        _plan(order, found.mcp, found.agent, calls, client, scene)
        for client, scene in turns(order.clients, order.rounds)
    ]
    meta = Meta(
        run=secrets.token_hex(6),
        command="load",
        version=__version__,
        started=datetime.now(UTC).timestamp(),
        targets=tuple(
            described(
                found,
                runs="http" if order.clients[0] != "wire" else "wire",
                calls=", ".join(order.clients),
                demo=order.demo,
            )
        ),
        workload=_workload(order, found),
        host=host(),
        thresholds=order.thresholds,
        scenes=tuple(plan.scene for plan in plans if plan.scene),
    )
    demand = Demand(
        thresholds=order.thresholds,
        confidence=order.confidence,
        abort=order.abort,
        abort_delay=order.abort_delay,
        events=events,
    )
    return plans, meta, demand


def turns(clients: tuple[ClientKind, ...], rounds: int) -> Iterator[tuple[ClientKind, str]]:
    """Yield whose turn it is and the name of its scene: A B, B A, A B, ..., so that a slow drift harms none of them."""
    if len(clients) == 1:
        yield clients[0], ""
        return
    for number in range(1, rounds + 1):
        for client in clients if number % 2 else reversed(clients):
            yield client, f"round {number} {client}"


def _plan(
    order: Order,
    mcp: McpTarget | None,
    agent: AgentTarget | None,
    calls: tuple[CallSpec, ...],
    client: ClientKind,
    scene: str,
) -> Plan:
    sessions = _OWN.get(client, order.sessions)
    if client == "pooled" and sessions.policy != "pool":
        sessions = Sessions(policy="pool")
    return Plan(
        calls=calls,
        mcp=mcp,
        agent=agent,
        client=client,
        scene=scene,
        model=order.model,
        sessions=sessions,
        limits=order.limits,
        feed=order.feed,
        processes=order.processes,
        stream=not order.typed.no_stream,
    )


def host() -> dict[str, Any]:
    """Return what a run's record says of this machine."""
    return {"cpus": os.cpu_count() or 1, "kernel": platform.release(), "python": platform.python_version()}


def described(found: "Found", *, runs: str, calls: str, demo: bool) -> Iterator[dict[str, Any]]:
    """Yield what a run's record says of each target; ``runs`` and ``calls`` name who makes those of agents and MCP."""
    if found.agent is not None:
        yield {"kind": "agent", "url": redacted_url(found.agent.at.url), "client": runs, "demo": demo}
    if found.mcp is not None:
        yield {
            "kind": "mcp",
            "url": redacted_url(found.mcp.at.url),
            "transport": found.mcp.transport,
            "era": "modern" if found.mcp.modern else "handshake",
            "version": found.mcp.version,
            "server": found.mcp.server,
            "client": calls,
            "demo": demo,
        }


def _workload(order: Order, found: "Found") -> dict[str, Any]:
    plain, model = Model(), order.model
    told: dict[str, Any] = {"model": model.kind, "seed": model.seed}
    if model.kind != "open" and not model.stages:
        told["concurrency"] = model.concurrency
    if model.kind == "open":
        told |= {"rate": model.rate, "arrival": model.arrival, "max_in_flight": model.max_in_flight}
    for name in ("requests", "duration", "waves", "warmup"):
        if getattr(model, name) != getattr(plain, name):
            told[name] = getattr(model, name)
    if model.kind == "waves":
        told["calls_per_session"] = model.calls_per_session
    if model.stages:
        told["stages"] = [{"duration": stage.duration, "target": stage.target} for stage in model.stages]
    if model.think != plain.think:
        told["think"] = list(model.think)
    if found.mcp is not None and not found.mcp.modern:
        policy = order.sessions
        told["sessions"] = f"pool:{policy.size}" if policy.policy == "pool" else policy.policy
    told["clients"] = list(order.clients)
    if order.rounds > 1:
        told["rounds"] = order.rounds
    told["processes"] = order.processes
    return told


def with_demo(order: Order, mcp_url: str, api_url: str) -> Order:
    """Return the order with the demo's addresses as its targets; client designs are loaded on its MCP server alone."""
    demo = connection(mcp_url, order.typed)
    return replace(order, mcp=demo, agent=None if order.designs else replace(demo, url=api_url))
