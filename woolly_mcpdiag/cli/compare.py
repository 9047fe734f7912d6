"""``mcpdiag compare``: two stored runs side by side, or two targets that take turns."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from woolly_mcpdiag.cli.errors import note
from woolly_mcpdiag.cli.interrupt import Interrupt
from woolly_mcpdiag.cli.load_typed import Typed, idle
from woolly_mcpdiag.cli.outputs import Output, check_writable, planned, write
from woolly_mcpdiag.cli.quantities import share, whole
from woolly_mcpdiag.cli.screen import NARROWEST
from woolly_mcpdiag.core.errors import ExitCode, UsageError
from woolly_mcpdiag.report.formats import FORMATS, find

if TYPE_CHECKING:
    from woolly_mcpdiag.api.compare import Compared

REGRESSION = "regression"
ROUNDS = 8
_ROUND = "5s"
_OF_RUNS = ("csv", "parquet", "prom", "trace")

Many = list[str] | None
Text = str | None


def compare(
    base: Annotated[str, typer.Argument(metavar="A", help="The base: a run log, or a URL with --interleave.")],
    other: Annotated[str, typer.Argument(metavar="B", help="What is compared with it.")],
    interleave: Annotated[
        bool, typer.Option("--interleave", help="A and B are URLs of MCP servers; they are loaded in turns A B B A.")
    ] = False,
    rounds: Annotated[Text, typer.Option(metavar="N", help=f"Turns of each; default {ROUNDS}.")] = None,
    concurrency: Annotated[
        Text, typer.Option("--concurrency", "-c", metavar="N", help="Users at once; default 5.")
    ] = None,
    requests: Annotated[Text, typer.Option("--requests", "-n", metavar="N", help="Calls of a round.")] = None,
    duration: Annotated[
        Text, typer.Option("--duration", "-d", metavar="TIME", help=f"Length of a round; default {_ROUND}.")
    ] = None,
    rate: Annotated[Text, typer.Option("--rate", "-R", metavar="N/s", help="Open loop at this rate.")] = None,
    tools: Annotated[Many, typer.Option("--tool", metavar="NAME", help="Tool to call; repeatable: in turn.")] = None,
    args: Annotated[Many, typer.Option("--args", metavar="JSON", help="Its arguments, one for each --tool.")] = None,
    methods: Annotated[
        Many, typer.Option("--method", metavar="METHOD", help="A request instead of tools: ping, tools/list, ...")
    ] = None,
    headers: Annotated[Many, typer.Option("--header", "-H", metavar="'NAME: VALUE'", help="Sent to both.")] = None,
    bearer_env: Annotated[Text, typer.Option(metavar="VARIABLE", help="Send the token of this variable.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Take any TLS certificate.")] = False,
    events: Annotated[Text, typer.Option(metavar="FILE", help="Write the run log of the turns.")] = None,
    fail_on: Annotated[
        Many, typer.Option("--fail-on", metavar=REGRESSION, help="Exit 1 where B is shown to be worse than A.")
    ] = None,
    confidence: Annotated[
        Text, typer.Option(metavar="PERCENT", help="Of all figures of the comparison together; default 95.")
    ] = None,
    formats: Annotated[
        Many, typer.Option("--format", "-f", metavar="FORMAT", help=f"{', '.join(FORMATS)}; repeatable.")
    ] = None,
    outputs: Annotated[
        Many, typer.Option("--output", "-o", metavar="FILE", help="Where the format goes; the suffix tells it.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Everything in the text.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")] = False,
    width: Annotated[
        int | None,
        typer.Option(min=NARROWEST, metavar="N", help="Columns of the text; by default the terminal's, else 100."),
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour, as with NO_COLOR set.")] = False,
) -> None:
    """Say whether B is better or worse than A in success, p50, p95 and throughput, with intervals.

    Stored runs are cut into stretches; drift between the two occasions is not controlled, and hosts or loads that
    differ are said. With --interleave both targets are loaded in turns, so that drift hits both alike. "No difference
    shown" means that the interval holds both signs, not that there is none.
    """
    if no_color:
        # For everything that asks the environment, rich included.
        os.environ["NO_COLOR"] = "1"
    for word in fail_on or ():
        if word != REGRESSION:
            msg = f"--fail-on {word}: a comparison knows none of that name"
            raise UsageError(msg, hint=f"use --fail-on {REGRESSION}")
    plan = planned(
        formats or [], outputs or [], [events] if interleave and events else [] if interleave else [base, other]
    )
    level = 0.95 if confidence is None else share(confidence, "--confidence")
    typed = Typed(
        concurrency=concurrency,
        requests=requests,
        duration=duration,
        rate=rate,
        tools=tuple(tools or ()),
        args=tuple(args or ()),
        methods=tuple(methods or ()),
        headers=tuple(headers or ()),
        bearer_env=bearer_env,
        insecure=insecure,
    )
    if interleave:
        turns = ROUNDS if rounds is None else whole(rounds, "--rounds", least=2, most=1000)
        check_writable([*plan, Output(format="", path=events)] if events else plan)
        log = Path(events) if events else None
        found = _turns(base, other, typed, turns, log, confidence=level, quiet=quiet, width=width)
    else:
        _refuse_idle(typed, {"--rounds": rounds, "--events": events})
        _refuse_tables(plan)
        check_writable(plan)
        # Only now: this brings the formulas, and wrong usage should be said at once.
        from woolly_mcpdiag.api.compare import compare_runs

        found = compare_runs(base, other, confidence=level)
    written = write(plan, found, table="intervals", width=width, verbose=verbose)
    if written and not quiet:
        note(f"wrote {', '.join(written)}")
    raise typer.Exit(_code(found, asked=bool(fail_on), quiet=quiet))


def _code(found: "Compared", *, asked: bool, quiet: bool) -> ExitCode:
    if found.interrupted:
        return ExitCode.INTERRUPTED
    if asked and found.regressions:
        if not quiet:
            note(f"--fail-on {REGRESSION}: {'; '.join(one.sentence for one in found.regressions)}")
        return ExitCode.NO
    return ExitCode.OK


def _refuse_idle(typed: Typed, more: dict[str, str | None]) -> None:
    given = {
        "--concurrency": typed.concurrency,
        "--requests": typed.requests,
        "--duration": typed.duration,
        "--rate": typed.rate,
        "--tool": typed.tools,
        "--args": typed.args,
        "--method": typed.methods,
        "--header": typed.headers,
        "--bearer-env": typed.bearer_env,
        "--insecure": typed.insecure,
        **more,
    }
    for option, value in given.items():
        if value:
            idle(option, "--interleave")


def _refuse_tables(plan: list[Output]) -> None:
    for output in plan:
        if output.format in _OF_RUNS:
            msg = f"--format {output.format}: it holds one run, and two are compared"
            raise UsageError(msg, hint=f"mcpdiag report RUN -f {find(output.format).name}, for each")


def _turns(
    base: str,
    other: str,
    typed: Typed,
    rounds: int,
    events: Path | None,
    *,
    confidence: float,
    quiet: bool,
    width: int | None,
) -> "Compared":
    from woolly_mcpdiag.cli.load_options import order
    from woolly_mcpdiag.cli.load_plans import planned as plans_of
    from woolly_mcpdiag.cli.load_plans import wanted
    from woolly_mcpdiag.load import preflight

    length = typed.duration or (None if typed.requests else _ROUND)
    sides = []
    for name, url in (("A", base), ("B", other)):
        asked = order(replace(typed, url=url, duration=length))
        found = preflight.look(wanted(asked))
        if not quiet:
            for text in found.notes:
                note(f"{name}: {text}")
        sides.append((name, *plans_of(asked, found, events)))
    _, _, meta, demand = sides[0]
    targets = tuple({**told, "side": name} for name, _, one, _ in sides for told in one.targets)
    from woolly_mcpdiag.api.compare import compare_targets
    from woolly_mcpdiag.cli.load_live import LoadView

    with Interrupt() as interrupt:
        view = LoadView(sys.stderr, quiet=quiet, live=True, width=width)
        try:
            return compare_targets(
                {name: plans[0] for name, plans, _, _ in sides},
                replace(meta, targets=targets),
                rounds,
                demand,
                confidence=confidence,
                on_state=view,
                stopped=interrupt.asked,
            )
        finally:
            view.close()
