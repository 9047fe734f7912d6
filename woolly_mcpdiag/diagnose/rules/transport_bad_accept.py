"""transport.bad-accept: Accept or Content-Type of a hand-made client is not what the transport demands."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import FAIL, Case, finding
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "transport.bad-accept"
_BODY = 27
"""Bytes of "Invalid Content-Type header", which mcp from 1.10 on answers with 400 (measured)."""


def decide(case: Case) -> Iterator[Finding]:
    """Name it for 406 and 415, and for a 400 of the size of that complaint."""
    plain = [cell for cell in case.select(status=(406, 415)) if case.left(cell)]
    sized = [cell for cell in case.select("POST", FAIL) if case.left(cell) and _BODY in cell.sizes]
    told = case.notes("call.rejected", "bad-accept")
    count = case.claim(CAUSE, plain) + case.claim_sized(CAUSE, sized, (_BODY,))
    # Where sizes are not logged, an application may quote the answer.
    rest = [cell for cell in case.select("POST", FAIL) if case.left(cell) and cell.sizes.total() < cell.count]
    more = case.claim(CAUSE, rest, max(0, len(told) - count))
    count += more
    if not count:
        return
    cells = plain + sized + (rest if more else [])
    seen = ", ".join(str(status) for status in sorted({cell.key.status for cell in cells}))
    urls = ", ".join(dict.fromkeys(case.at(cell.key.url) for cell in cells))
    yield finding(
        case,
        CAUSE,
        count,
        f"{Count(count):request|requests} to {urls} {Count(count):~was|were} refused with {seen}: Accept must offer both "
        "application/json and text/event-stream, and a POST must be application/json.",
        confidence="certain",
        of=case.requests,
        unit="requests",
        because=['The 400 has the size of "Invalid Content-Type header".']
        if sized
        else ["The answer says so, as a line quotes it."]
        if more
        else ["These statuses say so."],
        evidence=(*case.show(cells), *case.show_notes(told, 1)),
        cells=cells,
    )
