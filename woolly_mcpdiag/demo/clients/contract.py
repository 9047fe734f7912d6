"""The one contract between the agents API and the designs of its MCP client."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool that an agent wants called."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Where a client connects, and how."""

    url: str
    transport: Literal["sse", "streamable"] = "streamable"
    mode: str = "auto"
    """"legacy", "auto" or a modern version, as ``mcp.client`` names them."""
    deadline: float = 10.0
    """Seconds for one agent call; the naive client has none."""
    listen: bool = False
    """Keep a GET stream open per session (the plain client)."""


class ToolFailedError(Exception):
    """A tool's error inside a successful response."""


class AgentClient(Protocol):
    """What an agents backend needs: it opens or borrows sessions and calls tools with them."""

    async def __aenter__(self) -> Self:
        """Get ready; connects only where the design does so at start."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give everything back."""

    async def prepare(self, key: str) -> None:
        """Do what the design does before an agent starts; ``key`` is the application's name of the session."""

    async def run(self, key: str, calls: Sequence[ToolCall]) -> list[str]:
        """Call the tools in turn and return their texts.

        Raises what the libraries raise, and ``ToolFailedError`` for a tool's own error.
        """


def first_error(problem: BaseException) -> BaseException:
    """Return the first leaf of an exception group, any other exception as it is."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return problem
