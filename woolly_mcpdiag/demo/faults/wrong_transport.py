"""A client that speaks another transport than the server does at that URL."""

from woolly_mcpdiag.demo.faults.fault import Fault, choice
from woolly_mcpdiag.demo.plan import SSE_PATH, STREAMABLE_PATH, Plan


def apply(plan: Plan, value: str) -> None:
    """Point the client at the wrong endpoint of the real server."""
    kind = choice("wrong-transport", value, ("sse-client", "sse-client-stateless", "streamable-client"))
    plan.stateless = kind == "sse-client-stateless"
    if kind == "streamable-client":
        plan.transport = "sse"
        plan.client_path = SSE_PATH
        plan.client_mode = "legacy"
    else:
        plan.transport = "streamable"
        plan.client_transport = "sse"
        plan.client_path = STREAMABLE_PATH


FAULT = Fault(
    name="wrong-transport",
    what="an SSE client on a Streamable HTTP endpoint (400; stateless: 200 and silence), or the reverse (405)",
    causes=("transport.mismatch",),
    value="sse-client, sse-client-stateless or streamable-client",
    default="sse-client",
    client="per-call",
    upstream=False,
    apply=apply,
)
