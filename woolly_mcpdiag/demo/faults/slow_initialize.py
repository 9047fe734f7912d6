"""A server that takes its time over initialize."""

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from woolly_mcpdiag.demo.faults.fault import Fault, Show, seconds
from woolly_mcpdiag.demo.plan import Plan
from woolly_mcpdiag.demo.wire import Front, Seen


class SlowInitialize(Front):
    """Holds each initialize (and each era probe) back."""

    def __init__(self, app: ASGIApp, wait: float) -> None:
        super().__init__(app)
        self.wait = wait

    async def exchange(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then pass on."""
        if seen.method in ("initialize", "server/discover"):
            await anyio.sleep(self.wait)
        await self.app(scope, receive, send)


def apply(plan: Plan, value: str) -> None:
    """Put the layer in front."""
    wait = seconds("slow-initialize", value)
    plan.layers.append(lambda app: SlowInitialize(app, wait))


FAULT = Fault(
    name="slow-initialize",
    what="the answer to initialize comes late",
    causes=("net.read-timeout",),
    seen_in="nowhere",
    value="how late",
    default="2s",
    client="per-call",
    apply=apply,
    show=lambda value: Show(deadline=max(seconds("slow-initialize", value) / 2, 0.01)),
    note="a time-out alone names no cause: the log has no line between the start of a run and its TimeoutError",
)
