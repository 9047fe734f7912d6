"""Pictures as data: session timelines, activity over time, latency histograms. Times are seconds (UTC epoch)."""

from dataclasses import dataclass
from typing import Literal

Mark = Literal["opened", "ready", "ok", "fail", "error", "closed", "stream"]


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
