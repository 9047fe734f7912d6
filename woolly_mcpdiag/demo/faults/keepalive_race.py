"""Kept connections that the server closes just as the next request arrives."""

import random

import anyio
from anyio.abc import SocketStream

from woolly_mcpdiag.demo.faults.fault import Fault, Show, seconds, share
from woolly_mcpdiag.demo.plan import Connect, Plan
from woolly_mcpdiag.demo.tcp import CHUNK, pump, reset


class Race:
    """Passes on; a request that comes after so long a pause on one connection meets a reset."""

    def __init__(self, idle: float, rng: random.Random, part: float) -> None:
        self.idle = idle
        self.rng = rng
        self.part = part

    async def __call__(self, client: SocketStream, connect: Connect) -> None:
        """Handle one connection."""
        last = anyio.current_time()
        answered = False

        def watch(_data: bytes) -> None:
            nonlocal last, answered
            last, answered = anyio.current_time(), True

        async with await connect() as server, anyio.create_task_group() as tasks:
            tasks.start_soon(pump, server, client, watch)
            while True:
                data = await client.receive(CHUNK)
                idle = anyio.current_time() - last if answered else 0.0
                if idle >= self.idle and self.rng.random() < self.part:
                    reset(client)
                    tasks.cancel_scope.cancel()
                    return
                answered = False
                await server.send(data)


def apply(plan: Plan, value: str) -> None:
    """Put the proxy in front: DURATION or DURATION:SHARE."""
    idle, _, part = value.partition(":")
    rng = random.Random(plan.rng.random())  # noqa: S311 - repeatable, not secret
    plan.wiretap = Race(seconds("keepalive-race", idle), rng, share("keepalive-race", part or "1"))


FAULT = Fault(
    name="keepalive-race",
    what="a request on a connection that was idle that long meets a reset",
    causes=("net.keepalive-race",),
    value="how long a connection may be idle, then [:SHARE] of the requests that come later and are hit",
    default="1s:0.2",
    apply=apply,
    show=lambda value: Show(calls=(60, 5, 5, 5, 5), pause=seconds("keepalive-race", value.partition(":")[0]) + 0.2),
    note="the real race is rarer still: 0.6 % of the requests at the worst moment (measured)",
)
