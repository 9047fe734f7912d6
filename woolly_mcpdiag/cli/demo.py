"""``mcpdiag demo``: a practice target with faults that can be switched on, until Ctrl-C."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from woolly_mcpdiag.core.errors import UsageError

if TYPE_CHECKING:
    from woolly_mcpdiag.demo.clients import Factory
    from woolly_mcpdiag.demo.faults.fault import Show
    from woolly_mcpdiag.demo.options import Options
    from woolly_mcpdiag.demo.serve import Running

SCHEMA = "mcpdiag.demo/1"
Transport = Literal["sse", "streamable", "both"]
Era = Literal["handshake", "modern", "both"]
Client = Literal["naive", "shared", "per-call", "plain", "pooled"]
Style = Literal["basic", "asctime", "json", "debug"]


def demo(
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[=VALUE]", show_default=False, help="What goes wrong; several at once. See --list."),
    ] = None,
    list_faults: Annotated[bool, typer.Option("--list", help="List the faults and their causes, and exit.")] = False,
    client: Annotated[
        Client | None, typer.Option(show_default=False, help="How the agents reach the MCP server.")
    ] = None,
    transport: Annotated[Transport | None, typer.Option(show_default=False, help="What the server speaks.")] = None,
    era: Annotated[Era | None, typer.Option(show_default=False, help="Protocol eras that the server answers.")] = None,
    upstream: Annotated[
        str, typer.Option(metavar="URL", show_default=False, help="Put the faults in front of this MCP endpoint.")
    ] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the agents API; 0: a free one.")] = 0,
    mcp_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the MCP server; 0: a free one.")] = 0,
    host: Annotated[str, typer.Option(help="Where to listen; another than this machine needs --expose.")] = "127.0.0.1",
    expose: Annotated[bool, typer.Option("--expose", help="Allow a --host that other machines can reach.")] = False,
    calls: Annotated[
        int | None,
        typer.Option(
            min=0, show_default=False, help="Agents to run at start; by default as many, in rounds, as show the fault."
        ),
    ] = None,
    deadline: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0.01,
            show_default=False,
            help="When an agent gives up a call; by default 10, or what shows the fault.",
        ),
    ] = None,
    log: Annotated[Path | None, typer.Option(show_default=False, help="Write the agents API's log here too.")] = None,
    server_log: Annotated[
        Path | None, typer.Option(show_default=False, help="Write the MCP server's log here.")
    ] = None,
    log_format: Annotated[
        Style | None,
        typer.Option(show_default=False, help="Format of both logs; by default what shows the fault, else basic."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same faults.")] = 0,
    output_format: Annotated[Literal["text", "json"], typer.Option("--format", "-f", help="How to print it.")] = "text",
) -> None:
    """Start an agents API on a real MCP server, with faults that can be switched on. Ctrl-C ends it.

    The URLs go to stdout, the agents API's log to stderr.
    """
    from woolly_mcpdiag.demo.faults import shown
    from woolly_mcpdiag.demo.options import Options, chosen, loopback, plan_of

    if list_faults:
        _put_faults(output_format)
        return
    if not loopback(host):
        if not expose:
            msg = f"host {host}: other machines could reach it"
            raise UsageError(msg, hint="leave --host out, or add --expose if that is meant")
        sys.stderr.write(f"warning: listening on {host}: whoever reaches this machine can run the demo's tools\n")
    options = Options(
        faults=tuple(fault or ()),
        port=port,
        mcp_port=mcp_port,
        host="127.0.0.1" if host == "localhost" else host,
        transport=transport,
        era=era,
        client=client,
        upstream=upstream,
        deadline=deadline,
        log=log,
        server_log=server_log,
        seed=seed,
    )
    plan_of(options)
    show = shown(chosen(options))
    options = replace(options, style=log_format or show.style)
    if calls is not None:
        show = replace(show, calls=(calls,))

    import anyio

    # asyncio's own debug mode tells which step blocked the event loop.
    anyio.run(_run, options, show, output_format, backend_options={"debug": options.style == "debug"})


def _pooled(options: "Options") -> "Factory | None":
    """Return what makes the pooled client, which the demo itself must not know."""
    if options.client != "pooled":
        return None
    from woolly_mcpdiag.client.demo_adapter import pooled

    return pooled


async def _run(options: "Options", show: "Show", output_format: str) -> None:
    import signal

    import anyio

    from woolly_mcpdiag.demo.serve import serve
    from woolly_mcpdiag.demo.traffic import call_in_rounds

    # Signals first: a Ctrl-C while it starts must end it as cleanly as a later one.
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with serve(options, echo=sys.stderr, pooled=_pooled(options)) as running:
            _put_running(running, options, show, output_format)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call_in_rounds, running, show)
                async for _ in signals:
                    break
                tasks.cancel_scope.cancel()


def _put_running(running: "Running", options: "Options", show: "Show", output_format: str) -> None:
    from woolly_mcpdiag.demo.options import chosen

    wanted = chosen(options)
    if output_format == "json":
        row = {
            "schema": SCHEMA,
            "agents_api": running.execute_url,
            "mcp_url": running.mcp_url,
            "mcp_endpoints": running.endpoints(),
            "client": running.plan.client,
            "faults": [{"name": one.name, "value": value, "causes": one.causes} for one, value in wanted],
        }
        print(json.dumps(row), flush=True)  # noqa: T201
        return
    lines = [f"Agents API  {running.execute_url}"]
    lines += [f"MCP server  {url}  ({what})" for what, url in running.endpoints().items()]
    lines += [f"Client      {running.plan.client}, at {running.mcp_url}"]
    for one, value in wanted:
        named = " or ".join(one.causes) or "nothing: no log can tell"
        where = "the server's log leads" if one.seen_in == "server" and options.style != "debug" else "its log leads"
        lines += [
            f"Fault       {one.name}{'=' + value if value else ''}: {one.what}",
            f"            {where} to {named}",
        ]
    if wanted:
        lines += [f"Calls       {_told(show, running.plan.deadline)}"]
    lines += ["", "Try:", *(f"  {line}" for line in _next_steps(running, options)), "", "Ctrl-C ends it."]
    print("\n".join(lines), flush=True)  # noqa: T201


def _told(show: "Show", deadline: float) -> str:
    """Say what runs by itself."""
    counts = [str(count) for count in show.calls if count]
    if not counts:
        return "none; call the agents yourself"
    between = (
        f", then the {show.step}, then" if show.step else f", {show.pause:g} s of silence," if show.pause else ", then"
    )
    return f"{between} ".join(counts) + f" agents at start; each gives up after {deadline:g} s"


def _next_steps(running: "Running", options: "Options") -> list[str]:
    from woolly_mcpdiag.demo.options import chosen

    body = '{"agent_types": ["simplifier", "tester"], "repository_name": "demo", "user_query": "sessions"}'
    steps = [f"curl -s {running.execute_url} -H 'content-type: application/json' -d '{body}'"]
    unseen = any(one.seen_in == "server" for one, _ in chosen(options)) and not options.server_log
    if unseen and options.style != "debug":
        steps.append("mcpdiag demo … --log demo.log --server-log server.log, and then:")
        steps.append("mcpdiag analyze-logs demo.log server.log")
    elif options.log:
        logs = " ".join(str(path) for path in (options.log, options.server_log) if path)
        steps.append(f"mcpdiag analyze-logs {logs}")
    else:
        steps.append("mcpdiag demo … --log demo.log, and then: mcpdiag analyze-logs demo.log")
    if not options.faults:
        steps.append("mcpdiag demo --list, and then: mcpdiag demo --fault NAME")
    return steps


def _put_faults(output_format: str) -> None:
    from woolly_mcpdiag.demo.faults import faults

    if output_format == "json":
        rows = [
            {
                "name": one.name,
                "what": one.what,
                "value": one.value,
                "default": one.default,
                "causes": one.causes,
                "seen_in": one.seen_in,
                "client": one.client,
                "upstream": one.upstream,
                "note": one.note,
            }
            for one in faults().values()
        ]
        print(json.dumps({"schema": SCHEMA, "faults": rows}, indent=2))  # noqa: T201
        return
    for one in faults().values():
        print(f"{one.name}{'=' + one.default if one.default else ''}")  # noqa: T201
        print(f"  {one.what}")  # noqa: T201
        if one.value:
            print(f"  value   {one.value}")  # noqa: T201
        print(f"  cause   {' or '.join(one.causes) or 'none that a log can tell'}")  # noqa: T201
        if one.note:
            print(f"  note    {one.note}")  # noqa: T201
