"""The one place that checks where a client is pointed: URL, transport, era."""

from typing import Literal
from urllib.parse import urlsplit

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.core.redact import url as redacted_url
from woolly_mcpdiag.wire.http import connections, room
from woolly_mcpdiag.wire.sdk import (
    HANDSHAKE_PROTOCOL_VERSIONS,
    LATEST_MODERN_VERSION,
    MODERN_PROTOCOL_VERSIONS,
    AsyncBaseTransport,
)
from woolly_mcpdiag.wire.session import Pin

TransportName = Literal["auto", "http", "streamable", "sse"]


def check_url(url: str) -> str:
    """Return the URL. Raises ``UsageError`` where nothing can be reached under it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        msg = f"url {redacted_url(url)}: {problem}"
        raise UsageError(msg, hint="write it like http://localhost:8009/mcp") from None
    if parts.scheme not in {"http", "https"}:
        msg = f"url {redacted_url(url)}: scheme {parts.scheme or '(none)'} is neither http nor https"
        raise UsageError(msg, hint="write it like http://localhost:8009/mcp")
    if not parts.hostname or port == 0:
        msg = f"url {redacted_url(url)}: no {'port to connect to' if parts.hostname else 'host'}"
        raise UsageError(msg, hint="write it like http://localhost:8009/mcp")
    return url


def check_room(http: AsyncBaseTransport, sessions: int, *, modern: bool) -> None:
    """Check a transport of the user's own. Raises ``UsageError`` where the sessions would take all its connections.

    A standing stream for each session and a connection for its call; the modern era has no streams.
    """
    found, needed = room(http), sessions * (1 if modern else 2)
    if found is not None and found < needed:
        msg = f"http: its pool has {found} connections, {sessions} sessions need {needed}"
        hint = f"give it httpx2.Limits(max_connections={connections(sessions)}), or lower max_sessions"
        raise UsageError(msg, hint=hint)


def plans(transport: str, era: str) -> list[Pin]:
    """Return what to try, in order, until one is pinned. Raises ``UsageError`` for what there is not."""
    if transport not in {"auto", "http", "streamable", "sse"}:
        msg = f"transport {transport}: there is none of that name"
        raise UsageError(msg, hint="use auto, http or sse")
    modes = {"auto": "auto", "handshake": "legacy", "modern": LATEST_MODERN_VERSION}
    mode = modes.get(era, "legacy" if era in HANDSHAKE_PROTOCOL_VERSIONS else era)
    if mode not in {"auto", "legacy", *MODERN_PROTOCOL_VERSIONS}:
        msg = f"era {era}: there is none of that name"
        raise UsageError(msg, hint=f"use auto, handshake, modern or a version such as {LATEST_MODERN_VERSION}")
    if transport == "sse" and mode in MODERN_PROTOCOL_VERSIONS:
        msg = f"era {era}: the SSE transport has the handshake era only"
        raise UsageError(msg, hint="use transport http, or leave era out")
    streamable, sse = Pin(transport="streamable", mode=mode), Pin(transport="sse", mode="legacy")
    if transport == "sse":
        return [sse]
    return [streamable, sse] if transport == "auto" and mode in {"auto", "legacy"} else [streamable]
