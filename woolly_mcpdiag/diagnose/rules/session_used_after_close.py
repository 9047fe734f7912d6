"""session.used-after-close: requests with a session that its own client has deleted."""

from collections.abc import Iterator

import numpy as np

from woolly_mcpdiag.core.causes import Confidence
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Cell
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.fates import UNKNOWN_SESSION, alive
from woolly_mcpdiag.logs.batch import METHOD_CODE

CAUSE = "session.used-after-close"
_TERMINATED = (112, 102)
"""Bytes of "Session has been terminated" (mcp up to 1.25, and 2.x; measured)."""


_LOOKS = 20
"""Failures of a kind that are looked at; they are spread evenly."""


def decide_by_body(case: Case) -> Iterator[Finding]:
    """Name it by the size of the answer."""
    sized = [cell for cell in case.select(status=404) if case.left(cell) and any(n in cell.sizes for n in _TERMINATED)]
    count = case.claim_sized(CAUSE, sized, _TERMINATED)
    if count:
        yield _finding(case, count, sized, "certain", 'The answer is "Session has been terminated".')


def decide(case: Case) -> Iterator[Finding]:
    """Name it by the answer's words, by ids that were deleted before, or by requests while no session is left."""
    if case.found(CAUSE):
        return
    told = case.notes("call.rejected", "terminated-session")
    late = _late(case)
    open_cells = [cell for cell in case.select(status=UNKNOWN_SESSION) if case.left(cell)]
    if late:
        count = case.claim(CAUSE, [cell for cell in open_cells if cell.key.url in case.named], late)
        yield _finding(case, count or late, open_cells, "certain", "The same session id was deleted before.")
    elif told:
        count = case.claim(CAUSE, open_cells, len(told))
        yield _finding(case, count or len(told), open_cells, "certain", 'The answer is "Session has been terminated".')


def decide_by_order(case: Case) -> Iterator[Finding]:
    """Name it where requests of unknown sessions come only while no session is left."""
    cells = [cell for cell in case.select(status=UNKNOWN_SESSION) if case.left(cell) and _after_the_last(case, cell)]
    count = case.claim(CAUSE, cells)
    if count:
        certain: Confidence = "likely" if all(cell.key.status == 404 for cell in cells) else "possible"
        why = "Every session opened so far had been deleted when the request came, so it names one of them."
        yield _finding(case, count, cells, certain, why)


def _late(case: Case) -> int:
    """Count failing exchanges that come after the same session's DELETE."""
    bad, good = case.rows("failures"), case.rows("ordinary")
    deleting = (good["method"] == METHOD_CODE["DELETE"]) & ((good["high"] != 0) | (good["low"] != 0))
    ends = {
        (high, low): line
        for high, low, line in zip(*(good[name][deleting].tolist() for name in ("high", "low", "line")), strict=True)
    }
    if not ends:
        return 0
    shaped = np.isin(bad["status"], UNKNOWN_SESSION)
    rows = zip(*(bad[name][shaped].tolist() for name in ("high", "low", "line")), strict=True)
    late = [line for high, low, line in rows if ends.get((high, low), line) < line]
    return len(late) * case.file.failures.stride


def _after_the_last(case: Case, cell: Cell) -> bool:
    """Say whether all failures of a cell come while no session is open, though some were."""
    url = cell.key.url
    if cell.key.method == METHOD_CODE["DELETE"] or not case.count("DELETE", range(200, 300), url=url):
        return False
    bad = case.rows("failures")
    mine = (bad["url"] == url) & (bad["method"] == cell.key.method) & (bad["status"] == cell.key.status)
    if (bad["low"][mine] != 0).any():
        return False
    lines = bad["line"][mine].tolist()
    looked = [*lines[:: max(1, len(lines) // _LOOKS)], *lines[-1:]]
    return (
        bool(looked) and _deleted_before(case, url, looked[0]) and all(alive(case, url, line) == 0 for line in looked)
    )


def _deleted_before(case: Case, url: int, line: int) -> bool:
    good = case.rows("ordinary")
    return bool(((good["url"] == url) & (good["method"] == METHOD_CODE["DELETE"]) & (good["line"] < line)).any())


def _finding(case: Case, count: int, cells: list[Cell], confidence: Confidence, why: str) -> Finding:
    told = case.notes("call.rejected", "terminated-session")
    return finding(
        case,
        CAUSE,
        count,
        f"{Count(count):request uses|requests use} a session after its own client closed it with DELETE.",
        confidence=confidence,
        of=case.requests,
        unit="requests",
        because=[why],
        evidence=(*case.show(cells, 2), *case.show_notes(told, 1)),
        cells=cells,
    )
