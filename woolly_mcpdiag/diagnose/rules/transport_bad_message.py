"""transport.bad-message: the server cannot read the body of a request as one JSON-RPC message."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import FAIL, Case, finding
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "transport.bad-message"
_LONG = 300
"""Bytes above any answer about sessions, headers or versions; a validation error quotes what it does not like."""
_WORDS = "Validation error"


def decide(case: Case) -> Iterator[Finding]:
    """Name it where a line quotes the answer, or where the body of a 400 is as long as only a validation error's."""
    told = [*case.notes("call.rejected", "bad-message"), *filter(_quoted, case.notes("call.rejected", "rpc-error"))]
    cells = [cell for cell in case.select("POST", FAIL) if case.left(cell)]
    long = [cell for cell in cells if any(size >= _LONG for size in cell.sizes)]
    count = sum(case.claim_sized(CAUSE, [cell], [s for s in cell.sizes if s >= _LONG]) for cell in long)
    plain = [cell for cell in cells if cell.sizes.total() < cell.count]
    more = case.claim(CAUSE, plain, max(0, len(told) - count))
    if not count + more:
        return
    shown = long + (plain if more else [])
    yield finding(
        case,
        CAUSE,
        count + more,
        f"{Count(count + more):POST was|POSTs were} refused with 400: the server could not read the body as one JSON-RPC message.",
        confidence="certain" if told else "possible",
        of=case.requests,
        unit="requests",
        because=["The answer says it."]
        if told
        else [
            f"The answer has {max(max(cell.sizes) for cell in long)} bytes: a complaint about a session or a header is shorter, one about the message quotes it.",
            "Not excluded: a JSON-RPC batch (transport.batch-refused), which such servers refuse in the same words.",
        ],
        evidence=(*case.show(shown, 2), *case.show_notes(told, 1)),
        cells=shown,
    )


def _quoted(note: Note) -> bool:
    return str(note.event.extra.get("said", "")).startswith(_WORDS)
