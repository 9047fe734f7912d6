"""A server that takes only so many sessions at a time."""

from woolly_mcpdiag.demo.faults.fault import Fault, whole
from woolly_mcpdiag.demo.plan import Plan


def apply(plan: Plan, value: str) -> None:
    """Lower the real server's limit."""
    plan.max_sessions = whole("session-limit", value)


FAULT = Fault(
    name="session-limit",
    what="one session more than that is refused with 503",
    causes=("server.capacity", "proxy.rate-limit"),
    value="number of sessions",
    default="2",
    upstream=False,
    apply=apply,
    note="a 503 without its body may also be a rate limit; the server's log names the limit",
)
