"""The one picture of a load or a gate: what a renderer shows of a run, and the JSON report publishes. Seconds."""

from dataclasses import dataclass, field
from typing import Any, Literal

from woolly_mcpdiag.core.runs import Generator, Sample, Scene

Better = Literal["better", "worse", "no difference shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long something took."""

    count: int
    mean: float
    least: float
    p50: float
    p90: float
    p95: float
    p99: float
    greatest: float
    buckets: tuple[tuple[float, float, int], ...] = ()
    """(low, high, count), 2 % wide, ascending; empty ones left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Calls that are counted together."""

    name: str
    """For people: ``tools/call search_code``, ``agent tester``."""
    scene: str = ""
    kind: str = ""
    """agent or mcp."""
    client: str = ""
    agent: str = ""
    operation: str = ""
    tried: int = 0
    """Calls that ended."""
    ok: int = 0
    failed: int = 0
    retried: int = 0
    degraded: int = 0
    rate: float | None = None
    """Calls that ended a second."""
    latency: Spread | None = None
    """Of those that succeeded; from the scheduled instant in an open loop, else from the start."""
    service: Spread | None = None
    """From the instant they were really sent; only where that can differ."""
    first_byte: Spread | None = None
    failing: Spread | None = None
    """Until a call had failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRow:
    """One timed step of a connection or of a session's birth."""

    name: str
    client: str
    """Empty where there is only one."""
    failed: int
    took: Spread | None
    """Of those that succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """HTTP answers of one status as the wire had them, retries included."""

    kind: str
    """The peer: agent or mcp."""
    status: int
    """0: no answer."""
    benign: bool
    """A refused probe of the era: no failure."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Calls (or answers) that failed in the same way."""

    what: str
    """``HTTP 500``, ``no whole answer in time``."""
    kind: str
    operations: tuple[str, ...]
    """What was called, most failures first; empty for answers."""
    outcome: str
    """As in ``core.outcomes``; ``answer`` for an answer whose call did not end with it."""
    status: int
    code: int
    count: int
    of: int
    """Calls of these operations, or answers of that peer."""
    agents: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    scenes: tuple[str, ...] = ()
    first: float | None = None
    """Seconds since the start of the run, of the first sample."""
    cause: str = ""
    """Name in the catalogue; empty where none is known."""
    how: str = ""
    """How the cause is known: ``certain``, ``likely``, ``possible``, or ``by the text of the answer``."""
    samples: tuple[Sample, ...] = ()
    """The first one of each fingerprint."""
    next_step: str = ""
    """A command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A stretch of the run."""

    start: float
    end: float
    ok: int
    failed: int
    rate: float
    """Calls that ended a second."""
    refused: int
    """Answers of 400, benign ones apart."""
    p50: float | None
    p95: float | None
    p99: float | None
    in_flight: int
    users: float
    errors: dict[str, int] = field(default_factory=dict)
    """Outcome → calls that failed so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRow:
    """A part of the run with its figures."""

    scene: Scene
    figures: tuple[Figures, ...]
    """One for agents, one for MCP, as far as there are any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a comparison."""

    name: str
    tried: int
    failed: int
    rounds: int
    """Rounds, or batches of a stored run."""
    rate: float | None
    """Medians over the rounds, as are the next ones."""
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One figure of two sides, compared."""

    figure: str
    """p50, p95, success, throughput."""
    base: str
    other: str
    base_value: float | None
    """Seconds, a share, or calls a second."""
    other_value: float | None
    ratio: float | None
    """Other over base; for success the difference of the shares."""
    low: float | None
    high: float | None
    """``None``: unbounded."""
    verdict: Better
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two or more sides under the same load; the first one is the base."""

    interleaved: bool
    """False for stored runs: then drift between the runs is not controlled."""
    confidence: float
    """Of all contrasts together."""
    sides: tuple[Side, ...]
    contrasts: tuple[Contrast, ...]
    noise: str = ""
    """How far two rounds of the same side differ by chance."""
    warnings: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class RunPicture:
    """A run as it is shown."""

    id: str
    started: float
    """Seconds since the epoch, UTC."""
    took: float
    measured: float
    """Seconds, without the warm-up."""
    complete: bool
    reason: str
    """Why it is not complete."""
    model: str
    """closed, open or waves."""
    workload: str
    """In words."""
    asked: dict[str, Any]
    """The workload as it was recorded."""
    targets: list[dict[str, str]]
    """Each with kind, url (redacted), transport, era, version, server, client."""
    labels: list[str] = field(default_factory=list)
    """What must be known before any figure is believed."""
    host: dict[str, str] = field(default_factory=dict)
    thresholds: list[str] = field(default_factory=list)
    totals: list[Figures] = field(default_factory=list)
    """All measured calls: agents first, then MCP."""
    series: list[Figures] = field(default_factory=list)
    """Agent types and operations apart, most calls first."""
    warmup: list[Figures] = field(default_factory=list)
    """Not in any other figure."""
    phases: list[PhaseRow] = field(default_factory=list)
    answers: list[AnswerRow] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    """Most frequent first."""
    scenes: list[SceneRow] = field(default_factory=list)
    timeline: list[Point] = field(default_factory=list)
    """Of the calls of the first total."""
    generator: Generator | None = None
    """``None`` where the run was killed before it could say."""
