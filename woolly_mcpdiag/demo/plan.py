"""The one place for what a demo run consists of: faults write into a plan, ``serve`` builds what it says."""

import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from starlette.types import ASGIApp

if TYPE_CHECKING:
    from anyio.abc import SocketStream

Transport = Literal["sse", "streamable", "both"]
Era = Literal["handshake", "modern", "both"]
ClientName = Literal["naive", "shared", "per-call", "plain", "pooled"]
Dialect = Literal["1.11", "1.26", "1.30", "2.3"]
"""Whose manners the server has: the first release of a range that behaves alike (29 releases compared)."""


AGENTS = ("simplifier", "tester", "convo_starter", "summarizer", "documentation")
STREAMABLE_PATH = "/mcp"
SSE_PATH = "/sse/"
MESSAGE_PATH = "/messages/"

Layer = Callable[[ASGIApp], ASGIApp]
Connect = Callable[[], Awaitable["SocketStream"]]
Wiretap = Callable[["SocketStream", Connect], Awaitable[None]]
"""What a TCP fault does with one accepted connection: pass it on, delay it, cut it or swallow it."""


class Stage(Protocol):
    """What a fault that acts in time may do with the running demo."""

    async def calls(self, count: int) -> None:
        """Wait until so many agent calls have ended."""

    async def restart(self) -> None:
        """End the MCP server and start it again on its port; its sessions are gone, its port never refuses."""

    async def refuse(self, duration: float | None) -> None:
        """Refuse connections for so many seconds; for ever where ``None``."""

    async def swallow(self, duration: float | None) -> None:
        """Leave new connections unanswered for so many seconds; for ever where ``None``."""

    def happened(self, what: str) -> None:
        """Tell whoever waits that a step is done."""


Act = Callable[[Stage], Coroutine[None, None, None]]


@dataclass(slots=True, kw_only=True)
class Trouble:
    """What goes wrong inside the server itself."""

    failing: bool = False
    """Every tool raises."""
    blocked: float = 0.0
    """Seconds for which ``qa_codebase`` blocks the event loop."""
    counters: dict[str, int] = field(default_factory=dict)
    """What the tool ``counter`` counts; survives a restart, so that double execution shows."""


@dataclass(slots=True, kw_only=True)
class Plan:
    """One run, before anything has started."""

    rng: random.Random
    """Seeded: the same seed gives the same faults."""
    upstream: bool = False
    """The server behind the faults is somebody else's: its path and its transport are given."""
    transport: Transport = "both"
    era: Era = "both"
    client: ClientName = "shared"
    client_transport: Literal["sse", "streamable"] = "streamable"
    client_path: str = ""
    """Path that the agents' client uses; empty takes the one of its transport."""
    client_mode: str = ""
    """Era that the client negotiates; empty takes the server's."""
    listen: bool = False
    """The plain client keeps a GET stream open and reopens it at once."""
    deadline: float = 10.0
    """Seconds after which an agent gives up a call; the naive client never does."""
    dialect: Dialect = "2.3"
    workers: int = 1
    """Server processes behind a round robin; 1 serves in this process."""
    stateless: bool = False
    idle_timeout: float = 1800.0
    """Seconds until the server forgets an unused session."""
    max_sessions: int = 10_000
    allowed_hosts: tuple[str, ...] = ()
    """Host headers that the server takes; empty takes any of this machine."""
    guarded: bool = True
    """The server refuses requests that name another host than this machine (DNS rebinding)."""
    trouble: Trouble = field(default_factory=Trouble)
    layers: list[Layer] = field(default_factory=list)
    """What stands before the server, innermost first."""
    wiretap: Wiretap | None = None
    needs_tcp: bool = False
    """True puts the TCP proxy in front even without a wiretap, so that it can refuse and swallow."""
    acts: list[Act] = field(default_factory=list)
    """What happens while it runs."""

    def use_sse(self) -> None:
        """Let the client speak legacy SSE, unless the transport is given by somebody else's server."""
        if not self.upstream:
            self.client_transport = "sse"

    def url_path(self) -> str:
        """Return the path that the agents' client uses."""
        if self.client_path:
            return self.client_path
        if self.client == "naive" or self.client_transport == "sse":
            return SSE_PATH
        return STREAMABLE_PATH
