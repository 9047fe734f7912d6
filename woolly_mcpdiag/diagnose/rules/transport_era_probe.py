"""transport.era-probe: a 2.x client asks a handshake-era server for the modern era first; benign.

Measured: each connect is one POST refused with 400 (404 or 405 from some servers), then initialize, which succeeds.
"""

from collections.abc import Iterator

import numpy as np

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding, is_httpx2
from woolly_mcpdiag.logs.batch import METHOD_CODE, Kind, Logger

CAUSE = "transport.era-probe"
_REFUSED = (400, 404, 405)


def decide(case: Case) -> Iterator[Finding]:
    """Match every session that a client opened with a refused POST before it."""
    told = case.notes("mcp.message", text="server/discover")
    for url in sorted(case.mcp):
        known = case.view == Kind.CALL
        cells = [c for c in case.select("POST", _REFUSED, url=url) if case.left(c) and (is_httpx2(c) or not known)]
        if not cells or not case.count("POST", 200, url=url):
            continue
        refused = sum(cell.count for cell in cells)
        matched = _matched(case, url)
        if not known and not refused == matched == case.count("POST", 202, url=url) == case.count(
            status=_REFUSED, url=url
        ):
            # A server's log does not name the client: only one probe for every handshake, and no other refusal, is benign.
            continue
        probes = min(refused, matched) if not told else min(refused, max(matched, len(told)))
        if not probes:
            continue
        case.claim(CAUSE, cells, probes)
        because = [f"{probes} of {refused} refused POSTs stand right before a session that then opened well."]
        if told:
            because.append("The log shows the probe itself: a `server/discover` message.")
        yield finding(
            case,
            CAUSE,
            probes,
            f"{probes} POSTs to {case.at(url)} were refused as era probes (`server/discover`) and then initialize succeeded: nothing failed.",
            confidence="certain" if told or (known and probes == refused) else "likely",
            of=refused,
            unit="refused POSTs",
            because=because,
            cells=cells,
        )


def _matched(case: Case, url: int) -> int:
    """Count sessions opened by a client that have a refused POST before them, first in first out."""
    bad, new = case.rows("failures"), case.rows("openings")
    mine = (
        (bad["url"] == url)
        & (bad["method"] == METHOD_CODE["POST"])
        & ((bad["logger"] == Logger.HTTPX2) | (case.view != Kind.CALL))
        & np.isin(bad["status"], _REFUSED)
    )
    refused = bad["line"][mine]
    births = new["line"][new["logger"] == Logger.MCP_CLIENT]
    if not len(births):
        # No id is logged: an accepted notifications/initialized (202) shows that a handshake went through.
        good = case.rows("ordinary")
        births = good["line"][(good["url"] == url) & (good["status"] == 202) & (good["method"] == METHOD_CODE["POST"])]
    matched = 0
    for line in births.tolist():
        if matched < int(np.searchsorted(refused, line)):
            matched += 1
    return matched * case.file.failures.stride
