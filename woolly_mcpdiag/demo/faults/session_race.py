"""A session that is announced before it is ready: for some milliseconds its requests are refused."""

import logging

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from woolly_mcpdiag.demo.faults.fault import Fault, choice, seconds
from woolly_mcpdiag.demo.plan import Plan
from woolly_mcpdiag.demo.shim import UNKNOWN
from woolly_mcpdiag.demo.wire import SESSION, Front, Seen, answer, error


class NotReady(Front):
    """Refuses requests on a young session.

    With 200 as mcp before 1.18 did when the handshake was not complete; with 404 or 400 as a server whose
    session store lags behind.
    """

    def __init__(self, app: ASGIApp, wait: float, status: str) -> None:
        super().__init__(app)
        self.wait = wait
        self.status = status
        self.born: dict[str, float] = {}

    async def exchange(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what comes too early."""
        born = self.born.get(seen.session)
        early = born is not None and anyio.current_time() < born + self.wait
        if early and self.status == "404":
            await answer(send, 404, error(-32600, "Session not found"))
        elif early and self.status == "400":
            await answer(send, 400, UNKNOWN, kind=b"")
        elif early and seen.id is not None:
            await self._not_initialized(seen, send)
        else:
            await self.app(scope, receive, self._watched(seen, send))

    async def _not_initialized(self, seen: Seen, send: Send) -> None:
        logging.getLogger().warning("Failed to validate request: Received request before initialization was complete")
        body = b"event: message\r\ndata: " + error(-32602, "Invalid request parameters", id=seen.id, data="")
        own = (SESSION, seen.session.encode())
        await answer(send, 200, body + b"\r\n\r\n", kind=b"text/event-stream", headers=[own])

    def _watched(self, seen: Seen, send: Send) -> Send:
        async def watched(message: Message) -> None:
            if seen.method == "initialize" and message["type"] == "http.response.start":
                session = next((value.decode() for key, value in message["headers"] if key == SESSION), "")
                if session:
                    self.born[session] = anyio.current_time()
            await send(message)

        return watched


def apply(plan: Plan, value: str) -> None:
    """Put the layer in front: DURATION or DURATION:STATUS."""
    length, _, status = value.partition(":")
    wait = seconds("session-race", length)
    choice("session-race", status or "200", ("200", "400", "404"))
    plan.layers.append(lambda app: NotReady(app, wait, status or "200"))


FAULT = Fault(
    name="session-race",
    what="for that long after initialize a session refuses each request, inside a 200 or with 400 or 404",
    causes=("session.used-before-ready",),
    seen_in="server",
    value="how long a session is not ready, then [:STATUS]: 200 (an error inside it), 400 or 404",
    default="150ms",
    client="per-call",
    apply=apply,
    note="inside a 200 only the server's log tells; with 400 or 404 the client's does, if the session is used again",
)
