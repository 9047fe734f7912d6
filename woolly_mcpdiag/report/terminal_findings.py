"""The one place for findings, their evidence and the tested hypotheses as a terminal shows them."""

from collections.abc import Iterable, Sequence

from woolly_mcpdiag.core.findings import Evidence, Finding, Hypothesis
from woolly_mcpdiag.report import wording
from woolly_mcpdiag.report.escape import printable
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.plain import BLANK, Line, cells, cut, paragraph, take

MARKS = {"error": ("✗", "bad"), "warning": ("!", "warn"), "info": ("·", "info")}
_ANSWERS = {"supported": "warn", "refuted": "good", "not decidable": "dim"}
_LABEL = 12
_FULL = 4
"""So many findings are shown with evidence and fix; later ones with what was seen and the first fix."""
_EVIDENCE = 3


def findings(report: Report, width: int, *, verbose: bool) -> Iterable[Line]:
    """Yield the findings, the most severe first as the report has them, benign ones as one line each."""
    found = wording.real(report)
    for n, finding in enumerate(found):
        if n:
            yield BLANK
        yield from _heading(finding, width, wording.verdict(report))
        yield from _body(finding, width, folded=not verbose and n >= _FULL, verbose=verbose)
    for n, finding in enumerate(wording.benign(report)):
        if n == 0 and found:
            yield BLANK
        yield from _benign(finding, width, verbose=verbose)


def _heading(finding: Finding, width: int, verdict: str) -> Iterable[Line]:
    mark, style = MARKS[wording.level(finding)]
    cause, tail = (
        printable(finding.cause),
        printable(" · ".join(filter(None, (wording.share(finding), finding.confidence)))),
    )
    if cells(cause) + cells(tail) + 4 <= width:
        yield ((f"{mark} {cause}", style), (f"  {tail}", ""))
    else:
        yield ((f"{mark} {take(cause, width - 2)}", style),)
        yield from paragraph(tail, width, lead="  ")
    if not verdict.startswith(finding.title.rstrip(".")):
        yield from paragraph(finding.title, width, lead="  ", style="title")


def _body(finding: Finding, width: int, *, folded: bool, verbose: bool) -> Iterable[Line]:
    yield from paragraph(finding.summary, width, lead="  ")
    if folded:
        for where, text in wording.fixes(finding)[:1]:
            yield from _labelled(f"fix {where}", text, width)
        return
    reasons = finding.because if verbose else finding.because[:_EVIDENCE]
    for n, reason in enumerate(reasons):
        yield from _labelled("because" if n == 0 else "", reason, width)
    shown = finding.evidence if verbose else finding.evidence[:_EVIDENCE]
    yield from evidence(shown, width, indent=2, verbose=verbose)
    if len(shown) < len(finding.evidence):
        yield ((f"  │ and {len(finding.evidence) - len(shown)} more (--verbose)", "dim"),)
    for where, text in wording.fixes(finding):
        yield from _labelled(f"fix {'deploy' if where == 'deployment' else where}", text, width, style="good")
    if finding.confirm:
        yield from _folded(list(_labelled("be sure", finding.confirm, width)), 3, verbose=verbose)
    if verbose and finding.endpoints:
        yield from _labelled("at", ", ".join(finding.endpoints), width)


def _benign(finding: Finding, width: int, *, verbose: bool) -> Iterable[Line]:
    mark, style = MARKS["info"]
    text = f"{finding.cause} (benign, {wording.share(finding) or finding.confidence}): {finding.title}"
    for n, line in enumerate(paragraph(text, width, lead=f"{mark} ")):
        yield ((line[0][0], style), line[1]) if n == 0 else line
    if verbose:
        yield from _body(finding, width, folded=False, verbose=True)


def _folded(lines: list[Line], most: int, *, verbose: bool) -> Iterable[Line]:
    if verbose or len(lines) <= most:
        yield from lines
        return
    yield from lines[: most - 1]
    yield (*lines[most - 1][:-1], (f"{lines[most - 1][-1][0][:-2]}…", ""))


def _labelled(label: str, text: str, width: int, style: str = "dim") -> Iterable[Line]:
    lead = f"  {label}"
    lead += " " * (_LABEL + 2 - len(lead))
    for n, line in enumerate(paragraph(text, width, lead=lead)):
        yield ((line[0][0], style), line[1]) if n == 0 else line


def evidence(lines: Sequence[Evidence], width: int, *, indent: int, verbose: bool) -> Iterable[Line]:
    """Yield verbatim lines behind a gutter, so that no line of output begins with text from a log.

    A line too long is cut in its middle, or with ``verbose`` broken and whole. A file named just above is
    named again without its folders where that makes the line fit.
    """
    gutter, room = " " * indent + "│ ", width - indent - 2
    above = ""
    for line in lines:
        place, text = printable(wording.place(line.source, line.line)), printable(line.text)
        if line.source == above and "/" in place and cells(place) + 2 + cells(text) > room:
            place = f"…/{place.rpartition('/')[2]}"
        above = line.source
        if cells(place) + 2 + cells(text) <= room:
            yield ((gutter, "dim"), (f"{place}  ", "dim"), (text, "code"))
            continue
        yield ((gutter, "dim"), (cut(place, room), "dim"))
        pieces = _pieces(text, room - 2) if verbose else [cut(text, room - 2)]
        for piece in pieces:
            yield ((f"{gutter}  ", "dim"), (piece, "code"))


def _pieces(text: str, width: int) -> list[str]:
    pieces, left = [], text
    while left:
        part = take(left, max(width, 8)) or left[:1]
        pieces.append(part)
        left = left[len(part) :]
    return pieces


def hypotheses(report: Report, width: int) -> Iterable[Line]:
    """Yield each hypothesis: its answer, its question, the test with its figures, and what would decide it."""
    if not report.hypotheses:
        return
    yield (("Hypotheses, tested", "head"),)
    for row in report.hypotheses:
        yield from _hypothesis(row, width)


def _hypothesis(row: Hypothesis, width: int) -> Iterable[Line]:
    answer = f"  {row.name:<15}{row.answer:<15}"
    for n, line in enumerate(paragraph(row.question, width, lead=answer)):
        if n == 0:
            yield ((answer[:17], "title"), (answer[17:], _ANSWERS[row.answer]), line[1])
        else:
            yield line
    yield from paragraph(wording.tested(row), width, lead="    ")
    if row.decide:
        yield from paragraph(row.decide, width, lead="    to decide it: ", indent=6)
