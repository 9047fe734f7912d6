"""transport.era-probe: a 2.x client asks a handshake-era server for the modern era first; benign.

Measured: each connect is one POST refused with 400 (404 or 405 from some servers), then initialize, which succeeds.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.anonymous import without_id
from woolly_mcpdiag.diagnose.case import FAIL, Case, finding, is_httpx2
from woolly_mcpdiag.diagnose.casefile import Cell, Note
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.fates import alive
from woolly_mcpdiag.logs.batch import METHOD_CODE, Logger

CAUSE = "transport.era-probe"
_REFUSED = (400, 404, 405)
_CUT = 6
"""Exchanges before the end of a log in which a probe may still wait for its handshake."""


def decide(case: Case) -> Iterator[Finding]:
    """Match every session that a client opened with a refused POST before it."""
    told = case.notes("mcp.message", text="server/discover")
    for url in sorted(case.mcp):
        cells = [cell for cell in case.select("POST", _REFUSED, url=url) if case.left(cell)]
        known = [cell for cell in cells if is_httpx2(cell)]
        if not known:
            cells = [cell for cell in cells if cell.key.status == FAIL]
        probes = _probes(case, url, known or cells, sure=bool(known)) if cells else 0
        if told and cells:
            probes = max(probes, min(len(told), sum(cell.count for cell in known or cells)))
        if probes:
            yield _finding(case, url, known or cells, probes, told)


def _probes(case: Case, url: int, cells: list[Cell], *, sure: bool) -> int:
    """Return how many refusals are probes: those with a session after them, where the writer is known to send probes.

    Where it is not (a server's log, or a format that drops the logger's name), all of them must be.
    """
    refused, matched = sum(cell.count for cell in cells), _matched(case, url, cells, cut=sure)
    if sure:
        return min(refused, matched)
    if refused != matched:
        return 0
    handshakes = max(case.opened_by(Logger.MCP_CLIENT, url), case.count("POST", 202, url=url))
    # Where unknown sessions get 404, a 400 is not about one.
    others = case.count(status=FAIL, url=url) - refused
    # Whoever probes does so before the first handshake too: no session was open then.
    fresh = alive(case, url, min(cell.first_line for cell in cells)) <= 0
    alike = refused == handshakes and not others and fresh
    return refused if alike or without_id(case, url, "POST") else 0


def _finding(case: Case, url: int, cells: list[Cell], probes: int, told: Sequence[Note]) -> Finding:
    refused = sum(cell.count for cell in cells)
    case.claim(CAUSE, cells, probes)
    because = [
        f"{probes} of {Count(refused):refused POST|refused POSTs} {Count(probes):~stands|stand} right before a handshake."
    ]
    if told:
        because.append("The log shows the probe itself: a `server/discover` message.")
    return finding(
        case,
        CAUSE,
        probes,
        f"{Count(probes):POST|POSTs} to {case.at(url)} {Count(probes):~was an era probe|were era probes} (`server/discover`) that an older "
        "server refuses before it answers initialize: nothing failed.",
        confidence="certain" if told or (is_httpx2(cells[0]) and probes == refused) else "likely",
        of=refused,
        unit="refused POSTs",
        because=because,
        evidence=(*case.show(cells), *case.show_notes(told, 1)),
        cells=cells,
    )


def _matched(case: Case, url: int, cells: list[Cell], *, cut: bool) -> int:
    """Count handshakes with a refused POST of the cells before them, first in first out."""
    bad, good, new = case.rows("failures"), case.rows("ordinary"), case.openings(url)
    posts = (bad["url"] == url) & (bad["method"] == METHOD_CODE["POST"])
    mine = posts & np.isin(bad["logger"], [cell.key.logger for cell in cells])
    shaped = np.isin(bad["status"], _REFUSED)
    first = bad["line"][mine & shaped][0]
    everyone = new["line"][new["logger"] == Logger.MCP_CLIENT]
    births = everyone[everyone > first]
    if not len(births):
        # No id is logged: an accepted notifications/initialized (202) shows that a handshake went through.
        births = good["line"][(good["url"] == url) & (good["status"] == 202) & (good["method"] == METHOD_CODE["POST"])]
        everyone = births
    # A handshake that is refused for another reason had its probe as well.
    births = np.sort(np.concatenate((births, bad["line"][mine & ~shaped])))
    refused, matched = bad["line"][mine & shaped], 0
    if (
        cut
        and _began_without(good, everyone, url, int(first))
        and not case.notes("mcp.message", text="server/discover")
    ):
        return 0
    for line in births.tolist():
        if matched < int(np.searchsorted(refused, line)):
            matched += 1
    if cut and case.count("POST", range(200, 300), url=url):
        # The log may break off right after a probe, before its handshake.
        rows = np.sort(np.concatenate((good["line"], bad["line"])))
        waiting = [line for line in refused[matched:].tolist() if line >= int(rows[-_CUT:][0])]
        matched += len(waiting) if matched else sum(alive(case, url, line) == 0 for line in waiting)
    return matched * case.file.failures.stride


def _began_without(good: dict[str, NDArray[Any]], births: NDArray[np.int64], url: int, first: int) -> bool:
    """Say whether a 2.x client had sessions before the first refusal: whoever probes does so at every connect.

    The first exchanges do not count, since a log may begin between a probe and its handshake.
    """
    mine = (good["url"] == url) & (good["logger"] == Logger.HTTPX2) & (good["method"] == METHOD_CODE["POST"])
    lines = np.sort(good["line"][mine])
    before = births[births < first]
    return len(before) > 0 and len(lines) > _CUT and int(before[-1]) > int(lines[_CUT])
