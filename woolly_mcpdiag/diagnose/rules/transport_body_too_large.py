"""transport.body-too-large: the request body is over a limit of the server or of a proxy."""

from woolly_mcpdiag.diagnose.shapes import answered

decide = answered(
    "transport.body-too-large",
    (413,),
    "{n:request|requests} to {urls} {n:~was|were} refused with 413: the body is over a limit on the way.",
    because=[
        "22 bytes of body mean the MCP server's own limit (4 MiB), an HTML page means a proxy's (1 MiB by default)."
    ],
    told=("proxy.error", "body-too-large"),
    alone=True,
)
