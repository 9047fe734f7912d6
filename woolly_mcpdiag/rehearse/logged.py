"""The one place that compares the failures that callers saw with those that the client's own log tells of."""

from collections.abc import Sequence
from dataclasses import dataclass

from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.rehearsals import LoggingFacts

SLACK = 1.0
"""Seconds by which a log line may lie outside the call it tells of: two clocks, of which one may be set meanwhile."""
_EXAMPLES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A failure as a caller saw it. Times are seconds since the epoch."""

    key: str
    start: float
    end: float
    what: str
    """One line about it."""


def seen_of(events: Sequence[Event], source: str) -> list[Seen]:
    """Return the failures among the ends of calls that ``source`` tells of."""
    return [
        Seen(key=event.key, start=event.time - (event.duration or 0.0), end=event.time, what=event.message)
        for event in events
        if event.logger == source and event.time is not None and _bad(event)
    ]


def _bad(event: Event) -> bool:
    return event.kind in {"call.failed", "call.rejected"} or (
        event.kind == "call.done" and bool(event.extra.get("degraded"))
    )


def final(event: Event) -> bool:
    """Return whether a line of the client's log tells that a call was given up, not that it is tried again."""
    if event.kind == "call.failed":
        return not str(event.extra.get("then", "")).startswith("again")
    return event.kind == "call.rejected"


def reconciled(seen: Sequence[Seen], log: Sequence[Event], *, injected: int | None = None) -> LoggingFacts:
    """Match failures one to one by key and time, and count what the matching lines tell."""
    lines = sorted((event for event in log if final(event)), key=lambda event: event.time or 0.0)
    free = list(lines)
    missing: list[Seen] = []
    for failure in sorted(seen, key=lambda one: one.end):
        fitting = [event for event in free if _fits(failure, event)]
        # A line without a key may be somebody else's only one.
        found = next((event for event in fitting if event.key), next(iter(fitting), None))
        if found is None:
            missing.append(failure)
        else:
            free.remove(found)
    told = [f"not in the log: {one.what}" for one in missing] + [f"only in the log: {one.message}" for one in free]
    return LoggingFacts(
        seen=len(seen),
        logged=len(lines),
        with_key=sum(bool(event.key) for event in lines),
        with_agent=sum(bool(event.agent) for event in lines),
        with_phase=sum(bool(event.extra.get("phase")) for event in lines),
        with_cause=sum(bool(event.extra.get("cause")) for event in lines),
        missing=len(missing),
        extra=len(free),
        injected=injected,
        examples=tuple(dict.fromkeys(told))[:_EXAMPLES],
    )


def _fits(failure: Seen, event: Event) -> bool:
    if event.time is None or (event.key and event.key != failure.key):
        return False
    return failure.start - SLACK <= event.time <= failure.end + SLACK
