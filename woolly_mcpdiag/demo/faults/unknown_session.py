"""Sessions that the server forgets: answered 404 as the specification asks, or 400 as mcp did before 1.26."""

import random

from starlette.types import ASGIApp, Receive, Scope, Send

from woolly_mcpdiag.demo.faults.fault import Fault, Show, choice
from woolly_mcpdiag.demo.plan import Plan
from woolly_mcpdiag.demo.shim import UNKNOWN
from woolly_mcpdiag.demo.wire import Front, Seen, answer, error

LIFE = (3, 7)
"""Least and most requests that a session lives; drawn for each."""


class Forget(Front):
    """Forgets a session after some requests."""

    def __init__(self, app: ASGIApp, rng: random.Random, status: int) -> None:
        super().__init__(app)
        self.rng = rng
        self.status = status
        self.left: dict[str, int] = {}

    async def exchange(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Count down; from zero on the session is unknown."""
        if seen.session:
            left = self.left.setdefault(seen.session, self.rng.randint(*LIFE))
            self.left[seen.session] = left - 1
            if left <= 0:
                await self._unknown(send)
                return
        await self.app(scope, receive, send)

    async def _unknown(self, send: Send) -> None:
        if self.status == 400:
            await answer(send, 400, UNKNOWN, kind=b"")
        else:
            await answer(send, 404, error(-32600, "Session not found"))


def apply(plan: Plan, value: str) -> None:
    """Put the layer in front."""
    status = int(choice("unknown-session", value, ("404", "400")))
    rng = random.Random(plan.rng.random())  # noqa: S311 - repeatable, not secret
    plan.layers.append(lambda app: Forget(app, rng, status))


FAULT = Fault(
    name="unknown-session",
    what="a session is forgotten after a few requests, with no idle gap and no restart",
    causes=("session.lost", "session.server-restarted", "session.idle-expired"),
    value="404 or 400: the status of an unknown session (400: mcp before 1.26)",
    default="404",
    apply=apply,
    show=lambda _value: Show(calls=(5,) * 6),
    note="from outside it looks like a restart that hit some sessions only",
)
