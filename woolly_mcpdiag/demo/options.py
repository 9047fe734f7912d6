"""The one place for what a user may ask of the demo, and for turning it into a plan."""

import random
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.demo.faults import shown, switch_on, switched_on
from woolly_mcpdiag.demo.faults.fault import Fault
from woolly_mcpdiag.demo.logs import Format
from woolly_mcpdiag.demo.plan import ClientName, Era, Plan, Transport

LOOPBACK = "127.0.0.1"
"""Where everything listens unless it is told otherwise."""
MODES: dict[Era, str] = {"handshake": "legacy", "modern": "2026-07-28", "both": "auto"}
NONE = "none"
"""``--fault none``: not even the fault that belongs to the naive client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to start. An empty choice is filled in from the faults, else with what works."""

    faults: tuple[str, ...] = ()
    """``NAME`` or ``NAME=VALUE`` each."""
    port: int = 0
    """Of the agents API; 0 takes a free one."""
    mcp_port: int = 0
    host: str = LOOPBACK
    transport: Transport | None = None
    era: Era | None = None
    client: ClientName | None = None
    upstream: str = ""
    """URL of another MCP endpoint that the faults are put in front of; empty starts the demo's own server."""
    deadline: float | None = None
    """Seconds after which an agent gives up a call; ``None`` lets the fault decide."""
    style: Format = "basic"
    log: Path | None = None
    """Where the agents API's log is written, beside the stream."""
    server_log: Path | None = None
    seed: int = 0


def chosen(options: Options) -> list[tuple[Fault, str]]:
    """Return the faults that are switched on; the naive client brings its own."""
    if NONE in options.faults:
        return []
    texts = options.faults or (("ghost-session",) if options.client == "naive" and not options.upstream else ())
    return [switched_on(text) for text in texts]


def plan_of(options: Options) -> Plan:
    """Return the plan. Raises ``UsageError`` for a fault, value or URL that cannot mean anything."""
    wanted = chosen(options)
    client = options.client or (wanted[0][0].client if wanted else "shared")
    plan = Plan(rng=random.Random(options.seed), client=client)  # noqa: S311 - repeatable, not secret
    plan.guarded = loopback(options.host)
    plan.transport = options.transport or "both"
    plan.era = options.era or ("handshake" if wanted else "both")
    plan.client_transport = "sse" if options.transport == "sse" else "streamable"
    if plan.era == "modern" and options.transport == "sse":
        msg = "era modern: legacy SSE does not have it"
        raise UsageError(msg, hint="leave out --era or --transport")
    if options.upstream:
        plan.upstream = True
        plan.client_path = _upstream_path(options.upstream)
    switch_on(plan, wanted, upstream=bool(options.upstream))
    if options.transport and plan.transport != options.transport:
        msg = f"transport {options.transport}: {wanted[0][0].name} needs {plan.transport}"
        raise UsageError(msg, hint=f"leave --transport out, or switch the fault off: --fault {NONE}")
    deadline = shown(wanted).deadline if options.deadline is None else options.deadline
    plan.deadline = plan.deadline if deadline is None else deadline
    plan.client_mode = plan.client_mode or ("legacy" if plan.dialect != "2.3" else MODES[plan.era])
    return plan


def loopback(host: str) -> bool:
    """True where only this machine can connect."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _upstream_path(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        msg = f"upstream {url!r}: no http or https URL"
        raise UsageError(msg, hint="write for example http://localhost:8000/mcp")
    return parts.path or "/"
