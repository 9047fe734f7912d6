"""transport.mismatch: a client of one transport on an endpoint of the other."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.anonymous import without_id
from woolly_mcpdiag.diagnose.case import Case, finding, is_httpx2
from woolly_mcpdiag.diagnose.casefile import Cell
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.fates import alive, posts_messages
from woolly_mcpdiag.logs.batch import Kind, Logger

CAUSE = "transport.mismatch"
_SILENCE = 2.0
"""Seconds without a POST after which an SSE stream counts as a trap: a client posts within milliseconds (measured)."""
_SSE_ONLY = (
    "This endpoint speaks Streamable HTTP: use the Streamable HTTP client on the same URL (pydantic-ai 0.x "
    "`MCPServerStreamableHTTP`, later `MCPToolset` with an explicit transport; fastmcp: `StreamableHttpTransport`). "
    "Do not let a library infer the transport from a path that ends in /sse."
)
_STREAMABLE_ONLY = "This endpoint speaks HTTP+SSE: use the SSE client here, or serve Streamable HTTP and use its URL."


def decide(case: Case) -> Iterator[Finding]:
    """Look at each address for the three signs: GET refused, GET answered but silent, POST not allowed."""
    for url in sorted(case.mcp):
        for look in (_get_refused, _get_refused_beside, _posts_not_allowed, _silent):
            found = look(case, url)
            if found:
                yield found


def _get_refused(case: Case, url: int) -> Finding | None:
    """An SSE client starts with a GET; a stateful Streamable endpoint refuses it, since it names no session."""
    cells = [cell for cell in case.select("GET", (400, 405, 406), url=url) if case.left(cell)]
    if not cells or case.count("POST", range(200, 300), url=url) or case.open(case.select("POST", (400, 404), url=url)):
        return None
    if posts_messages(case, url):
        return None
    count = case.claim(CAUSE, cells)
    said = case.notes("call.failed", "HTTPStatusError")
    return finding(
        case,
        CAUSE,
        count,
        f"{Count(count):GET|GETs} of {case.at(url)} {Count(count):~was|were} refused ({_statuses(cells)}) and no POST ever followed: an SSE client is talking to an endpoint "
        "that does not speak HTTP+SSE.",
        confidence="certain" if said or count > 1 else "likely",
        of=sum(cell.count for cell in case.select("GET", url=url)),
        unit="GETs",
        because=[
            "A Streamable HTTP client begins with a POST; only an SSE client begins with a GET.",
            "No session line and no POST: nothing was set up before the refusal.",
        ],
        cells=cells,
        client=_SSE_ONLY,
        confirm=f"POST an initialize request to {case.at(url)}: 200 shows Streamable HTTP.",
    )


def _get_refused_beside(case: Case, url: int) -> Finding | None:
    """GETs refused while every POST on the address works, and no session was open that they could belong to."""
    cells = [cell for cell in case.select("GET", 400, url=url) if case.left(cell)]
    if not cells or not case.count("POST", range(200, 300), url=url):
        return None
    told = without_id(case, url, "GET")
    others = case.open(case.select(status=(400, 404), url=url)) - case.open(cells)
    if not told and others:
        return None
    free = told or alive(case, url, min(cell.first_line for cell in cells)) <= 0
    count = case.claim(CAUSE, cells)
    return finding(
        case,
        CAUSE,
        count,
        f"{Count(count):GET|GETs} of {case.at(url)} {Count(count):~was|were} refused with 400 while POSTs work: some client uses HTTP+SSE here, beside others that work.",
        confidence="likely" if free else "possible",
        of=sum(cell.count for cell in case.select("GET", url=url)),
        unit="GETs",
        because=["The server's lines show that these GETs named no session."]
        if told
        else [
            "No POST and no DELETE was refused, so no session was unknown.",
            "All sessions opened before were deleted, so these GETs name none."
            if free
            else "Not excluded: a server that answers 400 instead of 409 to a second stream of one session.",
        ],
        cells=cells,
        client=_SSE_ONLY,
    )


def _posts_not_allowed(case: Case, url: int) -> Finding | None:
    """A Streamable client begins with a POST; an SSE endpoint allows GET only."""
    cells = [cell for cell in case.select("POST", 405, url=url) if case.left(cell)]
    if not cells or case.count("POST", (200, 202), url=url):
        return None
    count = case.claim(CAUSE, cells)
    return finding(
        case,
        CAUSE,
        count,
        f"{Count(count):POST|POSTs} to {case.at(url)} got 405 Method Not Allowed: a Streamable HTTP client is talking to an SSE endpoint.",
        confidence="certain",
        of=sum(cell.count for cell in case.select("POST", url=url)),
        unit="POSTs",
        because=[
            "No POST to this URL ever succeeded, so the method itself is not served here.",
            *(
                ["A 2.x client shows two per connect: its era probe, then initialize."]
                if case.view != Kind.CALL or any(is_httpx2(cell) for cell in cells)
                else []
            ),
        ],
        cells=cells,
        client=_STREAMABLE_ONLY,
        confirm=f"GET {case.at(url)} with Accept: text/event-stream: an `endpoint` event within a second shows HTTP+SSE.",
    )


def _silent(case: Case, url: int) -> Finding | None:
    """GET answered 200 and never followed by a POST: no ``endpoint`` event came."""
    streams = case.select("GET", 200, url=url)
    if case.view != Kind.CALL or not streams or case.count("POST", url=url) or posts_messages(case, url):
        return None
    if case.found("session.harvested-from-400") or case.opened_by(Logger.MCP_CLIENT, url):
        return None
    # POSTs that wait in the client's own pool are not in the log.
    if case.noted("call.failed", "PoolTimeout"):
        return None
    waited, gave_up = _waited(case, streams), case.notes("call.failed", "TimeoutError", "ReadTimeout")
    count = sum(cell.count for cell in streams)
    if not gave_up and waited < _SILENCE:
        return None
    return finding(
        case,
        CAUSE,
        count,
        f"{Count(count):GET|GETs} of {case.at(url)} {Count(count):~was|were} answered 200, and then nothing: no POST ever followed. An SSE client waits for an `endpoint` event "
        "that a Streamable HTTP endpoint (stateless, here) never sends.",
        confidence="likely" if gave_up else "possible",
        of=count,
        unit="streams",
        because=[
            f"{Count(len(gave_up)):call|calls} gave up with a time-out and no HTTP error."
            if gave_up
            else f"The log goes on for {waited:.0f} s without a POST.",
            "Not excluded by this log: an SSE endpoint whose `endpoint` event a proxy holds back (proxy.buffering).",
        ],
        evidence=(*case.show(streams, 2), *case.show_notes(gave_up, 1)),
        cells=streams,
        client=_SSE_ONLY,
        confirm=f"GET {case.at(url)} with Accept: text/event-stream and watch the first event; then POST initialize to the same URL.",
    )


def _waited(case: Case, streams: list[Cell]) -> float:
    ends = [end for _, end in case.file.spans.values()]
    last = max(cell.last_time for cell in streams)
    return (max(ends, default=last) - last) / 1e6 if case.timed else 0.0


def _statuses(cells: list[Cell]) -> str:
    return ", ".join(sorted({str(cell.key.status) for cell in cells}))
