"""session.reinitialized: a second initialize on a live session un-initializes it for everybody who shares it."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "session.reinitialized"
_BODY = 107
"""Bytes of "Server already initialized" (TypeScript SDK, measured)."""


def decide(case: Case) -> Iterator[Finding]:
    """Name it where the server refuses a second initialize; servers that accept one do not show it in a client's log."""
    cells = [cell for cell in case.select("POST", 400) if case.left(cell) and _BODY in cell.sizes]
    told = [note for note in case.file.notes if "already initialized" in note.event.message.lower()]
    count = case.claim_sized(CAUSE, cells, (_BODY,)) or len(told)
    if not count:
        return
    yield finding(
        case,
        CAUSE,
        count,
        f"{Count(count):time|times} a session was initialized that already was.",
        confidence="certain",
        of=case.requests,
        unit="requests",
        because=["The server refuses it by name."],
        evidence=(*case.show(cells, 2), *case.show_notes(told, 1)),
        cells=cells,
    )
