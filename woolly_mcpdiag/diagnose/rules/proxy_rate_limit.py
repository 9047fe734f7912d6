"""proxy.rate-limit: a proxy or the server limits how many requests may come."""

from collections.abc import Iterator, Sequence

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Cell, Note
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "proxy.rate-limit"


_PAGE = range(190, 203)
"""Bytes of nginx's page for 503, with and without its version (measured 197 with 1.22.1)."""


def decide(case: Case) -> Iterator[Finding]:
    """Name it for 429, and for 503 where the proxy's log says that it limits."""
    told = case.notes("proxy.error", "rate-limit")
    cells = [cell for cell in case.select(status=(429, 503) if told else (429,)) if case.left(cell)]
    pages = [] if told else [cell for cell in case.select(status=503) if case.left(cell) and _working(case, cell)]
    pages = [cell for cell in pages if any(size in cell.sizes for size in _PAGE)]
    plain, paged = case.claim(CAUSE, cells), case.claim_sized(CAUSE, pages, _PAGE)
    cells, count = cells + pages, plain + paged
    if not count and not told:
        return
    if not case.requests:
        yield _only_told(case, told)
        return
    swallowed = sum(cell.count for cell in cells if cell.key.method)
    yield finding(
        case,
        CAUSE,
        count or len(told),
        f"{Count(count or len(told)):request was|requests were} refused by a rate limit; {case.requests} are in the log.",
        confidence="certain" if told or not paged else "likely",
        of=case.requests,
        unit="requests",
        because=[
            f"The proxy logs `limiting requests` ({Count(len(told)):line|lines})."
            if told
            else "The 503 has the size of nginx's own page: nginx itself refuses, and for a server that is away it would say 502."
            if paged
            else "429 says so.",
            *(
                [
                    "A refused notifications/initialized is swallowed by 1.x clients: a session may look connected and never work."
                ]
                if swallowed
                else []
            ),
        ],
        evidence=(*case.show(cells, 2), *case.show_notes(told, 1)),
        cells=cells,
    )


def _working(case: Case, cell: Cell) -> bool:
    return case.count(status=range(200, 300), url=cell.key.url) > 0


def _only_told(case: Case, told: Sequence[Note]) -> Finding:
    return finding(
        case,
        CAUSE,
        len(told),
        f"{Count(len(told)):request was|requests were} refused by a rate limit; the requests themselves are not in this log.",
        confidence="certain",
        unit="requests",
        because=[f"The proxy logs `limiting requests` ({Count(len(told)):line|lines})."],
        evidence=case.show_notes(told),
    )
