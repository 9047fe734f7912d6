"""The one run log: JSON lines written as things happen, readable after a kill, judged and drawn again at any time.

Besides events (``core.events``) it holds rows of schema ``mcpdiag.run/1``: ``meta`` first, then ``interval`` (what
ended since the last one), ``sample`` (a failing exchange in full, redacted), ``scene`` (a part begins or ends),
``judgement``, and ``end`` last. A log without ``end`` is of a run that was killed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.core.events import SCHEMA as EVENT_SCHEMA
from woolly_mcpdiag.core.measures import Tally, merged
from woolly_mcpdiag.core.verdicts import Judgement

SCHEMA = "mcpdiag.run/1"
REHEARSED = "outage-"
"""Begins the source of events that a rehearsal has brought about: they are no findings of the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What was run against what."""

    run: str
    """Identifier."""
    command: str
    """``load``, ``gate``."""
    version: str
    started: float
    """Seconds since the epoch, UTC."""
    targets: tuple[dict[str, Any], ...] = ()
    """Each with kind ("agent" or "mcp"), url (redacted), transport, era, version, server, client."""
    workload: Mapping[str, Any] = field(default_factory=dict)
    """model (closed, open or waves), concurrency, rate, stages, duration, requests, waves, sessions, clients, seed."""
    host: Mapping[str, Any] = field(default_factory=dict)
    """cpus, kernel, python."""
    thresholds: tuple[str, ...] = ()
    scenes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """What ended within a stretch of the run."""

    start: float
    """Seconds since the start of the run."""
    end: float
    tally: Tally
    in_flight: int = 0
    """Calls running at its end."""
    users: float = 0.0
    """Users (closed) or arrivals a second (open) that were aimed at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A failing exchange in full; secrets are masked, bodies cut at 2,000 characters."""

    fingerprint: str
    at: float
    """Seconds since the start of the run."""
    scene: str = ""
    kind: str = "mcp"
    client: str = ""
    agent: str = ""
    operation: str = ""
    phase: str = ""
    outcome: str = ""
    status: int = 0
    code: int = 0
    session: str = ""
    took: float = 0.0
    """Seconds."""
    error: str = ""
    request: str = ""
    """Method, URL, headers and body."""
    response: str = ""
    """Status, headers and body."""
    context: tuple[str, ...] = ()
    """What else happened within two seconds: one line an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A part of the run, such as an outage: ``what`` happened to the target from ``start`` to ``end``."""

    name: str
    start: float
    """Seconds since the start of the run."""
    end: float
    what: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What a criterion must know of it; plain JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """How the generator itself fared."""

    processes: int = 1
    cpu: float = 0.0
    """Share of a core, the busiest process."""
    lag_p99: float = 0.0
    """Seconds its loop was late, 99 % of the time less."""
    lag_max: float = 0.0
    late: int = 0
    """Arrivals started over 10 ms late."""
    dropped: int = 0
    bound: bool = False
    """True where the generator was the bottleneck: its figures are not the target's."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a run ended."""

    took: float
    """Seconds."""
    complete: bool
    """False where it was cut short or a process was lost."""
    reason: str = ""
    """Why it is not complete: interrupted, aborted by a threshold, a process died."""
    generator: Generator = field(default_factory=Generator)


@dataclass(slots=True, kw_only=True)
class Run:
    """A run as its log tells it."""

    meta: Meta
    intervals: list[Interval] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    scenes: list[Scene] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    end: End | None = None

    @property
    def tally(self) -> Tally:
        """Return the sum of all intervals."""
        return merged(interval.tally for interval in self.intervals)

    @property
    def took(self) -> float:
        """Seconds of the run, as far as it is known."""
        if self.end is not None:
            return self.end.took
        return max((interval.end for interval in self.intervals), default=0.0)


Row = Meta | Interval | Sample | Scene | Judgement | End
_NAMES: dict[str, type[Any]] = {
    "meta": Meta,
    "interval": Interval,
    "sample": Sample,
    "scene": Scene,
    "judgement": Judgement,
    "end": End,
}
_KINDS = {kind: name for name, kind in _NAMES.items()}


def to_line(row: Row) -> str:
    """Return a row as one JSON line without its newline."""
    told: dict[str, Any] = {"schema": SCHEMA, "row": _KINDS[type(row)]}
    if isinstance(row, Interval):
        told |= {
            "start": row.start,
            "end": row.end,
            "in_flight": row.in_flight,
            "users": row.users,
            "tally": json.loads(row.tally.to_json()),
        }
    else:
        told |= asdict(row)
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def from_line(text: str) -> Row:
    """Read a line of ``to_line``; unknown fields of a later minor version are dropped.

    Raises ``ValueError`` where the text is no row of this schema.
    """
    row = json.loads(text)
    if not isinstance(row, dict) or row.get("schema") != SCHEMA or row.get("row") not in _NAMES:
        message = f"not a row of schema {SCHEMA}"
        raise ValueError(message)
    try:
        return _read(row)
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        message = f"not a row of schema {SCHEMA}: {error}"
        raise ValueError(message) from error


def _read(row: dict[str, Any]) -> Row:
    if row["row"] == "interval":
        return Interval(
            start=float(row["start"]),
            end=float(row["end"]),
            in_flight=int(row.get("in_flight", 0)),
            users=float(row.get("users", 0.0)),
            tally=Tally.from_row(row["tally"]),
        )
    if row["row"] == "end":
        row = {**row, "generator": _made(Generator, row.get("generator") or {})}
    found: Row = _made(_NAMES[row["row"]], row)
    return found


_T = TypeVar("_T")


def _made(kind: type[_T], row: Mapping[str, Any]) -> _T:
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{n: tuple(v) if isinstance(v, list) else v for n, v in row.items() if n in names})


def read_run(path: str | Path) -> Run:
    """Read a run log whole, without its events. A last line that was cut off is left out.

    Raises ``InputError`` where the file cannot be read or is no run log.
    """
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as lines:
            return gather(lines, str(path))
    except OSError as error:
        message = f"{path}: cannot be read: {(error.strerror or str(error)).lower()}"
        raise InputError(message, "name a run log that --out or --events wrote") from error


def gather(lines: Iterable[str], name: str) -> Run:
    """Return the run that the lines of its log tell. Raises ``InputError`` where they are no run log."""
    run: Run | None = None
    for row in _rows(lines):
        if isinstance(row, Meta):
            run = run or Run(meta=row)
            continue
        if run is None:
            break
        match row:
            case Interval():
                run.intervals.append(row)
            case Sample():
                run.samples.append(row)
            case Scene():
                run.scenes.append(row)
            case Judgement():
                run.judgements.append(row)
            case End():
                run.end = row
    if run is None:
        message = f"{name}: is no run log"
        raise InputError(message, "run logs are written by: mcpdiag load --events run.jsonl")
    return run


def _rows(lines: Iterable[str]) -> Iterator[Row]:
    for line in lines:
        # Most lines are events; they need not be parsed to be left out.
        if not line.startswith('{"schema":"' + SCHEMA) or EVENT_SCHEMA in line[:40]:
            continue
        try:
            yield from_line(line)
        except ValueError:
            continue
