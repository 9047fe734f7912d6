"""The one way to run a load from Python: plans in, a judged run and its report out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.core.measures import Tally
from woolly_mcpdiag.core.runs import Generator, Interval, Meta, Run
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.load.plan import Plan
from woolly_mcpdiag.report.model import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a run must fulfil, and what happens to it."""

    thresholds: tuple[str, ...] = ()
    """As ``--threshold`` takes them."""
    confidence: float = 0.95
    abort: bool = False
    """Stop at the first threshold that has surely failed."""
    abort_delay: float = 0.0
    """Seconds before the first such look."""
    events: Path | None = None
    """The run log; ``None`` keeps it in a temporary file that is removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How a run stands, a few times a second."""

    meta: Meta
    scene: str
    """Which plan runs: its scene."""
    number: int
    """Of the plan, from 0."""
    plans: int
    elapsed: float
    """Seconds since the start of this plan."""
    total: float | None
    """Seconds it will take; ``None`` where only calls are counted."""
    done: int
    wanted: int | None
    """Calls of this plan; ``None`` where only time counts."""
    users: float
    in_flight: int
    tally: Tally
    """Of this plan so far."""
    recent: Sequence[Interval]
    """The last minute's intervals."""
    generator: Generator
    findings: Sequence[Finding] = ()
    judgements: Sequence[Judgement] = ()


@dataclass(slots=True, kw_only=True)
class Loaded:
    """What a load gives."""

    run: Run
    report: Report
    judgements: list[Judgement] = field(default_factory=list)
    interrupted: bool = False


def load(
    plans: Sequence[Plan],
    meta: Meta,
    demand: Demand | None = None,
    *,
    on_state: Callable[[State], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Loaded:
    """Run the plans one after the other, write the run log as it happens, judge and explain what happened.

    Raises ``McpdiagError`` for a plan that cannot mean anything and for a run log that cannot be written.
    """
    raise NotImplementedError
