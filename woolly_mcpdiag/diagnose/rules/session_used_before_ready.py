"""session.used-before-ready: the first requests of a session come before the server can take them."""

from collections.abc import Iterator

from woolly_mcpdiag.core.causes import Confidence
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.ages import Ages, ages
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.fates import UNKNOWN_SESSION, Fates, fates

CAUSE = "session.used-before-ready"
_BODIES = (99,)
"""Bytes of "Server not initialized" (TypeScript SDK, measured)."""


def decide(case: Case) -> Iterator[Finding]:
    """Name it by the server's word, by sessions that fail first and then work for good, or by their ages."""
    told = case.notes("call.rejected", "not-initialized")
    sized = [cell for cell in case.select(status=400) if any(size in cell.sizes for size in _BODIES)]
    if told or sized:
        count = case.claim(CAUSE, sized) or case.noted("call.rejected", "not-initialized")
        yield finding(
            case,
            CAUSE,
            count,
            f"{count} requests came before their session was initialized; the server says so.",
            confidence="certain",
            of=case.requests,
            unit="requests",
            because=["The server refuses by name: the handshake was not complete."],
            evidence=(*case.show_notes(told), *case.show(sized, 1)),
            cells=sized,
        )
        return
    found = fates(case)
    young = ages(case)
    cells = [cell for cell in case.select(status=UNKNOWN_SESSION) if case.left(cell)]
    if not cells or not (_recovering(found) or young.only_young):
        return
    count = case.claim(CAUSE, cells, found.failures or young.failures)
    yield finding(
        case,
        CAUSE,
        count,
        _summary(found, young),
        confidence=_confidence(found, young),
        of=found.total or case.requests,
        unit="failing requests",
        because=_because(found, young),
        cells=cells,
    )


def _recovering(found: Fates) -> bool:
    return found.recovered > 0 and found.recovered >= 3 * (found.mixed + found.lost) and found.recovered >= found.never


def _confidence(found: Fates, young: Ages) -> Confidence:
    return "certain" if found.recovered > 1 and young.only_young else "likely"


def _summary(found: Fates, young: Ages) -> str:
    ready = f" Requests older than {young.oldest_failure * 1000:.0f} ms never fail." if young.only_young else ""
    if found.recovered:
        return f"{found.recovered} sessions fail in their first requests and then work for good: they are used before they are ready.{ready}"
    return f"{young.failures} requests fail right after their session was made: it is used before it is ready.{ready}"


def _because(found: Fates, young: Ages) -> list[str]:
    lines = []
    if found.recovered:
        lines.append(
            "A lost session never works again, and another worker fails and works in turn; these fail first and never again."
        )
    if young.only_young:
        lines.append(
            f"Age at failure is at most {young.oldest_failure * 1000:.0f} ms, age at success at least {young.youngest_success * 1000:.0f} ms "
            f"({young.failures} against {young.successes} requests)."
        )
    return lines
