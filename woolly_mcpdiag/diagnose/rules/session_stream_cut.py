"""session.stream-cut and proxy.idle-cut: an open SSE stream was cut, and the calls that waited on it are lost."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from woolly_mcpdiag.core.causes import Confidence
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.logs.batch import NO_TIME

_IDLE = 1.0
_LOST = ("ClosedResourceError", "BrokenResourceError", "EndOfStream")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Streams that were cut."""

    notes: list[Note]
    quiet: tuple[float, ...]
    """Seconds since the last exchange before each moment of cutting; empty without times."""


def decide(case: Case) -> Iterator[Finding]:
    """Name the proxy where its log or a constant silence before the cut shows it, else the cut alone."""
    told = [
        n for n in case.notes("proxy.error", "upstream-timeout") if n.event.extra.get("phase") == "reading upstream"
    ]
    cut = Cut(notes=[n for n in case.notes("call.failed") if _is_cut(n)], quiet=())
    lost = case.noted("call.failed", *_LOST)
    if not cut.notes and not told:
        return
    cut = Cut(notes=cut.notes, quiet=_quiet(case, cut.notes))
    cause, confidence, because = _name(case, cut, told)
    count = len(cut.notes) or len(told)
    yield finding(
        case,
        cause,
        count,
        f"{Count(count):open stream was|open streams were} cut"
        + (f", and {Count(lost):later call|later calls} failed without any request being sent." if lost else "."),
        confidence=confidence,
        unit="streams",
        because=because,
        evidence=(
            *case.show_notes(cut.notes, 2),
            *case.show_notes(told, 1),
            *case.show_notes(case.notes("call.failed", *_LOST), 1),
        ),
    )


def _is_cut(note: Note) -> bool:
    text = note.event.message
    if note.event.error == "RemoteProtocolError":
        return (
            "chunked read" in text or "without sending complete" in text or "sse_reader" in text or "SSE stream" in text
        )
    return note.event.error == "ReadError" and ("sse_reader" in text or "SSE stream" in text)


def _quiet(case: Case, notes: list[Note]) -> tuple[float, ...]:
    at = np.sort(np.array([note.time for note in notes if note.time != NO_TIME], np.int64))
    if not len(at):
        return ()
    moments = at[np.concatenate(([True], np.diff(at) > 1_000_000))]
    good = case.rows("ordinary")["time"]
    good = np.sort(good[good != NO_TIME])
    index = np.searchsorted(good, moments) - 1
    return tuple(
        float(moment - good[i]) / 1e6 for moment, i in zip(moments.tolist(), index.tolist(), strict=True) if i >= 0
    )


def _name(case: Case, cut: Cut, told: list[Note]) -> tuple[str, Confidence, list[str]]:
    if told:
        return (
            "proxy.idle-cut",
            "certain",
            [f"The proxy logs `upstream timed out … while reading upstream` ({Count(len(told)):line|lines})."],
        )
    refused = case.noted("call.failed", "ConnectError")
    if refused:
        return (
            "session.stream-cut",
            "likely",
            [f"{Count(refused):connect was|connects were} refused as well: the server itself went away."],
        )
    if cut.quiet and min(cut.quiet) >= _IDLE:
        return (
            "proxy.idle-cut",
            "likely",
            [
                f"Before the cut nothing was sent for {cut.quiet[0]:.1f} s: a proxy's idle time-out. Its error log makes this certain.",
            ],
        )
    return (
        "session.stream-cut",
        "likely",
        [
            "The streams were cut in the middle of traffic: a restart or crash of the server rather than an idle time-out."
        ],
    )
