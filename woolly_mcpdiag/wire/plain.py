"""The one door to the SDK as its users have it: sessions without our protection, and what they may be asked."""

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from mcp import Client
from mcp.client._transport import TransportStreams
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, EmptyResult, PingRequest, TextContent

from woolly_mcpdiag.wire.http import tls
from woolly_mcpdiag.wire.recording import SESSION, Listener, Recording

READ = 300.0
"""Seconds of silence on a stream after which it is given up, as the SDK has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How an endpoint is reached. Durations in seconds."""

    url: str
    sse: bool = False
    mode: str = "legacy"
    """As ``mcp.Client`` has it."""
    headers: Mapping[str, str] = field(default_factory=dict)
    verify: bool = True
    ca_file: str = ""
    connect: float = 5.0
    wait: float = 30.0
    """For an answer's headers, and for writing."""
    streams: bool = True
    """False refuses to open the stream of a session."""


def context(way: Way) -> ssl.SSLContext:
    """Return a new TLS context. Raises ``OSError`` for a file that holds no certificates."""
    if way.ca_file and way.verify:
        return ssl.create_default_context(cafile=way.ca_file)
    return httpx2.create_ssl_context(verify=way.verify)


def shared_context(way: Way) -> ssl.SSLContext:
    """Return the TLS context of this process where the way asks for nothing special, else a new one."""
    return tls() if way.verify and not way.ca_file else context(way)


def recorded(way: Way, trust: ssl.SSLContext, listener: Listener, connections: int | None = None) -> Recording:
    """Return a transport with its own connections, at most so many, that tells what it does."""
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    return Recording(httpx2.AsyncHTTPTransport(verify=trust, limits=limits), listener, sse=way.sse, streams=way.streams)


@asynccontextmanager
async def connected(
    way: Way, wire: Recording, on_endpoint: Callable[[str], None] = lambda _session: None
) -> AsyncGenerator[Client]:
    """Open a session as the SDK does, and close it and its connections. Raises what the SDK raises.

    ``on_endpoint`` is called with the session id of the ``endpoint`` event (legacy SSE).
    """

    def made(
        headers: dict[str, str] | None = None, timeout: httpx2.Timeout | None = None, auth: httpx2.Auth | None = None
    ) -> httpx2.AsyncClient:
        del timeout
        waits = httpx2.Timeout(way.wait, connect=way.connect, read=READ)
        return httpx2.AsyncClient(transport=wire, headers={**way.headers, **(headers or {})}, timeout=waits, auth=auth)

    @asynccontextmanager
    async def streamable() -> AsyncGenerator[TransportStreams]:
        async with made() as http, streamable_http_client(way.url, http_client=http) as streams:
            yield streams

    if way.sse:
        streams = sse_client(way.url, httpx_client_factory=made, on_session_created=on_endpoint)
        client = Client(streams, mode="legacy", cache=None)
    else:
        client = Client(streamable(), mode=way.mode, cache=None)
    async with client:
        yield client


async def harvested(way: Way, wire: Recording, patience: float) -> str:
    """Return the session id that the answer to a GET names, whatever its status; empty where it names none."""
    waits = httpx2.Timeout(patience, connect=min(patience, way.connect))
    # The transport is used again for the stream; only the answer is closed here.
    http = httpx2.AsyncClient(transport=wire, headers=dict(way.headers), timeout=waits)
    async with http.stream("GET", way.url, headers={"accept": "text/event-stream"}) as response:
        return str(response.headers.get(SESSION, ""))


_ASKED: Mapping[str, Callable[[Client, str, dict[str, Any]], Awaitable[object]]] = {
    "tools/call": lambda client, name, arguments: client.call_tool(name, arguments),
    "tools/list": lambda client, _name, _arguments: client.list_tools(),
    "resources/list": lambda client, _name, _arguments: client.list_resources(),
    "resources/templates/list": lambda client, _name, _arguments: client.list_resource_templates(),
    "resources/read": lambda client, name, arguments: client.read_resource(str(arguments.get("uri", name))),
    "prompts/list": lambda client, _name, _arguments: client.list_prompts(),
    "prompts/get": lambda client, name, arguments: client.get_prompt(name, arguments),
    "ping": lambda client, _name, _arguments: client.session.send_request(PingRequest(), EmptyResult),
}
METHODS = tuple(_ASKED)
"""What ``ask`` can ask for."""


async def ask(client: Client, method: str, name: str, arguments: Mapping[str, Any]) -> str:
    """Make one request; return the tool's own error, empty where it has none. Raises what the SDK raises."""
    return failure_of(await _ASKED[method](client, name, dict(arguments)))


def failure_of(result: object) -> str:
    """Return what a tool says where its result is an error, empty for any other result."""
    if not isinstance(result, CallToolResult) or not result.is_error:
        return ""
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent)) or "isError without a text"


def protocol_of(client: Client) -> str:
    """Return the protocol version of an open session."""
    return str(client.protocol_version)
