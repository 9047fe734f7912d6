"""Sessions that expire when they are not used."""

from woolly_mcpdiag.demo.faults.fault import Fault, Show, seconds
from woolly_mcpdiag.demo.plan import Plan


def apply(plan: Plan, value: str) -> None:
    """Shorten the real server's idle timeout."""
    plan.idle_timeout = seconds("idle-expiry", value, least=0.001)


FAULT = Fault(
    name="idle-expiry",
    what="the server forgets a session that had no request for that long",
    causes=("session.idle-expired", "session.lost", "session.server-restarted"),
    value="how long a session may be idle",
    default="2s",
    upstream=False,
    apply=apply,
    show=lambda value: Show(calls=(5, 5), pause=seconds("idle-expiry", value) + 1.0),
    note="a client that keeps its GET stream open is never expired, so the plain client shows it",
)
