"""A server that is away for a while: its port refuses, or its accept queue is full."""

from woolly_mcpdiag.demo.faults.fault import Fault, choice, seconds, whole
from woolly_mcpdiag.demo.plan import Plan, Stage


def apply(plan: Plan, value: str) -> None:
    """Go away after so many calls: HOW, HOW:CALLS or HOW:CALLS:DURATION."""
    how, _, rest = value.partition(":")
    calls, _, length = rest.partition(":")
    choice("down", how, ("refuse", "blackhole"))
    count = whole("down", calls or "0", least=0)
    duration = seconds("down", length) if length else None

    async def act(stage: Stage) -> None:
        await stage.calls(count)
        await (stage.refuse(duration) if how == "refuse" else stage.swallow(duration))
        stage.happened("back")

    plan.needs_tcp = True
    plan.acts.append(act)


FAULT = Fault(
    name="down",
    what="the port refuses connections, or leaves them unanswered, for a while",
    causes=("net.refused", "net.connect-timeout"),
    value="refuse or blackhole, then [:CALLS before it[:DURATION]]; without a duration for good",
    default="refuse",
    apply=apply,
    note="refuse is net.refused, blackhole net.connect-timeout",
)
