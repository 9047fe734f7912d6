"""A gateway that answers for a server it cannot reach, or that is too slow for it."""

import random

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from woolly_mcpdiag.demo.faults.fault import Fault, choice, seconds, share
from woolly_mcpdiag.demo.plan import Plan
from woolly_mcpdiag.demo.wire import NGINX, Front, Seen, answer, nginx

PHRASES = {502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
CAUSES = {502: "proxy.upstream-down", 503: "proxy.rate-limit", 504: "proxy.timeout"}


class Gateway(Front):
    """Answers a share of the requests itself; a 504 only after its patience."""

    def __init__(self, app: ASGIApp, rng: random.Random, status: int, part: float, patience: float) -> None:
        super().__init__(app)
        self.rng = rng
        self.status = status
        self.part = part
        self.patience = patience

    async def exchange(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if (self.status == 504 and seen.method != "tools/call") or self.rng.random() >= self.part:
            await self.app(scope, receive, send)
            return
        if self.status == 504:
            await anyio.sleep(self.patience)
        page = nginx(self.status, PHRASES[self.status])
        await answer(send, self.status, page, kind=b"text/html", headers=NGINX)


def apply(plan: Plan, value: str) -> None:
    """Put the layer in front: STATUS, STATUS:SHARE or STATUS:SHARE:PATIENCE."""
    code, _, rest = value.partition(":")
    portion, _, patience = rest.partition(":")
    status = int(choice("gateway", code, tuple(str(status) for status in PHRASES)))
    part = share("gateway", portion or "1")
    wait = seconds("gateway", patience or "1s")
    rng = random.Random(plan.rng.random())  # noqa: S311 - repeatable, not secret
    plan.layers.append(lambda app: Gateway(app, rng, status, part, wait))


FAULT = Fault(
    name="gateway",
    what="a gateway answers 502, 503 or 504 with a page of its own",
    causes=("proxy.upstream-down", "proxy.timeout", "proxy.rate-limit", "server.capacity"),
    value="STATUS[:SHARE[:PATIENCE]], for example 502, 503:0.3 or 504:1:2s",
    default="502",
    client="per-call",
    apply=apply,
    note="502 is upstream-down, 504 timeout; a 503 page may be either a rate limit or capacity",
)
