"""server.event-loop-blocked: synchronous work stops everything else in the process."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.shapes import noted
from woolly_mcpdiag.diagnose.stalls import stalls

CAUSE = "server.event-loop-blocked"

_by_word = noted(
    CAUSE,
    "loop.blocked",
    ("slow-callback", "worker-timeout"),
    "{n:time|times} the event loop was blocked by one step; every session in the process stood still meanwhile.",
    unit="blocks",
    because=["The event loop, or the process manager, reports it by itself."],
)


def decide(case: Case) -> Iterator[Finding]:
    """Name it by the event loop's own word, or by who was not answered while one kind of call ran."""
    told = list(_by_word(case))
    yield from told or _by_stalls(case)


def _by_stalls(case: Case) -> Iterator[Finding]:
    seen = stalls(case)
    if seen is None:
        return
    yield finding(
        case,
        CAUSE,
        seen.count,
        f"{seen.count} times nobody was answered while `{seen.operation}` ran, for up to {seen.longest:.2f} s, though others waited; "
        f"without it a call took {seen.fastest * 1000:.0f} ms.",
        confidence="likely",
        unit="blocks",
        because=[
            f"Such silences fill {seen.share:.0%} of the time in which other calls ran beside it: a slow tool that merely waits lets others go on.",
            "Not excluded: a lock or a single worker thread that all tools share.",
        ],
        evidence=case.show_notes(seen.notes),
    )
