"""The one place for a session that somebody has borrowed for themselves: no retry, but time-outs and true errors."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio

from woolly_mcpdiag.client.errors import Attempt, CallRejectedError, InDoubtError, ResilienceError
from woolly_mcpdiag.client.journal import Journal
from woolly_mcpdiag.client.outcome import Outcome, classify
from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.wire.exchange import CURRENT, Exchange
from woolly_mcpdiag.wire.facts import raised
from woolly_mcpdiag.wire.sdk import CallToolResult, Client, ListToolsResult
from woolly_mcpdiag.wire.session import Session

T = TypeVar("T")


class Exclusive:
    """A borrowed session. Several tasks may call on it at once; a failed call leaves the others alone."""

    def __init__(self, session: Session, journal: Journal, limit: float, key: str) -> None:
        self.evict = ""
        """Why nobody may have the session after this loan; empty where it is fine."""
        self.over = False
        self._session, self._journal, self._limit, self._key = session, journal, limit, key

    @property
    def client(self) -> Client:
        """The SDK's client, for what is not offered here. Raises ``UsageError`` after the loan."""
        if self.over:
            msg = f"{self._journal.url}: the session was given back"
            raise UsageError(msg, hint="use it inside its `async with`")
        return self._session.client

    @property
    def id(self) -> str:
        """The session id; empty where the era or the transport has none."""
        return self._session.id

    def invalidate(self) -> None:
        """Have the session closed when the loan ends."""
        self.evict = self.evict or "invalidated"

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - of the one attempt
    ) -> CallToolResult:
        """Call a tool once. Raises ``ResilienceError``, or the SDK's ``MCPError`` for the server's own error."""
        return await self._once("tools/call", name, lambda client: client.call_tool(name, arguments), timeout)

    async def list_tools(self, *, cursor: str | None = None) -> ListToolsResult:
        """List the tools."""
        return await self._once("tools/list", "", lambda client: client.list_tools(cursor=cursor), None)

    async def _once(self, method: str, name: str, run: Callable[[Client], Awaitable[T]], limit: float | None) -> T:
        exchange = Exchange(method=method)
        error: BaseException | None = None
        begun = anyio.current_time()
        token = CURRENT.set(exchange)
        try:
            with anyio.CancelScope(deadline=begun + (self._limit if limit is None else limit)) as scope:
                exchange.scope = scope
                return await run(self.client)
            exchange.timed_out = not exchange.failed
        except UsageError:
            raise
        except Exception as problem:  # noqa: BLE001 - judged below, never lost
            error = problem
            raised(exchange, problem, proven=self._session.proven)
        finally:
            exchange.scope = None
            CURRENT.reset(token)
        ruling = classify(exchange, error)
        if ruling.outcome is Outcome.APP_ERROR and error is not None:
            raise error
        if ruling.suspect:
            self.evict = self.evict or ("stale" if ruling.outcome is Outcome.STALE_SESSION else "suspect")
        attempt = Attempt(
            number=1,
            outcome=ruling.outcome,
            cause=ruling.cause,
            reason=ruling.reason,
            status=exchange.status,
            phase=exchange.phase,
            elapsed=anyio.current_time() - begun,
        )
        what = f"{method} {name}".strip()
        self._journal.attempt_failed(what, attempt, key=self._key, agent="", session=self._session.id, then="raised")
        kind: type[ResilienceError] = InDoubtError if ruling.outcome is Outcome.IN_DOUBT else CallRejectedError
        msg = f"{self._journal.url}: {what}: {ruling.reason}"
        raise kind(msg, attempts=[attempt], cause=ruling.cause) from error
