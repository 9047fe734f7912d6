"""The fault that was reported first: an old server puts a fresh session id on the 400 that says an id is missing."""

from woolly_mcpdiag.demo.faults.fault import Fault, Show
from woolly_mcpdiag.demo.plan import SSE_PATH, Plan


def apply(plan: Plan, _value: str) -> None:
    """Serve Streamable HTTP at /sse/ with the manners of mcp 1.11."""
    plan.dialect = "1.11"
    plan.transport = "streamable"
    if not plan.upstream:
        plan.client_path = SSE_PATH


FAULT = Fault(
    name="ghost-session",
    what="a GET without a session id is answered 400 with a fresh session id; a stream on that id never speaks",
    causes=("session.harvested-from-400",),
    client="naive",
    apply=apply,
    show=lambda _value: Show(style="basic"),
    note="in front of another server it keeps the ids alive that the server itself puts on its 400s",
)
