"""session.missing-id: a request without a session id on a server that keeps sessions."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding

CAUSE = "session.missing-id"
_BODIES = (105, 22)
"""Bytes of "Missing session ID" (mcp 1.x) and "session_id is required" (SSE); measured."""


def decide(case: Case) -> Iterator[Finding]:
    """Name it by the answer's words or size."""
    told = case.notes("call.rejected", "missing-session")
    cells = [
        cell
        for cell in case.select("POST", 400)
        if case.left(cell) and (told or any(size in cell.sizes for size in _BODIES))
    ]
    count = case.claim(CAUSE, cells)
    if not count:
        return
    yield finding(
        case,
        CAUSE,
        count,
        f"{count} POSTs carried no session id, and this server keeps sessions.",
        confidence="certain",
        of=case.requests,
        unit="400 responses",
        because=['The answer is "Missing session ID", by its words or its size.'],
        evidence=(*case.show(cells, 2), *case.show_notes(told, 1)),
        cells=cells,
    )
