"""server.tool-error: the tool itself failed, behind an HTTP 200."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.diagnose.shapes import noted

_TOLD = "Error executing tool"
"""How the Python SDK begins the text of such a result."""

_by_result = noted(
    "server.tool-error",
    "call.rejected",
    ("tool-error",),
    "{n:tool call was|tool calls were} answered 200 with `isError: true`: the transport works, the tool does not.",
    because=["The result says it."],
)


def _quoted(case: Case, note: Note) -> bool:
    del case
    return bool(note.event.agent) and _TOLD in note.event.message


_by_agents = noted(
    "server.tool-error",
    "call.failed",
    (),
    "{n:agent run|agent runs} failed with the words of a tool that failed: the transport works, the tool does not.",
    unit="agent runs",
    because=["`Error executing tool` is what an MCP server puts into a result with `isError: true`."],
    only=_quoted,
)


def decide(case: Case) -> Iterator[Finding]:
    """Name it by the results, or by what agents quote of them."""
    found = list(_by_result(case))
    yield from found or _by_agents(case)
