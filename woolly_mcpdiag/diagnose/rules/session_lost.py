"""session.server-restarted, session.idle-expired and session.lost: sessions that worked and then are unknown for good.

Restart and idle expiry look the same where all sessions were idle before; then the name is session.lost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from woolly_mcpdiag.core.causes import Confidence
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.diagnose.fates import UNKNOWN_SESSION, WORKED, classify, stretches
from woolly_mcpdiag.logs.batch import NO_TIME, Kind

_IDLE = 1.0
"""Seconds of silence from which an idle limit is thinkable."""
_MOMENT = 2.0
"""Seconds within which failures are one moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Sessions that worked and were then unknown."""

    sessions: int
    """0 where the log names none."""
    idle: tuple[float, ...]
    """Seconds of silence before each loss, as far as known."""
    spread: float
    """Seconds from the first to the last loss."""
    timed: bool


def decide(case: Case) -> Iterator[Finding]:
    """Tell restart from idle expiry by the server's own word, by breaks at the same moment, or by equal gaps."""
    cells = [cell for cell in case.select(status=UNKNOWN_SESSION) if case.left(cell)]
    loss = _loss(case)
    if not cells or loss is None:
        return
    cause, confidence, because = _name(case, loss)
    count = case.claim(cause, cells)
    who = f"{loss.sessions} sessions" if loss.sessions else "sessions"
    when = ""
    if loss.timed and loss.spread <= _MOMENT and count > 1:
        when = " at the same moment"
    silence = (
        f", after {min(loss.idle):.1f} to {max(loss.idle):.1f} s of silence"
        if loss.idle and min(loss.idle) >= _IDLE
        else ""
    )
    yield finding(
        case,
        cause,
        count,
        f"{count} requests of {who} that had worked found their session unknown{when}{silence}.",
        confidence=confidence,
        of=case.requests,
        unit="requests",
        because=because,
        evidence=(*case.show(cells), *case.show_notes(case.notes("session.expired") or _restarts(case), 1)),
        cells=cells,
    )


def _loss(case: Case) -> Loss | None:
    lost = classify(case)["lost"]
    if np.count_nonzero(lost):
        table = case.sessions
        failed, worked = table["first_fail_time"][lost], table["last_ok_time"][lost]
        timed = case.timed and bool((worked != NO_TIME).all())
        idle = tuple(((failed - worked) / 1e6).tolist()) if timed else ()
        spread = float(failed.max() - failed.min()) / 1e6 if timed else 0.0
        return Loss(sessions=int(np.count_nonzero(lost)), idle=idle, spread=spread, timed=timed)
    for stretch in stretches(case):
        if stretch.worked >= WORKED and stretch.alive > 0:
            return Loss(
                sessions=0, idle=(stretch.quiet,) if case.timed else (), spread=stretch.spread, timed=case.timed
            )
    return None


def _name(case: Case, loss: Loss) -> tuple[str, Confidence, list[str]]:
    expired, restarted = case.notes("session.expired"), _restarts(case)
    if expired and not restarted:
        return "session.idle-expired", "certain", [f"The server logs the expiry itself ({len(expired)} lines)."]
    if restarted:
        return (
            "session.server-restarted",
            "certain",
            ["The server's log shows a new process starting after sessions were open."],
        )
    if _broken(case):
        return (
            "session.server-restarted",
            "likely",
            ["Connections broke or were refused before the sessions were unknown: the server went away and came back."],
        )
    if case.view != Kind.CALL and not loss.sessions and not case.count("GET", UNKNOWN_SESSION):
        return (
            "session.lost",
            "possible",
            [
                "Seen from the server, the era probe of a 2.x client (benign) looks the same; the client's log tells them apart."
            ],
        )
    if not loss.timed:
        return "session.lost", "likely", ["Without times a restart and an idle limit look the same."]
    idle = [gap for gap in loss.idle if gap >= _IDLE]
    if len(idle) == len(loss.idle) and len(idle) > 1 and loss.spread > _MOMENT and max(idle) <= 1.5 * min(idle):
        return (
            "session.idle-expired",
            "likely",
            [f"At different moments, but always after {_range(idle)} s of silence."],
        )
    if loss.spread <= _MOMENT and not idle and loss.sessions > 1:
        return (
            "session.server-restarted",
            "likely",
            ["Busy sessions were lost together, without a pause before: no idle limit does that."],
        )
    return (
        "session.lost",
        "likely",
        [
            "All were lost at one moment and all were idle before it: a restart and an idle limit look the same here.",
            "The server's log decides: `Started server process` or `idle timeout`.",
        ],
    )


def _restarts(case: Case) -> list[Note]:
    """Return the server starts that come after exchanges which the same source logs."""
    first: dict[int, int] = {}
    for key, cell in case.file.cells.items():
        first[key.source] = min(first.get(key.source, cell.first_line), cell.first_line)
    return [note for note in case.notes("server.started") if first.get(note.source, note.line) < note.line]


def _broken(case: Case) -> bool:
    if case.notes("call.failed", "ConnectError", "RemoteProtocolError", "ReadError"):
        return True
    return case.count(status=(502, 503)) > 0


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.1f}", f"{max(values):.1f}"
    return low if low == high else f"{low} to {high}"
