"""The one place that knows the formats of a report: their names, file suffixes, and how each is made."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from woolly_mcpdiag.core.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from woolly_mcpdiag.report.model import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How text for a terminal should look, and what an open criterion is in JUnit; other formats do not ask."""

    width: int = 100
    colour: bool = False
    verbose: bool = False
    ascii_only: bool = False
    open_fails: bool = True
    """JUnit: an inconclusive criterion fails; else it is skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to write a report, or its table of sessions, down."""

    name: str
    suffix: str
    """Of its files, with the dot."""
    about: str
    """What it is for, in a few words."""
    takes: Literal["report", "table"] = "report"
    binary: bool = False
    """True where it is no text: then it needs a file and cannot go to a terminal."""
    runs_only: bool = False
    """True where there must be a load or a gate; a log alone has no such figures."""
    write: "Callable[[Report, Look], str] | None" = None
    """Text of the report; ``None`` for a table."""


def _text(report: "Report", look: Look) -> str:
    from woolly_mcpdiag.report import terminal  # noqa: PLC0415 - each format loads only what it needs

    return terminal.render(
        report, width=look.width, colour=look.colour, verbose=look.verbose, ascii_only=look.ascii_only
    )


def _json(report: "Report", _: Look) -> str:
    from woolly_mcpdiag.report import as_json  # noqa: PLC0415 - as above

    return as_json.render(report)


def _markdown(report: "Report", _: Look) -> str:
    from woolly_mcpdiag.report import markdown  # noqa: PLC0415 - as above

    return markdown.render(report)


def _html(report: "Report", _: Look) -> str:
    from woolly_mcpdiag.report import html  # noqa: PLC0415 - as above

    return html.render(report)


def _junit(report: "Report", look: Look) -> str:
    from woolly_mcpdiag.report import junit  # noqa: PLC0415 - as above

    return junit.render(report, open_fails=look.open_fails)


def _github(report: "Report", _: Look) -> str:
    from woolly_mcpdiag.report import github  # noqa: PLC0415 - as above

    return github.render(report)


def _prom(report: "Report", _: Look) -> str:
    from woolly_mcpdiag.report import prom  # noqa: PLC0415 - as above

    return prom.render(report)


def _trace(report: "Report", _: Look) -> str:
    from woolly_mcpdiag.report import trace  # noqa: PLC0415 - as above

    return trace.render(report)


FORMATS: dict[str, Format] = {
    row.name: row
    for row in (
        Format(name="text", suffix=".txt", about="to read in a terminal", write=_text),
        Format(name="json", suffix=".json", about="for programs; schema mcpdiag.report/1", write=_json),
        Format(name="md", suffix=".md", about="to paste into an issue or a pull request", write=_markdown),
        Format(name="html", suffix=".html", about="one offline page with pictures", write=_html),
        Format(name="junit", suffix=".xml", about="test results for Jenkins and GitLab", write=_junit),
        Format(name="github", suffix=".github.txt", about="annotations of a GitHub workflow", write=_github),
        Format(name="trace", suffix=".trace.json", about="trace events for Perfetto and speedscope", write=_trace),
        Format(
            name="prom", suffix=".prom", about="figures of a load or gate for Prometheus", runs_only=True, write=_prom
        ),
        Format(name="csv", suffix=".csv", about="a table: sessions of a log, intervals of a run", takes="table"),
        Format(name="parquet", suffix=".parquet", about="the same table", takes="table", binary=True),
    )
}

FOR_LOGS = tuple(name for name, row in FORMATS.items() if not row.runs_only)
"""Names of the formats that a report on logs can have."""


def find(name: str) -> Format:
    """Return the format of that name.

    Raises ``UsageError`` that names the formats, and the nearest one where there is one.
    """
    if name in FORMATS:
        return FORMATS[name]
    near = get_close_matches(name, FORMATS, n=1, cutoff=0.5)
    msg = f"--format {name}: no such format"
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(msg, hint=f"{hint}use one of {', '.join(FORMATS)}")


def of_file(path: Path) -> Format | None:
    """Return the format that the file's name asks for, the longest suffix first, or ``None``."""
    fitting = [row for row in FORMATS.values() if path.name.lower().endswith(row.suffix)]
    return max(fitting, key=lambda row: len(row.suffix), default=None)


def render(name: str, report: "Report", look: Look | None = None) -> str:
    """Return the report in a text format.

    Raises ``UsageError`` for an unknown format and for one that holds a table.
    """
    row = find(name)
    if row.write is None:
        msg = f"--format {name}: it holds a table, not a report"
        raise UsageError(msg, hint="use one of " + ", ".join(r.name for r in FORMATS.values() if r.write))
    return row.write(report, look or Look())


def render_table(name: str, frame: "pd.DataFrame", path: Path | None) -> str:
    """Return a table as text, or write it to the path where the format is binary and return "".

    Raises ``UsageError`` where a binary format has no file to go to, or its library is not installed.
    """
    from woolly_mcpdiag.report import frames  # noqa: PLC0415 - each format loads only what it needs

    if not find(name).binary:
        return frames.to_csv(frame)
    if path is None:
        msg = f"--format {name}: it is binary and needs a file"
        raise UsageError(msg, hint=f"add -o sessions{find(name).suffix}")
    frames.to_parquet(frame, path)
    return ""
