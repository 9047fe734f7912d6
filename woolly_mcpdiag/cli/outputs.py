"""The one place that pairs formats with outputs, checks them before the reading, and writes them after it."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from woolly_mcpdiag.cli.screen import PLAIN_WIDTH, colour_allowed, columns, put
from woolly_mcpdiag.core.errors import InputError, McpdiagError, UsageError
from woolly_mcpdiag.report.formats import FORMATS, Format, Look, find, of_file, render, render_table

if TYPE_CHECKING:
    import pandas as pd

    from woolly_mcpdiag.api import Analysis
    from woolly_mcpdiag.core.runs import Run
    from woolly_mcpdiag.report.model import Report

STDOUT = "-"


class Result(Protocol):
    """What a command found. Where it has a ``run``, tables are of that; else it must be an ``Analysis``."""

    @property
    def report(self) -> "Report":
        """What is rendered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One rendering and where it goes."""

    format: str
    path: str
    """A file, or "-" for stdout."""


def planned(formats: Sequence[str], paths: Sequence[str], inputs: Sequence[str] = ()) -> list[Output]:
    """Pair formats and outputs in their order, unless suffixes say otherwise; what is missing is inferred.

    A path without a format has it from its suffix, a format without a path goes to stdout, nothing at all is text
    on stdout. Raises ``UsageError`` for an unknown format or suffix, a format that contradicts the suffix of its file,
    two renderings for one place, and an output that is also an input.
    """
    plan = _paired([find(name) for name in formats], paths)
    _refuse_clashes(plan, inputs)
    for output in plan:
        _refuse_impossible(output)
    return plan or [Output(format="text", path=STDOUT)]


def _paired(formats: Sequence[Format], paths: Sequence[str]) -> list[Output]:
    """Pair in order where every suffix allows it, else give each format the first file whose suffix asks for it."""
    if len(formats) >= len(paths) and all(map(_fits, formats, paths)):
        takers: list[Format | None] = list(formats[: len(paths)])
        spare = list(formats[len(paths) :])
    else:
        takers, spare = _matched(formats, paths)
    if spare and None in takers:
        path = paths[takers.index(None)]
        msg = f"--output {path}: its suffix says {_format_of(path)}, and --format {spare[0].name} has no other place"
        raise UsageError(msg, hint=f"name a {spare[0].suffix} file, or leave out --format: the suffix tells it")
    pairs = [(row.name if row else _format_of(path), path) for row, path in zip(takers, paths, strict=True)]
    return [Output(format=name, path=path) for name, path in pairs + [(row.name, STDOUT) for row in spare]]


def _matched(formats: Sequence[Format], paths: Sequence[str]) -> tuple[list[Format | None], list[Format]]:
    """Return each path's format, if one is for it, and the formats that no path takes."""
    takers: list[Format | None] = [None] * len(paths)
    spare = list(formats)
    for fits in (_asks_for, _fits):
        for row in list(spare):
            free = (place for place, path in enumerate(paths) if takers[place] is None and fits(row, path))
            if (place := next(free, None)) is not None:
                takers[place] = row
                spare.remove(row)
    return takers, spare


def _asks_for(row: Format, path: str) -> bool:
    return path != STDOUT and of_file(Path(path)) is row


def _fits(row: Format, path: str) -> bool:
    """Say whether a suffix allows a format: it tells none, the same, a wider one (run.json for trace), or mere text."""
    told = None if path == STDOUT else of_file(Path(path))
    if told is None or path.lower().endswith(row.suffix) or row.suffix.endswith(told.suffix):
        return True
    return told.name == "text" and not row.binary


def check_writable(plan: Sequence[Output]) -> None:
    """Raise ``InputError`` for the first output that cannot be written; leaves no trace of the trial."""
    for output in plan:
        # Resolved, so that a link whose target is not there yet survives the trial.
        path = Path(os.path.realpath(output.path))
        if output.path == STDOUT or (path.exists() and not path.is_file() and not path.is_dir()):
            # Devices and named pipes are opened only when there is something to write.
            continue
        new = not path.exists()
        try:
            with path.open("ab"):
                pass
        except OSError as error:
            raise unwritable(output.path, error) from None
        if new:
            path.unlink()


