"""client.shared-object: one server or toolset object entered by several agents at once."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import FAIL, Case, finding
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "client.shared-object"


def of_scope(note: Note) -> bool:
    """Say whether a failure is a cancellation by a cancel scope, which no caller asked for."""
    return "ancelled by cancel scope" in note.event.message or "CancelledError" in str(
        note.event.extra.get("others", "")
    )


def decide(case: Case) -> Iterator[Finding]:
    """Name it where calls are cancelled by a cancel scope while every HTTP exchange succeeds."""
    notes = [note for note in case.notes("call.failed", "CancelledError") if of_scope(note)]
    server = list(case.notes("server.error", "CancelledError")) if not notes else []
    notes = notes or server
    failing = sum(case.left(cell) for cell in case.cells if cell.key.status >= FAIL)
    if not notes or failing:
        return
    yield finding(
        case,
        CAUSE,
        len(notes),
        f"{Count(len(notes)):agent run was|agent runs were} cancelled by a cancel scope although every HTTP request succeeded: several agents entered one shared "
        "server object at once, and the first that left it closed it for all.",
        confidence="likely",
        unit="agent runs",
        because=[
            "No MCP request failed, so neither the server nor the network is at fault.",
            "This is a real race, but it never shows as a 400.",
        ],
        evidence=case.show_notes(notes),
    )
