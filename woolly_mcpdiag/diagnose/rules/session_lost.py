"""session.server-restarted, session.idle-expired and session.lost: sessions that worked and then are unknown for good.

Restart and idle expiry look the same where all sessions were idle before; then the name is session.lost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from woolly_mcpdiag.core.causes import Confidence
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.anonymous import stateless
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.count import Count
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
    turns: int = 0
    """Changes between success and failure, where requests name no session."""
    urls: frozenset[int]
    """Addresses at which sessions were lost."""


def decide(case: Case) -> Iterator[Finding]:
    """Tell restart from idle expiry by the server's own word, by breaks at the same moment, or by equal gaps."""
    loss = _loss(case)
    if loss is None or stateless(case):
        return
    cells = [cell for cell in case.select(status=UNKNOWN_SESSION) if case.left(cell) and cell.key.url in loss.urls]
    if not cells:
        return
    cause, confidence, because = _name(case, loss)
    count = case.claim(cause, cells)
    who = f"{Count(loss.sessions):session|sessions}" if loss.sessions else "sessions"
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
        f"{Count(count):request|requests} of {who} that had worked found {Count(count):~its|their} session unknown{when}{silence}.",
        confidence=confidence,
        of=case.requests,
        unit="requests",
        because=because,
        evidence=(*case.show(cells), *case.show_notes(case.notes("session.expired") or case.restarts(), 1)),
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
        return Loss(
            sessions=int(np.count_nonzero(lost)),
            idle=idle,
            spread=spread,
            timed=timed,
            urls=case.named or frozenset(case.mcp),
        )
    # A session that is lost fails at its POSTs; where only GETs are refused, none is.
    found = [s for s in stretches(case) if s.worked >= WORKED and s.alive > 0 and s.methods != {"GET"}]
    if not found:
        return None
    return Loss(
        sessions=0,
        idle=tuple(stretch.quiet for stretch in found) if case.timed else (),
        spread=max(stretch.spread for stretch in found),
        timed=case.timed,
        turns=max(stretch.interleaved for stretch in found),
        urls=frozenset(stretch.url for stretch in found),
    )


def _name(case: Case, loss: Loss) -> tuple[str, Confidence, list[str]]:
    expired, restarted = case.notes("session.expired"), case.restarts()
    if expired and not restarted:
        return (
            "session.idle-expired",
            "certain",
            [f"The server logs the expiry itself ({Count(len(expired)):line|lines})."],
        )
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
        sure: Confidence = "likely" if loss.sessions or loss.turns <= 1 else "possible"
        return "session.lost", sure, ["Without times a restart and an idle limit look the same."]
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


def _broken(case: Case) -> bool:
    bad = case.rows("failures")
    lost = bad["line"][np.isin(bad["status"], UNKNOWN_SESSION)]
    last = int(lost.max(initial=0))
    away = bad["line"][np.isin(bad["status"], (502, 503))]
    broken = case.notes("call.failed", "ConnectError", "RemoteProtocolError", "ReadError")
    return any(note.line < last for note in broken) or bool((away < last).any())


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.1f}", f"{max(values):.1f}"
    return low if low == high else f"{low} to {high}"
