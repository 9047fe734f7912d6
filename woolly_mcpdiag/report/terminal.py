"""The one place for the report as a terminal shows it: verdict first, and readable without colour."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from woolly_mcpdiag.core.findings import Ledger
from woolly_mcpdiag.report import terminal_findings, terminal_timeline, wording
from woolly_mcpdiag.report.escape import printable
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.plain import BLANK, Line, cells, cut, guarded, paragraph, plain, to_ascii

if TYPE_CHECKING:
    from rich.text import Text

SGR = {
    "title": "1",
    "head": "1;4",
    "bad": "1;31",
    "warn": "1;33",
    "good": "1;32",
    "info": "36",
    "dim": "2",
    "code": "36",
}
"""Style name → the parameters of its ANSI "select graphic rendition" sequence."""
_RICH = {"1": "bold", "2": "dim", "4": "underline", "31": "red", "32": "green", "33": "yellow", "36": "cyan"}
_MARKS = {"bad": "✗", "warn": "!", "good": "✓", "open": "?", "unknown": "·"}
_STYLES = {"unknown": "dim", "open": "warn"}
"""Of states that are no style themselves."""
NARROWEST = 40
_MOST_NOTES = 4
_WIDEST_PROSE = 120
_TIMELINE = 7
"""Place of the timeline among the sections of a report of logs."""


def render(
    report: Report, *, width: int = 100, colour: bool = False, verbose: bool = False, ascii_only: bool = False
) -> str:
    """Return the report as text of at most ``width`` cells a line; only commands to copy may be longer.

    Evidence is folded unless ``verbose``. With ``ascii_only`` no character outside ASCII is used (see ``needs_ascii``).
    """
    lines = list(layout(report, width=width, verbose=verbose))
    text = _coloured(lines) if colour else plain(lines)
    return to_ascii(text) if ascii_only else text


def view(report: Report, *, width: int = 100, verbose: bool = False) -> "Text":
    """Return the same lines for a rich console, as a live view needs them."""
    from rich.text import Text  # noqa: PLC0415 - 10 ms that plain output does not need

    styles = {name: " ".join(_RICH[code] for code in codes.split(";")) for name, codes in SGR.items()}
    text = Text(no_wrap=True)
    for line in layout(report, width=width, verbose=verbose):
        for part, style in line:
            text.append(part, styles.get(style, ""))
        text.append("\n")
    return text


def needs_ascii(encoding: str | None) -> bool:
    """Return whether a stream of that encoding cannot show the marks that a report uses."""
    try:
        "✗█▁…".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def layout(report: Report, *, width: int, verbose: bool = False) -> Iterator[Line]:
    """Yield the lines of the whole report, section by section with a blank line between."""
    width = max(width, NARROWEST)
    sections = _sections(report, width, verbose=verbose)
    # A report without a real finding is read in one glance: its sections stand close.
    close = report.run is None and wording.state(report) == "good" and not verbose
    parted = (_TIMELINE,) if close else range(1, len(sections))
    for number, section in enumerate(sections):
        for n, line in enumerate(section):
            if n == 0 and number in parted:
                yield BLANK
            yield guarded(line)


def _sections(report: Report, width: int, *, verbose: bool) -> Sequence[Iterable[Line]]:
    if report.run or report.comparison or report.judgements:
        return _of_run(report, width, verbose=verbose)
    prose, nothing = min(width, _WIDEST_PROSE), ()
    return (
        _verdict(report, prose),
        nothing,
        nothing,
        _ledgers(report, prose, verbose=verbose),
        terminal_findings.findings(report, prose, verbose=verbose),
        terminal_findings.hypotheses(report, prose),
        nothing,
        terminal_timeline.timeline(report, width, verbose=verbose),
        *_closing(report, prose, verbose=verbose),
    )


def _of_run(report: Report, width: int, *, verbose: bool) -> Sequence[Iterable[Line]]:
    from woolly_mcpdiag.report import run_wording, terminal_run  # noqa: PLC0415 - 15 ms that logs do not need

    prose, run = min(width, _WIDEST_PROSE), report.run
    return (
        _verdict(report, prose),
        terminal_run.criteria(report, prose, verbose=verbose),
        terminal_run.facts(report, run, prose) if run and run_wording.is_gate(run) else (),
        terminal_run.failures(run, prose, verbose=verbose) if run else _ledgers(report, prose, verbose=verbose),
        terminal_findings.findings(report, prose, verbose=verbose),
        terminal_findings.hypotheses(report, prose) if terminal_run.tests_shown(report, verbose=verbose) else (),
        *(terminal_run.sections(report, width, verbose=verbose)),
        terminal_timeline.timeline(report, width, verbose=verbose) if terminal_run.all_shown(report, verbose) else (),
        *_closing(report, prose, verbose=verbose),
    )


def _closing(report: Report, width: int, *, verbose: bool) -> Sequence[Iterable[Line]]:
    return (
        _latencies(report, width),
        _listed("This log cannot decide", report.invisible, width, verbose=verbose),
        _listed("Notes", report.notes, width, verbose=verbose),
        _next(report, width),
    )


def _verdict(report: Report, width: int) -> Iterable[Line]:
    state = wording.state(report)
    style = _STYLES.get(state, state)
    for n, line in enumerate(paragraph(wording.verdict(report), width, lead=f"{_MARKS[state]} ", style="title")):
        yield ((line[0][0], style), line[1]) if n == 0 else line
    if report.run is not None:
        from woolly_mcpdiag.report import run_wording, terminal_run  # noqa: PLC0415 - as above

        # What is judged is read first: the criteria, then of what they are.
        yield from () if run_wording.is_gate(report.run) else terminal_run.facts(report, report.run, width)
        return
    if report.comparison is not None:
        return
    facts = [wording.count(report.requests, "request"), wording.count(report.sessions, "session")]
    facts += [text for text in (wording.agents(report, most=3), wording.span(report)) if text]
    yield from paragraph(" · ".join(facts), width, lead="  ")
    if report.partial:
        yield from paragraph("interrupted: this is what was read so far", width, lead="  ", style="warn")


def _ledgers(report: Report, width: int, *, verbose: bool) -> Iterable[Line]:
    if report.requests and not any(book.status == 400 and book.total for book in report.ledgers):
        others = f"; answers: {wording.statuses(report)}" if report.statuses else ""
        yield from _entry("400s: ", f"none{others}", width)
    for book in report.ledgers:
        yield from _entry(f"{wording.ledger_name(book)}: ", wording.ledger(book), width)
        if book.unexplained:
            yield from _unexplained(book, width, verbose=verbose)


def _entry(name: str, text: str, width: int) -> Iterable[Line]:
    for n, line in enumerate(paragraph(text, width, lead=name, indent=6)):
        yield ((name, "title"), line[1]) if n == 0 else line


def _unexplained(book: Ledger, width: int, *, verbose: bool) -> Iterable[Line]:
    shown = book.evidence if verbose else book.evidence[:2]
    yield from terminal_findings.evidence(shown, width, indent=6, verbose=verbose)


def _latencies(report: Report, width: int) -> Iterable[Line]:
    if not report.latencies:
        return
    yield (("Durations", "head"),)
    for row in report.latencies[:_MOST_NOTES]:
        pairs = (("p50", row.p50), ("p95", row.p95), ("p99", row.p99), ("highest", row.highest))
        figures = ", ".join(f"{name} {wording.duration(value)}" for name, value in pairs)
        name = cut(printable(row.name), min(48, width // 2))
        yield from paragraph(f"{figures} (n = {row.count:,})", width, lead=f"  {name}  ", indent=4)


def _listed(head: str, items: list[str], width: int, *, verbose: bool) -> Iterable[Line]:
    if not items:
        return
    yield ((head, "head"),)
    shown = items if verbose else items[:_MOST_NOTES]
    for item in shown:
        yield from paragraph(item, width, lead="  · ")
    if len(shown) < len(items):
        yield ((f"  and {len(items) - len(shown)} more (--verbose)", "dim"),)


def _next(report: Report, width: int) -> Iterable[Line]:
    if not report.next_steps:
        return
    yield (("Next", "head"),)
    for step in report.next_steps:
        command, why = printable(step.command), printable(step.why)
        if cells(command) + cells(why) + 7 <= width:
            yield ((f"  {command}", "code"), (f"   # {why}" if why else "", "dim"))
        else:
            yield from paragraph(f"# {step.why}", width, lead="  ", style="dim") if why else ()
            yield ((f"  {command}", "code"),)


def _coloured(lines: Iterable[Line]) -> str:
    out = []
    for line in lines:
        for text, style in line:
            codes = SGR.get(style)
            out.append(f"\x1b[{codes}m{text}\x1b[0m" if codes and text.strip() else text)
        out.append("\n")
    return "".join(out)
