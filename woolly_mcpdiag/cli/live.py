"""The one place for the view of a log that is being followed: a picture on a terminal, plain lines elsewhere."""

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from woolly_mcpdiag.cli.screen import colour_allowed, columns, is_terminal
from woolly_mcpdiag.core.timelines import Activity
from woolly_mcpdiag.report import wording
from woolly_mcpdiag.report.escape import printable
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.plain import cut, wrap

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

ROWS = 24
"""As many as the smallest usual terminal has."""
_VERDICT = 4
_FINDINGS = 8
_STRIPS = 5
_LEVELS = " ▁▂▃▄▅▆▇█"
_STYLES = {"bad": "bold red", "warn": "bold yellow", "good": "bold green", "unknown": "dim"}
_LEVEL_STYLES = {"error": "red", "warning": "yellow", "info": "cyan"}

Row = tuple[str, str]
"""Text and rich style."""


class FollowView:
    """Shows each report of ``api.follow_logs``; ``close`` takes the picture away for the full report."""

    def __init__(
        self, stream: TextIO, sources: Sequence[str], *, quiet: bool = False, width: int | None = None
    ) -> None:
        self._stream, self._sources, self._quiet = stream, sources, quiet
        self._drawn = is_terminal(stream)
        self._width = width
        self._last = ""
        self._live: Live | None = None
        if not quiet and not self._drawn:
            self._say(f"following {', '.join(map(printable, sources))}; Ctrl-C ends with the full report")

    def __call__(self, report: Report) -> None:
        """Show the state of things; plain lines come only when something has changed."""
        if self._quiet:
            return
        if self._drawn:
            self._draw(report)
        elif (line := status_line(report)) != self._last:
            self._last = line
            self._say(line)

    def close(self) -> None:
        """Take the picture away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _say(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()

    def _draw(self, report: Report) -> None:
        from rich.console import Console
        from rich.live import Live

        picture = _painted(rows(report, self._sources, self._width or columns(self._stream)))
        if self._live is None:
            console = Console(file=self._stream, no_color=not colour_allowed(self._stream), width=self._width)
            self._live = Live(console=console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(picture, refresh=True)


def status_line(report: Report) -> str:
    """Return the state in one line: "412 requests, 37 sessions; 200 ×371, 400 ×41; session.harvested-from-400 ×37"."""
    parts = [_counts(report), wording.statuses(report)]
    parts += [f"{finding.cause} ×{finding.count:,}" for finding in wording.real(report)]
    return printable("; ".join(part for part in parts if part))


def rows(report: Report, sources: Sequence[str], width: int) -> list[Row]:
    """Return the picture as at most 24 rows of at most ``width`` characters."""
    state = wording.state(report)
    picture: list[Row] = [
        (f"following {', '.join(sources)} · Ctrl-C ends with the full report", "dim"),
        ("", ""),
        *((line, _STYLES[state]) for line in wrap(printable(wording.verdict(report)), width)[:_VERDICT]),
        (f"{_counts(report)} · {wording.span(report)}", ""),
    ]
    if report.statuses:
        picture.append((wording.statuses(report), ""))
    picture += [(f"{wording.ledger_name(book)}: {wording.ledger(book)}", "") for book in report.ledgers[:2]]
    picture += [("", ""), *_findings(report)]
    if report.activity is not None:
        picture += [("", ""), *_strips(report.activity, width)]
    return [(cut(printable(text), width), style) for text, style in picture[:ROWS]]


def _counts(report: Report) -> str:
    return f"{wording.count(report.requests, 'request')}, {wording.count(report.sessions, 'session')}"


def _findings(report: Report) -> Iterator[Row]:
    found = [*wording.real(report), *wording.benign(report)]
    for finding in found[:_FINDINGS]:
        benign = ", benign" if finding.benign else ""
        yield (
            f"{finding.cause} ×{finding.count:,} ({finding.confidence}{benign}): {finding.title}",
            _LEVEL_STYLES[wording.level(finding)],
        )
    if len(found) > _FINDINGS:
        yield f"and {len(found) - _FINDINGS} more", "dim"


def _strips(activity: Activity, width: int) -> Iterator[Row]:
    named = [(name, values) for name, values in activity.series.items() if any(values)][:_STRIPS]
    pad = max((len(name) for name, _ in named), default=0)
    for name, values in named:
        yield f"{name:>{pad}} {strip(values, max(width - pad - 12, 10))} {sum(values):,}", ""


def strip(values: Sequence[int], cells: int) -> str:
    """Return counts as a line of bars, neighbours added up where there are more of them than cells."""
    if len(values) > cells:
        edges = [n * len(values) // cells for n in range(cells + 1)]
        values = [sum(values[low:high]) for low, high in itertools.pairwise(edges)]
    top = max(values, default=0)
    # Rounded up: one failure among thousands must stay visible.
    return "".join(_LEVELS[-(-value * (len(_LEVELS) - 1) // top)] if top else " " for value in values)


def _painted(picture: Sequence[Row]) -> "Text":
    from rich.text import Text

    text = Text(no_wrap=True, overflow="crop")
    for line, style in picture:
        text.append(line + "\n", style)
    return text
