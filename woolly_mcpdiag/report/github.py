"""The one place for the report as workflow commands, which a GitHub runner shows as annotations."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from woolly_mcpdiag.core.findings import Evidence, Finding
from woolly_mcpdiag.report import markdown, run_wording, wording
from woolly_mcpdiag.report.escape import workflow, workflow_property
from woolly_mcpdiag.report.model import Report

MOST = 10
"""Annotations of each level: a runner drops what a step has beyond ten."""
_MOST_OF_RUN = 9
"""Annotations of a run before its verdict, so that all of them fit into what a step may have of one level."""
_MOODS: dict[wording.State, Literal["error", "warning", "notice"]] = {
    "bad": "error",
    "warn": "warning",
    "good": "notice",
    "open": "warning",
    "unknown": "notice",
}
LONGEST_SUMMARY = 1_000_000
"""Bytes; from 1,024 KiB on a runner refuses the whole summary."""
_LEVELS: dict[wording.Level, Literal["error", "warning", "notice"]] = {
    "error": "error",
    "warning": "warning",
    "info": "notice",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    level: Literal["error", "warning", "notice"]
    title: str
    message: str
    at: Evidence | None = None


def render(report: Report) -> str:
    """Return one workflow command a line: causes by severity, failures without a cause, then the verdict."""
    if report.run is not None or report.comparison is not None:
        return _run(report)
    notes = [*_unexplained(report), *map(_finding, report.findings)]
    verdict = _Note(level="notice", title=f"mcpdiag {report.command}", message=wording.verdict(report))
    lines: list[str] = []
    for level in _LEVELS.values():
        own = [note for note in notes if note.level == level]
        own += [verdict] if level == "notice" else []
        lines += [_command(note) for note in _capped(own, level)]
    return "\n".join(lines) + "\n"


def summary(report: Report) -> str:
    """Return the Markdown for the file that GITHUB_STEP_SUMMARY names, cut at a line so that it is not refused."""
    text = markdown.render(report)
    if len(text.encode()) <= LONGEST_SUMMARY:
        return text
    tail = "\n\nThe rest is left out: a step summary holds a megabyte.\n"
    kept = text.encode()[: LONGEST_SUMMARY - len(tail)].decode("utf-8", "ignore")
    return kept[: kept.rfind("\n")] + _closing(kept) + tail


def _closing(text: str) -> str:
    """Return the fence that an open block needs."""
    fences = [line.strip() for line in text.splitlines() if line.strip().startswith("```")]
    return "\n" + fences[-1].removesuffix("text") if len(fences) % 2 else ""


def _run(report: Report) -> str:
    """Return a command for each criterion that is not shown and each way to fail, nine at most, then the verdict."""
    notes = [*_criteria(report), *_failures(report), *_regressions(report)]
    verdict = _Note(
        level=_MOODS[wording.state(report)], title=f"mcpdiag {report.command}", message=wording.verdict(report)
    )
    shown = notes[: _MOST_OF_RUN - 1] if len(notes) > _MOST_OF_RUN else notes
    if len(shown) < len(notes):
        rest = f"… {len(notes) - len(shown)} more: see the report"
        shown.append(_Note(level=notes[len(shown)].level, title="mcpdiag", message=rest))
    return "\n".join(_command(note) for note in [*shown, verdict]) + "\n"


def _criteria(report: Report) -> Iterator[_Note]:
    for one in sorted(report.judgements, key=lambda one: (one.level != "error", one.verdict != "fail")):
        if one.verdict == "pass":
            continue
        lines = [one.sentence, *one.details, *(f"Cause: {cause}" for cause in one.causes)]
        lines += [f"Next: {one.next_step}"] if one.next_step else []
        loud = one.level == "error" and one.verdict == "fail"
        observed = f" ({one.observed})" if one.observed else ""
        yield _Note(
            level="error" if loud else "warning",
            title=f"{run_wording.WORDS[one.verdict]} {one.name}{observed}",
            message="\n".join(lines),
        )


def _failures(report: Report) -> Iterator[_Note]:
    for failure in report.run.failures if report.run else ():
        cause = f"{failure.cause} ({failure.how})" if failure.cause else "no known cause"
        lines = [" · ".join([cause, *run_wording.where(failure)])]
        lines += [line for sample in failure.samples[:1] for line in run_wording.sample_lines(sample)]
        lines += [f"Next: {failure.next_step}"] if failure.next_step else []
        yield _Note(
            level="warning" if failure.outcome == "answer" else "error",
            title=f"{failure.what}: {run_wording.how_many(failure)} {run_wording.few(failure.operations)}".rstrip(),
            message="\n".join(lines),
        )


def _regressions(report: Report) -> Iterator[_Note]:
    for one in report.comparison.contrasts if report.comparison else ():
        if one.verdict == "worse":
            yield _Note(level="error", title=f"{one.other} is worse than {one.base}", message=one.sentence)


def _capped(notes: list[_Note], level: Literal["error", "warning", "notice"]) -> list[_Note]:
    if len(notes) <= MOST:
        return notes
    rest = len(notes) - MOST + 1
    last = notes[-1] if level == "notice" else _Note(level=level, title="mcpdiag", message=f"and {rest} more")
    return [*notes[: MOST - 1], last]


def _finding(finding: Finding) -> _Note:
    parts = [finding.summary or finding.title]
    parts += [f"Fix ({where}): {text}" for where, text in wording.fixes(finding)]
    figures = ", ".join(filter(None, (wording.share(finding), "benign" if finding.benign else finding.confidence)))
    return _Note(
        level=_LEVELS[wording.level(finding)],
        title=f"{finding.cause} ({figures})",
        message="\n".join(parts),
        at=finding.evidence[0] if finding.evidence else None,
    )


def _unexplained(report: Report) -> Iterator[_Note]:
    for book in report.ledgers:
        if book.unexplained:
            yield _Note(
                level="error",
                title=f"{book.unexplained:,} unexplained {wording.ledger_name(book)}",
                message=f"{wording.ledger_name(book)}: {wording.ledger(book)}",
                at=book.evidence[0] if book.evidence else None,
            )


def _command(note: _Note) -> str:
    where = []
    if note.at and note.at.source:
        where.append(f"file={workflow_property(note.at.source)}")
        where += [f"line={note.at.line}"] if note.at.line else []
    where.append(f"title={workflow_property(note.title)}")
    return f"::{note.level} {','.join(where)}::{workflow(note.message)}"
