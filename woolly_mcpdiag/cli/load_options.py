"""The one place that turns the options of ``load`` into what is looked at and what is run; contradictions end here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from woolly_mcpdiag.cli.load_model import DESIGNS, limits, model, sessions
from woolly_mcpdiag.cli.load_requests import agent_runs, tools
from woolly_mcpdiag.cli.load_targets import connection
from woolly_mcpdiag.cli.load_typed import Typed, choice, clash, idle
from woolly_mcpdiag.cli.quantities import seconds, share, whole
from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.load.discovery import Asked
from woolly_mcpdiag.load.feeds import check_columns, read_feed
from woolly_mcpdiag.load.plan import CallSpec, ClientKind, Connection, Limits, Model, Sessions
from woolly_mcpdiag.load.templates import columns

if TYPE_CHECKING:
    from woolly_mcpdiag.load.handshake import Era

ROUNDS = 4
DRIVERS = ("wire", "sdk", "http")
_MOST_PROCESSES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be done, before anything was sent."""

    demo: bool
    """No target is named: the practice target is started."""
    faults: tuple[str, ...]
    mcp: Connection | None
    agent: Connection | None
    era: "Era"
    tools: tuple[Asked, ...]
    allow: tuple[str, ...]
    methods: tuple[str, ...]
    runs: tuple[CallSpec, ...]
    feed: tuple[Mapping[str, str], ...]
    model: Model
    sessions: Sessions
    limits: Limits
    clients: tuple[ClientKind, ...]
    rounds: int
    processes: int
    thresholds: tuple[str, ...]
    confidence: float
    abort: bool
    abort_delay: float
    typed: Typed = field(repr=False)

    @property
    def designs(self) -> bool:
        """True where client designs are loaded or compared, which speak MCP only."""
        return bool(set(self.clients) & set(DESIGNS)) or len(self.clients) > 1


def order(typed: Typed) -> Order:
    """Return what the options ask for.

    Raises ``UsageError`` for options that contradict each other or cannot be read, ``InputError`` for a file that
    cannot be.
    """
    from woolly_mcpdiag.gate.thresholds import parse_all

    _check_targets(typed)
    parse_all(typed.thresholds)
    if typed.abort_delay is not None and not typed.abort_on_fail:
        idle("--abort-delay", "--abort-on-fail")
    if typed.abort_on_fail and not typed.thresholds:
        msg = "--abort-on-fail: there is no threshold that could fail"
        raise UsageError(msg, hint="add --threshold 'http_400 == 0'")
    demo = typed.url is None and typed.agent is None
    clients = _clients(typed, demo=demo)
    feed = read_feed(typed.feed) if typed.feed is not None else ()
    runs = agent_runs(typed) if typed.agent is not None or demo else ()
    asked = tools(typed)
    _check_feed(typed, runs, asked, feed)
    return Order(
        demo=demo,
        faults=typed.faults,
        mcp=None if typed.url is None else connection(typed.url, typed),
        agent=None if typed.agent is None else connection(typed.agent, typed),
        era=choice("--era", typed.era, ("auto", "handshake", "modern"), "handshake" if demo else "auto"),
        tools=asked,
        allow=typed.allow,
        methods=typed.methods,
        runs=runs,
        feed=feed,
        model=model(typed, demo=demo, rounds=len(clients) > 1),
        sessions=sessions(typed, clients),
        limits=limits(typed),
        clients=clients,
        rounds=_rounds(typed, clients),
        processes=1 if typed.processes is None else whole(typed.processes, "--processes", most=_MOST_PROCESSES),
        thresholds=typed.thresholds,
        confidence=0.95 if typed.confidence is None else share(typed.confidence, "--confidence"),
        abort=typed.abort_on_fail,
        abort_delay=0.0 if typed.abort_delay is None else seconds(typed.abort_delay, "--abort-delay", zero=True),
        typed=typed,
    )


