"""The one driver of the plain SDK: the designs that people build with it, and the client that was first reported."""

import ssl
from dataclasses import replace
from functools import partial
from typing import Literal

from anyio.abc import TaskGroup

from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.load.plan import Limits, McpTarget, Plan
from woolly_mcpdiag.load.tasks.driver import Asked, Held, Reply
from woolly_mcpdiag.load.tasks.ledger import Ledger
from woolly_mcpdiag.load.tasks.naive import harvesting
from woolly_mcpdiag.load.tasks.owned import Owned
from woolly_mcpdiag.wire.plain import Way, ask, connected, context, recorded, shared_context
from woolly_mcpdiag.wire.steps import WITNESS

Design = Literal["sdk", "shared", "per-call", "naive"]


def way_of(target: McpTarget, limits: Limits, *, streams: bool) -> Way:
    """Return how a target is reached by a session that is made for what the preflight found."""
    return Way(
        url=target.at.url,
        sse=target.transport == "sse",
        mode=target.version if target.modern else "legacy",
        headers=target.at.headers,
        verify=target.at.verify,
        ca_file=target.at.ca_file,
        connect=limits.connect,
        wait=limits.call,
        streams=streams,
    )


def trusted(way: Way) -> ssl.SSLContext:
    """Return the TLS context for all sessions. Raises ``InputError`` for a file that holds no certificates."""
    try:
        return shared_context(way)
    except OSError as problem:
        msg = f"{way.ca_file}: {problem.strerror or problem}"
        raise InputError(msg, hint="give a PEM file with certificates") from None


class SdkDriver:
    """Sessions of the SDK as it comes, each with connections of its own."""

    own_sessions = False

    def __init__(self, plan: Plan, target: McpTarget, design: Design, ledger: Ledger) -> None:
        way = way_of(target, plan.limits, streams=plan.stream)
        # As users write it: the era is not pinned, and each client is made from nothing.
        pinned = design in {"sdk", "naive"}
        self._way = replace(way, sse=way.sse or design == "naive", mode=way.mode if pinned else "auto")
        self._design = design
        self._limits = plan.limits
        self._ledger = ledger
        self._trust: ssl.SSLContext | None = None
        self._tasks: TaskGroup | None = None
        self.renews = design != "shared"

    def prepare(self) -> None:
        """Load the certificates. Raises ``InputError`` for a file that holds none."""
        self._trust = trusted(self._way)

    async def start(self, tasks: TaskGroup) -> None:
        """Take the tasks that sessions live in."""
        self._tasks = tasks

    async def open(self, key: str) -> Held:
        """Open a session. Raises what the SDK raises, ``NoEndpointError`` and ``NoSessionError``."""
        if self._tasks is None:
            msg = "the driver was not started"
            raise RuntimeError(msg)
        if self._trust is None or self._design == "per-call":
            self._trust = context(self._way)
        wire = recorded(self._way, self._trust, self._ledger.listener)
        limits = self._limits
        if self._design == "naive":
            connect, endpoint = partial(harvesting, self._way, wire, self._ledger, key), None
        else:
            connect = partial(connected, self._way, wire)
            endpoint = limits.connect + limits.event if self._way.sse else None
        session = Owned(connect, self._ledger, key, close=limits.close, endpoint=endpoint)
        self._tasks.start_soon(session.own)
        await session.opened()
        return session

    async def call(self, held: Held, asked: Asked) -> Reply:
        """Make one call. Raises what the SDK raises."""
        if not isinstance(held, Owned) or held.client is None:
            msg = "the session is not open"
            raise RuntimeError(msg)
        said = await ask(held.client, asked.spec.method, asked.spec.name, asked.arguments)
        witness = WITNESS.get()
        status = witness.status if witness else 0
        if said:
            return Reply(kind="tool-error", status=status, said=said, session=held.id)
        return Reply(status=status, session=held.id)

    async def close(self, held: Held) -> None:
        """Close a session."""
        if isinstance(held, Owned):
            await held.closed()

    async def stop(self) -> None:
        """Nothing is kept here."""
