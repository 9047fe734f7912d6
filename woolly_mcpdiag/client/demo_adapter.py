"""The one place that makes ``ResilientClient`` the demo's ``pooled`` client: ``serve(options, pooled=pooled)``."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from woolly_mcpdiag.client.policy import Timeouts
from woolly_mcpdiag.client.resilient import ResilientClient
from woolly_mcpdiag.wire.sdk import TextContent


class Wiring(Protocol):
    """Where the demo tells a client to connect, and how; seconds for ``deadline``."""

    @property
    def url(self) -> str:
        """The endpoint."""

    @property
    def transport(self) -> str:
        """``sse`` or ``streamable``."""

    @property
    def mode(self) -> str:
        """As ``mcp.Client`` has it."""

    @property
    def deadline(self) -> float:
        """Seconds for one agent call."""


class ToolCall(Protocol):
    """A tool that an agent wants called."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def arguments(self) -> Mapping[str, object]:
        """Its arguments."""


class ToolFailedError(Exception):
    """A tool's error inside a successful response."""


class PooledAgents:
    """One pool for all agents of the API."""

    def __init__(self, wiring: Wiring) -> None:
        waits = Timeouts(total=wiring.deadline, call=wiring.deadline / 2, open=wiring.deadline / 2)
        self.client = ResilientClient(
            wiring.url,
            transport="sse" if wiring.transport == "sse" else "http",
            era="handshake" if wiring.mode == "legacy" else wiring.mode,
            reuse="shared",
            timeouts=waits,
        )

    async def __aenter__(self) -> Self:
        await self.client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.__aexit__(kind, error, trace)

    async def prepare(self, key: str) -> None:
        """Nothing to prepare: the first call opens what is missing."""

    async def run(self, key: str, calls: Sequence[ToolCall]) -> list[str]:
        """Call the tools in turn. Raises ``ResilienceError``, or ``ToolFailedError`` for a tool's own error."""
        agent = key.rpartition("_")[0]
        texts = []
        for call in calls:
            result = await self.client.call_tool(call.name, dict(call.arguments), key=key, agent=agent)
            text = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
            if result.is_error:
                raise ToolFailedError(text)
            texts.append(text)
        return texts


def pooled(wiring: Wiring) -> PooledAgents:
    """Return the client for a wiring."""
    return PooledAgents(wiring)
