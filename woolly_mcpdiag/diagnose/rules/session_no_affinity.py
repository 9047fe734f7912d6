"""session.no-affinity: several workers or replicas, and requests of a session reach one that does not know it."""

from collections.abc import Iterator

from woolly_mcpdiag.core.causes import Confidence
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.ages import ages
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Cell
from woolly_mcpdiag.diagnose.columns import median
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.fates import UNKNOWN_SESSION, WORKED, Fates, Stretch, classify, fates, stretches
from woolly_mcpdiag.diagnose.silences import LULL, MEANWHILE, after_lulls

CAUSE = "session.no-affinity"
_TURNS = 3
"""Changes between success and failure on one address above which they take turns."""

_ALL = 5
"""Handshakes that all succeed, from which two workers are excluded (0.5^5 < 5 %)."""
_SHARE = 0.2
"""Share of handshakes that must go astray: with two workers it is a half."""
_YOUNG = 1.0
"""Seconds after which a session should be ready."""
_EARLY = 8
"""Successful POSTs before the first failure, up to which it is there from the start."""


def decide(case: Case) -> Iterator[Finding]:
    """Judge by the sessions' fates where ids are logged, by the order of answers where they are not."""
    found = fates(case)
    cells = [cell for cell in case.select(status=UNKNOWN_SESSION) if case.left(cell)]
    if not cells:
        return
    if found.never + found.mixed >= max(found.lost, found.recovered + 1) or _dealt_out(case, found):
        yield from _by_fate(case, found, [cell for cell in cells if cell.key.url in case.named])
    for stretch in stretches(case):
        if stretch.url in case.told_failures and (found.mixed or found.never):
            continue
        if _takes_turns(stretch) and not after_lulls(case, stretch):
            yield _by_order(case, stretch)


def _from_birth(found: Fates) -> bool:
    """Say whether many sessions were unknown at once while others worked: each birth was a throw of the dice."""
    often = found.never >= _TURNS and found.never >= _SHARE * found.total and found.never > found.recovered
    return often and bool(found.fine or found.lost)


def _dealt_out(case: Case, found: Fates) -> bool:
    """Say whether sessions fail by chance: from birth, or in turn, while others are given up at their first refusal.

    Sessions that a restart or an idle limit ends work up to one moment, or are silent before; these do neither.
    """
    if _from_birth(found):
        return True
    in_turn = found.mixed >= 2 and found.mixed + found.never >= max(_TURNS, found.recovered + 1)
    return in_turn and _scattered(case) and not _waited(case)


def _scattered(case: Case) -> bool:
    """Say whether sessions that were lost later still worked after others had been lost."""
    table, lost = case.sessions, classify(case)["lost"]
    if not case.timed or not lost.any():
        return False
    return int(table["last_ok_time"][lost].max()) > int(table["first_fail_time"][lost].min()) + MEANWHILE


def _astray(case: Case, found: Fates) -> int:
    """Count the failing exchanges that other workers explain.

    Clients give a session up at its first refusal, so that most of them look lost; where nothing tells of a loss,
    the throw of the dice that hits the others at birth explains these too.
    """
    apart = case.restarts() or case.notes("session.expired") or case.notes("call.failed", "ConnectError")
    if apart or not (found.mixed or _from_birth(found)) or _waited(case):
        return found.astray
    return found.astray + found.late + found.early


def _waited(case: Case) -> bool:
    """Say whether lost sessions were silent before their loss, as before an idle limit."""
    table, lost = case.sessions, classify(case)["lost"]
    if not case.timed or not lost.any():
        return False
    idle = (table["first_fail_time"][lost] - table["last_ok_time"][lost]) / 1e6
    return median(idle) >= LULL


def _by_fate(case: Case, found: Fates, cells: list[Cell]) -> Iterator[Finding]:
    done = case.select(status=UNKNOWN_SESSION, where=lambda cell: cell.key.url in case.named)
    # Refused probes, which are benign, named no session.
    explained = sum(case.harmful(cell) - case.left(cell) for cell in done)
    count = case.claim(CAUSE, cells, max(0, _astray(case, found) - explained))
    workers = _workers(case)
    if not count:
        return
    yield finding(
        case,
        CAUSE,
        count,
        _told(found),
        confidence=_confidence(found, workers),
        of=case.requests,
        unit="requests",
        because=_because(found, workers),
        evidence=(*case.show(cells, 2), *case.show(case.select("POST", (200, 202)), 1)),
        cells=cells,
    )


