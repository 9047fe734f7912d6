"""What the parts of a load know of each other: an engine makes calls, a recorder is told, a kernel drives both.

An engine runs in a process of its own and blocks there. Instants are seconds of the monotonic clock
(``anyio.current_time()`` on asyncio, ``CLOCK_MONOTONIC``), the same in all processes of a machine.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.measures import Kind, Outcome
from woolly_mcpdiag.load.plan import Plan


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a plan that one process does: users, arrivals and waves with index % of == number."""

    number: int = 0
    of: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One call that has ended."""

    spec: int
    """Index in ``Plan.calls``."""
    outcome: Outcome
    scheduled: float
    """Instant at which it was to start; the same as ``sent`` where nothing is scheduled."""
    sent: float
    ended: float
    first: float = 0.0
    """Instant of the first byte or event of the answer; 0 where it was not seen."""
    worker: int = 0
    session: str = ""
    attempts: int = 1
    degraded: bool = False
    wave: int = -1
    """Index of its wave; -1 where there are none."""
    cause: str = ""
    """Name in the catalogue, where the client itself knows it."""
    error: str = ""
    """Exception type, or the first 200 characters of what the peer said. Redacted."""
    phase: str = ""
    """Where it failed."""
    key: str = ""
    in_flight: int = 0
    """Calls running when it started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """One HTTP exchange, seen on the wire; retries and probes too."""

    kind: Kind
    method: str
    url: str
    at: float
    """Instant of the request."""
    took: float
    """Seconds to the headers of the answer, or to the failure."""
    status: int = 0
    """0 where no answer came."""
    rpc: str = ""
    """JSON-RPC method of the body."""
    session: str = ""
    """Id that the request carried, or that the answer gave."""
    agent: str = ""
    key: str = ""
    error: str = ""
    """Exception type; empty where an answer came."""
    benign: bool = False
    """A refused probe of the era, or a refused GET stream (405)."""
    body: str = ""
    """Of a failing answer: the first 2,000 characters."""
    request: str = ""
    """Of a failing exchange, for the sample: request line, headers and body."""
    response: str = ""
    facts: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """Further facts for ``Event.extra``: ``reused``, ``port``, ..."""


class Asked(NamedTuple):
    """What all requests of a sort have in common."""

    kind: Kind
    method: str
    url: str
    """As it may be told."""
    rpc: str = ""
    session: str = ""
    agent: str = ""


@dataclass(slots=True, kw_only=True)
class Success:
    """One call that has succeeded, with the exchange that it was; not frozen, as making it would take twice as long."""

    spec: int
    """Index in ``Plan.calls``."""
    scheduled: float
    sent: float
    ended: float
    first: float
    """As in ``Done``."""
    session: str
    wave: int
    in_flight: int
    asked: Asked | None = None
    """What its exchange asked; ``None`` where that is told apart."""
    status: int = 0
    at: float = 0.0
    took: float = 0.0
    facts: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """Of the exchange, as in ``Exchanged``; the session is ``asked.session``."""


class Recorder(Protocol):
    """What an engine tells. Not thread-safe; called from the engine's own thread."""

    @property
    def detailed(self) -> bool:
        """True where the next success is to be told in full, by ``done`` and ``exchanged``: ask once for each call.

        Diagnosis then sees which sessions work. Otherwise ``quick`` and ``answered`` are enough: more events are not
        written than ``Plan.events_per_second``, spread evenly over time.
        """

    def gap(self) -> int:
        """Return how many successes are not to be told in full before the next one that is: ``detailed`` for many.

        What it said holds until the next tick at most.
        """

    def started(self, n: int = 1) -> None:
        """Calls were started."""

    def done(self, done: Done) -> None:
        """A call has ended."""

    def succeeded(self, success: Success) -> None:
        """``exchanged`` and ``done`` at once, for a call that has succeeded and is told in full."""

    def quick(self, spec: int, latency: float, service: float, first: float) -> None:
        """Count a call that has succeeded, at the least cost: no event, or a sampled one. Seconds."""

    def quick_many(
        self, spec: int, latencies: Sequence[float], services: Sequence[float], firsts: Sequence[float]
    ) -> None:
        """``quick`` for many calls at once, each in its place. To be read before it returns: the lists are reused.

        ``services`` may be ``latencies`` itself: nothing is scheduled.
        """

    def exchanged(self, exchange: Exchanged) -> None:
        """An HTTP exchange has ended."""

    def answered(self, kind: Kind, status: int, n: int = 1) -> None:
        """Count answers at the least cost: in place of ``exchanged`` for those that succeeded."""

    def phase(self, name: str, took: float, *, failed: bool = False) -> None:
        """A step of a session's birth or of a connection has ended; seconds."""

    def event(self, event: Event) -> None:
        """Anything else that happened: session.opened, session.ready, session.closed, stream.lost, ..."""

    def count(self, counter: str, n: int = 1) -> None:
        """Add to a counter of ``core.measures.COUNTERS``."""

    def wave(self, index: int, *, failed: bool, refused: bool) -> None:
        """A wave has ended; ``refused``: an answer in it was 400."""

    def late(self, by: float) -> None:
        """An arrival was started so many seconds after its instant."""

    def wall(self, instant: float) -> float:
        """Return an instant as seconds since the epoch, for ``Event.time``."""


Tick = Callable[[], bool]
"""To be called by an engine every 100 ms or oftener, also while it waits; False asks it to start nothing more."""


class Engine(Protocol):
    """What makes the calls of a share of a plan."""

    def prepare(self) -> None:
        """Load libraries, resolve names, build requests; sends nothing. Raises ``McpdiagError``."""

    def run(self, start: float, tick: Tick) -> None:
        """Make the calls from that instant on; return when they have all ended or ``Limits.drain`` is over."""


EngineFactory = Callable[[Plan, Share, Recorder], Engine]
