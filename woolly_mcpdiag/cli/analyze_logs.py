"""``mcpdiag analyze-logs``: parse, call the one use case, print, exit."""

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from woolly_mcpdiag.cli.errors import note
from woolly_mcpdiag.cli.interrupt import Interrupt
from woolly_mcpdiag.cli.outputs import check_writable, planned, write
from woolly_mcpdiag.cli.screen import NARROWEST, is_terminal
from woolly_mcpdiag.core.errors import ExitCode, InputError, UsageError
from woolly_mcpdiag.report.formats import FOR_LOGS, find

if TYPE_CHECKING:
    from woolly_mcpdiag.api import Analysis, Options
    from woolly_mcpdiag.report.model import Report

Table = Literal["sessions", "events"]
_MOST_WORKERS = 256
_LIVE_EVERY = 1.0
"""Seconds between two pictures of a followed log."""


def analyze_logs(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATHS...",
            show_default=False,
            help="Files, globs, directories, or - for standard input; .gz and .zst are read as they are.",
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", "-f", metavar="FORMAT", help=f"{', '.join(FOR_LOGS)}; repeatable. Without it: text."),
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where the format goes, - for stdout; repeatable, pairs with --format in order or by suffix. "
            "Without --format the suffix tells it.",
        ),
    ] = None,
    table: Annotated[
        Table, typer.Option(metavar="TABLE", help="What csv and parquet hold: sessions or events.")
    ] = "sessions",
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help='Leave out what is earlier: ISO time, 14:30, "10m ago" or epoch; zone UTC.'),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Leave out what is later.")] = None,
    session_patterns: Annotated[
        list[str] | None,
        typer.Option(
            "--session-pattern",
            metavar="REGEX",
            help="A line that names a new session: named group session, and optionally key; repeatable.",
        ),
    ] = None,
    endpoints: Annotated[
        list[str] | None,
        typer.Option("--endpoint", metavar="GLOB", help="URLs that are MCP, where it cannot be guessed; repeatable."),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="CAUSE",
            help="Exit 1 where this is found: a cause, a family (session, net ...), any, or unexplained; repeatable.",
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-F", help="Wait for the logs to grow, as tail -F does, with a live view.")
    ] = False,
    workers: Annotated[
        str | None, typer.Option(metavar="N", help="Processes to read with; by default as many as it pays.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="All evidence and all timelines in the text.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")] = False,
    width: Annotated[
        int | None,
        typer.Option(min=NARROWEST, metavar="N", help="Columns of the text; by default the terminal's, else 100."),
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour, as with NO_COLOR set.")] = False,
) -> None:
    """Say from logs why MCP requests fail: the cause, its evidence and the fix.

    Reads httpx, httpcore, MCP, uvicorn, gunicorn and nginx lines, HAR files and event JSON lines in any usual format.
    Several logs of the same traffic (client, proxy, server) are joined, not added up.
    """
    from woolly_mcpdiag.cli import criteria

    if no_color:
        # For everything that asks the environment, rich included.
        os.environ["NO_COLOR"] = "1"
    inputs = _inputs(paths)
    plan = planned(formats or [], outputs or [], inputs)
    for output in plan:
        if find(output.format).runs_only:
            msg = f"--format {output.format}: it holds figures of a load or a gate, and a log has none"
            raise UsageError(msg, hint=f"use one of {', '.join(FOR_LOGS)}")
    asked = criteria.checked(fail_on or [])
    check_writable(plan)
    options = _options(since, until, session_patterns, endpoints, _count(workers), keep_events=table == "events")
    with Interrupt() as interrupt:
        try:
            if follow:
                analysis = _follow(inputs, options, interrupt, quiet=quiet, width=width)
            else:
                analysis = _read(inputs, options, interrupt, quiet=quiet)
        except InputError:
            if interrupt.stopped:
                # A pipe that was given up before its first byte looks empty.
                raise typer.Exit(ExitCode.INTERRUPTED) from None
            raise
    written = write(plan, analysis, table=table, width=width, verbose=verbose)
    if written and not quiet:
        note(f"wrote {', '.join(written)}")
    code = _code(analysis.report, asked, quiet=quiet)
    # Being interrupted outweighs what was found so far: the rest might have said something else.
    raise typer.Exit(ExitCode.INTERRUPTED if interrupt.stopped else code)


def _inputs(paths: list[str] | None) -> list[str]:
    if paths:
        return paths
    if is_terminal(sys.stdin):
        msg = "no logs to read"
        raise UsageError(msg, hint="mcpdiag analyze-logs app.log, or pipe a log into it")
    return ["-"]


def _options(
    since: str | None,
    until: str | None,
    patterns: list[str] | None,
    endpoints: list[str] | None,
    workers: int | None,
    *,
    keep_events: bool,
) -> "Options":
    from woolly_mcpdiag.cli.moments import moment

    now = datetime.now(UTC)
    start = None if since is None else moment(since, "--since", now)
    end = None if until is None else moment(until, "--until", now)
    if start is not None and end is not None and start > end:
        msg = f"--since {since!r} is later than --until {until!r}"
        raise UsageError(msg, hint="exchange the two")
    # Only now: this brings numpy, and wrong usage should be said at once.
    from woolly_mcpdiag.api import Options

    return Options(
        since=start,
        until=end,
        session_patterns=tuple(patterns or ()),
        endpoints=tuple(endpoints or ()),
        workers=workers,
        keep_events=keep_events,
    )


def _count(text: str | None) -> int | None:
    """Return a number of workers; converted here, since typer's conversion would load pydantic (11 MB)."""
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _MOST_WORKERS:
        msg = f"--workers {text}: is not a number from 1 to {_MOST_WORKERS}"
        raise UsageError(msg, hint="leave it out: the size of the logs decides")
    return int(text)


def _read(inputs: list[str], options: "Options", interrupt: Interrupt, *, quiet: bool) -> "Analysis":
    from woolly_mcpdiag import api
    from woolly_mcpdiag.cli.progress import ProgressBar
    from woolly_mcpdiag.diagnose.memory import limit_spare

    limit_spare()
    bar = ProgressBar(sys.stderr, quiet=quiet)
    try:
        return api.analyze_logs(inputs, options, progress=bar, stopped=interrupt.asked)
    finally:
        bar.close()


def _follow(
    inputs: list[str], options: "Options", interrupt: Interrupt, *, quiet: bool, width: int | None
) -> "Analysis":
    from woolly_mcpdiag import api
    from woolly_mcpdiag.cli.live import FollowView

    view = FollowView(sys.stderr, inputs, quiet=quiet, width=width)
    try:
        return api.follow_logs(inputs, options, every=_LIVE_EVERY, on_report=view, stopped=interrupt.asked)
    finally:
        view.close()


def _code(report: "Report", asked: tuple[str, ...], *, quiet: bool) -> ExitCode:
    from woolly_mcpdiag.cli import criteria

    found = criteria.matches(report, asked)
    if found and not quiet:
        note(f"--fail-on: {', '.join(found)}")
    if found:
        return ExitCode.NO
    if asked and (reason := criteria.undecidable(report)):
        note(f"--fail-on {' '.join(asked)} cannot be decided: {reason}")
        return ExitCode.INCONCLUSIVE
    return ExitCode.OK
