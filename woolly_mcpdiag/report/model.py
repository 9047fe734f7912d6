"""The one Report: everything a renderer needs and nothing it must compute. Times are seconds (UTC epoch)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from woolly_mcpdiag.core.findings import Finding, Hypothesis, Ledger
from woolly_mcpdiag.core.timelines import Activity, Latency, Timeline

if TYPE_CHECKING:  # a report of logs has none of these, and they take 25 ms to load
    from woolly_mcpdiag.core.verdicts import Judgement
    from woolly_mcpdiag.report.run_model import Comparison, RunPicture

SCHEMA = "mcpdiag.report/1"


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
    judgements: "list[Judgement]" = field(default_factory=list)
    """Criteria of a load or a gate, in their order."""
    run: "RunPicture | None" = None
    """What a load or a gate measured; ``None`` where only logs were read."""
    comparison: "Comparison | None" = None
    """Clients, targets or stored runs side by side."""
