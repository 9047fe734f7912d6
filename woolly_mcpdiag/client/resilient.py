"""The one door for users: ``ResilientClient``, which looks like ``mcp.Client`` and keeps calls through faults."""

import logging
import random
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import anyio
from anyio.abc import TaskGroup

from woolly_mcpdiag.client.call import Call, Caller, T
from woolly_mcpdiag.client.circuit import Circuit
from woolly_mcpdiag.client.degraded import marked, provenance
from woolly_mcpdiag.client.errors import KeyLeasedError, ResilienceError
from woolly_mcpdiag.client.exclusive import Exclusive
from woolly_mcpdiag.client.journal import Journal, Sink
from woolly_mcpdiag.client.policy import (
    BreakerPolicy,
    Fallback,
    PoolLimits,
    RetryPolicy,
    Reuse,
    Timeouts,
    simple_breaker,
)
from woolly_mcpdiag.client.pool import Pool
from woolly_mcpdiag.client.retry import declared
from woolly_mcpdiag.client.sessions import Sessions
from woolly_mcpdiag.client.stats import Readiness, Stats, collected
from woolly_mcpdiag.client.wiring import TransportName, check_room, check_url, plans
from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.wire.http import connections, shared_transport
from woolly_mcpdiag.wire.peer import OFFERS, Offer, Peer
from woolly_mcpdiag.wire.sdk import (
    MODERN_PROTOCOL_VERSIONS,
    AsyncBaseTransport,
    Auth,
    CallToolResult,
    Client,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    ReadResourceResult,
    Tool,
)
from woolly_mcpdiag.wire.session import About, Target, Waits


