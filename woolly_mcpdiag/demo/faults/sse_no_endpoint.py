"""A legacy SSE stream whose ``endpoint`` event never arrives."""

import re

from starlette.types import Message, Receive, Scope, Send

from woolly_mcpdiag.demo.faults.fault import Fault, Show
from woolly_mcpdiag.demo.plan import Plan
from woolly_mcpdiag.demo.wire import Front, Seen

EVENT = re.compile(rb"event: endpoint\r?\ndata: [^\r\n]*\r?\n\r?\n")


class NoEndpoint(Front):
    """Takes the endpoint event out of the stream, as a middlebox that waits for more data does."""

    async def exchange(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on without that event."""

        async def without(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": EVENT.sub(b"", message.get("body", b""))}
            await send(message)

        await self.app(scope, receive, without if seen.verb == "GET" else send)


def apply(plan: Plan, _value: str) -> None:
    """Put the layer in front and use SSE."""
    plan.transport = "sse"
    plan.use_sse()
    plan.layers.append(NoEndpoint)


FAULT = Fault(
    name="sse-no-endpoint",
    what="the SSE stream opens with 200 and never says where to post",
    causes=("transport.mismatch", "proxy.buffering"),
    client="per-call",
    apply=apply,
    show=lambda _value: Show(deadline=3.0),
    note="a stateless streamable server answers the same way; only a probe tells them apart",
)
