"""The one list of metrics that a threshold can name: where each is read, its unit, its tags and its aggregates."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from woolly_mcpdiag.core import outcomes

MetricKind = Literal["count", "rate", "duration"]
Source = Literal["answers", "calls", "outcomes", "counter", "latency", "service", "first", "phase"]

OUTCOMES = tuple(name for name in outcomes.OUTCOMES if name != "ok")
"""Values of ``errors{kind:…}``: how a call can fail."""
PHASES = (
    "pool",
    "dns",
    "connect",
    "tls",
    "stream",
    "endpoint",
    "initialize",
    "initialized",
    "session",
    "discover",
    "first-call",
    "close",
)
"""Steps that are timed; ``session`` is the whole birth of a session."""
PEERS = ("agent", "mcp")

_CALL_TAGS = ("agent", "client", "operation", "peer", "scene", "tool")
_AGGREGATES: Mapping[MetricKind, tuple[str, ...]] = {
    "count": ("count", "rate"),
    "rate": ("rate",),
    "duration": ("p50 … p99.9", "avg", "med", "min", "max"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What a threshold can be about."""

    name: str
    kind: MetricKind
    source: Source
    about: str
    unit: str = "calls"
    """What is tried; ``""`` where nothing is: the count itself is the evidence."""
    verb: str = ""
    """What befell those that are counted: ``3 of 20 requests`` *were answered 400*."""
    key: str = ""
    """Name of the counter, or of the phase; the statuses of answers, as a pattern."""
    base: tuple[str, ...] = ()
    """Counters that add up to the tries of a counter; none means calls."""
    bad: bool = False
    """True where each one counted is a failure: ``== 0`` is then a zero gate, with a bound."""
    inverted: bool = False
    """True for ``success``: the failures are what is counted."""
    tags: tuple[str, ...] = _CALL_TAGS

    @property
    def aggregates(self) -> tuple[str, ...]:
        """Names a threshold may use; any ``pN`` for durations."""
        return _AGGREGATES[self.kind]


def _answers(name: str, key: str, verb: str) -> Metric:
    return Metric(
        name=name,
        kind="count",
        source="answers",
        about=f"requests on the wire that {verb}; retries included, refused probes of the era left out",
        unit="requests",
        verb=verb,
        key=key,
        bad=True,
        tags=("peer", "scene"),
    )


def _counter(name: str, about: str, unit: str, verb: str, base: tuple[str, ...] = (), *, bad: bool = True) -> Metric:
    return Metric(
        name=name,
        kind="count",
        source="counter",
        about=about,
        unit=unit,
        verb=verb,
        key=name,
        base=base,
        bad=bad,
        tags=("scene",),
    )


def _duration(name: str, source: Source, about: str, *, key: str = "", unit: str = "calls") -> Metric:
    tags = ("client", "scene") if source == "phase" else _CALL_TAGS
    return Metric(name=name, kind="duration", source=source, about=about, unit=unit, key=key, tags=tags)


def _listed() -> tuple[Metric, ...]:
    births = ("sessions_opened", "sessions_failed")
    arrivals = ("started", "dropped")
    return (
        _answers("http_400", "400", "were answered 400"),
        _answers("http_4xx", "4xx", "were answered 4xx"),
        _answers("http_5xx", "5xx", "were answered 5xx"),
        Metric(
            name="http_reqs",
            kind="count",
            source="answers",
            about="requests on the wire that were answered; status:400 or status:4xx picks",
            unit="requests",
            verb="were answered so",
            tags=("peer", "scene", "status"),
        ),
        Metric(name="requests", kind="count", source="calls", about="calls that have ended", unit=""),
        Metric(name="agent_runs", kind="count", source="calls", about="runs of agents that have ended", unit=""),
        Metric(
            name="errors",
            kind="count",
            source="outcomes",
            about="calls that failed; kind:timeout and the like picks",
            verb="failed",
            bad=True,
            tags=tuple(sorted((*_CALL_TAGS, "code", "kind", "status"))),
        ),
        Metric(
            name="success",
            kind="rate",
            source="calls",
            about="share of calls that succeeded",
            verb="failed",
            bad=True,
            inverted=True,
        ),
        Metric(
            name="error_rate", kind="rate", source="calls", about="share of calls that failed", verb="failed", bad=True
        ),
        Metric(
            name="retried",
            kind="count",
            source="calls",
            about="calls with more than one attempt",
            verb="needed a retry",
            key="retried",
            bad=True,
        ),
        Metric(
            name="degraded",
            kind="count",
            source="calls",
            about="calls answered by a fallback",
            verb="were answered by a fallback",
            key="degraded",
            bad=True,
        ),
        _counter("hangs", "calls still running after their deadline", "calls", "ran past their deadline", ("started",)),
        _counter("unfinished", "calls cut off by the end of the run", "calls", "were cut off", ("started",)),
        _counter("dropped", "arrivals not started: too many in flight", "arrivals", "were dropped", arrivals),
        _counter("late", "arrivals started over 10 ms late", "arrivals", "started late", arrivals),
        _counter("sessions_failed", "sessions that did not become ready", "session births", "failed", births),
        _counter("streams_cut", "event streams that ended too early", "sessions", "lost a stream", births[:1]),
        _counter("waves_failed", "waves in which a call failed", "waves", "had a failed call", ("waves",)),
        _counter("waves_400", "waves in which an answer was 400", "waves", "had a 400", ("waves",)),
        _counter("waves", "waves of simultaneous session births", "", "", bad=False),
        _counter("sessions_opened", "sessions that became ready", "", "", bad=False),
        _counter("sessions_closed", "sessions that were closed by us", "", "", bad=False),
        _duration("duration", "latency", "seconds of a call, from its scheduled instant where arrivals are scheduled"),
        _duration("service", "service", "seconds of a call, from the instant it was really sent"),
        _duration("first_event", "first", "seconds to the first byte or event of the answer"),
        _duration("session_create", "phase", "seconds to a ready session", key="session", unit="session births"),
        *(_duration(f"phase.{name}", "phase", f"the step {name}", key=name, unit="steps") for name in PHASES),
    )


ALIASES = {
    "http_req_duration": "duration",
    "iteration_duration": "duration",
    "latency": "duration",
    "http_req_waiting": "first_event",
    "ttfb": "first_event",
    "http_req_connecting": "phase.connect",
    "http_req_tls_handshaking": "phase.tls",
    "http_req_blocked": "phase.pool",
    "http_req_failed": "error_rate",
    "checks": "success",
    "iterations": "requests",
    "calls": "requests",
    "dropped_iterations": "dropped",
}
"""Names that other load testers use."""
TAG_ALIASES = {"agent_type": "agent", "type": "agent", "method": "operation", "name": "tool"}
KIND_ALIASES = {"unclassified": "client"}


@cache
def metrics() -> Mapping[str, Metric]:
    """Return every metric by name."""
    return {metric.name: metric for metric in _listed()}
