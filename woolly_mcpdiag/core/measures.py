"""The one tally of a run: what was tried, how it ended, how long each step took. Tallies of parts add up exactly."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from woolly_mcpdiag.core.histogram import Histogram

SCHEMA = "mcpdiag.tally/1"

Kind = Literal["agent", "mcp"]


class Series(NamedTuple):
    """What calls are counted together. Empty where it does not apply."""

    scene: str = ""
    """Part of the run: "" for the measured load, "warmup", a scene of the gate, a round of a comparison."""
    kind: str = "mcp"
    """"agent" (a run of an agent) or "mcp" (a call of a tool, or another request of the protocol)."""
    client: str = ""
    """Client design or driver: wire, sdk, naive, shared, per-call, pooled, http."""
    agent: str = ""
    """Agent type."""
    operation: str = ""
    """``tools/call search_code``, ``ping``, ``POST /api/v1/agents/execute``."""


class Step(NamedTuple):
    """A phase that is timed on its own: pool, dns, connect, tls, stream, endpoint, initialize, initialized, ..."""

    scene: str = ""
    client: str = ""
    phase: str = ""


class Answer(NamedTuple):
    """What answers are counted together."""

    scene: str = ""
    kind: str = "mcp"
    """The peer: "agent" or "mcp"."""
    status: int = 0
    """0 where no answer came."""
    benign: bool = False
    """True for a refused probe of the era: no failure."""


class Outcome(NamedTuple):
    """How calls ended: each fact on its own axis."""

    kind: str = "ok"
    """``ok`` or what went wrong: see ``core.outcomes``."""
    status: int = 0
    code: int = 0
    """Of the JSON-RPC error; 0 where there is none."""
    tool_error: bool = False


@dataclass(slots=True)
class Calls:
    """The calls of one series."""

    ok: int = 0
    failed: int = 0
    retried: int = 0
    """Calls that needed more than one attempt."""
    degraded: int = 0
    """Answered by a fallback; counted in ``ok`` or ``failed`` as well."""
    latency: Histogram = field(default_factory=Histogram)
    """Seconds of the ``ok`` ones, from the scheduled instant where arrivals are scheduled, else from the start."""
    service: Histogram = field(default_factory=Histogram)
    """Seconds of the ``ok`` ones from the instant they were really sent; the same where nothing is scheduled."""
    first: Histogram = field(default_factory=Histogram)
    """Seconds to the first byte (or event) of the answer, where it was seen."""
    failing: Histogram = field(default_factory=Histogram)
    """Seconds until a call had failed, from the same instant as ``latency``."""
    outcomes: Counter[Outcome] = field(default_factory=Counter)

    @property
    def tried(self) -> int:
        """Calls that have ended."""
        return self.ok + self.failed

    def merge(self, other: "Calls") -> None:
        """Count what the other one counted."""
        self.ok += other.ok
        self.failed += other.failed
        self.retried += other.retried
        self.degraded += other.degraded
        for mine, theirs in zip(self.histograms(), other.histograms(), strict=True):
            mine.merge(theirs)
        self.outcomes.update(other.outcomes)

    def histograms(self) -> tuple[Histogram, Histogram, Histogram, Histogram]:
        """Return latency, service, first and failing."""
        return self.latency, self.service, self.first, self.failing


@dataclass(slots=True)
class Phase:
    """One timed step."""

    took: Histogram = field(default_factory=Histogram)
    """Seconds of those that succeeded."""
    failed: int = 0

    def merge(self, other: "Phase") -> None:
        """Count what the other one counted."""
        self.took.merge(other.took)
        self.failed += other.failed


@dataclass(slots=True)
class Tally:
    """Counts of a run, of a part of it, or of one interval. All counts are of what ended within it."""

    calls: dict[Series, Calls] = field(default_factory=dict)
    phases: dict[Step, Phase] = field(default_factory=dict)
    answers: Counter[Answer] = field(default_factory=Counter)
    """HTTP answers as the wire had them, retries included."""
    counters: Counter[str] = field(default_factory=Counter)
    """Anything else, by name: see ``COUNTERS``; ``scene/name`` where a scene is not empty."""

    def of(self, series: Series) -> Calls:
        """Return the calls of a series, empty at first."""
        return self.calls.setdefault(series, Calls())

    def step(self, step: Step) -> Phase:
        """Return a phase, empty at first."""
        return self.phases.setdefault(step, Phase())

    def merge(self, other: "Tally") -> None:
        """Count what the other one counted; the order of merging does not matter."""
        for series, calls in other.calls.items():
            self.of(series).merge(calls)
        for step, phase in other.phases.items():
            self.step(step).merge(phase)
        self.answers.update(other.answers)
        self.counters.update(other.counters)

    def select(self, *, scene: str | None = "", kind: str | None = None, agent: str | None = None) -> Iterator[Calls]:
        """Yield the calls that match; ``None`` matches anything."""
        for series, calls in self.calls.items():
            if _fits(series, scene, kind, agent):
                yield calls

    def to_json(self) -> str:
        """Return one line that ``from_json`` reads back without loss."""
        row = {
            "schema": SCHEMA,
            "calls": [[*series, _calls_row(calls)] for series, calls in sorted(self.calls.items())],
            "phases": [[*step, phase.took.to_row(), phase.failed] for step, phase in sorted(self.phases.items())],
            "answers": [[*answer, n] for answer, n in sorted(self.answers.items())],
            "counters": dict(sorted(self.counters.items())),
        }
        return json.dumps(row, ensure_ascii=False, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "Tally":
        """Read what ``to_json`` wrote. Raises ``ValueError`` where the text is no tally of this schema."""
        try:
            return Tally.from_row(json.loads(text))
        except (AttributeError, KeyError, TypeError, IndexError) as error:
            message = f"not a tally of schema {SCHEMA}: {error}"
            raise ValueError(message) from error

    @staticmethod
    def from_row(row: dict[str, Any]) -> "Tally":
        """Read a parsed line."""
        if row.get("schema") != SCHEMA:
            message = f"its schema is {row.get('schema')}"
            raise ValueError(message)
        return Tally(
            calls={Series(*map(str, names)): _read_calls(told) for *names, told in row["calls"]},
            phases={
                Step(*map(str, names)): Phase(took=Histogram.from_row(took), failed=int(failed))
                for *names, took, failed in row["phases"]
            },
            answers=Counter({Answer(str(s), str(k), int(c), bool(b)): int(n) for s, k, c, b, n in row["answers"]}),
            counters=Counter({str(name): int(n) for name, n in row["counters"].items()}),
        )


COUNTERS = {
    "dropped": "arrivals that were not started: --max-in-flight was reached",
    "late": "arrivals that were started over 10 ms after their instant",
    "started": "calls that were started",
    "unfinished": "calls that were cut off by the end of the run",
    "waves": "waves of simultaneous session births",
    "waves_failed": "waves in which a call failed",
    "waves_400": "waves in which an answer was 400 (benign probes apart)",
    "sessions_opened": "MCP sessions that became ready",
    "sessions_failed": "MCP sessions that did not become ready",
    "sessions_closed": "MCP sessions that were closed by us",
    "streams_cut": "event streams that ended before their time",
    "hangs": "calls that were still running after their deadline",
    "events_left_out": "events that were not written: more than --events-per-second",
}
"""What each counter counts; they exist at 0 from the start."""


def merged(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of tallies."""
    whole = Tally()
    for tally in tallies:
        whole.merge(tally)
    return whole


