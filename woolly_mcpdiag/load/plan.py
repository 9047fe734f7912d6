"""The one description of a load: which calls, how many at once or how fast, with which sessions. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from woolly_mcpdiag.core.measures import Kind

Transport = Literal["streamable", "sse"]
Arrival = Literal["constant", "poisson"]
ModelKind = Literal["closed", "open", "waves"]
Policy = Literal["per-call", "per-worker", "shared", "pool"]
ClientKind = Literal["wire", "sdk", "naive", "shared", "per-call", "pooled", "http"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How a URL is reached."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every request; never recorded."""
    verify: bool = True
    """False takes any TLS certificate."""
    ca_file: str = ""
    proxy: str = ""
    """Only the ``http`` driver goes through one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class McpTarget:
    """An MCP endpoint, as the preflight found it."""

    at: Connection
    transport: Transport = "streamable"
    version: str = "2025-11-25"
    """Protocol version; a modern one (``modern``) means no sessions."""
    modern: bool = False
    server: str = ""
    """Its name and version."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """As ``tools/list`` told them: name, inputSchema, annotations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTarget:
    """An agents API: one POST runs an agent."""

    at: Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSpec:
    """One kind of call. Text in ``arguments`` and ``body`` may hold {i}, {worker}, {seed} and {feed.COLUMN}."""

    kind: Kind
    method: str = "tools/call"
    """JSON-RPC method (mcp); ``POST`` (agent)."""
    name: str = ""
    """Of the tool."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Of the tool; or the JSON body of the agents API."""
    body: str = ""
    """A template for the body of the agents API, in place of ``arguments``."""
    agent: str = ""
    """Agent type."""
    weight: float = 1.0
    idempotent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A ramp: ``target`` users (closed) or arrivals a second (open) are reached evenly within ``duration`` seconds."""

    duration: float
    target: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """When calls start. Durations in seconds."""

    kind: ModelKind = "closed"
    concurrency: int = 5
    """Users (closed); size of a wave (waves)."""
    requests: int | None = None
    """Calls after which it ends."""
    duration: float | None = None
    rate: float = 0.0
    """Arrivals a second (open)."""
    arrival: Arrival = "constant"
    max_in_flight: int = 1000
    """An arrival beyond it is dropped and counted."""
    stages: tuple[Stage, ...] = ()
    waves: int = 0
    calls_per_session: int = 1
    """Calls that each user of a wave makes with the session born in it."""
    think: tuple[float, float] = (0.0, 0.0)
    """Pause between two calls of a user, drawn evenly."""
    warmup: float = 0.0
    """Seconds at the start that are counted apart (scene ``warmup``)."""
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """Whose session a call uses."""

    policy: Policy = "per-worker"
    size: int = 10
    """Sessions of ``pool``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds after which a step has failed."""

    call: float = 30.0
    """A call from its start to its last byte (agents API: a whole run)."""
    connect: float = 5.0
    event: float = 5.0
    """Legacy SSE: until the ``endpoint`` event."""
    close: float = 3.0
    attempt: float = 0.0
    """One attempt of a client that makes several within ``call``; 0 gives it the whole time."""
    grace: float = 0.0
    """Beyond ``call`` for a client with deadlines of its own, before it is cut off; what it cuts off has hung."""
    drain: float = 30.0
    """Running calls are given so long at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole load. It travels to other processes as JSON: see ``load.travel``."""

    calls: tuple[CallSpec, ...]
    """Drawn by weight, seeded; each agent type in turn where all weights are equal."""
    mcp: McpTarget | None = None
    agent: AgentTarget | None = None
    client: ClientKind = "wire"
    scene: str = ""
    """Named in everything that is recorded."""
    model: Model = field(default_factory=Model)
    sessions: Sessions = field(default_factory=Sessions)
    limits: Limits = field(default_factory=Limits)
    feed: tuple[Mapping[str, str], ...] = ()
    """Rows for {feed.COLUMN}, in turn."""
    strict_probes: bool = False
    """Count refused era probes as 400s."""
    events_per_second: int = 1000
    """Events of calls that succeeded that are written at most; failures always are, up to ten times that."""
    source: str = ""
    """Of its events; empty names the client where several take part."""
    log: str = ""
    """File that the client's own log goes to, as in an application: JSON lines (pooled), else text."""
    processes: int = 1
    stream: bool = True
    """Streamable HTTP: open the GET stream of each session, as the SDK does."""
