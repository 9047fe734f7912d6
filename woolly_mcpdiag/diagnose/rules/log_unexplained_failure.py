"""log.unexplained-failure: the application says that calls failed, and nothing in the log says why."""

from collections import Counter
from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import FAIL, Case, finding
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "log.unexplained-failure"
_SHOWN = 3
_PROTOCOL = ("McpError", "MCPError", "ToolError", "ToolFailedError")


def decide(case: Case) -> Iterator[Finding]:
    """Count failed agent runs and protocol errors where no other rule found anything."""
    refused = case.open(cell for cell in case.cells if cell.key.status >= FAIL)
    if refused or any(not found.benign for found in case.findings):
        return
    notes = [note for note in case.notes("call.failed") if note.event.agent or note.event.error in _PROTOCOL]
    if not notes:
        return
    errors = Counter(note.event.error or "no exception named" for note in notes)
    named = ", ".join(f"{error} ({count})" for error, count in errors.most_common(_SHOWN))
    yield finding(
        case,
        CAUSE,
        len(notes),
        f"{Count(len(notes)):call|calls} failed ({named}) while no MCP response was refused: the reason is not in this log.",
        confidence="certain",
        unit="calls",
        because=_because(case),
        evidence=case.show_notes(notes),
    )


def _because(case: Case) -> list[str]:
    if not case.requests:
        return ["No MCP request is in this log."]
    return ["Every MCP response succeeded, so it is no connectivity failure that a status would show."]
