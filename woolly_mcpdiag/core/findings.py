"""What a diagnosis concludes: findings with their evidence, hypotheses with their tests, ledgers of failures."""

from dataclasses import dataclass
from typing import Literal

from woolly_mcpdiag.core.causes import Confidence, Severity

Answer = Literal["supported", "refuted", "not decidable"]


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
