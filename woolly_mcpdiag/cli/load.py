"""``mcpdiag load``: parse, look at the targets, run the load, print the report, exit."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from woolly_mcpdiag.cli.errors import note
from woolly_mcpdiag.cli.interrupt import Interrupt
from woolly_mcpdiag.cli.load_typed import Typed
from woolly_mcpdiag.cli.outputs import STDOUT, Output, check_writable, planned, write
from woolly_mcpdiag.cli.screen import NARROWEST
from woolly_mcpdiag.core.errors import ExitCode, UsageError
from woolly_mcpdiag.report.formats import FORMATS

if TYPE_CHECKING:
    from woolly_mcpdiag.api.load import Loaded
    from woolly_mcpdiag.cli.load_options import Order
    from woolly_mcpdiag.load.preflight import Found

TABLES = ("intervals", "calls")
_AWAY = {"connect", "dns", "tls"}
"""Ways to fail without a connection."""

Many = list[str] | None
Text = str | None


def load(
    url: Annotated[
        Text, typer.Argument(metavar="URL", show_default=False, help="An MCP server, either transport, either era.")
    ] = None,
    agent: Annotated[
        Text, typer.Option("--agent", metavar="URL", help="An agents API: one POST runs an agent. Alone or beside URL.")
    ] = None,
    agent_types: Annotated[
        Many, typer.Option("--agent-type", metavar="TYPE", help="Agent to run; repeatable: in turn.")
    ] = None,
    repositories: Annotated[
        Many, typer.Option("--repository", metavar="NAME", help="Its repository_name; default demo.")
    ] = None,
    queries: Annotated[
        Many,
        typer.Option(
            "--query",
            metavar="TEXT",
            help="Its user_query; {i}, {worker}, {seed} and {feed.COLUMN} are filled in. Default: Test {i}.",
        ),
    ] = None,
    body: Annotated[
        Text, typer.Option(metavar="@FILE|TEXT", help="The whole body of a run instead, filled in the same way.")
    ] = None,
    tools: Annotated[
        Many,
        typer.Option(
            "--tool",
            metavar="NAME",
            help="Tool to call; repeatable: in turn. Without it: those that the server marks as read-only, "
            "else as not destructive, without those that refuse made-up arguments.",
        ),
    ] = None,
    args: Annotated[
        Many,
        typer.Option(
            "--args",
            metavar="JSON|@FILE",
            help="Its arguments, one for each --tool; without it (or auto) they are made up from its input schema.",
        ),
    ] = None,
    methods: Annotated[
        Many, typer.Option("--method", metavar="METHOD", help="A request instead of tools: ping, tools/list, ...")
    ] = None,
    allow: Annotated[
        Many, typer.Option("--allow", metavar="TOOL|all", help="Call this tool though it may be destructive.")
    ] = None,
    feed: Annotated[
        Text, typer.Option(metavar="FILE", help="CSV with a header; its rows fill {feed.COLUMN} in turn.")
    ] = None,
    fault: Annotated[
        Many, typer.Option("--fault", metavar="NAME[=VALUE]", help="Of the demo target: see mcpdiag demo --list.")
    ] = None,
    era: Annotated[
        Text,
        typer.Option(metavar="ERA", help="auto (as the server prefers), handshake (sessions) or modern (2026-07-28)."),
    ] = None,
    concurrency: Annotated[
        Text, typer.Option("--concurrency", "-c", metavar="N", help="Users at once, or size of a wave; default 5.")
    ] = None,
    requests: Annotated[Text, typer.Option("--requests", "-n", metavar="N", help="Stop after so many calls.")] = None,
    duration: Annotated[
        Text,
        typer.Option(
            "--duration",
            "-d",
            metavar="TIME",
            help="Stop after 30s, 5m, ...; default 30s, 10s on the demo, 5s a round with several clients.",
        ),
    ] = None,
    rate: Annotated[
        Text,
        typer.Option(
            "--rate", "-R", metavar="N/s", help="Open loop: calls arrive at this rate; latency from the scheduled time."
        ),
    ] = None,
    arrival: Annotated[Text, typer.Option(metavar="KIND", help="constant (default) or poisson.")] = None,
    max_in_flight: Annotated[
        Text, typer.Option(metavar="N", help="Arrivals beyond it are dropped and counted; default 1000.")
    ] = None,
    stages: Annotated[
        Many,
        typer.Option(
            "--stage",
            metavar="TIME:N[/s]",
            help="Ramp to N users (or N/s arrivals) within TIME; repeatable: one after the other.",
        ),
    ] = None,
    waves: Annotated[
        Text, typer.Option(metavar="N", help="So many waves, each of -c sessions born at the same instant.")
    ] = None,
    calls_per_session: Annotated[
        Text, typer.Option(metavar="N", help="Calls of each session of a wave; default 1.")
    ] = None,
    think: Annotated[Text, typer.Option(metavar="MIN..MAX", help="Pause of a user between two calls.")] = None,
    warmup: Annotated[Text, typer.Option(metavar="TIME", help="The first part, left out of the figures.")] = None,
    seed: Annotated[Text, typer.Option(metavar="N", help="The same seed draws the same; default 0.")] = None,
    sessions: Annotated[
        Text, typer.Option(metavar="POLICY", help="per-worker (default), per-call, shared or pool:N.")
    ] = None,
    no_stream: Annotated[
        bool, typer.Option("--no-stream", help="Streamable HTTP: do not keep a GET stream open beside each session.")
    ] = False,
    clients: Annotated[
        Many,
        typer.Option(
            "--client",
            metavar="NAME[,NAME...]",
            help="Client designs: naive, shared, per-call, pooled, or wire, sdk. Several take turns in rounds "
            "A B B A and are compared.",
        ),
    ] = None,
    rounds: Annotated[Text, typer.Option(metavar="N", help="Turns of each client; default 4.")] = None,
    driver: Annotated[
        Text,
        typer.Option(
            metavar="NAME",
            help="What sends: wire (default, our fast engine), sdk (the MCP SDK), http (agents API over httpx).",
        ),
    ] = None,
    timeout: Annotated[Text, typer.Option(metavar="TIME", help="A call has failed after it; default 30s.")] = None,
    connect_timeout: Annotated[Text, typer.Option(metavar="TIME", help="For a connection; default 5s.")] = None,
    event_timeout: Annotated[
        Text, typer.Option(metavar="TIME", help="For the endpoint event of legacy SSE; default 5s.")
    ] = None,
    headers: Annotated[
        Many, typer.Option("--header", "-H", metavar="'NAME: VALUE'", help="Sent with every request; never recorded.")
    ] = None,
    bearer_env: Annotated[
        Text, typer.Option(metavar="VARIABLE", help="Send the token in this environment variable.")
    ] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Take any TLS certificate.")] = False,
    ca_file: Annotated[Text, typer.Option(metavar="FILE", help="Certificates to trust, in PEM form.")] = None,
    proxy: Annotated[Text, typer.Option(metavar="URL", help="HTTP proxy to the agents API (driver http).")] = None,
    thresholds: Annotated[
        Many,
        typer.Option(
            "--threshold",
            "--assert",
            metavar="EXPR",
            help="'http_400 == 0', 'p95 < 1s | per agent_type', k6's spellings too; repeatable. Exit 1 where it fails.",
        ),
    ] = None,
    abort_on_fail: Annotated[
        bool, typer.Option("--abort-on-fail", help="Stop at the first threshold that has surely failed.")
    ] = False,
    abort_delay: Annotated[Text, typer.Option(metavar="TIME", help="Not before so long a time.")] = None,
    confidence: Annotated[Text, typer.Option(metavar="PERCENT", help="Of the verdicts; default 95.")] = None,
    on_inconclusive: Annotated[
        Text,
        typer.Option(metavar="pass|fail", help="Exit 0 or 1 instead of 3 where the evidence decides nothing."),
    ] = None,
    events: Annotated[
        Text, typer.Option(metavar="FILE", help="Write the run log as it happens, for report, compare, analyze-logs.")
    ] = None,
    formats: Annotated[
        Many,
        typer.Option("--format", "-f", metavar="FORMAT", help=f"{', '.join(FORMATS)}; repeatable. Without it: text."),
    ] = None,
    outputs: Annotated[
        Many,
        typer.Option(
            "--output", "-o", "--out", metavar="FILE", help="Where the format goes; - for stdout. The suffix tells it."
        ),
    ] = None,
    table: Annotated[
        Text, typer.Option(metavar="TABLE", help="What csv and parquet hold: intervals (default) or calls.")
    ] = None,
    processes: Annotated[Text, typer.Option(metavar="N", help="Processes that send; default 1.")] = None,
    no_live: Annotated[bool, typer.Option("--no-live", help="Plain lines in place of the live view.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Everything in the text.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")] = False,
    width: Annotated[
        int | None,
        typer.Option(min=NARROWEST, metavar="N", help="Columns of the text; by default the terminal's, else 100."),
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour, as with NO_COLOR set.")] = False,
) -> None:
    """Run agents and MCP calls at once, measure them, and name the cause of what fails.

    Without URL and --agent the demo is started and loaded. The targets are looked at first (4 s at most, tools are
    discovered, each is called once); a target that cannot be loaded is exit 4 with its cause. Ctrl-C once ends with
    a full report, twice at once. Without --threshold the exit is 0 whatever the verdict line says, but 3 where no
    call ended or the generator was the bottleneck, and 4 where every call failed to connect.
    """
    if no_color:
        # For everything that asks the environment, rich included.
        os.environ["NO_COLOR"] = "1"
    from woolly_mcpdiag.cli.load_options import order

    if on_inconclusive not in {None, "pass", "fail"}:
        msg = f"--on-inconclusive {on_inconclusive}: there is none of that name"
        raise UsageError(msg, hint="use pass or fail")
    if table is not None and table not in TABLES:
        msg = f"--table {table}: there is none of that name"
        raise UsageError(msg, hint=f"use {' or '.join(TABLES)}")
    plan = planned(formats or [], outputs or [])
    log = _log(events, plan)
    asked = order(
        Typed(
            url=url,
            agent=agent,
            agent_types=tuple(agent_types or ()),
            repositories=tuple(repositories or ()),
            queries=tuple(queries or ()),
            body=body,
            tools=tuple(tools or ()),
            args=tuple(args or ()),
            methods=tuple(methods or ()),
            feed=feed,
            allow=tuple(allow or ()),
            faults=tuple(fault or ()),
            era=era,
            concurrency=concurrency,
            requests=requests,
            duration=duration,
            rate=rate,
            arrival=arrival,
            max_in_flight=max_in_flight,
            stages=tuple(stages or ()),
            waves=waves,
            calls_per_session=calls_per_session,
            think=think,
            warmup=warmup,
            seed=seed,
            sessions=sessions,
            no_stream=no_stream,
            clients=tuple(clients or ()),
            rounds=rounds,
            driver=driver,
            timeout=timeout,
            connect_timeout=connect_timeout,
            event_timeout=event_timeout,
            headers=tuple(headers or ()),
            bearer_env=bearer_env,
            insecure=insecure,
            ca_file=ca_file,
            proxy=proxy,
            thresholds=tuple(thresholds or ()),
            abort_on_fail=abort_on_fail,
            abort_delay=abort_delay,
            confidence=confidence,
            processes=processes,
        )
    )
    # Before anything is started: a full disk or a missing directory must not cost a run.
    check_writable([*plan, Output(format="", path=str(log))] if log else plan)
    loaded = _loaded(asked, log, live=not no_live, quiet=quiet, width=width)
    held = on_inconclusive != "pass"
    written = write(plan, loaded, table=table or TABLES[0], width=width, verbose=verbose, open_fails=held)
    if log:
        written = [str(log), *written]
    if written and not quiet:
        note(f"wrote {', '.join(written)}")
    raise typer.Exit(exit_code(loaded, on_inconclusive))


def _log(path: str | None, plan: Sequence[Output]) -> Path | None:
    """Return where the run log goes. Raises ``UsageError`` where something else does."""
    if path == STDOUT:
        msg = "--events -: the run log needs a file"
        raise UsageError(msg, hint="write --events run.jsonl")
    for output in plan:
        if path and output.path != STDOUT and os.path.realpath(path) == os.path.realpath(output.path):
            msg = f"--events {path}: {output.format} goes there as well"
            raise UsageError(msg, hint="name another file")
    return Path(path) if path else None


def _loaded(asked: "Order", log: Path | None, *, live: bool, quiet: bool, width: int | None) -> "Loaded":
    from woolly_mcpdiag.cli.load_plans import planned as plans_of
    from woolly_mcpdiag.cli.load_plans import wanted
    from woolly_mcpdiag.load import preflight

    with _targets(asked, quiet=quiet) as aimed:
        found = preflight.look(wanted(aimed))
        if not quiet:
            for text in [*found.notes, *_unfit(aimed, found)]:
                note(text)
        plans, meta, demand = plans_of(aimed, found, log)
        # Only now: this brings numpy, and a target that is away should be said at once.
        from woolly_mcpdiag.api.load import load as run
        from woolly_mcpdiag.cli.load_live import LoadView

        with Interrupt() as interrupt:
            view = LoadView(sys.stderr, quiet=quiet, live=live, width=width, stopping=interrupt.asked)
            interrupt.silent = view.drawn
            try:
                loaded = run(plans, meta, demand, on_state=view, stopped=interrupt.asked)
            finally:
                view.close()
            return replace(loaded, interrupted=loaded.interrupted or interrupt.stopped)


@contextlib.contextmanager
def _targets(asked: "Order", *, quiet: bool) -> "Iterator[Order]":
    """Yield the order with targets: those that are named, or the demo, which runs while the block does."""
    if not asked.demo:
        yield asked
        return
    from woolly_mcpdiag.cli.load_plans import with_demo
    from woolly_mcpdiag.demo.options import Options
    from woolly_mcpdiag.demo.process import demo_process

    naive = "naive" in asked.clients
    with demo_process(Options(faults=asked.faults, client="naive" if naive else None, seed=asked.model.seed)) as demo:
        aimed = with_demo(asked, demo.mcp_url, demo.api_url)
        if not quiet:
            agents = "" if aimed.agent is None else f"agents API {demo.api_url}, "
            note(f"no target is named, so the demo is loaded: {agents}MCP server {demo.mcp_url}")
        yield aimed


def _unfit(asked: "Order", found: "Found") -> Sequence[str]:
    """Return what was asked for and means nothing with what was found."""
    if found.mcp is None or not found.mcp.modern:
        return []
    asks = [f"--{name}" for name in ("sessions", "waves") if getattr(asked.typed, name) is not None]
    return [
        f"{name}: the server speaks {found.mcp.version}, which has no sessions; --era handshake asks for them"
        for name in asks
    ]


def exit_code(loaded: "Loaded", on_inconclusive: Literal["pass", "fail"] | str | None = None) -> ExitCode:
    """Return the exit code of a run; being interrupted outweighs everything, a sure failure all but that."""
    from woolly_mcpdiag.report.run_wording import concluded

    if loaded.interrupted:
        return ExitCode.INTERRUPTED
    if _away(loaded):
        return ExitCode.AWAY
    end = loaded.run.end
    bound = end is not None and end.generator.bound
    verdict = concluded(loaded.judgements, bound) if loaded.judgements else "pass"
    if verdict == "fail":
        return ExitCode.NO
    ended = sum(calls.tried for calls in loaded.run.tally.calls.values())
    doubtful = verdict == "inconclusive" or not ended or end is None or not end.complete or bound
    if not doubtful:
        return ExitCode.OK
    return {"pass": ExitCode.OK, "fail": ExitCode.NO}.get(on_inconclusive or "", ExitCode.INCONCLUSIVE)


def _away(loaded: "Loaded") -> bool:
    """Say whether every call failed for want of a connection."""
    kinds = {outcome.kind for calls in loaded.run.tally.calls.values() for outcome in calls.outcomes}
    ok = any(calls.ok for calls in loaded.run.tally.calls.values())
    return bool(kinds) and kinds <= _AWAY and not ok
