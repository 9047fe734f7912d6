"""The one place for what sessions share on the network: one TLS context, one connection pool with sized limits."""

import ssl
import sys
from functools import cache

import httpx2

MARGIN = 8
"""Connections above what the sessions need at most: sessions that are being closed, and probes."""


@cache
def tls() -> ssl.SSLContext:
    """Return the TLS context of this process; building one blocks for 25 to 60 ms (measured)."""
    return httpx2.create_ssl_context()


def connections(sessions: int) -> int:
    """Return how many connections so many sessions need: a standing stream, a call and a note each, and a margin."""
    return sessions * 3 + MARGIN


def shared_transport(max_connections: int) -> httpx2.AsyncHTTPTransport:
    """Return a transport that all sessions of a client use. Proxies of the environment are not asked."""
    limits = httpx2.Limits(max_connections=max_connections, max_keepalive_connections=max_connections)
    return httpx2.AsyncHTTPTransport(verify=tls(), limits=limits)


def room(transport: httpx2.AsyncBaseTransport) -> int | None:
    """Return the most connections that a transport opens; ``None`` where it does not tell or has no limit."""
    most = getattr(getattr(transport, "_pool", None), "_max_connections", None)
    return most if isinstance(most, int) and most < sys.maxsize else None
