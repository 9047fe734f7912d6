"""session.used-after-close: requests with a session that its own client has deleted."""

from collections.abc import Iterator

import numpy as np

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.fates import UNKNOWN_SESSION
from woolly_mcpdiag.logs.batch import METHOD_CODE

CAUSE = "session.used-after-close"
_TERMINATED = 112
"""Bytes of "Session has been terminated" (mcp up to 1.25, measured)."""


def decide(case: Case) -> Iterator[Finding]:
    """Name it where a failing exchange comes after the same session's DELETE, or the answer says "terminated"."""
    bad, good = case.rows("failures"), case.rows("ordinary")
    deleted = {
        (high, low): line
        for high, low, line, method in zip(
            good["high"].tolist(), good["low"].tolist(), good["line"].tolist(), good["method"].tolist(), strict=True
        )
        if method == METHOD_CODE["DELETE"] and (high or low)
    }
    late = sum(
        1
        for high, low, line in zip(bad["high"].tolist(), bad["low"].tolist(), bad["line"].tolist(), strict=True)
        if deleted.get((high, low), line) < line
    )
    told = case.notes("call.rejected", "terminated-session")
    sized = [cell for cell in case.select(status=404) if _TERMINATED in cell.sizes]
    count = max(late, sum(cell.sizes[_TERMINATED] for cell in sized), len(told))
    if not count:
        return
    urls = set(np.unique(bad["url"]).tolist())
    cells = sized or [cell for cell in case.select(status=UNKNOWN_SESSION) if cell.key.url in urls]
    claimed = case.claim(CAUSE, cells, count)
    yield finding(
        case,
        CAUSE,
        claimed or count,
        f"{count} requests use a session after its own client closed it with DELETE.",
        confidence="certain",
        of=case.requests,
        unit="requests",
        because=["The same session id was deleted before." if late else 'The answer is "Session has been terminated".'],
        evidence=(*case.show(cells, 2), *case.show_notes(told, 1)),
        cells=cells,
    )
