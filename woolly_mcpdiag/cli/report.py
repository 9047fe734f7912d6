"""``mcpdiag report``: a run log in any format, judged and explained again."""

import os
from typing import Annotated

import typer

from woolly_mcpdiag.cli.errors import note
from woolly_mcpdiag.cli.outputs import check_writable, planned, write
from woolly_mcpdiag.cli.quantities import share
from woolly_mcpdiag.cli.screen import NARROWEST
from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.report.formats import FORMATS

TABLES = ("intervals", "calls")


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run log: mcpdiag load --events run.jsonl writes one.")],
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", "-f", metavar="FORMAT", help=f"{', '.join(FORMATS)}; repeatable. Without it: text."),
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where the format goes; - for stdout. The suffix tells it."
        ),
    ] = None,
    table: Annotated[
        str | None, typer.Option(metavar="TABLE", help="What csv and parquet hold: intervals (default) or calls.")
    ] = None,
    thresholds: Annotated[
        list[str] | None,
        typer.Option("--threshold", metavar="EXPR", help="Judge this instead of the run's own thresholds; repeatable."),
    ] = None,
    confidence: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Of the verdicts; by default that of the run.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Everything in the text.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")] = False,
    width: Annotated[
        int | None,
        typer.Option(min=NARROWEST, metavar="N", help="Columns of the text; by default the terminal's, else 100."),
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour, as with NO_COLOR set.")] = False,
) -> None:
    """Show a recorded load or gate again, in any format.

    Figures come from its record; its thresholds are judged and its failures explained again, by today's rules.
    A log of a run that was killed shows what was measured until then. The exit code says only whether the log could
    be read; `mcpdiag gate --from` judges.
    """
    if no_color:
        # For everything that asks the environment, rich included.
        os.environ["NO_COLOR"] = "1"
    plan = planned(formats or [], outputs or [], [run])
    if table is not None and table not in TABLES:
        msg = f"--table {table}: a run has none of that name"
        raise UsageError(msg, hint=f"use {' or '.join(TABLES)}")
    level = None if confidence is None else share(confidence, "--confidence")
    check_writable(plan)
    # Only now: this brings numpy, and wrong usage should be said at once.
    from woolly_mcpdiag.api.report import report_run

    found = report_run(run, thresholds or (), confidence=level)
    written = write(plan, found, table=table or TABLES[0], width=width, verbose=verbose)
    if written and not quiet:
        note(f"wrote {', '.join(written)}")
