"""session.stream-conflict: a second GET stream for a session that already has one."""

from collections.abc import Iterator

import numpy as np

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.anonymous import without_id
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Cell
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.fates import alive
from woolly_mcpdiag.diagnose.shapes import answered
from woolly_mcpdiag.logs.batch import METHOD_CODE

CAUSE = "session.stream-conflict"
_POST = METHOD_CODE["POST"]

decide = answered(
    CAUSE,
    (409,),
    "{n:request|requests} to {urls} got 409 Conflict: the session already has a stream, either a second holder's or one whose cut "
    "the server has not noticed yet.",
    because=[
        "409 is only given to a second stream of one session.",
        "Once, within milliseconds of a dropped stream, it is a transient reconnect race; repeated, two holders share a session.",
    ],
    told=("call.rejected", "second-stream"),
)


def decide_by_reopening(case: Case) -> Iterator[Finding]:
    """Name it for 400 to a GET whose session had its stream and goes on posting: C# servers answer so."""
    for url in sorted(case.mcp):
        cells = [cell for cell in case.select("GET", 400, url=url) if case.left(cell)]
        if not cells or not _reopened(case, url, cells):
            continue
        first = min(cell.first_line for cell in cells)
        sources = {cell.key.source for cell in cells}
        dropped = [note for note in case.notes("stream.lost") if note.source in sources and note.line < first]
        count = case.claim(CAUSE, cells)
        yield finding(
            case,
            CAUSE,
            count,
            f"{Count(count):GET|GETs} of {case.at(url)} {Count(count):~was|were} refused with 400 after an earlier GET was answered, and POSTs work before and after: "
            "this server answers a second stream of a session with 400, where others say 409.",
            confidence="likely" if dropped else "possible",
            of=sum(cell.count for cell in case.select("GET", url=url)),
            unit="GETs",
            because=[
                "The session is known: no POST was refused, and it goes on after the refusal.",
                "The client says that it lost its stream and opens it again."
                if dropped
                else "Not excluded: a client of HTTP+SSE beside others that work (transport.mismatch).",
            ],
            evidence=(*case.show_notes(dropped, 1), *case.show(cells, 2)),
            cells=cells,
        )


def _reopened(case: Case, url: int, cells: list[Cell]) -> bool:
    """Say whether a stream was open before the first refusal, in a session that was not closed and works after it."""
    first = min(cell.first_line for cell in cells)
    sources = {cell.key.source for cell in cells}
    streams = case.select("GET", 200, url=url, where=lambda cell: cell.key.source in sources)
    if not any(cell.first_line < first for cell in streams):
        return False
    if case.open(case.select(status=(400, 404), url=url)) > case.open(cells) or without_id(case, url, "GET"):
        return False
    good = case.rows("ordinary")
    posts = good["line"][(good["url"] == url) & (good["method"] == _POST) & np.isin(good["source"], sorted(sources))]
    return bool(len(posts)) and posts.min() < first < posts.max() and alive(case, url, first) > 0
