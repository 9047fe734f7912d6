"""server.tool-error: the tool itself failed, behind an HTTP 200."""

from woolly_mcpdiag.diagnose.shapes import noted

decide = noted(
    "server.tool-error",
    "call.rejected",
    ("tool-error",),
    "{n:tool call was|tool calls were} answered 200 with `isError: true`: the transport works, the tool does not.",
    because=["The result says it."],
)
