"""What the first customer's backend did: a session id by a GET of its own, then a stream that is never told apart."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.load.tasks.failures import NoSessionError
from woolly_mcpdiag.load.tasks.ledger import Ledger
from woolly_mcpdiag.wire.plain import Way, connected, harvested
from woolly_mcpdiag.wire.recording import SESSION, Recording
from woolly_mcpdiag.wire.sdk import Client

PATIENCE = 5.0
"""Seconds that its own GET waits; for the stream it waits as long as it is let."""


@asynccontextmanager
async def harvesting(
    way: Way, wire: Recording, ledger: Ledger, key: str, on_endpoint: Callable[[str], None]
) -> AsyncGenerator[Client]:
    """Open a session as it did, the id taken from the answer whatever its status.

    The way is one of legacy SSE. Raises ``NoSessionError`` where the answer names none, and what the SDK raises.
    """
    try:
        session = await _taken(way, wire)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await wire.aclose()
        raise
    said = f"Created new MCP session {session} for key {key}"
    ledger.event("session.opened", said, role="app", session=session, key=key)
    mine = replace(way, headers={**way.headers, SESSION: session})
    async with connected(mine, wire, on_endpoint) as client:
        yield client


async def _taken(way: Way, wire: Recording) -> str:
    session = await harvested(way, wire, PATIENCE)
    if not session:
        msg = f"no session id in the answer of {redact.url(way.url)}"
        raise NoSessionError(msg)
    return session
