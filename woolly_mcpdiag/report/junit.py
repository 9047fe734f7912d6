"""The one place for the report as JUnit XML, as Jenkins and GitLab read it."""

from collections.abc import Iterator
from dataclasses import dataclass

from woolly_mcpdiag.core.findings import Evidence, Finding, Hypothesis
from woolly_mcpdiag.report import junit_run, wording
from woolly_mcpdiag.report.escape import clipped, printable, xml
from woolly_mcpdiag.report.model import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    group: str
    name: str
    failure: str = ""
    """Its message; empty where the case passed."""
    sort: str = ""
    skipped: str = ""
    text: str = ""


def render(report: Report, *, open_fails: bool = True) -> str:
    """Return one test suite of a run (see ``junit_run``) or of logs: there a case for each cause seen, for
    unexplained failures and for each hypothesis.

    A cause that is not benign and a failure without a cause fail; benign causes and decided hypotheses pass;
    an undecided hypothesis is skipped with what would decide it.
    """
    if report.run is not None:
        return junit_run.render(report, report.run, open_fails=open_fails)
    cases = (
        [*_contrasts(report)]
        if report.comparison
        else [*_causes(report), *_unexplained(report), *map(_hypothesis, report.hypotheses)]
    )
    failures, skipped = sum(bool(case.failure) for case in cases), sum(bool(case.skipped) for case in cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0"'
    suite = xml(f"mcpdiag {report.command}")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="mcpdiag" {counts} time="0">',
        f'<testsuite name="{suite}" {counts} skipped="{skipped}" time="0">',
        *map(_xml, cases),
        f"<system-out>{xml(_summary(report))}</system-out>",
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _contrasts(report: Report) -> Iterator[_Case]:
    for one in report.comparison.contrasts if report.comparison else ():
        yield _Case(
            group="comparison",
            name=f"{one.other} against {one.base}: {one.figure}",
            failure=one.sentence if one.verdict == "worse" else "",
            sort="regression",
            skipped=one.sentence if one.verdict == "no difference shown" else "",
            text=printable(one.sentence),
        )


def _causes(report: Report) -> Iterator[_Case]:
    for finding in report.findings:
        message = "; ".join(filter(None, (wording.share(finding), finding.confidence, finding.title)))
        yield _Case(
            group="causes",
            name=finding.cause,
            failure="" if finding.benign else message,
            sort=wording.level(finding),
            text=_story(finding),
        )


def _unexplained(report: Report) -> Iterator[_Case]:
    books = {book.status: book for book in report.ledgers}
    for status in dict.fromkeys((400, *books)):
        book = books.get(status)
        name = wording.ledger_name(book) if book else f"{status}s"
        lost = book.unexplained if book else 0
        yield _Case(
            group="ledgers",
            name=f"no unexplained {name}",
            failure=f"{lost:,} of {book.total:,} without a known cause" if book and lost else "",
            sort="unexplained",
            text="\n".join([f"{name}: {wording.ledger(book)}", *_evidence(book.evidence)]) if book else "",
        )


def _hypothesis(row: Hypothesis) -> _Case:
    open_question = row.answer == "not decidable"
    return _Case(
        group="hypotheses",
        name=f"{row.name}: {row.answer}",
        skipped=(row.decide or row.figures or row.answer) if open_question else "",
        text=f"{row.question}\n{row.answer}\n{wording.tested(row)}",
    )


def _story(finding: Finding) -> str:
    lines = [finding.title, finding.summary]
    lines += [f"because: {reason}" for reason in finding.because]
    lines += _evidence(finding.evidence)
    lines += [f"fix ({where}): {text}" for where, text in wording.fixes(finding)]
    lines += [f"to be sure: {finding.confirm}"] if finding.confirm else []
    return "\n".join(map(printable, lines))


def _evidence(lines: tuple[Evidence, ...]) -> list[str]:
    return [printable(f"{wording.place(line.source, line.line)}: {clipped(line.text)}") for line in lines]


def _summary(report: Report) -> str:
    facts = f"{wording.count(report.requests, 'request')}, {wording.count(report.sessions, 'session')}"
    return f"{printable(wording.verdict(report))}\n{facts}, {wording.span(report)}"


def _xml(case: _Case) -> str:
    head = f'<testcase classname="mcpdiag.{case.group}" name="{xml(printable(case.name))}" time="0"'
    text = xml(case.text)
    if case.failure:
        message = xml(printable(case.failure))
        return f'{head}><failure type="{xml(case.sort)}" message="{message}">{text}</failure></testcase>'
    skipped = f'<skipped message="{xml(printable(case.skipped))}"/>' if case.skipped else ""
    body = f"{skipped}<system-out>{text}</system-out>" if text else skipped
    return f"{head}>{body}</testcase>" if body else f"{head}/>"
