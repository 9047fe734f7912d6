"""client.closed-in-other-task: a session was closed, or dropped, outside of the task that opened it."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "client.closed-in-other-task"
_SIGNS = (
    "in a different task than it was entered in",
    "during closing of asynchronous generator",
    "didn't stop after athrow",
)
_OURS = ("client", "mcp", "sse", "stream", "scope")


def decide(case: Case) -> Iterator[Finding]:
    """Name it by the cancel scope's complaint, or by a client generator that had to be closed by the collector."""
    if case.found("client.shared-object"):
        return
    notes = [note for note in case.file.notes if note.event.kind in ("call.failed", "server.error") and _says(note)]
    if not notes:
        return
    dropped = any("asynchronous generator" in note.event.message for note in notes)
    yield finding(
        case,
        CAUSE,
        len(notes),
        f"{Count(len(notes)):session was|sessions were} {'dropped without being closed' if dropped else 'closed in another task than the one that opened them'}.",
        confidence="certain",
        unit="sessions",
        because=["anyio says so itself: a cancel scope must be left in the task that entered it."],
        evidence=case.show_notes(notes),
    )


def _says(note: Note) -> bool:
    text = note.event.message
    return any(sign in text for sign in _SIGNS) and any(word in text for word in _OURS)
