"""session.missing-id: a request without a session id on a server that keeps sessions."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "session.missing-id"
_BODIES = (105, 22)
"""Bytes of "Missing session ID" (mcp 1.x) and "session_id is required" (SSE); measured."""


def decide(case: Case) -> Iterator[Finding]:
    """Name it by the answer's words or size."""
    told = case.notes("call.rejected", "missing-session")
    cells = [cell for cell in case.select("POST", 400) if case.left(cell) and any(s in cell.sizes for s in _BODIES)]
    count = case.claim_sized(CAUSE, cells, _BODIES)
    rest = [cell for cell in case.select("POST", 400) if case.left(cell) and cell.sizes.total() < cell.count]
    more = case.claim(CAUSE, rest, max(0, case.noted("call.rejected", "missing-session") - count))
    count += more
    cells += rest if more else []
    if not count:
        return
    yield finding(
        case,
        CAUSE,
        count,
        f"{Count(count):POST|POSTs} carried no session id, and this server keeps sessions.",
        confidence="certain",
        of=case.requests,
        unit="400 responses",
        because=['The answer is "Missing session ID", by its words or its size.'],
        evidence=(*case.show(cells, 2), *case.show_notes(told, 1)),
        cells=cells,
    )
