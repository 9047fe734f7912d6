"""transport.era-probe: a 2.x client asks a handshake-era server for the modern era first; benign.

Measured: each connect is one POST refused with 400 (404 or 405 from some servers), then initialize, which succeeds.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.ages import nearest
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
        cells = known or cells
        probes, lines = _probes(case, url, cells, sure=bool(known)) if cells else (0, [])
        if told and cells:
            probes = max(probes, min(len(told), sum(cell.count for cell in cells)))
        if probes:
            yield _finding(case, url, cells, probes, told)
            case.aside.setdefault(url, set()).update(lines[:probes])


def _probes(case: Case, url: int, cells: list[Cell], *, sure: bool) -> tuple[int, list[int]]:
    """Return how many refusals are probes and their lines: those with a session after them, where the writer probes.

    Where it is not known to (a server's log, or a format that drops the logger's name), all of them must be, or each
    handshake must have one right before it.
    """
    refused = sum(cell.count for cell in cells)
    matched, lines = _matched(case, url, cells, cut=sure)
    if sure:
        return min(refused, matched), lines
    handshakes = max(case.opened_by(Logger.MCP_CLIENT, url), case.count("POST", 202, url=url))
    # Whoever probes does so before the first handshake too: no session was open then.
    fresh = alive(case, url, min(cell.first_line for cell in cells)) <= 0
    if refused != matched:
        each = matched == handshakes == len(lines) and fresh and _at_once(case, url, cells, lines)
        return (matched, lines) if each else (0, [])
    # Where unknown sessions get 404, a 400 is not about one.
    others = case.count(status=FAIL, url=url) - refused
    alike = refused == handshakes and not others and fresh
    return (refused, lines) if alike or without_id(case, url, "POST") else (0, [])


def _at_once(case: Case, url: int, cells: list[Cell], lines: list[int]) -> bool:
    """Say whether nothing worked before the first probe, and after each the next POST is an initialize that works."""
    bad, good, post = case.rows("failures"), case.rows("ordinary"), METHOD_CODE["POST"]
    worked = np.sort(good["line"][(good["url"] == url) & (good["method"] == post)])
    if not len(worked) or worked[0] < min(cell.first_line for cell in cells):
        return False
    accepted = good["line"][(good["url"] == url) & (good["status"] == 202)]
    every = np.sort(np.concatenate((worked, bad["line"][(bad["url"] == url) & (bad["method"] == post)])))
    after = [every[np.searchsorted(every, line, side="right") :][:1] for line in lines]
    return all(len(found) and found[0] in worked and found[0] not in accepted for found in after)


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


def _matched(case: Case, url: int, cells: list[Cell], *, cut: bool) -> tuple[int, list[int]]:
    """Match handshakes with the nearest refused POST of the cells before them; return how many, and its lines."""
    bad, good, new = case.rows("failures"), case.rows("ordinary"), case.openings(url)
    posts = (bad["url"] == url) & (bad["method"] == METHOD_CODE["POST"])
    mine = posts & np.isin(bad["logger"], [cell.key.logger for cell in cells])
    shaped = np.isin(bad["status"], _REFUSED)
    first = bad["line"][mine & shaped][0]
    everyone = new["line"][new["logger"] == Logger.MCP_CLIENT]
    births = everyone[everyone > first]
    if not len(everyone):
        # No id is logged: an accepted notifications/initialized (202) shows that a handshake went through.
        births = good["line"][(good["url"] == url) & (good["status"] == 202) & (good["method"] == METHOD_CODE["POST"])]
        everyone = births
    # A handshake that is refused for another reason had its probe as well.
    births = np.sort(np.concatenate((births, bad["line"][mine & ~shaped])))
    refused = bad["line"][mine & shaped].tolist()
    silent = not case.notes("mcp.message", text="server/discover")
    if cut and silent and (_began_without(good, everyone, url, int(first)) or _unknown_too(case, url, everyone, first)):
        return 0, []
    lines = nearest(refused, births.tolist())
    matched = len(lines)
    if cut and case.count("POST", range(200, 300), url=url):
        # The log may break off right after a probe, before its handshake.
        rows = np.sort(np.concatenate((good["line"], bad["line"])))
        waiting = [line for line in sorted(set(refused) - set(lines)) if line >= int(rows[-_CUT:][0])]
        late = waiting if matched else [line for line in waiting if alive(case, url, line) == 0]
        matched, lines = matched + len(late), lines + late
    return matched * case.file.failures.stride, lines


def _unknown_too(case: Case, url: int, births: NDArray[np.int64], first: int) -> bool:
    """Say whether sessions were there before the first refusal, and the refusals look like those of unknown sessions.

    That is where streams or DELETEs are refused the same way, or all get 404, which few servers give to a probe.
    """
    statuses = {cell.key.status for cell in case.select("POST", _REFUSED, url=url) if is_httpx2(cell)} - {405}
    others = case.count("GET", statuses, url=url) + case.count("DELETE", statuses, url=url)
    return (others > 0 or statuses == {404}) and bool((births < first).any())


def _began_without(good: dict[str, NDArray[Any]], births: NDArray[np.int64], url: int, first: int) -> bool:
    """Say whether a 2.x client had sessions before the first refusal: whoever probes does so at every connect.

    The first exchanges do not count, since a log may begin between a probe and its handshake.
    """
    mine = (good["url"] == url) & (good["logger"] == Logger.HTTPX2) & (good["method"] == METHOD_CODE["POST"])
    lines = np.sort(good["line"][mine])
    before = births[births < first]
    return len(before) > 0 and len(lines) > _CUT and int(before[-1]) > int(lines[_CUT])