def _fits(series: Series, scene: str | None, kind: str | None, agent: str | None) -> bool:
    return all(
        wanted is None or has == wanted
        for has, wanted in ((series.scene, scene), (series.kind, kind), (series.agent, agent))
    )


def _calls_row(calls: Calls) -> dict[str, Any]:
    row: dict[str, Any] = {
        name: value for name in ("ok", "failed", "retried", "degraded") if (value := getattr(calls, name))
    }
    for name in ("latency", "service", "first", "failing"):
        histogram: Histogram = getattr(calls, name)
        if histogram.count:
            row[name] = histogram.to_row()
    if calls.outcomes:
        row["outcomes"] = [[*outcome, n] for outcome, n in sorted(calls.outcomes.items())]
    return row


def _read_calls(row: dict[str, Any]) -> Calls:
    calls = Calls(
        ok=int(row.get("ok", 0)),
        failed=int(row.get("failed", 0)),
        retried=int(row.get("retried", 0)),
        degraded=int(row.get("degraded", 0)),
        outcomes=Counter(
            {
                Outcome(str(kind), int(status), int(code), bool(bad)): int(n)
                for kind, status, code, bad, n in row.get("outcomes", ())
            }
        ),
    )
    for name in ("latency", "service", "first", "failing"):
        if name in row:
            setattr(calls, name, Histogram.from_row(row[name]))
    return calls
