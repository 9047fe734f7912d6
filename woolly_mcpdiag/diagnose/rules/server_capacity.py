"""server.capacity: the server refuses new sessions or requests because it is full."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "server.capacity"


def decide(case: Case) -> Iterator[Finding]:
    """Name it for 503s while other requests succeed, unless a proxy or a rate limit is seen to speak."""
    cells = [cell for cell in case.select(status=503) if case.left(cell)]
    told = (
        case.notes("session.refused", "too-many-sessions")
        + case.notes("call.rejected", "too-many-sessions")
        + case.notes("server.error", "concurrency-limit")
    )
    limited = case.notes("proxy.error", "rate-limit")
    if not cells or limited:
        return
    working = case.requests - sum(cell.count for cell in cells)
    if not told and not working:
        return
    count = case.claim(CAUSE, cells)
    yield finding(
        case,
        CAUSE,
        count,
        f"{count} of {case.requests} requests got 503 while others were served: the server is at a limit of sessions or connections.",
        confidence="certain" if told else "likely",
        of=case.requests,
        unit="requests",
        because=[
            f"The server logs the limit itself ({Count(len(told)):line|lines})."
            if told
            else "The server works for others at the same time, so it is not down.",
            *(
                []
                if told
                else [
                    "Not excluded: a rate limit in a proxy that answers 503 (nginx's default); its error log decides."
                ]
            ),
        ],
        evidence=(*case.show(cells, 2), *case.show_notes(told, 1)),
        cells=cells,
    )
