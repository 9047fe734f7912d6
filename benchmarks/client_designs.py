"""The designs that the resilience scenario compares: the common ones as they are, and ``ResilientClient``."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from mcp import Client
from mcp.client.sse import sse_client

from woolly_mcpdiag.client.policy import Timeouts
from woolly_mcpdiag.client.resilient import ResilientClient

DEADLINE = 14.0
"""Seconds for one call, in every design."""
Act = Callable[[str, dict[str, Any], str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a design connects."""

    url: str
    transport: str
    era: str
    """``handshake`` or ``modern``."""

    def client(self) -> Client:
        """Return an SDK client that is not open yet."""
        mode = "2026-07-28" if self.era == "modern" else "legacy"
        where: Any = sse_client(self.url) if self.transport == "sse" else self.url
        return Client(where, mode=mode, read_timeout_seconds=2.0)


@asynccontextmanager
async def resilient(site: Site) -> AsyncGenerator[Act]:
    """Every policy as it is by default, time-outs apart; era and transport are found by probing."""
    waits = Timeouts(total=DEADLINE, call=2.0, open=5.0)
    era = "auto" if site.era == "modern" else "handshake"
    async with ResilientClient(site.url, timeouts=waits, era=era) as client:

        async def act(name: str, arguments: dict[str, Any], agent: str) -> object:
            # Not every server annotates its echo as idempotent.
            return await client.call_tool(name, arguments, agent=agent, idempotent=True if name == "echo" else None)

        yield act


@asynccontextmanager
async def shared(site: Site) -> AsyncGenerator[Act]:
    """One SDK client for everybody."""
    ready, stop = anyio.Event(), anyio.Event()
    held: list[Client] = []

    async def own() -> None:
        try:
            async with site.client() as client:
                held.append(client)
                ready.set()
                await stop.wait()
        except Exception:  # noqa: BLE001, S110 - its calls tell
            pass

    async def act(name: str, arguments: dict[str, Any], _agent: str) -> object:
        return await held[0].call_tool(name, arguments)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(own)
        await ready.wait()
        yield act
        stop.set()
        with anyio.move_on_after(1):
            await anyio.sleep(0.2)
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def per_call(site: Site) -> AsyncGenerator[Act]:
    """An SDK client for each call."""

    async def act(name: str, arguments: dict[str, Any], _agent: str) -> object:
        async with site.client() as client:
            return await client.call_tool(name, arguments)

    yield act


DESIGNS = {"ResilientClient": resilient, "one shared mcp.Client": shared, "mcp.Client per call": per_call}
