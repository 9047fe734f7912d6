"""Sessions that expire when they are not used."""

from woolly_mcpdiag.demo.faults.fault import Fault, seconds
from woolly_mcpdiag.demo.plan import Plan


def apply(plan: Plan, value: str) -> None:
    """Shorten the real server's idle timeout."""
    plan.idle_timeout = seconds("idle-expiry", value, least=0.001)


FAULT = Fault(
    name="idle-expiry",
    what="the server forgets a session that had no request for that long",
    causes=("session.idle-expired", "session.lost", "session.server-restarted"),
    value="how long a session may be idle",
    default="5s",
    upstream=False,
    apply=apply,
    note="a client that keeps its GET stream open is never expired, so the plain client shows it",
)
