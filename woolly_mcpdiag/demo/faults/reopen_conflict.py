"""A GET stream that is cut at the client's side while the server still holds it: the next GET is a conflict."""

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from woolly_mcpdiag.demo.faults.fault import Fault, seconds
from woolly_mcpdiag.demo.plan import Plan
from woolly_mcpdiag.demo.wire import Front, Seen

HOLD = 5
"""The dead stream is held this many times as long as it lived."""


class HoldDeadStream(Front):
    """Ends a GET stream towards the client, and tells the server only later."""

    def __init__(self, app: ASGIApp, age: float) -> None:
        super().__init__(app)
        self.age = age

    async def exchange(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Cut a GET stream; pass everything else on."""
        if seen.verb != "GET" or not seen.session:
            await self.app(scope, receive, send)
            return
        streaming = anyio.Event()
        cut = refused = False

        async def relay(message: Message) -> None:
            nonlocal refused
            if not cut:
                await send(message)
            if message["type"] == "http.response.start":
                refused = message["status"] != 200
                streaming.set()

        async def hold() -> Message:
            message = await receive()
            if cut:
                await anyio.sleep_forever()
            return message

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._serve, scope, hold, relay)
            await streaming.wait()
            if refused:
                return
            await anyio.sleep(self.age)
            cut = True
            await send({"type": "http.response.body", "body": b""})
            await anyio.sleep(self.age * HOLD)
            tasks.cancel_scope.cancel()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def apply(plan: Plan, value: str) -> None:
    """Put the layer in front; the client listens and reopens at once."""
    age = seconds("reopen-conflict", value, least=0.001)
    plan.listen = True
    plan.layers.append(lambda app: HoldDeadStream(app, age))


FAULT = Fault(
    name="reopen-conflict",
    what="GET streams are cut while the server still holds them: reopening is answered 409 for a while",
    causes=("session.stream-conflict",),
    value="age at which a stream is cut",
    default="1s",
    apply=apply,
)
