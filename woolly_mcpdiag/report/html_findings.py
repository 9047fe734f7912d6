"""The one place for findings, ledgers and hypotheses in the HTML report."""

from collections.abc import Iterator, Sequence

from woolly_mcpdiag.core.findings import Evidence, Finding, Hypothesis, Ledger
from woolly_mcpdiag.report import wording
from woolly_mcpdiag.report.escape import clipped, html, html_prose
from woolly_mcpdiag.report.model import Report

_KINDS = {"error": "bad", "warning": "warn", "info": "info"}
_LEVELS = {"error": "✗ error", "warning": "! warning", "info": "· for information"}
_ANSWERS = {"supported": ("warn", "supported"), "refuted": ("good", "refuted"), "not decidable": ("", "not decidable")}
_SHOWN = 5


def ledgers(report: Report) -> Iterator[str]:
    """Yield where the failing responses went: bars for each status."""
    books = [book for book in report.ledgers if book.total]
    if not books:
        return
    yield '<section id="causes"><h2>Failures by cause</h2><div class="grid">'
    for book in books:
        yield from _ledger(book)
    yield "</div></section>"


def _ledger(book: Ledger) -> Iterator[str]:
    name = f"Status {book.status}" if book.status else "No answer"
    yield f'<section class="card"><h3>{name}: {wording.count(book.total, "failure")}</h3>'
    yield f'<p class="note">{html(wording.ledger(book))}</p><ul class="bars">'
    for part in sorted(book.parts, key=lambda part: (part.benign, -part.count)):
        label = f"<code>{html(part.cause)}</code>" + (" (benign)" if part.benign else "")
        yield _row(label, part.count, book.total, "bar benign" if part.benign else "bar")
    if book.unexplained:
        yield _row("unexplained", book.unexplained, book.total, "bar open")
    yield "</ul>"
    if book.unexplained and book.evidence:
        yield f"<h4>Not explained</h4>{_evidence(book.evidence)}"
    yield "</section>"


def _row(label: str, number: int, total: int, kind: str) -> str:
    share = 100 * number / total
    bar = f'<span class="{kind}" style="width:{share:.1f}%" aria-hidden="true"></span>'
    return f"<li><span>{label}</span><span>{number:,} · {share:.0f} %</span>{bar}</li>"


def findings(report: Report) -> Iterator[str]:
    """Yield the findings with evidence and fixes; benign ones folded below."""
    found, benign = wording.real(report), wording.benign(report)
    yield '<section id="findings"><h2>Findings</h2>'
    if not found:
        known = wording.state(report) != "unknown"
        told = (
            "Nothing was found that asks for a repair."
            if known
            else "No MCP traffic was found, so nothing can be judged."
        )
        yield f'<p class="card">{told}</p>'
    yield from map(_finding, found)
    if benign:
        yield f"<details><summary>{wording.count(len(benign), 'benign finding')}: nothing fails because of it</summary>"
        yield from map(_finding, benign)
        yield "</details>"
    yield "</section>"


def _finding(finding: Finding) -> str:
    level = wording.level(finding)
    badges = [(_KINDS[level], _LEVELS[level]), ("", finding.confidence)]
    badges += [("", wording.share(finding))] if wording.share(finding) else []
    badges += [("info", "benign")] if finding.benign else []
    parts = [f'<article class="card finding {_KINDS[level]}"><h3>{html(finding.title)}</h3>']
    parts.append(f'<p class="cause"><code>{html(finding.cause)}</code></p>')
    parts.append("".join(['<ul class="badges">', *(_badge(*badge) for badge in badges), "</ul>"]))
    parts.append(f"<p>{html_prose(finding.summary)}</p>")
    if finding.because:
        parts.append("<h4>Why this cause</h4>" + _list("why", finding.because))
    if finding.evidence:
        parts.append("<h4>Evidence</h4>" + _evidence(finding.evidence))
    if fixes := wording.fixes(finding):
        rows = "".join(f"<div><dt>{where.capitalize()}</dt><dd>{html_prose(text)}</dd></div>" for where, text in fixes)
        parts.append(f'<h4>What to do</h4><dl class="fixes">{rows}</dl>')
    if finding.confirm:
        parts.append(f"<h4>How to be sure</h4><p>{html_prose(finding.confirm)}</p>")
    if finding.endpoints:
        shown = ", ".join(f"<code>{html(clipped(url, 300))}</code>" for url in finding.endpoints[:_SHOWN])
        parts.append(f'<p class="note">Seen at {shown}</p>')
    return "".join([*parts, "</article>"])


def _badge(kind: str, text: str) -> str:
    return f'<li class="badge {kind}">{html(text)}</li>'


def _list(kind: str, items: Sequence[str]) -> str:
    return f'<ul class="{kind}">' + "".join(f"<li>{html_prose(item)}</li>" for item in items) + "</ul>"


def _evidence(lines: Sequence[Evidence]) -> str:
    shown = _block(lines[:_SHOWN])
    if len(lines) > _SHOWN:
        shown += f"<details><summary>{len(lines) - _SHOWN:,} more</summary>{_block(lines[_SHOWN:])}</details>"
    return shown


def _block(lines: Sequence[Evidence]) -> str:
    rows = (
        f"<span><b>{html(wording.place(row.source, row.line))}</b>  {html(clipped(row.text))}</span>" for row in lines
    )
    return f"<pre>{''.join(rows)}</pre>"


def hypotheses(report: Report) -> Iterator[str]:
    """Yield the tested hypotheses as cards."""
    if not report.hypotheses:
        return
    yield '<section id="hypotheses"><h2>Hypotheses, tested</h2><div class="grid">'
    yield from map(_hypothesis, report.hypotheses)
    yield "</div></section>"


def _hypothesis(row: Hypothesis) -> str:
    kind, answer = _ANSWERS[row.answer]
    decide = f"<h4>To decide it</h4><p>{html_prose(row.decide)}</p>" if row.decide else ""
    return (
        f'<article class="card"><h3>{html_prose(row.question)}</h3><ul class="badges">{_badge(kind, answer)}'
        f"{_badge('', row.name)}</ul><p>{html_prose(row.figures)}</p>"
        f'<p class="note">Test: {html_prose(row.test)}</p>{decide}</article>'
    )
