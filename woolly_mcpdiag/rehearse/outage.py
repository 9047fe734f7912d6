"""The one place that says from the events of a rehearsed outage how calls fared, and how soon all was well again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.rehearsals import OutageFacts

ENDS = frozenset({"call.done", "call.failed", "call.rejected"})
_EXAMPLES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """When the server was away. Seconds since the epoch."""

    away: float
    back: float
    deadline: float
    """Seconds that a call may take."""
    recovery_time: float
    """Seconds after the return within which a call must succeed."""
    attempt: float = 0.0
    """Seconds that one attempt may take; 0 where nobody said."""


def outage_facts(events: Iterable[Event], outage: Outage, source: str) -> OutageFacts:
    """Return how the calls of a scene fared; ``source`` is the logger that tells how calls ended."""
    kept = list(events)
    ended = sorted(
        (event for event in kept if event.logger == source and event.kind in ENDS and event.time is not None),
        key=_start,
    )
    during = [event for event in ended if _start(event) < outage.back and (event.time or 0.0) > outage.away]
    fates = [_fate(event) for event in during]
    healed = min(
        (event.time or 0.0 for event in ended if (event.time or 0.0) > outage.back and _fate(event) == "ok"),
        default=None,
    )
    after = [event for event in ended if healed is not None and _start(event) > healed]
    failed = [event for event in after if _fate(event) != "ok"]
    outside = [event for event in ended if (event.time or 0.0) <= outage.away] + after
    over = [(event.duration or 0.0) - outage.deadline for event in ended]
    return OutageFacts(
        calls=len(during),
        ok=fates.count("ok"),
        degraded=fates.count("degraded"),
        typed_errors=fates.count("typed"),
        untyped_errors=fates.count("untyped"),
        hangs=fates.count("hang"),
        deadline=outage.deadline,
        worst_over=max(0.0, max(over, default=0.0)),
        breaker_opened=any(event.kind == "breaker.changed" and _opens(event) for event in kept),
        recovery_time=outage.recovery_time,
        recovered_after=None if healed is None else healed - outage.back,
        calls_after_recovery=len(after),
        failures_after_recovery=len(failed),
        attempt=outage.attempt,
        pace=_pace([event.duration or 0.0 for event in outside if _fate(event) == "ok"]),
        examples=_examples([event for event in during if _fate(event) in {"hang", "untyped"}] + failed),
    )


def _pace(took: Sequence[float]) -> float:
    return sorted(took)[-1 - len(took) // 10] if took else 0.0


def _start(event: Event) -> float:
    return (event.time or 0.0) - (event.duration or 0.0)


def _fate(event: Event) -> str:
    """Return ok, degraded, typed, untyped or hang: what a caller can do with the answer."""
    if event.extra.get("degraded"):
        return "degraded"
    if event.kind == "call.done":
        return "ok"
    if event.extra.get("cause") or event.extra.get("outcome") == "refused-locally":
        return "typed"
    return "hang" if event.extra.get("outcome") == "timeout" else "untyped"


def _opens(event: Event) -> bool:
    return event.extra.get("to") == "open"


def _examples(events: Sequence[Event]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(event.message for event in events))[:_EXAMPLES]
