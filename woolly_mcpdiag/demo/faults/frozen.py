"""A server that accepts and never answers."""

from anyio.abc import SocketStream

from woolly_mcpdiag.demo.faults.fault import Fault, Show
from woolly_mcpdiag.demo.plan import Connect, Plan
from woolly_mcpdiag.demo.tcp import CHUNK


async def swallow(client: SocketStream, _connect: Connect) -> None:
    """Read whatever comes and say nothing."""
    while True:
        await client.receive(CHUNK)


def apply(plan: Plan, _value: str) -> None:
    """Put the proxy in front."""
    plan.wiretap = swallow


FAULT = Fault(
    name="frozen",
    what="connections are accepted and requests read, and nothing is ever answered",
    causes=("net.read-timeout",),
    seen_in="nowhere",
    client="per-call",
    apply=apply,
    show=lambda _value: Show(deadline=3.0),
    note="no HTTP line appears for a request without an answer; frozen, blocked and buffered look alike",
)
