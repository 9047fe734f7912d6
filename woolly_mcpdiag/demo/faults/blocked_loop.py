"""A tool that blocks the event loop: nobody is answered while it runs."""

from woolly_mcpdiag.demo.faults.fault import Fault, Show, seconds
from woolly_mcpdiag.demo.plan import Plan


def apply(plan: Plan, value: str) -> None:
    """Make one of the real tools block."""
    plan.trouble.blocked = seconds("blocked-loop", value)


FAULT = Fault(
    name="blocked-loop",
    what="qa_codebase (agent convo_starter) blocks the server's event loop",
    causes=("server.event-loop-blocked",),
    value="how long",
    default="2s",
    seen_in="server",
    client="shared",
    upstream=False,
    apply=apply,
    show=lambda _value: Show(style="debug"),
    note="asyncio says so only in its debug mode (--log-format debug); else a log shows a silence, then a burst",
)
