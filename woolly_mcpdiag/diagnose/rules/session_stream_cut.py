"""session.stream-cut and proxy.idle-cut: an open SSE stream was cut, and the calls that waited on it are lost."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from woolly_mcpdiag.core.causes import Confidence
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.core.ids import normalise, pack
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import CellKey, Note
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.fates import UNKNOWN_SESSION
from woolly_mcpdiag.logs.batch import NO_TIME

_IDLE = 1.0
_AWAY = 2_000_000
"""µs between a cut and a refused connect that are one event."""
LOAD = "mcpdiag.load"
_LOSSES = ("session.server-restarted", "session.lost", "session.idle-expired")
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
    cut = Cut(notes=_cuts(case), quiet=())
    lost = case.noted("call.failed", *_LOST)
    if not cut.notes and not told:
        return
    if not told and (_with_the_server(case, cut.notes) or any(case.found(cause) for cause in _LOSSES)):
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


def decide_by_session(case: Case) -> Iterator[Finding]:
    """Explain, without a finding yet, refusals of HTTP+SSE sessions whose stream was lost: they ended with it."""
    cut = [note for note in case.notes("stream.lost") if note.event.session and note.event.error]
    lost = {} if _with_the_server(case, cut) else {pack(normalise(note.event.session)): note for note in cut}
    bad = case.rows("failures") if lost else {"line": ()}
    for row in range(len(bad["line"])):
        note = lost.get((int(bad["high"][row]), int(bad["low"][row])))
        # Of Streamable HTTP, where the stream has the address of the calls, the session goes on without it.
        if note is None or bad["line"][row] < note.line or int(bad["url"][row]) == note.url:
            continue
        if bad["status"][row] in UNKNOWN_SESSION:
            key = tuple(int(bad[name][row]) for name in CellKey._fields)
            case.claim("session.stream-cut", [case.file.cells[CellKey(*key)]], 1)
    return
    yield


def _cuts(case: Case) -> list[Note]:
    """Return the cut streams: as their own client tells, each once, else as the calls that waited on them do."""
    streams = [note for note in case.notes("stream.lost") if note.event.session and note.event.error]
    return streams or [note for note in case.notes("call.failed") if _is_cut(note)]


def _with_the_server(case: Case, notes: list[Note]) -> bool:
    """Say whether a load saw its streams end just as the server itself went away, which has a name of its own."""
    refused = [
        note.time - int((note.event.duration or 0.0) * 1e6)
        for note in case.notes("call.failed", "ConnectError", "ConnectTimeout")
        if note.time != NO_TIME
    ]
    first = min(refused, default=NO_TIME)
    ours = all(note.event.logger == LOAD for note in notes)
    return ours and first != NO_TIME and all(first - _AWAY <= note.time <= first + _AWAY for note in notes)


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
