"""Several server processes behind a balancer that ignores sessions."""

from woolly_mcpdiag.demo.faults.fault import Fault, whole
from woolly_mcpdiag.demo.plan import Plan


def apply(plan: Plan, value: str) -> None:
    """Start real processes behind a round robin."""
    plan.workers = whole("no-affinity", value, least=2, most=8)


FAULT = Fault(
    name="no-affinity",
    what="each request goes to the next of several server processes, whatever session it belongs to",
    causes=("session.no-affinity",),
    value="number of server processes, 2 to 8",
    default="2",
    client="per-call",
    upstream=False,
    apply=apply,
)
