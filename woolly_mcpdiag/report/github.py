"""The one place for the report as workflow commands, which a GitHub runner shows as annotations."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from woolly_mcpdiag.core.findings import Evidence, Finding
from woolly_mcpdiag.report import markdown, wording
from woolly_mcpdiag.report.escape import workflow, workflow_property
from woolly_mcpdiag.report.model import Report

MOST = 10
"""Annotations of each level: a runner drops what a step has beyond ten."""
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
    notes = [*_unexplained(report), *map(_finding, report.findings)]
    verdict = _Note(level="notice", title=f"mcpdiag {report.command}", message=wording.verdict(report))
    lines: list[str] = []
    for level in _LEVELS.values():
        own = [note for note in notes if note.level == level]
        own += [verdict] if level == "notice" else []
        lines += [_command(note) for note in _capped(own, level)]
    return "\n".join(lines) + "\n"


def summary(report: Report) -> str:
    """Return the Markdown for the file that GITHUB_STEP_SUMMARY names."""
    return markdown.render(report)


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
