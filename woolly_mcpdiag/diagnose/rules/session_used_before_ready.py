"""session.used-before-ready: the first requests of a session come before the server can take them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.core.ids import normalise, pack
from woolly_mcpdiag.diagnose.ages import Ages, ages, follow_ups
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Cell, Note
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.fates import UNKNOWN_SESSION, Fates, fates
from woolly_mcpdiag.diagnose.sessions import hashed
from woolly_mcpdiag.logs.batch import NO_TIME

CAUSE = "session.used-before-ready"
_BODIES = (99,)
"""Bytes of "Server not initialized" (TypeScript SDK, measured)."""
_SESSIONS = 7
"""New sessions of which none takes its first request, above which a choice between two workers is excluded (0.5^7 < 1 %)."""
_FEW = 3
_REQUESTS = 12
"""Follow-up requests without one success, above which a choice among three workers is excluded ((2/3)^12 < 1 %)."""
_ODD = 2
"""Sessions with an odd number of requests between birth and refusal that exclude two workers in turn."""
_CODES = (-32602, -32002)
"""How servers refuse, inside a 200, what comes before the handshake is complete (Python and TypeScript SDKs)."""
_QUOTE = "Invalid request parameters"
_YOUNG = 1.0
"""Seconds after which a session should be ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """How the first requests after initialize fare, where requests do not name their session."""

    sessions: int
    refused: int
    accepted: int
    """notifications/initialized accepted with 202, and streams with 200."""
    worked: int
    """Successful POSTs other than initialize."""

    deleted: int
    """DELETEs answered 2xx, where none is refused."""

    @property
    def refused_at_first(self) -> bool:
        """True where no session takes its first requests."""
        return self.accepted == 0 and self.sessions >= _FEW and self.refused >= self.sessions

    @property
    def no_accident(self) -> bool:
        """True where a balancer would have let some through: by the number of sessions, or since all can be deleted."""
        return self.sessions >= _SESSIONS or self.deleted >= max(_FEW + 1, self.sessions // 2)


def decide(case: Case) -> Iterator[Finding]:
    """Name it by the server's word, by sessions that fail first and then work for good, or by their ages."""
    told = case.notes("call.rejected", "not-initialized")
    sized = [
        cell for cell in case.select(status=400) if case.left(cell) and any(size in cell.sizes for size in _BODIES)
    ]
    if told or sized:
        yield _said(case, sized)
        return
    found = fates(case)
    for url in sorted(case.mcp):
        cells = [cell for cell in case.select(status=UNKNOWN_SESSION, url=url) if case.left(cell)]
        if cells and (url in case.named or case.count("POST", range(200, 300), url=url)):
            yield from _at(case, url, found, cells)


def _at(case: Case, url: int, found: Fates, cells: list[Cell]) -> Iterator[Finding]:
    young, named = ages(case, url), url in case.told_failures
    if young.only_young or (named and _recovering(found)):
        yield _seen(case, found if named else None, young, cells)
        return
    first = _first(case, url, cells)
    astray = named and (found.mixed or found.lost or (found.never and not _no_turns(case)))
    if astray or not first.refused_at_first:
        return
    if case.count("DELETE", UNKNOWN_SESSION, url=url):
        # A session's last request fails too: only where even that came at once may it have been too early.
        if not first.worked and first.refused >= _REQUESTS and 0 < young.last_refusal < _YOUNG:
            yield _refused_at_first(case, first, young, cells)
        return
    if young.mostly_young or (first.no_accident and (first.worked or first.refused >= _REQUESTS)):
        yield _refused_at_first(case, first, young, cells)


def _no_turns(case: Case) -> bool:
    """Say whether no balancer that takes turns explains that every session fails at once.

    Between some births and their refusals an odd number of other requests was sent: of two workers in turn these
    would have hit the right one.
    """
    table = case.sessions
    never = np.flatnonzero((table["ok"] == 0) & (table["fail"] > 0))
    births = hashed(case.opened["high"], case.opened["low"]) if len(case.opened) else np.zeros(0, np.uint64)
    if len(never) < _SESSIONS or not len(births):
        return False
    place = np.minimum(np.searchsorted(births, hashed(table["high"][never], table["low"][never])), len(births) - 1)
    lines = np.sort(np.concatenate([case.rows(pool)["line"] for pool in ("ordinary", "failures")]))
    after = np.searchsorted(lines, case.opened["first_line"][place].astype(np.int64), side="right")
    between = np.searchsorted(lines, table["first_fail"][never].astype(np.int64)) - after
    return int(np.count_nonzero(between % 2)) >= _ODD


def _said(case: Case, sized: list[Cell]) -> Finding:
    told = case.notes("call.rejected", "not-initialized")
    count = case.claim_sized(CAUSE, sized, _BODIES) or case.noted("call.rejected", "not-initialized")
    return finding(
        case,
        CAUSE,
        count,
        f"{Count(count):request|requests} came before {Count(count):~its|their} session was initialized; the server says so.",
        confidence="certain",
        of=case.requests,
        unit="requests",
        because=["The server refuses by name: the handshake was not complete."],
        evidence=(*case.show_notes(told), *case.show(sized, 1)),
        cells=sized,
    )


def _first(case: Case, url: int, cells: list[Cell]) -> First:
    return First(
        sessions=len(case.openings(url)["line"]) * case.file.openings.stride,
        refused=case.open(cells),
        accepted=case.count("POST", 202, url=url) + case.count("GET", 200, url=url),
        deleted=case.count("DELETE", range(200, 300), url=url),
        worked=len(follow_ups(case, url)["line"]) * case.file.ordinary.stride,
    )


def _refused_at_first(case: Case, first: First, young: Ages, cells: list[Cell]) -> Finding:
    count = case.claim(CAUSE, cells)
    rival = (
        "Requests to one of several workers would be refused only now and then."
        if first.worked
        else "Not excluded: many replicas, or a server that keeps no session at all; a client that waits and tries again decides."
    )
    return finding(
        case,
        CAUSE,
        count,
        f"{first.sessions} sessions were made and not one took its first request"
        + (f", yet {first.worked} later requests work: " if first.worked else ": ")
        + "they are used before they are ready.",
        confidence="likely" if first.worked else "possible",
        of=case.requests,
        unit="requests",
        because=[
            f"{first.refused} requests after initialize were refused, and no handshake was completed (202), no stream opened.",
            *(
                [
                    f"No request fails later than {young.oldest_failure * 1000:.0f} ms after a session was made; {young.older} later ones succeed."
                ]
                if young.mostly_young
                else []
            ),
            *(
                [
                    f"Nothing is seen of sessions older than {young.last_refusal * 1000:.0f} ms: each was given up by then."
                ]
                if not first.worked and 0 < young.last_refusal < _YOUNG
                else []
            ),
            rival,
        ],
        cells=cells,
    )


def _seen(case: Case, found: Fates | None, young: Ages, cells: list[Cell]) -> Finding:
    recovered = found.recovered if found else 0
    count = case.claim(CAUSE, cells, found.early if found and recovered else None)
    return finding(
        case,
        CAUSE,
        count,
        _summary(recovered, young),
        confidence="certain" if recovered > 1 and young.only_young else "likely",
        of=case.requests,
        unit="requests",
        because=_because(recovered, young),
        cells=cells,
    )


def _recovering(found: Fates) -> bool:
    return found.recovered > 0 and found.recovered >= 3 * (found.mixed + found.lost) and found.recovered >= found.never


def _summary(recovered: int, young: Ages) -> str:
    ready = f" Requests older than {young.oldest_failure * 1000:.0f} ms never fail." if young.only_young else ""
    if recovered:
        sessions = Count(recovered)
        return (
            f"{sessions:session fails in its|sessions fail in their} first requests and then {sessions:~works|work} for good: "
            f"{sessions:~it is used before it is|they are used before they are} ready.{ready}"
        )
    return f"{young.failures} requests fail right after their session was made: it is used before it is ready.{ready}"


def _because(recovered: int, young: Ages) -> list[str]:
    lines = []
    if recovered:
        lines.append(
            "A lost session never works again, and another worker fails and works in turn; these fail first and never again."
        )
    if young.only_young:
        lines.append(
            f"Age at failure is at most {young.oldest_failure * 1000:.0f} ms, age at success at least {young.youngest_success * 1000:.0f} ms "
            f"({young.failures} against {young.successes} requests)."
        )
    return lines


def decide_by_quote(case: Case) -> Iterator[Finding]:
    """Name it, where nothing else is found, by the words of older servers for it, which have other meanings too."""
    told = [n for n in case.notes("call.rejected", "rpc-error") if str(n.event.extra.get("said")).startswith(_QUOTE)]
    if not told or any(not found.benign for found in case.findings):
        return
    yield finding(
        case,
        CAUSE,
        len(told),
        f"{Count(len(told)):answer is|answers are} a JSON-RPC error inside a 200: {_QUOTE}.",
        confidence="possible",
        unit="answers",
        because=[
            "Servers before mcp 1.18 say this to a request that comes before `notifications/initialized`.",
            "Not excluded: somebody initialised a session that was in use (session.reinitialized), or the server does not know the method or its parameters.",
        ],
        evidence=case.show_notes(told),
    )


def decide_by_code(case: Case) -> Iterator[Finding]:
    """Name it for JSON-RPC errors inside a 200 that only young sessions get, where calls tell their session."""
    failed = [n for n in case.notes("call.failed") if n.event.extra.get("code") in _CODES and n.event.session]
    if len(failed) < _FEW:
        return
    worked = [note for note in case.notes("call.done") if note.event.session]
    births = case.births({pack(normalise(note.event.session)) for note in (*failed, *worked)})
    bad, good = _begun(failed, births), _begun(worked, births)
    young = Ages(
        failures=len(bad),
        successes=len(good),
        oldest_failure=max(bad, default=0.0),
        youngest_success=min(good, default=0.0),
        older=sum(age > max(bad, default=0.0) for age in good),
    )
    if not (young.only_young or young.mostly_young) or len(bad) < len(failed) / 2:
        return
    yield finding(
        case,
        CAUSE,
        len(failed),
        f"{Count(len(failed)):call|calls} of young sessions got a JSON-RPC error inside a 200: "
        f"none that began later than {young.oldest_failure * 1000:.0f} ms after its session was made does.",
        confidence="likely",
        of=len(failed) + case.noted("call.done"),
        because=[
            f"The error has code {failed[0].event.extra['code']}, which servers also give before a handshake is complete; the same calls work later ({young.older} of them).",
            "The server's log makes it certain: `Received request before initialization was complete`.",
        ],
        evidence=(*case.show_notes(failed), *case.show_notes(worked, 1)),
    )


def _begun(notes: list[Note], births: dict[tuple[int, int], int]) -> list[float]:
    """Return how old, in seconds, the session of each call was when the call began."""
    ages = []
    for note in notes:
        born = births.get(pack(normalise(note.event.session)), NO_TIME)
        if NO_TIME not in (born, note.time):
            ages.append((note.time - born) / 1e6 - (note.event.duration or 0.0))
    return ages
