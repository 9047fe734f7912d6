"""The one place that turns the options of ``gate`` and ``mcpdiag.toml`` into what is judged."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from woolly_mcpdiag.cli.load_requests import agent_runs, tools
from woolly_mcpdiag.cli.load_targets import connection
from woolly_mcpdiag.cli.load_typed import Typed, choice, clash, idle
from woolly_mcpdiag.cli.quantities import share, whole
from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.gate.baseline import Known, load_baseline
from woolly_mcpdiag.gate.config import FILE, GateConfig, load_config
from woolly_mcpdiag.gate.profile import Profile, narrowed
from woolly_mcpdiag.gate.thresholds import Threshold, parse_all
from woolly_mcpdiag.load.plan import CallSpec, ClientKind, Connection

if TYPE_CHECKING:
    from woolly_mcpdiag.load.discovery import Asked

CLIENTS = ("pooled", "naive", "shared", "per-call", "sdk")
DEMO_AGENTS = ("simplifier", "tester", "convo_starter", "summarizer", "documentation")
_MOST_WAVES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOrder:
    """What is to be judged, before anything was sent."""

    typed: Typed
    demo: bool
    mcp: Connection | None
    agent: Connection | None
    runs: tuple[CallSpec, ...]
    tools: "tuple[Asked, ...]"
    client: ClientKind
    profile: Profile
    thresholds: tuple[Threshold, ...]
    known: tuple[Known, ...] | None
    on_inconclusive: str | None
    from_run: str | None
    again: bool
    """Options ask for other criteria than those a recorded run was judged by."""


def gate_order(
    typed: Typed,
    *,
    client: str | None,
    profile: str | None,
    criteria: tuple[str, ...] | None,
    config: str | None,
    strict: bool,
    confidence: str | None,
    claim: str | None,
    waves: str | None,
    baseline: str | None,
    on_inconclusive: str | None,
    from_run: str | None,
) -> GateOrder:
    """Return what the options and the configuration ask for; an option outweighs the configuration.

    Raises ``UsageError`` for what contradicts or cannot be read, ``InputError`` for a file that cannot be.
    """
    found = _config(config)
    typed = _with_config(typed, found, recorded=from_run is not None)
    _check_targets(typed, from_run)
    demo = typed.url is None and typed.agent is None and from_run is None
    if demo and not typed.agent_types and typed.body is None:
        typed = replace(typed, agent_types=DEMO_AGENTS)
    made = found.made(
        confidence=None if confidence is None else share(confidence, "--confidence"),
        claim=None if claim is None else share(claim, "--claim"),
        waves=None if waves is None else whole(waves, "--waves", most=_MOST_WAVES),
        strict=strict,
        profile=profile,
    )
    runs = agent_runs(typed) if typed.agent is not None or demo else ()
    types = tuple(dict.fromkeys(run.agent for run in runs if run.agent))
    return GateOrder(
        typed=typed,
        demo=demo,
        mcp=None if typed.url is None else connection(typed.url, typed),
        agent=None if typed.agent is None else connection(typed.agent, typed),
        runs=runs,
        tools=tools(typed),
        client=choice("--client", client or found.client or None, CLIENTS, "pooled"),
        profile=narrowed(replace(made, agent_types=made.agent_types or types) if types else made, criteria),
        thresholds=(*found.thresholds, *parse_all(typed.thresholds)),
        known=_known(baseline, found, config),
        on_inconclusive=_undecided(on_inconclusive, found, config),
        from_run=from_run,
        again=strict or any(one is not None for one in (profile, criteria, config, confidence, claim, waves)),
    )


def _config(path: str | None) -> GateConfig:
    if path is not None:
        return load_config(path)
    return load_config(FILE) if Path(FILE).is_file() else GateConfig()


def _with_config(typed: Typed, found: GateConfig, *, recorded: bool) -> Typed:
    """Fill in the targets of the configuration, unless targets are named or a recorded run is judged."""
    if recorded or typed.url is not None or typed.agent is not None or typed.faults:
        return typed
    return replace(
        typed,
        url=found.mcp or None,
        agent=found.agent or None,
        agent_types=typed.agent_types or (found.agent_types if found.agent else ()),
    )


def _check_targets(typed: Typed, from_run: str | None) -> None:
    demo = typed.url is None and typed.agent is None
    if from_run is not None and (not demo or typed.faults):
        clash("--from", "a target", "a recorded run is judged, nothing is sent", "leave one of them out")
    if typed.faults and not demo:
        msg = "--fault: belongs to the demo target, and another target is named"
        raise UsageError(msg, hint="start it beside: mcpdiag demo --fault NAME --upstream URL")
    if typed.agent is None and not demo:
        for option, given in (
            ("--agent-type", typed.agent_types),
            ("--repository", typed.repositories),
            ("--query", typed.queries),
            ("--body", typed.body),
        ):
            if given:
                idle(option, "--agent URL")
    if typed.url is None and not demo:
        for option, given in (("--tool", typed.tools), ("--allow", typed.allow)):
            if given:
                idle(option, "--mcp URL")
    if typed.insecure and typed.ca_file is not None:
        clash("--insecure", "--ca-file", "no certificate would be looked at", "leave --insecure out")


def _known(path: str | None, found: GateConfig, config: str | None) -> tuple[Known, ...] | None:
    if path is not None:
        return load_baseline(path)
    if not found.baseline:
        return None
    return load_baseline(Path(config or FILE).parent / found.baseline)


def _undecided(given: str | None, found: GateConfig, config: str | None) -> str | None:
    if given is not None:
        chosen: str = choice("--on-inconclusive", given, ("pass", "fail"), None)
        return chosen
    named = config is not None or Path(FILE).is_file()
    return found.on_inconclusive if named and found.on_inconclusive == "pass" else None
