"""Tools that fail behind a successful response."""

from woolly_mcpdiag.demo.faults.fault import Fault
from woolly_mcpdiag.demo.plan import Plan


def apply(plan: Plan, _value: str) -> None:
    """Make the real tools raise."""
    plan.trouble.failing = True


FAULT = Fault(
    name="tool-error",
    what="every tool raises: each answer is a 200 with isError",
    causes=("server.tool-error",),
    seen_in="client",
    client="shared",
    upstream=False,
    apply=apply,
    note="every HTTP line of the client is perfect; only the application's own lines name the tool",
)
