"""net.read-timeout: no answer within the client's own time-out; why is open."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding

CAUSE = "net.read-timeout"


def decide(case: Case) -> Iterator[Finding]:
    """Name the time-outs that no other finding accounts for; never a session cause from a time-out alone."""
    notes = [
        n
        for n in case.notes("call.failed", "ReadTimeout", "TimeoutError", "WriteTimeout")
        if n.event.agent or n.event.error != "TimeoutError"
    ]
    if not notes or any(not found.benign for found in case.findings):
        return
    yield finding(
        case,
        CAUSE,
        len(notes),
        f"{len(notes)} calls got no answer within the client's own time-out, and no request was refused.",
        confidence="possible",
        unit="calls",
        because=[
            "A time-out alone names no cause: a slow tool, a blocked server, a held-back stream and a lost answer look the same."
        ],
        evidence=case.show_notes(notes),
    )
