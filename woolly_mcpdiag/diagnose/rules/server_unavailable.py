"""proxy.upstream-down for 503: nothing behind the address served a single request."""

from woolly_mcpdiag.diagnose.shapes import answered

decide = answered(
    "proxy.upstream-down",
    (503,),
    "{n:request|requests} to {urls} got 503 and none was ever served: a gateway answers for a server that is away.",
    confidence="possible",
    because=["Not excluded by a status alone: a limit of the server or the proxy that lets nothing through."],
    told=("proxy.error", "upstream-down"),
)
