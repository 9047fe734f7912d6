"""The one place that keeps failing exchanges in full: the first few of each sort, with what else happened then."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from woolly_mcpdiag.core.ids import short
from woolly_mcpdiag.core.runs import Sample
from woolly_mcpdiag.load.writing import Line

SAMPLES = 3
"""Kept of each fingerprint, by each process."""
NEAR = 2.0
"""Seconds before and after a failure that belong to its context."""
_FINGERPRINTS = 200
"""Sorts of failures of which samples are kept; there are never so many unless texts differ each time."""
_LINES = 12
"""Of context on either side of a sample."""


@dataclass(slots=True)
class _Kept:
    """A sample whose two seconds after are not over yet."""

    sample: Sample
    at: float
    before: list[str]
    after: list[str] = field(default_factory=list)


class Witness:
    """Remembers what happened lately and makes samples of what failed."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._ring: deque[tuple[float, Line]] = deque(maxlen=4 * _LINES)
        self._open: list[_Kept] = []

    def saw(self, at: float, event: Line) -> None:
        """Remember an event that was written, at its instant."""
        self._ring.append((at, event))
        for kept in self._open:
            if len(kept.after) < _LINES and at - kept.at <= NEAR:
                kept.after.append(_line(event, at - kept.at))

    def wants(self, fingerprint: str) -> bool:
        """Say whether a further sample of that sort would be kept."""
        taken = self._taken.get(fingerprint, 0)
        return taken < SAMPLES and (taken > 0 or len(self._taken) < _FINGERPRINTS)

    def take(self, sample: Sample, at: float) -> None:
        """Keep a sample of a failure at an instant."""
        self._taken[sample.fingerprint] += 1
        near = [(when, event) for when, event in self._ring if abs(when - at) <= NEAR]
        self._open.append(_Kept(sample, at, [_line(event, when - at) for when, event in near[-_LINES:]]))

    def ready(self, now: float, *, end: bool = False) -> Iterator[Sample]:
        """Yield the samples whose context is complete by now."""
        waiting = []
        for kept in self._open:
            if end or now - kept.at > NEAR:
                yield replace(kept.sample, context=(*kept.before, *kept.after))
            else:
                waiting.append(kept)
        self._open = waiting


def _line(event: Line, apart: float) -> str:
    """Return an event as people read it, with the seconds since (negative: before) the failure."""
    parts = [
        f"{apart:+.3f} s",
        event.kind,
        str((event.extra or {}).get("rpc") or ""),
        event.method,
        event.url,
        str(event.status or ""),
        event.error,
        event.agent,
        f"session {short(event.session)}" if event.session else "",
        event.key and f"key {event.key}",
    ]
    return " ".join(part for part in parts if part)
