"""session.missing-id: a request without a session id on a server that keeps sessions."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.anonymous import without_id
from woolly_mcpdiag.diagnose.case import FAIL, Case, finding
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "session.missing-id"
_BODIES = (105, 22)
"""Bytes of "Missing session ID" (mcp 1.x) and "session_id is required" (SSE); measured."""

_FEW, _MANY = 3, 5
"""Sessions of which not one was taken: enough where the server's lines tell why, and where nothing does (0.5^5 < 5 %)."""
_MOST = 0.8
"""Share of sessions that were seen to be refused."""


def decide_by_order(case: Case) -> Iterator[Finding]:
    """Name it where every session is opened and not one later request is taken, not even the end of its handshake."""
    for url in sorted(case.mcp):
        cells = [cell for cell in case.select(status=FAIL, url=url) if case.left(cell)]
        opened, refused = case.count("POST", 200, url=url), case.open(case.select("POST", FAIL, url=url))
        if opened < _FEW or refused < _MOST * opened or case.count("POST", 202, url=url):
            continue
        if case.count("GET", 200, url=url) or case.count("DELETE", range(200, 300), url=url):
            continue
        told = without_id(case, url, "POST")
        births = len(case.openings(url)["line"]) * case.file.openings.stride
        if not told and births and opened > births:
            continue
        if not told and (opened < _MANY or not case.count("GET", FAIL, url=url) + case.count("DELETE", FAIL, url=url)):
            continue
        count = case.claim(CAUSE, cells)
        yield finding(
            case,
            CAUSE,
            count,
            f"{Count(opened):session was|sessions were} opened at {case.at(url)}, and {f'all {count} requests' if count > 1 else 'the one request'} after that "
            f"{Count(count):~was|were} refused with 400: the session id does not reach the server.",
            confidence="certain" if told else "likely" if case.count("DELETE", FAIL, url=url) else "possible",
            of=case.requests,
            unit="requests",
            because=[
                "The server made a new transport for each refused request, as it does for one without a session id."
                if told
                else "Of several workers one would take about half of the requests; none was taken.",
                "A client sends the id on each request after initialize: it or a proxy between drops the header `mcp-session-id`.",
                *(
                    []
                    if told
                    else [
                        "Not excluded: a protocol version that the server does not know, or sessions that are used before they are ready."
                    ]
                ),
            ],
            cells=cells,
        )


def decide(case: Case) -> Iterator[Finding]:
    """Name it by the answer's words or size."""
    told = case.notes("call.rejected", "missing-session")
    cells = [cell for cell in case.select("POST", 400) if case.left(cell) and any(s in cell.sizes for s in _BODIES)]
    count = case.claim_sized(CAUSE, cells, _BODIES)
    rest = [cell for cell in case.select("POST", 400) if case.left(cell) and cell.sizes.total() < cell.count]
    more = case.claim(CAUSE, rest, max(0, case.noted("call.rejected", "missing-session") - count))
    count += more
    cells += rest if more else []
    if not count:
        return
    yield finding(
        case,
        CAUSE,
        count,
        f"{Count(count):POST|POSTs} carried no session id, and this server keeps sessions.",
        confidence="certain",
        of=case.requests,
        unit="400 responses",
        because=['The answer is "Missing session ID", by its words or its size.'],
        evidence=(*case.show(cells, 2), *case.show_notes(told, 1)),
        cells=cells,
    )
