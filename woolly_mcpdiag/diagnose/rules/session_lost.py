"""session.server-restarted, session.idle-expired and session.lost: sessions that worked and then are unknown for good.

Restart and idle expiry look the same where all sessions were idle before; then the name is session.lost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.core.bodies import BODIES, by_size
from woolly_mcpdiag.core.causes import Confidence
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.anonymous import stateless
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Cell
from woolly_mcpdiag.diagnose.columns import among
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.fates import UNKNOWN_SESSION, WORKED, classify, stretches
from woolly_mcpdiag.diagnose.sessions import hashed
from woolly_mcpdiag.diagnose.silences import LULL, MEANWHILE, MOMENT, came_back, silences
from woolly_mcpdiag.logs.batch import NO_TIME, Kind

_OPENED = 1.5
"""Successful POSTs a session (initialize, initialized) that show a session was open."""
_MANY = 4
"""Sessions that were lost after their longest silence, from which it is no accident."""
_ALL = 0.95
"""Share of a session's longest silence that the one before its loss must have; the times of both are measured."""
_PAUSE = 0.05
_LONGER = 1.5
"""Times as long as any survived is a silence that tells of an idle limit, below the pauses that ``LULL`` asks for."""
_ALIKE = 1.5
"""Ratio of silences up to which one limit explains them."""


def _says_unknown(status: int, size: int) -> bool:
    """Say whether every body of that status and size says that the session is unknown."""
    bodies = by_size(status, size)
    return bool(bodies) and all(body.causes[0] == "session.lost" for body in bodies)


_SIZES = {
    status: frozenset(size for body in BODIES for size in body.sizes if _says_unknown(status, size))
    for status in UNKNOWN_SESSION
}
"""Status → bytes of the bodies that say so and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Sessions that worked and were then unknown."""

    sessions: int
    """0 where the log names none."""
    idle: tuple[float, ...]
    """Seconds of silence before each loss, as far as known."""
    survived: float
    """The longest silence after which a session still worked, in seconds."""
    spread: float
    """Seconds from the first to the last loss."""
    timed: bool
    at_once: bool = True
    """There is a moment before which all of them worked and after which none did."""
    paused: bool = False
    """Each session was lost after the longest silence of its own, and none survived one like it."""
    turns: int = 0
    """Changes between success and failure, where requests name no session."""
    urls: frozenset[int]
    """Addresses at which sessions were lost."""


def decide(case: Case) -> Iterator[Finding]:
    """Tell restart from idle expiry by the server's own word, by breaks at the same moment, or by equal gaps.

    What is left then is named by the size of the answers, which says that the session is unknown, not why.
    """
    yield from _by_order(case)
    yield from _by_body(case, case.select(status=UNKNOWN_SESSION))


def decide_by_body(case: Case) -> Iterator[Finding]:
    """Name it at addresses where nothing ever succeeds, as in the end of a longer log, by the size of the answers."""
    for url in sorted(case.mcp - case.named):
        if not case.count(status=range(200, 400), url=url):
            yield from _by_body(case, case.select(status=UNKNOWN_SESSION, url=url))


def _by_body(case: Case, cells: list[Cell]) -> Iterator[Finding]:
    sized = [cell for cell in cells if case.left(cell) and any(size in cell.sizes for size in _SIZES[cell.key.status])]
    count = sum(case.claim_sized("session.lost", [cell], _SIZES[cell.key.status]) for cell in sized)
    if not count:
        return
    seen = sorted({size for cell in sized for size in cell.sizes if size in _SIZES[cell.key.status]})
    yield finding(
        case,
        "session.lost",
        count,
        f"{Count(count):request|requests} named a session that the server does not know.",
        confidence="likely",
        of=case.requests,
        unit="requests",
        because=[
            f"The body has the size of an answer to an unknown session ({', '.join(map(str, seen))} bytes).",
            "Whether it is gone or lives in another worker, the order of the answers does not tell.",
        ],
        cells=sized,
    )


def _by_order(case: Case) -> Iterator[Finding]:
    loss = _loss(case)
    if loss is None or stateless(case):
        return
    cells = [cell for cell in case.select(status=UNKNOWN_SESSION) if case.left(cell) and cell.key.url in loss.urls]
    if not cells:
        return
    cause, confidence, because = _name(case, loss)
    count = case.claim(cause, cells)
    who = f"{Count(loss.sessions):session|sessions}" if loss.sessions else "sessions"
    span = (max(cell.last_time for cell in cells) - min(cell.first_time for cell in cells)) / 1e6
    when = " at the same moment" if loss.timed and span <= MOMENT and count > 1 else ""
    silence = f", after {_range(loss.idle)} s of silence" if loss.idle and min(loss.idle) >= LULL else ""
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
    fates = classify(case)
    lost, fine = fates["lost"], fates["fine"]
    if np.count_nonzero(lost):
        table = case.sessions
        failed, worked = table["first_fail_time"][lost], table["last_ok_time"][lost]
        timed = case.timed and bool((worked != NO_TIME).all())
        idle = tuple(((failed - worked) / 1e6).tolist()) if timed else ()
        spread = float(failed.max() - failed.min()) / 1e6 if timed else 0.0
        return Loss(
            sessions=int(np.count_nonzero(lost)),
            idle=idle,
            survived=float(table["idle"][fine].max(initial=0)) / 1e6 if timed else 0.0,
            spread=spread,
            timed=timed,
            at_once=not timed or int(worked.max()) <= int(failed.min()) + MEANWHILE,
            paused=timed and _paused(case, lost, idle),
            urls=case.named or frozenset(case.mcp),
        )
    # A session that is lost fails at its POSTs; where only GETs are refused, none is.
    # Where the server's own log shows the restart, sessions that were just being opened need not have worked.
    least = _OPENED if case.restarts() else WORKED
    found = [s for s in stretches(case) if s.worked >= least and s.alive > 0 and s.methods != {"GET"}]
    found = [s for s in found if not came_back(case, s)]
    if not found:
        return None
    pauses = [silences(case, stretch) for stretch in found]
    return Loss(
        sessions=0,
        idle=tuple(pause for found in pauses for pause in found.before),
        survived=max(found.survived for found in pauses),
        spread=max(found.spread for found in pauses),
        timed=case.timed,
        turns=max(stretch.interleaved for stretch in found),
        urls=frozenset(stretch.url for stretch in found),
    )