def unwritable(path: str, error: OSError) -> InputError:
    """Return the error for an output that cannot be written, before the reading or after it."""
    reason = (error.strerror or str(error)).lower()
    return InputError(f"{path}: cannot be written: {reason}", hint="name another file after --output, or - for stdout")


def write(
    plan: Sequence[Output],
    result: Result,
    *,
    table: str,
    width: int | None,
    verbose: bool,
    open_fails: bool = True,
) -> list[str]:
    """Write every output and return the files written.

    ``table`` is what csv and parquet hold: "sessions" or "events" of logs, "intervals" or "calls" of a run (anything
    else is "intervals" there). ``open_fails`` says whether an inconclusive criterion fails in JUnit.

    An output that cannot be made does not keep the others from being written; its error is raised when all were tried:
    ``InputError`` for a file that turns out unwritable, ``UsageError`` for a format that means nothing here.
    """
    shown = columns(sys.stdout) if width is None else width
    failed: McpdiagError | None = None
    for output in plan:
        look = Look(width=width or PLAIN_WIDTH, verbose=verbose, open_fails=open_fails)
        if output.path == STDOUT:
            look = replace(look, width=shown, colour=colour_allowed(sys.stdout), ascii_only=_needs_ascii(output.format))
        try:
            _put(output, result, table, look)
        except OSError as error:
            failed = failed or unwritable(output.path, error)
        except McpdiagError as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return [output.path for output in plan if output.path != STDOUT]


def _put(output: Output, result: Result, table: str, look: Look) -> None:
    if output.path != STDOUT:
        _write_file(output, result, table, look)
        return
    text = _rendered(output.format, result, table, look)
    # Text is for the reader's terminal; the other formats say themselves that they are UTF-8.
    put(text if output.format == "text" else text.encode("utf-8", "backslashreplace"))


def _needs_ascii(name: str) -> bool:
    from woolly_mcpdiag.report.terminal import needs_ascii

    return name == "text" and needs_ascii(sys.stdout.encoding)


def _rendered(name: str, result: Result, table: str, look: Look) -> str:
    if find(name).takes == "table":
        return render_table(name, _frame(result, table), None)
    return render(name, result.report, look)


def _write_file(output: Output, result: Result, table: str, look: Look) -> None:
    path = Path(output.path)
    if find(output.format).binary:
        render_table(output.format, _frame(result, table), path)
    else:
        path.write_bytes(_rendered(output.format, result, table, look).encode("utf-8", "backslashreplace"))


def _frame(result: Result, table: str) -> "pd.DataFrame":
    run: Run | None = getattr(result, "run", None)
    if run is not None:
        from woolly_mcpdiag.report.frames import run_frame

        return run_frame(run, table)
    analysis = cast("Analysis", result)
    return analysis.events_frame() if table == "events" else analysis.sessions_frame()


def _format_of(path: str) -> str:
    if path == STDOUT:
        return "text"
    found = of_file(Path(path))
    if found is None:
        msg = f"--output {path}: its suffix tells no format"
        raise UsageError(msg, hint=f"add --format, one of {', '.join(FORMATS)}")
    return found.name


def _refuse_impossible(output: Output) -> None:
    row = find(output.format)
    if row.binary and output.path == STDOUT:
        msg = f"--format {row.name}: it is binary and needs a file"
        raise UsageError(msg, hint=f"add -o sessions{row.suffix}")
    if row.name == "parquet" and find_spec("pyarrow") is None:
        msg = "--format parquet: pyarrow is not installed"
        raise UsageError(
            msg,
            hint="pip install 'woolly-mcpdiag[parquet]', or use --format csv",
        )


def _refuse_clashes(plan: Sequence[Output], inputs: Sequence[str]) -> None:
    read = {_identity(path) for path in inputs if path != STDOUT}
    taken: dict[str, str] = {}
    for output in plan:
        place = STDOUT if output.path == STDOUT else _identity(output.path)
        if place in taken:
            shown = "stdout" if place == STDOUT else output.path
            msg = f"{shown}: {taken[place]} and {output.format} cannot both go there"
            raise UsageError(
                msg,
                hint="give each --format its --output",
            )
        if place in read:
            msg = f"--output {output.path}: is one of the logs to read"
            raise UsageError(msg, hint="name another file")
        taken[place] = output.format


def _identity(path: str) -> str:
    return os.path.realpath(path)