class ResilientClient:
    """A pool of MCP sessions of one server, used like ``mcp.Client`` from any number of tasks.

    Every step has a time-out, every call a deadline; lost sessions are replaced, what may be repeated is repeated,
    and a server that keeps failing is left alone for a while. Raises ``UsageError`` for settings that contradict
    each other.
    """

    def __init__(  # noqa: PLR0913 - each is a setting of its own
        self,
        url: str,
        *,
        transport: TransportName = "auto",
        era: str = "auto",
        reuse: Reuse = "affine",
        limits: PoolLimits | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        breaker: BreakerPolicy | None = None,
        fallback: Fallback | None = None,
        max_sessions: int | None = None,
        failure_threshold: int | None = None,
        recovery_timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
        auth: Auth | None = None,
        on_event: Sink | None = None,
        http: AsyncBaseTransport | None = None,
        rng: random.Random | None = None,
        options: Mapping[str, Any] | None = None,
        offers: Collection[Offer] = (),
    ) -> None:
        """Take the settings; nothing is sent before ``async with``.

        ``max_sessions``, ``failure_threshold`` and ``recovery_timeout`` (seconds) are the simple form of ``limits``
        and ``breaker``. ``http`` is a transport of your own, for a proxy or a test; it stays yours to close.
        ``options`` are further arguments of ``mcp.Client``. ``offers`` says for which of ``sampling``, ``elicitation``
        and ``roots`` servers may ask whoever calls: the ``peer`` of ``call_tool``, else the callback in ``options``.
        """
        if limits is not None and max_sessions is not None:
            msg = f"max_sessions: {max_sessions} is given beside limits"
            raise UsageError(msg, hint="set it in one place: PoolLimits(max_sessions=...)")
        if breaker is not None and (failure_threshold is not None or recovery_timeout is not None):
            msg = "breaker: given beside failure_threshold or recovery_timeout"
            raise UsageError(msg, hint="set them in one place: BreakerPolicy(failure_threshold=..., open_for=...)")
        if reuse not in {"shared", "affine", "fresh"}:
            msg = f"reuse {reuse}: there is none of that name"
            raise UsageError(msg, hint="use shared, affine or fresh")
        if unknown := sorted(set(offers) - set(OFFERS)):
            msg = f"offers {', '.join(unknown)}: there is none of that name"
            raise UsageError(msg, hint=f"use {', '.join(OFFERS)}")
        self.url = check_url(url)
        self.limits = limits or PoolLimits(max_sessions=10 if max_sessions is None else max_sessions)
        self.timeouts = timeouts or Timeouts()
        self.retry = retry or RetryPolicy()
        self.breaker = breaker or simple_breaker(failure_threshold, recovery_timeout)
        self.fallback = fallback or Fallback()
        self.reuse: Reuse = reuse
        self._tools: dict[str, Tool] = {}
        self._listed: tuple[float, ListToolsResult] | None = None
        self._exclusive: set[str] = set()
        if http is not None:
            check_room(http, self.limits.max_sessions, modern=era in {"modern", *MODERN_PROTOCOL_VERSIONS})
        self._own_http = http is None
        self._http = http or shared_transport(connections(self.limits.max_sessions))
        self._journal = Journal(url, on_event)
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self.offers = frozenset(offers)
        arguments = {"cache": None, **(options or {})}
        target = Target(url=url, headers=headers or {}, auth=auth, options=arguments, offers=self.offers)
        waits = Waits(
            open=self.timeouts.open,
            close=self.timeouts.close,
            note=min(self.timeouts.note, self.timeouts.close),
            read=max(300.0, self.timeouts.call),
        )
        pool = Pool(self.limits, reuse, self._rng)
        self._sessions = Sessions(target, plans(transport, era), pool, waits, self._http, self._journal)
        circuit = Circuit(self.breaker, self._journal, self.limits.max_waiting)
        self._caller = Caller(self._sessions, circuit, self._journal, self.retry, self.timeouts, self._rng)
        self._tasks: TaskGroup | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        if self._tasks is not None or self._closed:
            raise (
                self._sessions.closed_error()
                if self._closed
                else UsageError(
                    f"{self._journal.url}: the client is open already", hint="enter it once and share it between tasks"
                )
            )
        self._journal.start()
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._sessions.start(self._tasks)
        self._caller.circuit.start(self._tasks, self._caller.probe)
        if self.limits.min_idle:
            self._tasks.start_soon(self._sessions.warm, self.limits.min_idle)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if self._tasks is None:
            return None
        try:
            await self._sessions.close(0.0 if kind else self.timeouts.close)
        finally:
            self._closed = True
            self._tasks.cancel_scope.cancel()
            # The group never holds an error: owners keep theirs. What the block raised goes on unchanged.
            await self._tasks.__aexit__(None, None, None)
            if self._own_http:
                with anyio.CancelScope(shield=True):
                    await self._http.aclose()
        return None

    def __del__(self) -> None:
        if getattr(self, "_tasks", None) is not None and not self._closed:
            warnings.warn(f"ResilientClient of {self._journal.url} was never closed", ResourceWarning, stacklevel=1)

    async def aclose(self, patience: float | None = None) -> int:
        """Refuse new calls, let running ones end for up to ``patience`` seconds, close all sessions.

        May be called from any task. Returns how many calls were still running.
        """
        return await self._sessions.close(self.timeouts.close if patience is None else patience)

    async def warm(self, sessions: int) -> int:
        """Open sessions ahead of time; return how many are ready."""
        return await self._sessions.warm(sessions)

    async def ensure_session_ready(self, key: str | None = None) -> bool:
        """Say whether a session for ``key`` is ready: handshake done and a first request answered.

        Opens one where there is none; why it is not ready is logged.
        """
        return (await self.check(key)).ready

    async def check(self, key: str | None = None) -> Readiness:
        """Borrow a session and tell what it leads to, or why there is none. Makes no further attempt."""
        begun = anyio.current_time()
        try:
            lease = await self._sessions.lease(key, self.timeouts.open)
        except ResilienceError as error:
            return Readiness(
                ready=False,
                elapsed=anyio.current_time() - begun,
                cause=error.cause,
                reason=error.message,
                hint=error.hint,
            )
        session = lease.session
        about = session.client.server_info
        found = Readiness(
            ready=True,
            elapsed=anyio.current_time() - begun,
            transport=session.pin.transport,
            era="modern" if session.pin.modern else "handshake",
            version=session.client.protocol_version,
            server=f"{about.name} {about.version}".strip() if about else "",
            tools=len(session.tools),
        )
        self._sessions.give_back(lease)
        return found

    async def about(self, key: str | None = None) -> About:
        """Tell what the server says of itself, from a session that is ready. Raises what a call would raise."""

        async def read(client: Client) -> About:
            return About(
                info=client.server_info,
                capabilities=client.server_capabilities,
                instructions=client.instructions,
                version=client.protocol_version,
            )

        return await self._caller.make(self._reading("session", read, key))

    async def call_tool(  # noqa: PLR0913 - each is a setting of its own
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        *,
        key: str | None = None,
        agent: str = "",
        deadline: float | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - of one attempt, by the word that users know
        idempotent: bool | None = None,
        meta: dict[str, Any] | None = None,
        peer: Peer | None = None,
    ) -> CallToolResult:
        """Call a tool.

        ``key`` names whose session it is, ``agent`` who asks (for the log); ``deadline`` is for everything,
        ``timeout`` for one attempt, in seconds. ``idempotent`` says whether it may be repeated after an attempt that
        may have been carried out; by default the policy's patterns and the server's annotations decide. ``peer``
        answers what the server asks while it works on the call, which counts as its time, and is told its progress.
        Raises ``ResilienceError``, or the SDK's ``MCPError`` where the server itself answers with an error.
        """
        call: Call[CallToolResult] = Call(
            method="tools/call",
            run=lambda client: client.call_tool(
                name,
                arguments,
                progress_callback=peer.progress if peer else None,
                meta=meta,  # type: ignore[arg-type]
            ),
            idempotent=lambda: self.is_idempotent(name) if idempotent is None else idempotent,
            name=name,
            key=key,
            agent=agent,
            deadline=self.timeouts.total if deadline is None else deadline,
            limit=self.timeouts.call if timeout is None else timeout,
            peer=peer,
        )
        try:
            return await self._caller.make(call)
        except ResilienceError as error:
            degrade = self.fallback.call_tool
            if degrade is None:
                raise
            self._degraded(call, "function", error)
            return marked(await degrade(name, dict(arguments or {})), source="function")

    async def list_tools(self, *, cursor: str | None = None, key: str | None = None) -> ListToolsResult:
        """List the server's tools, from memory and marked where that fails and the fallback allows it."""
        call = self._reading("tools/list", lambda client: client.list_tools(cursor=cursor), key)
        try:
            found = await self._caller.make(call)
        except ResilienceError as error:
            if self.fallback.list_tools != "stale" or self._listed is None or cursor is not None:
                raise
            self._degraded(call, "stale", error)
            age = anyio.current_time() - self._listed[0]
            return self._listed[1].model_copy(update={"meta": provenance("stale", age)})
        self._tools |= {tool.name: tool for tool in found.tools}
        if cursor is None:
            self._listed = (anyio.current_time(), found)
        return found

    async def list_resources(self, *, cursor: str | None = None, key: str | None = None) -> ListResourcesResult:
        """List the server's resources."""
        return await self._read("resources/list", lambda client: client.list_resources(cursor=cursor), key)

    async def list_resource_templates(
        self, *, cursor: str | None = None, key: str | None = None
    ) -> ListResourceTemplatesResult:
        """List the server's resource templates."""
        return await self._read(
            "resources/templates/list", lambda client: client.list_resource_templates(cursor=cursor), key
        )

    async def read_resource(self, uri: str, *, key: str | None = None) -> ReadResourceResult:
        """Read a resource."""
        return await self._read("resources/read", lambda client: client.read_resource(uri), key)

    async def list_prompts(self, *, cursor: str | None = None, key: str | None = None) -> ListPromptsResult:
        """List the server's prompts."""
        return await self._read("prompts/list", lambda client: client.list_prompts(cursor=cursor), key)

    async def get_prompt(
        self, name: str, arguments: dict[str, str] | None = None, *, key: str | None = None
    ) -> GetPromptResult:
        """Get a prompt."""
        return await self._read("prompts/get", lambda client: client.get_prompt(name, arguments), key)

    @asynccontextmanager
    async def session(self, key: str | None = None, *, timeout: float | None = None) -> AsyncGenerator[Exclusive]:  # noqa: ASYNC109
        """Borrow a session for yourself; ``timeout`` (seconds) limits the wait for it.

        Raises ``KeyLeasedError`` where ``key`` is borrowed so already, and what a call would raise.
        """
        if key is not None and key in self._exclusive:
            msg = f"session key {key}: on exclusive loan already"
            raise KeyLeasedError(msg, hint="give it back first, or use another key")
        if key is not None:
            self._exclusive.add(key)
        try:
            wait = self.timeouts.acquire if timeout is None else timeout
            lease = await self._sessions.lease(key, wait, trace=True)
            lent = Exclusive(lease.session, self._journal, self.timeouts.call, key or "")
            try:
                yield lent
            finally:
                lent.over = True
                self._sessions.give_back(lease, lent.evict)
        finally:
            if key is not None:
                self._exclusive.discard(key)

    @property
    def stats(self) -> Stats:
        """The state now and the counts since the start."""
        return collected(self._sessions, self._caller)

    def is_idempotent(self, tool: str) -> bool:
        """Say whether a tool may be repeated: by the policy's patterns, else by the server's annotations."""
        if declared(tool, self.retry.idempotent):
            return True
        if not self.retry.trust_annotations:
            return False
        known = self._sessions.tools.get(tool) or self._tools.get(tool)
        hints = known.annotations if known else None
        return bool(hints and (hints.read_only_hint or hints.idempotent_hint))

    async def _read(self, method: str, run: Callable[[Client], Awaitable[T]], key: str | None) -> T:
        return await self._caller.make(self._reading(method, run, key))

    def _reading(self, method: str, run: Callable[[Client], Awaitable[T]], key: str | None) -> Call[T]:
        return Call(
            method=method,
            run=run,
            idempotent=lambda: True,
            key=key,
            deadline=self.timeouts.total,
            limit=self.timeouts.call,
        )

    def _degraded(self, call: Call[Any], source: str, error: ResilienceError) -> None:
        self._caller.tally.degraded += 1
        self._journal.tell(
            "call.degraded",
            logging.WARNING,
            f"{call.what}: answered by the fallback ({source}) after: {error.message}",
            method=call.method,
            key=call.key or "",
            agent=call.agent,
            error=type(error).__name__,
            extra={"source": source, "cause": error.cause, "tool": call.name},
        )
