"""What the parts of the task engine know of each other: a driver opens sessions and makes calls with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from anyio.abc import TaskGroup

from woolly_mcpdiag.core.outcomes import OutcomeKind
from woolly_mcpdiag.load.plan import CallSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call, with everything filled in."""

    spec: CallSpec
    arguments: Mapping[str, Any]
    body: str
    """Of the agents API; empty takes ``arguments``."""
    key: str
    """What the application calls the session, or the user."""
    limit: float
    """Seconds for everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that came whole and says how it went."""

    kind: OutcomeKind = "ok"
    status: int = 0
    said: str = ""
    """What the peer says went wrong; redacted."""
    attempts: int = 1
    degraded: bool = False
    session: str = ""
    key: str = ""
    """What the peer calls the session."""


class Held(Protocol):
    """A session that is open."""

    @property
    def id(self) -> str:
        """The session id, empty where there is none."""

    @property
    def usable(self) -> bool:
        """False once it has ended."""


@dataclass(frozen=True, slots=True)
class Everybodys:
    """What a driver that keeps its own sessions gives to all."""

    id: str = ""
    usable: bool = True


class Driver(Protocol):
    """How one client design opens sessions and makes calls. Everything may be used from any task."""

    own_sessions: bool
    """It keeps sessions of its own: what ``open`` gives is for everybody."""
    renews: bool
    """A session that is lost is replaced by the next call; False is a design that never does."""

    def prepare(self) -> None:
        """Load what it needs; sends nothing. Raises ``McpdiagError``."""

    async def start(self, tasks: TaskGroup) -> None:
        """Get ready; the tasks are where sessions live."""

    async def open(self, key: str) -> Held:
        """Open a session. Raises what the libraries raise."""

    async def call(self, held: Held, asked: Asked) -> Reply:
        """Make one call. Raises what the libraries raise."""

    async def close(self, held: Held) -> None:
        """Close a session; never raises."""

    async def stop(self) -> None:
        """Close what is left; never raises."""
