"""proxy.rate-limit: a proxy or the server limits how many requests may come."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding

CAUSE = "proxy.rate-limit"


def decide(case: Case) -> Iterator[Finding]:
    """Name it for 429, and for 503 where the proxy's log says that it limits."""
    told = case.notes("proxy.error", "rate-limit")
    cells = [cell for cell in case.select(status=(429, 503) if told else (429,)) if case.left(cell)]
    count = case.claim(CAUSE, cells)
    if not count and not told:
        return
    swallowed = sum(cell.count for cell in cells if cell.key.method)
    yield finding(
        case,
        CAUSE,
        count or len(told),
        f"{count or len(told)} of {case.requests} requests were refused by a rate limit.",
        confidence="certain",
        of=case.requests,
        unit="refused requests",
        because=[
            f"The proxy logs `limiting requests` ({len(told)} lines)." if told else "429 says so.",
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
