"""proxy.upstream-down: a proxy answers, but the server behind it does not."""

from woolly_mcpdiag.diagnose.shapes import answered

decide = answered(
    "proxy.upstream-down",
    (502,),
    "{n:request|requests} to {urls} got 502: the proxy is up, the MCP server behind it is not reachable.",
    told=("proxy.error", "upstream-down"),
    alone=True,
)