def _check_feed(
    typed: Typed, runs: Sequence[CallSpec], asked: Sequence[Asked], feed: tuple[Mapping[str, str], ...]
) -> None:
    named = {name for run in runs for name in columns([run.body, run.arguments])}
    named |= {name for tool in asked for name in columns(tool.arguments)}
    check_columns(named, feed)
    if feed and not named:
        msg = f"--feed {typed.feed}: nothing asks for its columns"
        raise UsageError(msg, hint=f"write {{feed.{next(iter(feed[0]))}}} in --query, --args or --body")


def _check_targets(typed: Typed) -> None:
    demo = typed.url is None and typed.agent is None
    of_agents = {
        "--agent-type": typed.agent_types,
        "--repository": typed.repositories,
        "--query": typed.queries,
        "--body": typed.body,
    }
    if typed.agent is None and not demo:
        for option, given in of_agents.items():
            if given:
                idle(option, "--agent URL")
    of_tools: dict[str, object] = {
        "--tool": typed.tools,
        "--allow": typed.allow,
        "--method": typed.methods,
        "--era": typed.era,
        "--no-stream": typed.no_stream,
    }
    if typed.url is None and not demo:
        for option, wanted in of_tools.items():
            if wanted:
                idle(option, "the URL of an MCP server")
    if typed.faults and not demo:
        msg = "--fault: belongs to the demo target, and another target is named"
        raise UsageError(msg, hint="start it beside: mcpdiag demo --fault NAME --upstream URL")
    if typed.methods and typed.tools:
        clash("--method", "--tool", "a call is either of them", "leave one of them out")
    if typed.insecure and typed.ca_file is not None:
        clash("--insecure", "--ca-file", "no certificate would be looked at", "leave --insecure out")


def _clients(typed: Typed, *, demo: bool) -> tuple[ClientKind, ...]:
    names = [name.strip() for text in typed.clients for name in text.split(",") if name.strip()]
    if typed.driver is not None and names:
        clash("--driver", "--client", "a client is a driver of its own", "leave one of them out")
    if typed.driver is not None:
        return (_driver(typed, choice("--driver", typed.driver, DRIVERS, "wire"), demo=demo),)
    if typed.clients and not names:
        msg = "--client: names none"
        raise UsageError(msg, hint=f"use one or more of {', '.join(DESIGNS)}")
    allowed = (*DESIGNS, "wire", "sdk")
    for name in names:
        choice("--client", name, allowed, None)
    if len(set(names)) < len(names):
        msg = f"--client {','.join(names)}: names one twice"
        raise UsageError(msg, hint="each client takes its turns once a round")
    if names and typed.agent is not None:
        clash("--client", "--agent", "the clients are of MCP, and the agents have their own", "leave one out")
    if not names and typed.proxy is not None:
        return (_driver(typed, "http", demo=demo),)
    known = {kind: kind for kind in get_args(ClientKind)}
    return tuple(known[name] for name in names) or ("wire",)


def _driver(typed: Typed, name: ClientKind, *, demo: bool) -> ClientKind:
    if typed.proxy is not None and name != "http":
        clash("--proxy", f"--driver {name}", "only the http driver goes through one", "use --driver http")
    if name == "http" and (typed.url is not None or demo):
        what = "--proxy" if typed.proxy is not None else "--driver http"
        msg = f"{what}: is for the agents API, and an MCP server is to be loaded"
        raise UsageError(msg, hint="name --agent URL only")
    if name == "sdk" and typed.url is None and not demo:
        msg = "--driver sdk: is for MCP, and only an agents API is named"
        raise UsageError(msg, hint="use --driver http or wire")
    return name


def _rounds(typed: Typed, clients: Sequence[str]) -> int:
    if typed.rounds is not None and len(clients) < 2:
        idle("--rounds", "--client with two or more names")
    if typed.rounds is None:
        return ROUNDS if len(clients) > 1 else 1
    return whole(typed.rounds, "--rounds", most=1000)
