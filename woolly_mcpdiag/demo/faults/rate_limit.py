"""A proxy that limits the rate: 429 with Retry-After."""

import math

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from woolly_mcpdiag.demo.faults.fault import Fault, whole
from woolly_mcpdiag.demo.plan import Plan
from woolly_mcpdiag.demo.wire import NGINX, Front, Seen, answer, nginx

BURST = 3
"""Requests above the rate that are still passed on (nginx: ``burst=3 nodelay``)."""


class RateLimit(Front):
    """A leaky bucket, as nginx's ``limit_req``."""

    def __init__(self, app: ASGIApp, rate: int) -> None:
        super().__init__(app)
        self.rate = rate
        self.level = 0.0
        self.last = 0.0

    async def exchange(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        now = anyio.current_time()
        self.level = max(0.0, self.level - (now - self.last) * self.rate)
        self.last = now
        if self.level > BURST:
            after = str(max(1, math.ceil((self.level - BURST) / self.rate))).encode()
            page = nginx(429, "Too Many Requests")
            await answer(send, 429, page, kind=b"text/html", headers=[*NGINX, (b"retry-after", after)])
            return
        self.level += 1
        await self.app(scope, receive, send)


def apply(plan: Plan, value: str) -> None:
    """Put the layer in front."""
    rate = whole("rate-limit", value)
    plan.layers.append(lambda app: RateLimit(app, rate))


FAULT = Fault(
    name="rate-limit",
    what="requests above the rate are refused with 429 and Retry-After",
    causes=("proxy.rate-limit",),
    value="requests per second",
    default="5",
    client="per-call",
    apply=apply,
)
