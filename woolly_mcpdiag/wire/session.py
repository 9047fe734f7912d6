"""The one owner of an MCP session: it is opened, kept and closed in one task, and may be used from any."""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio
import httpx2
from mcp import Client, MCPError
from mcp.client._transport import TransportStreams
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import DiscoverResult, EmptyResult, Implementation, PingRequest, ServerCapabilities, Tool
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from woolly_mcpdiag.wire import facts
from woolly_mcpdiag.wire.exchange import CURRENT, Exchange, Finding, Seen
from woolly_mcpdiag.wire.guard import Guard
from woolly_mcpdiag.wire.peer import PEER, Offer, Peer, routed

Transport = Literal["streamable", "sse"]
_PAGES = 100
"""Pages of a tool list that are read at most."""
_SETTLING = 0.2
"""Share of the time for opening in which a session that is not ready yet is asked again."""
_PAUSES = (0.05, 0.5)
"""Seconds before it is asked again: the first, doubled up to the longest."""
_WRONG_TRANSPORT = {400, 404, 405, 406, 410, 415, 501}
"""Statuses of ``initialize`` after which the specification asks a client to try legacy SSE (400, 404, 405), and kin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where sessions lead, and with what."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: httpx2.Auth | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of ``mcp.Client``: callbacks, ``client_info``, extensions."""
    offers: frozenset[Offer] = frozenset()
    """What the server may ask of whoever calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What probing has found; it holds for every further session."""

    transport: Transport
    mode: str
    """``legacy``, a modern version, or ``auto``: not found yet."""
    discover: DiscoverResult | None = None

    @property
    def modern(self) -> bool:
        """True in the era without sessions."""
        return self.mode in MODERN_PROTOCOL_VERSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Seconds for the steps of a session."""

    open: float
    close: float
    note: float
    read: float = 300.0
    """Silence on a connection after which it is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a server says of itself."""

    info: Implementation | None
    capabilities: ServerCapabilities
    instructions: str | None
    version: str
    """Of the protocol that is spoken with it."""


class Session:
    """An MCP session. ``own`` must run in a task of its own; everything else may be called from any task."""

    def __init__(
        self,
        target: Target,
        plan: Pin,
        http: httpx2.AsyncBaseTransport,
        waits: Waits,
        seen: Callable[[Seen], None] | None = None,
        found: Callable[[Finding], bool] = lambda _finding: True,
        *,
        streamless: bool = False,
    ) -> None:
        """Take where it leads, and who is told what.

        ``streamless`` is what earlier sessions have found: the server has no standing stream to ask for.
        """
        self.target = target
        self.plan = plan
        self.waits = waits
        self.opening = Exchange(method="")
        self.ready = False
        self.ended = False
        self.lost = ""
        """Why it ended by itself."""
        self.error: BaseException | None = None
        self.took = 0.0
        """Seconds to become ready."""
        self.holder: Peer | None = None
        """Who answers what the server asks: of the call that has the session on loan, none in the modern era."""
        self.proven = False
        """A request that needs the handshake to be complete was answered."""
        self.pin = plan
        self.tools: dict[str, Tool] = {}
        self.guard: Guard | None = None
        self._client: Client | None = None
        self._http = http
        self._seen, self._found_out, self._streamless = seen, found, streamless
        self._unready = False
        self._stop = anyio.Event()
        self._scope: anyio.CancelScope | None = None

    @property
    def client(self) -> Client:
        """The SDK's client. Raises ``RuntimeError`` before the session is ready."""
        if self._client is None:
            msg = "session: not ready"
            raise RuntimeError(msg)
        return self._client

    @property
    def id(self) -> str:
        """The session id, empty where there is none."""
        return self.guard.session if self.guard else ""

    @property
    def usable(self) -> bool:
        """False once it is being closed or has ended."""
        return self.ready and not self.ended and not self._stop.is_set()

    @property
    def wrong_transport(self) -> bool:
        """True where the opening failed in the way that asks for legacy SSE."""
        return (
            self.plan.transport == "streamable"
            and self.guard is not None
            and self.guard.refused_by == "initialize"
            and self.opening.status in _WRONG_TRANSPORT
        )

    def abort(self) -> None:
        """Close it as soon as it is open, and give the opening no longer than a close."""
        self._stop.set()
        if self._scope is not None and not self.ready:
            self._scope.deadline = min(self._scope.deadline, anyio.current_time() + self.waits.close)

    def stop(self, *, forget: bool = False) -> None:
        """Begin to close; ``forget`` sends no DELETE, for a session that the server does not know."""
        if self.guard is not None and forget:
            self.guard.forget = True
        self._stop.set()

    async def own(self, on_ready: Callable[[], None]) -> None:
        """Open the session, keep it until ``stop`` or its end, and close it. Errors are kept, not raised."""
        CURRENT.set(self.opening)
        begun = anyio.current_time()
        try:
            # Shielded: an outer cancellation still lets it say goodbye to the server; every step has its limit.
            with anyio.CancelScope(shield=True, deadline=begun + self.waits.open) as whole:
                self.opening.scope = self._scope = whole
                async with anyio.create_task_group() as background, self._connected(background) as client:
                    await self._prime(client)
                    whole.deadline = float("inf")
                    CURRENT.set(None)
                    self.opening.scope = None
                    self._client, self.ready = client, True
                    self.took = anyio.current_time() - begun
                    self.pin = self._found(client)
                    on_ready()
                    await self._stop.wait()
                    self._over()
                    whole.deadline = anyio.current_time() + self.waits.close
            if whole.cancelled_caught and not self.ready and not self.opening.failed:
                self.opening.timed_out = True
        except Exception as problem:  # noqa: BLE001 - the owner must not take its neighbours down; the reason is kept
            self.error = first_error(problem)
            facts.raised(self.opening, self.error, proven=not self._unready)
        finally:
            self.ended = True

    @contextmanager
    def held(self, peer: Peer | None) -> Generator[None]:
        """Let somebody answer what the server asks meanwhile; in the modern era several may, each for a call of his."""
        token = PEER.set(peer)
        if not self.pin.modern:
            self.holder = peer
        try:
            yield
        finally:
            self.holder = None
            PEER.reset(token)

    async def alive(self, limit: float) -> bool:
        """Say whether the server answers on this session within ``limit`` seconds; an error of its own is an answer."""
        modern = self.pin.modern
        exchange = Exchange(method="server/discover" if modern else "ping")
        token = CURRENT.set(exchange)
        try:
            with anyio.CancelScope(deadline=anyio.current_time() + limit) as scope:
                exchange.scope = scope
                if modern:
                    await self.client.session.send_discover(self.client.protocol_version)
                else:
                    await self._ping()
                return True
        except MCPError:
            return exchange.answered and not exchange.failed and self.usable
        except Exception:  # noqa: BLE001 - a session that ends meanwhile raises what its streams raise
            return False
        finally:
            exchange.scope = None
            CURRENT.reset(token)
        return False

    async def _ping(self) -> None:
        await self.client.session.send_request(PingRequest(), EmptyResult)

    async def _prime(self, client: Client) -> None:
        """Have a first real request answered, once more where it came before the server was ready for it."""
        end = anyio.current_time() + self.waits.open * _SETTLING
        pause, longest = _PAUSES
        while True:
            try:
                await self._first(client)
            except MCPError as problem:
                self._unready = not self.opening.failed and facts.too_early(problem, proven=self.proven)
                if not self._unready or anyio.current_time() + pause >= end:
                    raise
            else:
                if self._unready:
                    self._found_out(Finding(verb="POST", status=200))
                return
            await anyio.sleep(pause)
            pause = min(2 * pause, longest)

    async def _first(self, client: Client) -> None:
        """Ask for the tools, or for any answer.

        With the tools known, the SDK needs no list of its own after a call, whose failure would hide that the tool ran.
        """
        capabilities = client.server_capabilities
        if capabilities.tools is None:
            if client.protocol_version not in MODERN_PROTOCOL_VERSIONS:
                await self._answered(client)
            return
        cursor: str | None = None
        for _ in range(_PAGES):
            page = await client.list_tools(cursor=cursor)
            self.tools |= {tool.name: tool for tool in page.tools}
            cursor, self.proven = page.next_cursor, True
            if cursor is None:
                return

    async def _answered(self, client: Client) -> None:
        try:
            await client.session.send_request(PingRequest(), EmptyResult)
        except MCPError as problem:
            if self.opening.failed or facts.too_early(problem, proven=False):
                raise

    def _found(self, client: Client) -> Pin:
        version = client.protocol_version
        if version in MODERN_PROTOCOL_VERSIONS:
            found = client.session.discover_result or self.plan.discover
            return Pin(transport=self.plan.transport, mode=version, discover=found)
        return Pin(transport=self.plan.transport, mode="legacy")

    @asynccontextmanager
    async def _connected(self, background: anyio.abc.TaskGroup) -> AsyncGenerator[Client]:
        self.guard = Guard(
            self._http,
            background,
            sse=self.plan.transport == "sse",
            note_timeout=self.waits.note,
            seen=self._seen,
            lost=self._end,
            found=self._found_out,
            streamless=self._streamless,
            headers=self.target.headers,
            timeout=httpx2.Timeout(self.waits.open, read=self.waits.read),
            auth=self.target.auth,
        )
        client = Client(
            self._streams(self.guard),
            mode=self.plan.mode if self.plan.transport == "streamable" else "legacy",
            prior_discover=self.plan.discover,
            **{**self.target.options, **routed(self.target.offers, self.target.options, lambda: self.holder)},
        )
        async with client:
            yield client
        background.cancel_scope.cancel()

    def _over(self) -> None:
        if self.guard is not None:
            self.guard.closing = True

    def _end(self, why: str) -> None:
        self.lost = self.lost or why
        self._stop.set()

    @asynccontextmanager
    async def _streams(self, guard: Guard) -> AsyncGenerator[TransportStreams]:
        if self.plan.transport == "sse":
            async with sse_client(
                self.target.url,
                timeout=self.waits.open,
                sse_read_timeout=self.waits.read,
                httpx_client_factory=lambda headers=None, timeout=None, auth=None: guard,
            ) as streams:
                yield streams
        else:
            async with guard, streamable_http_client(self.target.url, http_client=guard) as streams:
                yield streams


def first_error(problem: BaseException) -> BaseException:
    """Return the first leaf of an exception group, any other exception as it is."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return problem
