"""session.stream-cut and proxy.idle-cut: an open SSE stream was cut, and the calls that waited on it are lost."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.core.causes import Confidence, catalogue
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.core.ids import normalise, pack
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import CellKey, Note
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.fates import UNKNOWN_SESSION
from woolly_mcpdiag.diagnose.sessions import hashed
from woolly_mcpdiag.logs.batch import METHOD_CODE, NO_TIME

_IDLE = 1.0
_APART = 300_000
"""µs between cuts that are not one event."""
_ALIKE = 0.02
"""Share by which silences before a cut by the same limit differ."""
_TOGETHER = 500_000
"""µs within which streams end that end together."""
_STEP, _NEAR = 5, 0.2
"""Seconds: limits are multiples of the one, and met to within the other."""
_MANY = 50
"""Sessions and moments up to which a common silence is no chance."""
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
        yield from _ended_together(case)
        return
    if not told and (_with_the_server(case, cut.notes) or any(case.found(cause) for cause in _LOSSES)):
        return
    cut = Cut(notes=cut.notes, quiet=_quiet(case, cut.notes))
    cause, confidence, because = _name(case, cut, told)
    count = len(cut.notes) or len(told)
    found = finding(
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
    gone = cause == "session.stream-cut" and case.noted("call.failed", "ConnectError") > 0
    yield _of_a_server_gone(found) if gone else found


def _ended_together(case: Case) -> Iterator[Finding]:
    """Name the cut where several GET streams end at one moment, none closed by its client, and nothing works after."""
    rows = case.rows("ordinary")
    deleted = rows["time"][rows["method"] == METHOD_CODE["DELETE"]]
    notes = [note for note in case.notes("stream.lost") if note.time != NO_TIME and not note.event.error]
    last = int(rows["time"].max(initial=NO_TIME))
    notes = [note for note in notes if note.time >= last - _TOGETHER]
    span = max((note.time for note in notes), default=0) - min((note.time for note in notes), default=0)
    if len(notes) < 2 or span > _TOGETHER or (deleted >= notes[0].time - _AWAY).any():
        return
    # Beside any other trouble, streams end because their clients give up.
    if any(not found.benign for found in case.findings) or case.noted("call.failed"):
        return
    found = finding(
        case,
        "session.stream-cut",
        len(notes),
        f"{Count(len(notes)):open GET stream|open GET streams} ended at the same moment, none closed by its client, and no request succeeded after that.",
        confidence="likely",
        unit="streams",
        because=[
            "A client that closes a session sends DELETE first; a server that goes away ends all streams at once."
        ],
        evidence=case.show_notes(notes),
    )
    yield _of_a_server_gone(found)


def _of_a_server_gone(found: Finding) -> Finding:
    """Give the advice for a process that ended, not for an idle limit."""
    entry = catalogue()["net.connection-cut"]
    return replace(found, server=entry.server, deployment=entry.deployment)


def decide_by_session(case: Case) -> Iterator[Finding]:
    """Explain, without a finding yet, refusals of HTTP+SSE sessions whose stream was lost: they ended with it."""
    cut = _told(case)
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
    return _told(case) or [note for note in case.notes("call.failed") if _is_cut(note)]


def _told(case: Case) -> list[Note]:
    return [note for note in case.notes("stream.lost") if note.event.session and note.event.error]


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
    moments = _moments(cut.notes)
    if len(moments) > 1 and _went_on(case, moments):
        limit = _limit(case, moments)
        if limit:
            return (
                "proxy.idle-cut",
                "likely",
                [
                    f"Each was cut {limit:.1f} s after the last message of a session, at different moments, while others went on: an idle limit on the way."
                ],
            )
        if min(cut.quiet, default=0.0) < _IDLE:
            return (
                "session.stream-cut",
                "likely",
                [
                    f"They were cut at {len(moments)} different moments while others went on: a restart ends all at once, a limit of a proxy or balancer ends each on its own."
                ],
            )
    if cut.quiet and min(cut.quiet) >= _IDLE and (len(moments) > 1 or _is_round(cut.quiet[0])):
        return (
            "proxy.idle-cut",
            "likely",
            [
                f"Before the cut nothing was sent for {cut.quiet[0]:.1f} s: a proxy's idle time-out. Its error log makes this certain.",
            ],
        )
    if cut.quiet and min(cut.quiet) >= _IDLE:
        return (
            "session.stream-cut",
            "likely",
            [
                f"The cut came at one moment, after {cut.quiet[0]:.1f} s in which nothing was sent: the server went away, or an idle limit on the way is as short.",
                "The logs of server and proxy at that second decide.",
            ],
        )
    return (
        "session.stream-cut",
        "likely",
        [
            "The streams were cut in the middle of traffic: a restart or crash of the server rather than an idle time-out."
        ],
    )


def _moments(notes: list[Note]) -> NDArray[np.int64]:
    """Return when streams were cut, µs; cuts that lie close together are one moment."""
    at = np.sort(np.array([note.time for note in notes if note.time != NO_TIME], np.int64))
    return at[np.concatenate(([True], np.diff(at) > _APART))] if len(at) else at


def _went_on(case: Case, moments: NDArray[np.int64]) -> bool:
    """Say whether requests succeeded between the first cut and the last."""
    time = case.rows("ordinary")["time"]
    return bool(((time > moments[0]) & (time < moments[-1])).any())


def _limit(case: Case, moments: NDArray[np.int64]) -> float:
    """Return the silence, in seconds, that some session kept before each cut; 0 where there is no common one."""
    rows = case.rows("ordinary")
    named = (rows["time"] != NO_TIME) & ((rows["high"] != 0) | (rows["low"] != 0))
    keys, time = hashed(rows["high"], rows["low"])[named], rows["time"][named]
    sessions = np.unique(keys)
    if not 0 < len(sessions) <= _MANY or len(moments) > _MANY:
        return 0.0
    quiet = []
    for moment in moments.tolist():
        before = [time[(keys == key) & (time < moment)] for key in sessions]
        quiet.append(np.array([moment - int(at.max()) for at in before if len(at)]) / 1e6)
    common = [
        silence
        for silence in quiet[0].tolist()
        if silence >= _IDLE and all((np.abs(each - silence) <= _ALIKE * silence).any() for each in quiet)
    ]
    return min(common, default=0.0)


def _is_round(seconds: float) -> bool:
    """Say whether a silence is one that limits are set to: whole steps of five seconds."""
    step = _STEP * round(seconds / _STEP)
    return bool(step) and abs(seconds - step) <= max(_NEAR, _ALIKE * step)
