"""server.capacity: the server refuses new sessions or requests because it is full."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Cell
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.logs.batch import METHOD_CODE

CAUSE = "server.capacity"
_FULL = 503
_POST = METHOD_CODE["POST"]
_FIRST_LOOK = (
    "Find out first who refused. If the server did, its log says so at that time: then raise `max_sessions` or "
    "`--limit-concurrency`."
)
_WHO_SPOKE = (
    "Look for the 503 in the proxy's or load balancer's log: a rate limit, an unhealthy target and an overloaded "
    "server read differently there. An HTML body comes from the proxy, JSON or plain text from the server."
)


def decide(case: Case) -> Iterator[Finding]:
    """Name it for 503s while other requests succeed, unless a proxy or a rate limit is seen to speak."""
    cells = [cell for cell in case.select(status=_FULL) if case.left(cell)]
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
    births = not told and _births_refused(case, cells)
    count = case.claim(CAUSE, cells)
    found = finding(
        case,
        CAUSE,
        count,
        f"{count} of {case.requests} requests got 503{' while others were served' if working else ''}: "
        + (
            "the server is at a limit of sessions or connections."
            if told or births
            else "something is at its limit, and this log does not show whether it is the server."
        ),
        confidence="certain" if told else "likely" if births else "possible",
        of=case.requests,
        unit="requests",
        because=_because(len(told), births=births),
        evidence=(*case.show(cells, 2), *case.show_notes(told, 1)),
        cells=cells,
    )
    # Advice to raise a limit is wrong where another thing may have refused.
    yield found if told or births else replace(found, server=_FIRST_LOOK, deployment=_WHO_SPOKE)


def _because(told: int, *, births: bool) -> list[str]:
    if told:
        return [f"The answer names the limit, or the server's log does ({Count(told):line|lines})."]
    rate = "a rate limit in a proxy that answers 503 (nginx's default); its error log decides."
    if births:
        return [
            "All refused requests name no session, so they would have opened one, and those that name one go on.",
            f"Not excluded: {rate}",
        ]
    return [
        "Requests of the same log were served, so the server is not down for good.",
        "Not excluded: an overloaded server behind a proxy or load balancer that answers for it.",
        f"Not excluded: {rate}",
    ]


def _births_refused(case: Case, cells: Sequence[Cell]) -> bool:
    """Say whether only requests without a session id were refused while those with one went on."""
    urls = {cell.key.url for cell in cells}
    if not urls <= case.named or any(cell.key.method != _POST for cell in cells):
        return False
    bad, good = case.rows("failures"), case.rows("ordinary")
    full = (bad["status"] == _FULL) & np.isin(bad["url"], sorted(urls))
    refused = bad["line"][full]
    served = good["line"][np.isin(good["url"], sorted(urls)) & _named(good)]
    return not _named(bad)[full].any() and bool(len(refused) and (served > refused.min()).any())


def _named(rows: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
    return np.asarray((rows["high"] != 0) | (rows["low"] != 0), np.bool_)
