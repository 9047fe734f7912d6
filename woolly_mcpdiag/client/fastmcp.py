"""The one door to fastmcp: ``ResilientTransport`` puts the pool, retries and breaker under its ``Client``.

Needs the extra: ``pip install "woolly-mcpdiag[fastmcp]"``.
"""

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeVar, Unpack

try:
    from fastmcp.client.transports.base import ClientTransport, SessionKwargs, TransportOptions
except ImportError as missing:
    msg = "fastmcp's client is not installed: pip install 'woolly-mcpdiag[fastmcp]'"
    raise ImportError(msg) from missing

from woolly_mcpdiag.client.errors import ResilienceError
from woolly_mcpdiag.client.resilient import ResilientClient
from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.wire.peer import Offer
from woolly_mcpdiag.wire.relay import relayed
from woolly_mcpdiag.wire.sdk import ClientSession, MCPError

T = TypeVar("T")
GIVEN_UP = -32098
"""JSON-RPC error code of a call that the client gave up; the error's data says why."""


class ResilientTransport(ClientTransport):
    """A fastmcp transport whose calls go through a ``ResilientClient``.

    ``client`` is one that is open and stays yours, for any number of fastmcp clients, or a URL: then each connection
    has a client of its own, made with ``settings``. ``key`` and ``agent`` are those of ``call_tool``.
    Progress and log messages of a tool call pass, and sampling, elicitation and roots where the client ``offers`` them;
    one of its own offers what the fastmcp client has handlers for.
    """

    legacy_only = True
    """In memory the older era is spoken: in the newer one nobody can be asked. The server's own era is no matter."""

    def __init__(
        self,
        client: ResilientClient | str,
        *,
        key: str | None = None,
        agent: str = "",
        **settings: Any,  # noqa: ANN401 - those of the client
    ) -> None:
        """Raises ``UsageError`` for settings beside a client, which has its own."""
        if settings and isinstance(client, ResilientClient):
            msg = f"{', '.join(sorted(settings))}: given beside a client"
            raise UsageError(msg, hint="set it on the ResilientClient")
        self._client, self._key, self._agent, self._settings = client, key, agent, settings

    @asynccontextmanager
    async def connect_session(
        self, *, transport_options: TransportOptions | None = None, **session_kwargs: Unpack[SessionKwargs]
    ) -> AsyncIterator[ClientSession]:
        """Connect. Raises ``ResilienceError`` where no session of the server becomes ready."""
        kind = (transport_options or TransportOptions()).session_class
        async with AsyncExitStack() as stack:
            client = self._client
            if isinstance(client, str):
                made = ResilientClient(client, **{"offers": _offered(session_kwargs), **self._settings})
                client = await stack.enter_async_context(made)
            elif lacking := sorted(_offered(session_kwargs) - client.offers):
                msg = f"{', '.join(lacking)}: the fastmcp client has a handler that no server is told of"
                raise UsageError(msg, hint=f"make it ResilientClient(url, offers={lacking!r})")
            about = await client.about(self._key)
            near = await stack.enter_async_context(relayed(about, _Answers(client, self._key, self._agent), _told))
            yield await stack.enter_async_context(kind(*near, **session_kwargs))

    def __repr__(self) -> str:
        return f"<ResilientTransport({getattr(self._client, 'url', self._client)!r})>"


def _offered(session_kwargs: SessionKwargs) -> set[Offer]:
    """Return what a fastmcp client has handlers for."""
    names: dict[Offer, object] = {
        "sampling": session_kwargs.get("sampling_callback"),
        "elicitation": session_kwargs.get("elicitation_callback"),
        "roots": session_kwargs.get("list_roots_callback"),
    }
    return {name for name, handler in names.items() if handler is not None}


class _Answers:
    """A client's calls with a key and an agent."""

    def __init__(self, client: ResilientClient, key: str | None, agent: str) -> None:
        self.list_tools = partial(client.list_tools, key=key)
        self.call_tool = partial(client.call_tool, key=key, agent=agent)
        self.list_resources = partial(client.list_resources, key=key)
        self.list_resource_templates = partial(client.list_resource_templates, key=key)
        self.read_resource = partial(client.read_resource, key=key)
        self.list_prompts = partial(client.list_prompts, key=key)
        self.get_prompt = partial(client.get_prompt, key=key)


async def _told(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except ResilienceError as error:
        data = {
            "type": type(error).__name__,
            "cause": error.cause,
            "hint": error.hint,
            "retry_after": error.retry_after,
            "attempts": [{"outcome": one.outcome.value, "reason": one.reason} for one in error.attempts],
        }
        raise MCPError(code=GIVEN_UP, message=error.message, data=data) from error
