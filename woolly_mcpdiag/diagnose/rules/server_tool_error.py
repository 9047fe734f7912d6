"""server.tool-error: the tool itself failed, behind an HTTP 200."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.shapes import noted

CAUSE = "server.tool-error"
_TOLD = "Error executing tool"
"""How the Python SDK begins the text of such a result."""
_TRACEBACK = 120
"""Lines of a traceback, at most."""

_RAISED = "raised an unexpected exception"
"""What a server of mcp 2.x logs, before a traceback whose last line begins like such a result."""
_UNKNOWN = "Unknown tool"


def _by_result(case: Case) -> Iterator[Finding]:
    notes = case.notes("call.rejected", "tool-error") + [
        note for note in case.notes("call.rejected", "rpc-error") if _names_no_tool(note)
    ]
    if not notes:
        return
    raised = {(note.source, note.line) for note in notes if _RAISED in note.event.message}
    twice = sum(_TOLD in note.event.message and _follows(note, raised) for note in notes)
    whole = case.noted("call.rejected", "tool-error") + sum(map(_names_no_tool, notes))
    count = round(whole * (1 - twice / len(notes)))
    yield finding(
        case,
        CAUSE,
        count,
        f"{Count(count):tool call was|tool calls were} answered 200 with an error in the result: the transport works, the tool does not.",
        confidence="certain",
        because=["The result says it (`isError: true`)."],
        evidence=case.show_notes(notes),
    )


def _names_no_tool(note: Note) -> bool:
    return note.event.error == "rpc-error" and str(note.event.extra.get("said", "")).startswith(_UNKNOWN)


def _follows(note: Note, raised: set[tuple[int, int]]) -> bool:
    """Say whether a line is the end of the traceback of one that tells of the same call."""
    return any((note.source, note.line - lines) in raised for lines in range(_TRACEBACK))


def _quoted(case: Case, note: Note) -> bool:
    del case
    return bool(note.event.agent) and _TOLD in note.event.message


_by_agents = noted(
    CAUSE,
    "call.failed",
    (),
    "{n:agent run|agent runs} failed with the words of a tool that failed: the transport works, the tool does not.",
    unit="agent runs",
    because=["`Error executing tool` is what an MCP server puts into a result with `isError: true`."],
    only=_quoted,
)

_by_exception = noted(
    CAUSE,
    "call.failed",
    ("ToolError",),
    "{n:tool call|tool calls} failed with a ToolError: the server answered, and the answer says that the tool failed.",
    confidence="likely",
    because=["fastmcp's client raises ToolError for a result with `isError: true`, and for nothing else."],
)


def decide(case: Case) -> Iterator[Finding]:
    """Name it by the results, by what agents quote of them, or by what a client raises for them."""
    yield from list(_by_result(case)) or list(_by_agents(case)) or _by_exception(case)
