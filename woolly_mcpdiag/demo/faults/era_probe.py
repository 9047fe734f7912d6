"""A modern client on an older server: one harmless 400 for each connect."""

from woolly_mcpdiag.demo.faults.fault import Fault
from woolly_mcpdiag.demo.plan import Plan


def apply(plan: Plan, _value: str) -> None:
    """Serve as mcp 1.30 does, and let the client probe."""
    plan.era = "handshake"
    plan.dialect = "1.30"
    plan.client_mode = "auto"


FAULT = Fault(
    name="era-probe",
    what="the client asks for the 2026-07-28 era first; the older server answers 400 and nothing fails",
    causes=("transport.era-probe",),
    benign=True,
    client="per-call",
    apply=apply,
)
