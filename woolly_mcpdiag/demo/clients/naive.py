"""What the reported agents backend did: a session id asked for by hand, and a stream that is never told apart.

Source: tranquilo12/woolly, commit 705991d.
"""

import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import httpx
from mcp.client.session import ClientSession
from mcp.client.sse import sse_client

from woolly_mcpdiag.demo.clients.contract import ToolCall, Wiring
from woolly_mcpdiag.demo.clients.sdk import text_of

logger = logging.getLogger("api.agents.universal")

PATIENCE = 5.0
"""Seconds that its own GET waits; the agent itself waits for ever."""


class NoSessionError(Exception):
    """The server named no session id in the answer to the GET."""


class NaiveClient:
    """One session per run: an id by a GET of its own, whatever its status, then the legacy SSE client with that id."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.ids: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """It never closes what it opened."""

    async def prepare(self, key: str) -> None:
        """Take a session id from a response header without looking at the status."""
        async with (
            httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http,
            http.stream("GET", self.wiring.url, headers={"Accept": "text/event-stream"}) as response,
        ):
            session = response.headers.get("mcp-session-id")
        if not session:
            msg = f"no session id in the answer of {self.wiring.url}"
            raise NoSessionError(msg)
        self.ids[key] = session
        logger.info("Created new MCP session %s for key %s", session, key)

    async def run(self, key: str, calls: Sequence[ToolCall]) -> list[str]:
        """Open the stream with that id and wait for an ``endpoint`` event, for ever if need be."""
        headers = {"mcp-session-id": self.ids.pop(key)}
        async with sse_client(self.wiring.url, headers=headers) as streams, ClientSession(*streams) as session:
            await session.initialize()
            return [text_of(await session.call_tool(call.name, dict(call.arguments))) for call in calls]
