"""A server that takes only requests for another host name."""

from woolly_mcpdiag.demo.faults.fault import Fault
from woolly_mcpdiag.demo.plan import Plan


def apply(plan: Plan, value: str) -> None:
    """Set the real server's allow list."""
    plan.allowed_hosts = (value,)


FAULT = Fault(
    name="host-guard",
    what="the server's DNS-rebinding guard allows another host only: 421",
    causes=("transport.host-guard",),
    value="the host that is allowed",
    default="mcp.example",
    client="per-call",
    upstream=False,
    apply=apply,
)
