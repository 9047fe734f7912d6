"""The one place where the demo's clients meet the official SDK: connecting, and reading what a tool returned."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
import httpx2
from mcp.client._transport import TransportStreams
from mcp.client.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import MCP_DEFAULT_SSE_READ_TIMEOUT, MCP_DEFAULT_TIMEOUT
from mcp_types import CallToolResult, TextContent

from woolly_mcpdiag.demo.clients.contract import ToolCall, ToolFailedError, Wiring


def connect(wiring: Wiring) -> Client:
    """Return an SDK client that is not open yet."""
    if wiring.transport == "sse":
        return Client(sse_client(wiring.url, timeout=wiring.deadline, httpx_client_factory=_http), mode="legacy")
    return Client(_streamable(wiring.url), mode=wiring.mode)


def _http(
    headers: dict[str, str] | None = None, timeout: httpx2.Timeout | None = None, auth: httpx2.Auth | None = None
) -> httpx2.AsyncClient:
    # The way is plain HTTP on this machine: no certificates to load (25 ms for each client), no proxy to ask for.
    waits = timeout or httpx2.Timeout(MCP_DEFAULT_TIMEOUT, read=MCP_DEFAULT_SSE_READ_TIMEOUT)
    return httpx2.AsyncClient(headers=headers, timeout=waits, auth=auth, verify=False, trust_env=False)


@asynccontextmanager
async def _streamable(url: str) -> AsyncIterator[TransportStreams]:
    async with _http() as http, streamable_http_client(url, http_client=http) as streams:
        yield streams


async def call_all(client: Client, calls: Sequence[ToolCall], deadline: float) -> list[str]:
    """Call the tools in turn. Raises ``TimeoutError`` after ``deadline`` seconds for one call."""
    texts = []
    for call in calls:
        with anyio.fail_after(deadline):
            result = await client.call_tool(call.name, dict(call.arguments))
        texts.append(text_of(result))
    return texts


def text_of(result: CallToolResult) -> str:
    """Return a result's text. Raises ``ToolFailedError`` where the tool says that it failed."""
    text = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
    if result.is_error:
        raise ToolFailedError(text)
    return text
