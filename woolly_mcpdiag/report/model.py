"""The one Report: everything a renderer needs and nothing it must compute. Times are seconds (UTC epoch)."""

from dataclasses import dataclass, field
from typing import Literal

from woolly_mcpdiag.core.causes import Confidence, Severity

SCHEMA = "mcpdiag.report/1"
Answer = Literal["supported", "refuted", "not decidable"]
Mark = Literal["opened", "ready", "ok", "fail", "error", "closed", "stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One line that shows a finding: verbatim, but redacted."""

    source: str
    line: int
    """1-based; 0 where the source has no lines."""
    text: str
    time: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A cause seen here."""

    cause: str
    """Name in the catalogue."""
    title: str
    severity: Severity
    benign: bool
    confidence: Confidence
    count: int
    """How many failures (or benign oddities) it explains."""
    of: int
    """Out of how many of the same kind; 0 where there is no denominator."""
    unit: str
    """What is counted: "400 responses", "sessions", "calls"."""
    summary: str
    """What was seen here, with its figures: one or two sentences."""
    because: tuple[str, ...] = ()
    """The tests behind the confidence: what fits, which rival was excluded, what would make it certain."""
    evidence: tuple[Evidence, ...] = ()
    client: str = ""
    """What to do, from the catalogue or made specific to what was seen."""
    server: str = ""
    deployment: str = ""
    confirm: str = ""
    """How to be sure: a sentence or a command."""
    endpoints: tuple[str, ...] = ()
    first: float | None = None
    last: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """What a reader may believe, tested."""

    name: Literal["race", "timing", "pool", "deterministic"]
    question: str
    """As a person would ask it: "Is it a race between parallel agents?"."""
    answer: Answer
    test: str
    """The test that was made."""
    figures: str
    """Its numbers, with an interval where there is one."""
    decide: str = ""
    """What to log or run to decide it; empty where it is decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One input, or one service within it."""

    name: str
    role: str
    """client, server, proxy, or "" where it cannot be told."""
    formats: tuple[str, ...]
    """Record formats and framings seen, most frequent first."""
    lines: int = 0
    understood: int = 0
    ignored: int = 0
    not_understood: int = 0
    first_not_understood: int = 0
    events: int = 0
    first: float | None = None
    last: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPart:
    """The share of one cause in the failures of one status."""

    cause: str
    count: int
    benign: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Where the responses of one failing status went: total = parts + unexplained."""

    status: int
    total: int
    parts: tuple[LedgerPart, ...]
    unexplained: int
    evidence: tuple[Evidence, ...] = ()
    """First unexplained lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One mark on a session's timeline."""

    at: float
    """Seconds (epoch), or the 1-based order of events where ``Report.clock`` is "order"."""
    mark: Mark
    label: str
    """"GET 400", "POST 202", "ReadTimeout"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """One lane of the picture: a session, or an endpoint where the log does not say which session."""

    name: str
    """Short session id, or "GET /sse/ 400"."""
    session: str = ""
    key: str = ""
    agent: str = ""
    source: str = ""
    opened: float | None = None
    ready: float | None = None
    first_use: float | None = None
    closed: float | None = None
    requests: int = 0
    failures: int = 0
    longest_idle: float | None = None
    """Seconds."""
    overlap: int | None = None
    """Other sessions alive at the first failure."""
    note: str = ""
    """"200, then no answer ever"."""
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Counts per equal time bin, for the strip under the timeline."""

    start: float
    width: float
    """Seconds (or rows, where ``Report.clock`` is "order") a bin."""
    series: dict[str, list[int]]
    """"ok", "400", "other 4xx", "5xx", "errors" → one count a bin; all of one length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """A log-bucket histogram of durations."""

    name: str
    count: int
    buckets: tuple[tuple[float, float, int], ...]
    """(low, high, count), seconds, ascending; empty buckets left out."""
    p50: float
    p95: float
    p99: float
    highest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """A command to run next, and why."""

    command: str
    why: str


@dataclass(slots=True, kw_only=True)
class Report:
    """What one run of a command found."""

    command: str = "analyze-logs"
    version: str = ""
    verdict: str = ""
    """The whole answer in one sentence."""
    sources: list[Source] = field(default_factory=list)
    requests: int = 0
    """MCP exchanges, each counted once though client, proxy and server all log it."""
    sessions: int = 0
    agents: dict[str, int] = field(default_factory=dict)
    """Agent type → runs seen."""
    other_requests: dict[str, int] = field(default_factory=dict)
    """Exchanges with hosts or paths that are not MCP, left out of everything else."""
    first: float | None = None
    last: float | None = None
    clock: Literal["time", "order"] = "time"
    """"order" where no line carries a time."""
    resolution: float | None = None
    """Seconds between the finest two stamps the log can tell apart."""
    statuses: dict[int, int] = field(default_factory=dict)
    ledgers: list[Ledger] = field(default_factory=list)
    """400 first, then the other failing statuses."""
    findings: list[Finding] = field(default_factory=list)
    """Most severe and most frequent first; benign ones last."""
    hypotheses: list[Hypothesis] = field(default_factory=list)
    timelines: list[Timeline] = field(default_factory=list)
    timelines_of: int = 0
    """How many there are; more than ``len(timelines)`` where only a sample is drawn."""
    activity: Activity | None = None
    latencies: list[Latency] = field(default_factory=list)
    invisible: list[str] = field(default_factory=list)
    """What this log cannot decide, and the logging change that would."""
    notes: list[str] = field(default_factory=list)
    """About the reading itself: lines not understood, zones, sampling."""
    next_steps: list[NextStep] = field(default_factory=list)
    partial: bool = False
    """True where the run was interrupted."""
