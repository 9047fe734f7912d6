"""The two common shapes of a rule: an answer that says it all, and a note that says it all."""

from collections.abc import Callable, Collection, Iterator, Sequence

from woolly_mcpdiag.core.causes import Confidence
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Cell, Note
from woolly_mcpdiag.diagnose.count import Count

Decide = Callable[[Case], Iterator[Finding]]


def answered(  # noqa: PLR0913 - one parameter a trait of the rule
    cause: str,
    statuses: Collection[int],
    summary: str,
    *,
    method: str = "",
    confidence: Confidence = "certain",
    because: Sequence[str] = (),
    told: tuple[str, str] = ("", ""),
    only: Callable[[Case, Cell], bool] | None = None,
    alone: bool = False,
) -> Decide:
    """Return a rule that names the cause for every response of the given statuses.

    ``summary`` may use {n}, {statuses} and {urls}. ``told`` is the kind and error of notes that confirm it, which
    become evidence and make it certain; with ``alone`` they are enough where the log has no such response.
    """

    def decide(case: Case) -> Iterator[Finding]:
        cells = [c for c in case.select(method, statuses) if case.left(c) and (only is None or only(case, c))]
        notes = case.notes(told[0], told[1]) if told[0] else []
        count = case.claim(cause, cells)
        if alone and notes and not case.count(method, statuses):
            yield _only_told(case, cause, notes)
        if not count:
            return
        urls = ", ".join(dict.fromkeys(case.at(c.key.url) for c in cells))
        seen = ", ".join(str(s) for s in sorted({c.key.status for c in cells}))
        yield finding(
            case,
            cause,
            count,
            summary.format(n=Count(count), statuses=seen, urls=urls),
            confidence="certain" if notes else confidence,
            of=case.requests,
            unit="requests",
            because=[
                *because,
                *([f"The side that refused says so itself ({Count(len(notes)):line|lines})."] if notes else []),
            ],
            evidence=(*case.show(cells), *case.show_notes(notes, 1)),
            cells=cells,
        )

    return decide


def noted(
    cause: str,
    kind: str,
    errors: Collection[str],
    summary: str,
    *,
    unit: str = "calls",
    confidence: Confidence = "certain",
    because: Sequence[str] = (),
    only: Callable[[Case, Note], bool] | None = None,
) -> Decide:
    """Return a rule that names the cause for every note of a kind and one of the errors; ``summary`` may use {n}."""

    def decide(case: Case) -> Iterator[Finding]:
        notes = [note for note in case.notes(kind, *errors) if only is None or only(case, note)]
        if not notes:
            return
        whole = case.noted(kind, *errors) if only is None else len(notes)
        yield finding(
            case,
            cause,
            whole,
            summary.format(n=Count(whole)),
            confidence=confidence,
            unit=unit,
            because=because,
            evidence=case.show_notes(notes),
        )

    return decide


def _only_told(case: Case, cause: str, notes: Sequence[Note]) -> Finding:
    """Build the finding of a log that has the reason but not the responses, such as a proxy's error log."""
    return finding(
        case,
        cause,
        len(notes),
        f"{Count(len(notes)):line|lines} of the server side {Count(len(notes)):~says|say} so; "
        "the responses themselves are not in this log.",
        confidence="certain",
        unit="lines",
        because=["The side that refused says so itself."],
        evidence=case.show_notes(notes),
    )
