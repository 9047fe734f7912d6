"""The one place for the report as Markdown, to paste into an issue or a pull request."""

from collections.abc import Iterable, Iterator, Sequence

from woolly_mcpdiag.core.findings import Evidence, Finding
from woolly_mcpdiag.report import markdown_run, wording
from woolly_mcpdiag.report.escape import clipped, markdown, markdown_block, markdown_code, markdown_prose
from woolly_mcpdiag.report.model import Report

MOST_EVIDENCE = 6
_SIGNS = {"bad": "❌", "warn": "⚠️", "good": "✅", "open": "❔", "unknown": "ℹ️"}  # noqa: RUF001 - the sign is meant
_LEVELS = {"error": "❌", "warning": "⚠️", "info": "ℹ️"}  # noqa: RUF001 - the sign is meant


def render(report: Report) -> str:
    """Return Markdown: verdict, ledgers, findings with evidence and fix, hypotheses, what cannot be decided."""
    lines = [f"## {_SIGNS[wording.state(report)]} {markdown(wording.verdict(report))}", ""]
    run = report.run
    if run is not None:
        lines += markdown_run.head(report, run)
        lines += [*markdown_run.criteria(report), *markdown_run.body(report, run)]
    elif report.comparison is not None:
        lines += markdown_run.comparison(report.comparison)
    else:
        lines += _facts(report)
        lines += _ledgers(report)
    for section in (_findings(report), _hypotheses(report), _rest(report)):
        lines += section
    version = f" {report.version}" if report.version else ""
    lines.append(f"<sub>mcpdiag{markdown(version)} {markdown(report.command)}</sub>")
    kept = (line for n, line in enumerate(lines) if line or n == 0 or lines[n - 1])
    return "\n".join(kept) + "\n"


def _facts(report: Report) -> Iterator[str]:
    facts = [wording.count(report.requests, "request"), wording.count(report.sessions, "session")]
    facts += filter(None, (wording.agents(report), wording.span(report)))
    yield from (markdown(" · ".join(facts)), "")
    if report.partial:
        yield from ("**Interrupted: this is what was read so far.**", "")


def _ledgers(report: Report) -> Iterator[str]:
    for book in report.ledgers:
        yield f"- **{wording.ledger_name(book)}**: {markdown(wording.ledger(book))}"
    if not any(book.status == 400 for book in report.ledgers) and report.requests:
        yield f"- **400s**: none (answers: {markdown(wording.statuses(report)) or 'none'})"
    yield ""
    lost = [line for book in report.ledgers for line in book.evidence if book.unexplained]
    if lost:
        yield from ("Not explained:", "", *_evidence(lost), "")


def _findings(report: Report) -> Iterator[str]:
    for finding in wording.real(report):
        yield from _finding(finding)
    for finding in wording.benign(report):
        share = wording.share(finding) or finding.confidence
        told = f"(benign, {markdown(share)}): {markdown(finding.title)}"
        yield f"- {_LEVELS['info']} {markdown_code(finding.cause)} {told}"
    yield ""


def _finding(finding: Finding) -> Iterator[str]:
    yield f"### {_LEVELS[wording.level(finding)]} {markdown_code(finding.cause)}: {markdown(finding.title)}"
    yield ""
    figures = ", ".join(filter(None, (wording.share(finding), finding.confidence)))
    yield f"**{markdown(figures)}.** {markdown_prose(finding.summary)}"
    yield ""
    yield from (f"- {markdown_prose(reason)}" for reason in finding.because)
    yield ""
    yield from _evidence(finding.evidence)
    yield ""
    for where, text in wording.fixes(finding):
        yield f"- **Fix ({where})**: {markdown_prose(text)}"
    if finding.confirm:
        yield f"- **To be sure**: {markdown_prose(finding.confirm)}"
    yield ""


def _evidence(lines: Sequence[Evidence]) -> list[str]:
    if not lines:
        return []
    shown = [f"{wording.place(line.source, line.line)}: {clipped(line.text)}" for line in lines[:MOST_EVIDENCE]]
    if len(lines) > MOST_EVIDENCE:
        shown.append(f"… and {len(lines) - MOST_EVIDENCE} more")
    return markdown_block(shown)


def _hypotheses(report: Report) -> Iterator[str]:
    if not report.hypotheses:
        return
    yield from ("| Hypothesis | Answer | Test and figures |", "|---|---|---|")
    for row in report.hypotheses:
        decide = f"<br>To decide it: {markdown_prose(row.decide, cell=True)}" if row.decide else ""
        tested = markdown_prose(wording.tested(row), cell=True)
        yield f"| {markdown(row.question)} | **{row.answer}** | {tested}{decide} |"
    yield ""


def _rest(report: Report) -> Iterator[str]:
    yield from _list("This log cannot decide", report.invisible)
    yield from _list("Notes", report.notes)
    if report.next_steps:
        yield from ("**Next**", "")
        for step in report.next_steps:
            yield f"- {markdown_code(step.command)} {markdown(step.why)}".rstrip()
        yield ""


def _list(head: str, items: Iterable[str]) -> Iterator[str]:
    lines = [f"- {markdown_prose(item)}" for item in items]
    if lines:
        yield from (f"**{head}**", "", *lines, "")