def _told(found: Fates) -> str:
    parts = []
    if found.never:
        parts.append(
            f"{found.never} of {Count(found.total):session|sessions} {Count(found.never):~is|are} unknown to the server at {Count(found.never):~its|their} very first request"
        )
    if found.mixed:
        parts.append(
            f"{found.mixed} of {Count(found.total):session|sessions} {Count(found.mixed):~is|are} known and unknown in turn"
        )
    others = f", while {Count(found.fine):works|work} throughout" if found.fine else ""
    return f"{' and '.join(parts)}{others}: requests reach workers or replicas that do not hold the session."


def _confidence(found: Fates, workers: int) -> Confidence:
    if found.mixed > 1 or workers > 1:
        return "certain"
    return "likely" if found.mixed or found.never > 1 or found.fine else "possible"


def _because(found: Fates, workers: int) -> list[str]:
    lines = []
    if found.mixed:
        lines.append("A lost or expired session never works again; these do, so the session lives, only elsewhere.")
    if found.never and found.fine:
        lines.append("Some sessions never fail and some never work: a kept connection pins each client to one worker.")
    elif found.never and not found.mixed:
        lines.append("No session ever worked: a proxy that sends /messages somewhere else is not excluded.")
    if workers > 1:
        lines.append(f"{workers} server processes were started and none stopped.")
    return lines


def _workers(case: Case) -> int:
    started = {note.event.extra.get("pid") for note in case.notes("server.started")}
    ended = {note.event.extra.get("pid") for note in case.notes("server.stopped")}
    return len(started - ended) or (len(started) if len(started) == len(ended) and _together(case) else 0)


def _together(case: Case) -> bool:
    """Say whether all processes were started before the first one ended."""
    started, ended = case.notes("server.started"), case.notes("server.stopped")
    return bool(started) and max(note.line for note in started) < min((note.line for note in ended), default=1 << 60)


def _takes_turns(stretch: Stretch) -> bool:
    """Say whether sessions fail from the start and not for good.

    A lost session had its handshake, so as many are accepted as are made; a log that begins in the middle says
    nothing about those that were there before.
    """
    if stretch.interleaved < _TURNS and len(stretch.methods) < 2:
        return False
    refused = stretch.made - stretch.accepted
    if stretch.made >= _TURNS and refused >= max(2, _SHARE * stretch.made):
        return True
    if not stretch.births or (stretch.made >= _ALL and refused <= 0):
        return False
    if stretch.worked > WORKED:
        return stretch.before <= _EARLY and stretch.interleaved >= 2 * _TURNS
    return stretch.births > 1 or stretch.interleaved >= 2 * _TURNS


def _by_order(case: Case, stretch: Stretch) -> Finding:
    cells = case.select(status=UNKNOWN_SESSION, url=stretch.url)
    count = case.claim(CAUSE, cells)
    workers = _workers(case)
    methods = ", ".join(sorted(stretch.methods))
    # A DELETE is a session's last request: where it fails, too short a wait after the first is excluded.
    old = "DELETE" in stretch.methods or not stretch.made or ages(case, stretch.url).oldest_failure > _YOUNG
    turns = stretch.interleaved >= _TURNS
    return finding(
        case,
        CAUSE,
        count,
        f"{Count(count):request|requests} ({methods}) to {case.at(stretch.url)} found {Count(count):~its|their} session unknown{', in turn with successes and from the first seconds' if turns else ''}: "
        "requests reach workers or replicas that do not hold the session.",
        confidence="certain" if workers > 1 else "likely" if old and turns else "possible",
        of=sum(cell.count for cell in case.select(url=stretch.url)),
        unit="requests",
        because=[
            (
                f"Success and failure change {Count(stretch.interleaved):time|times}, with {stretch.worked:.1f} good POSTs a session before the first failure"
                + (": these sessions were not lost, they never fully worked." if turns else ".")
            ),
            *([f"{methods} all fail: not a single kind of request is at fault."] if len(stretch.methods) > 1 else []),
            *(
                [f"{workers} server processes run side by side."]
                if workers > 1
                else ["The server's log (how many processes?) or a live probe makes it certain."]
            ),
            *(
                []
                if (old and turns) or workers > 1
                else ["Not excluded: sessions that are lost for good, or a server that keeps none."]
                if old
                else ["Not excluded: sessions used before they are ready, since only young ones are seen to fail."]
            ),
        ],
        evidence=(*case.show(cells, 2), *case.show(case.select("POST", (200, 202), url=stretch.url), 1)),
        cells=cells,
    )
