"""A proxy that buffers: nothing of a response arrives before all of it is there."""

from starlette.types import Message, Receive, Scope, Send

from woolly_mcpdiag.demo.faults.fault import Fault, Show
from woolly_mcpdiag.demo.plan import Plan
from woolly_mcpdiag.demo.wire import Front, Seen


class Buffer(Front):
    """Holds head and body until the response ends; an event stream never does."""

    async def exchange(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Collect, then send at once."""
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                for one in held:
                    await send(one)
                held.clear()

        await self.app(scope, receive, hold)


def apply(plan: Plan, _value: str) -> None:
    """Put the layer in front and use SSE."""
    plan.use_sse()
    plan.layers.append(Buffer)


FAULT = Fault(
    name="buffered-stream",
    what="a response arrives only when it is complete, so the SSE stream never opens",
    causes=("net.read-timeout",),
    seen_in="nowhere",
    client="per-call",
    apply=apply,
    show=lambda _value: Show(deadline=3.0),
    note="the headers are withheld, so no HTTP line appears; a probe or a proxy's log (499) tells",
)