def _paused(case: Case, lost: NDArray[np.bool_], idle: Sequence[float]) -> bool:
    table, bad = case.sessions, case.rows("failures")
    known = ~np.isnan(bad["duration"])
    took = dict(zip(bad["line"][known].tolist(), bad["duration"][known].tolist(), strict=True))
    # What a refusal took is no silence: a server that restarts keeps its clients waiting.
    waited = np.array([took.get(line, np.inf) for line in table["first_fail"][lost].tolist()])
    before = np.array(idle)
    if len(idle) < _MANY or (before < _ALL * table["idle"][lost] / 1e6).any() or (waited > before / 2).any():
        return False
    survived = max(float(table["idle"][~lost].max(initial=0)) / 1e6, _survived(case, lost))
    return min(idle) >= max(_PAUSE, _LONGER * survived)


def _survived(case: Case, lost: NDArray[np.bool_]) -> float:
    """Return the longest silence, in seconds, after which sessions that were lost later still worked."""
    good, table = case.rows("ordinary"), case.sessions
    keys = hashed(good["high"], good["low"])
    mine = among(keys, hashed(table["high"][lost], table["low"][lost])) & (good["time"] != NO_TIME)
    order = np.lexsort((good["time"][mine], keys[mine]))
    quiet, same = np.diff(good["time"][mine][order]), np.diff(keys[mine][order]) == 0
    return float(quiet[same].max(initial=0)) / 1e6


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
    return _by_silence(loss)


def _by_silence(loss: Loss) -> tuple[str, Confidence, list[str]]:
    """Name it where the silences before the losses and the moments of the losses leave one cause."""
    together, paused = loss.spread <= MOMENT and loss.at_once, bool(loss.idle) and min(loss.idle) >= LULL
    survived = loss.survived >= max(LULL, min(loss.idle, default=0.0))
    if not together and paused and len(loss.idle) > 1 and max(loss.idle) <= _ALIKE * min(loss.idle) and not survived:
        return (
            "session.idle-expired",
            "likely",
            [f"At different moments, but always after {_range(loss.idle)} s of silence."],
        )
    if loss.paused and loss.spread > max(loss.idle) and max(loss.idle) <= _ALIKE * min(loss.idle):
        return (
            "session.idle-expired",
            "likely",
            [f"At different moments, but each after the longest silence of its session, {_range(loss.idle)} s."],
        )
    if together and max(loss.idle, default=LULL) < LULL and loss.sessions > 1 and not loss.paused:
        return (
            "session.server-restarted",
            "likely",
            ["Busy sessions were lost together, without a pause before: no idle limit does that."],
        )
    decides = "The server's log decides: `Started server process` or `idle timeout`."
    return "session.lost", "likely", [_undecided(loss, together=together, paused=paused, survived=survived), decides]


def _undecided(loss: Loss, *, together: bool, paused: bool, survived: bool) -> str:
    """Return what the times show where they leave both a restart and an idle limit."""
    if survived and paused:
        return f"Sessions were lost after {_range(loss.idle)} s of silence, yet one still worked after {loss.survived:.1f} s: no idle limit alone explains it."
    if together and paused:
        many = len(loss.idle) > 1
        return (
            f"{'All were lost at one moment and all were' if many else 'The loss came at one moment, and nothing was sent'}"
            f"{' idle' if many else ''} before it: a restart and an idle limit look the same here."
        )
    if together:
        return (
            "The loss came at one moment, not after a pause of all sessions: a restart is likelier than an idle limit."
        )
    if paused:
        return f"The losses came at different moments, after {_range(loss.idle)} s of silence: too unequal for one idle limit to show."
    return "The losses came at different moments, and not always after a pause: no idle limit shows."


def _broken(case: Case) -> bool:
    bad = case.rows("failures")
    lost = bad["line"][np.isin(bad["status"], UNKNOWN_SESSION)]
    last = int(lost.max(initial=0))
    away = bad["line"][np.isin(bad["status"], (502, 503))]
    broken = case.notes("call.failed", "ConnectError", "RemoteProtocolError", "ReadError")
    return any(note.line < last for note in broken) or bool((away < last).any()) or _streams_torn(case, last)


def _streams_torn(case: Case, last: int) -> bool:
    """Say whether streams of several sessions were cut off at one moment before that line, in the middle of their bodies.

    A server that lets a session expire ends its stream properly.
    """
    torn = [note for note in case.notes("stream.lost", "RemoteProtocolError", "ReadError") if note.line < last]
    times = [note.time for note in torn if note.time != NO_TIME]
    several = len({note.event.session for note in torn} - {""}) > 1
    return several and len(times) == len(torn) and max(times) - min(times) <= MOMENT * 1e6


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.1f}", f"{max(values):.1f}"
    return low if low == high else f"{low} to {high}"
