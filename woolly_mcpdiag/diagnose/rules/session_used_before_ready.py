"""session.used-before-ready: the first requests of a session come before the server can take them."""

from collections.abc import Iterator
from dataclasses import dataclass

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.ages import Ages, ages, follow_ups
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Cell
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.fates import UNKNOWN_SESSION, Fates, fates

CAUSE = "session.used-before-ready"
_BODIES = (99,)
"""Bytes of "Server not initialized" (TypeScript SDK, measured)."""
_SESSIONS = 7
"""New sessions of which none takes its first request, above which a choice between two workers is excluded (0.5^7 < 1 %)."""
_FEW = 3
_REQUESTS = 12
"""Follow-up requests without one success, above which a choice among three workers is excluded ((2/3)^12 < 1 %)."""
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
    astray = named and (found.mixed or found.never or found.lost)
    if astray or not first.refused_at_first:
        return
    if case.count("DELETE", UNKNOWN_SESSION, url=url):
        # A session's last request fails too: only where even that came at once may it have been too early.
        if not first.worked and first.refused >= _REQUESTS and 0 < young.last_refusal < _YOUNG:
            yield _refused_at_first(case, first, young, cells)
        return
    if young.mostly_young or (first.no_accident and (first.worked or first.refused >= _REQUESTS)):
        yield _refused_at_first(case, first, young, cells)


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
