"""Which refused requests carried no session id, as a server's own lines tell.

A stateful Python server makes a transport for every request without a session id, and says so ("Created new transport
with session ID") before it answers; a request with an unknown id is refused without such a line. A stateless server
has no sessions that could be unknown.
"""

from collections import Counter

import numpy as np

from woolly_mcpdiag.diagnose.case import FAIL, Case
from woolly_mcpdiag.logs.batch import METHOD_CODE, Kind, Logger

MISSING_ID = (105, 95)
"""Bytes of a "Missing session ID" body, mcp 1.x and 2.x (measured)."""
_MOST = 0.7
"""Share of refusals that must have a line of their own: answers of parallel requests interleave."""


def without_id(case: Case, url: int, method: str) -> bool:
    """Say whether the 400s to a method on an address were given to requests without a session id."""
    if case.view == Kind.CALL:
        return False
    if stateless(case) or _sized(case, url, method):
        return True
    bad, good, new = case.rows("failures"), case.rows("ordinary"), case.openings(url)
    made = new["line"][new["logger"] == Logger.MCP_SERVER]
    if not len(made) or case.file.failures.stride * case.file.ordinary.stride * case.file.openings.stride > 1:
        return False
    here = (bad["url"] == url) & (bad["status"] == FAIL)
    refused, wanted = bad["line"][here], bad["method"][here] == METHOD_CODE[method]
    served = good["line"][(good["url"] == url) & (good["method"] == METHOD_CODE["POST"]) & (good["status"] == 200)]
    lines = np.concatenate((made, served, refused))
    what = np.concatenate((np.full(len(made), -1), np.full(len(served), -2), np.flatnonzero(np.ones(len(refused)))))
    return _matched(what[np.argsort(lines, kind="stable")].tolist(), wanted.tolist()) >= _MOST


def _sized(case: Case, url: int, method: str) -> bool:
    """Say whether every refusal of a known size has that of "Missing session ID"."""
    sizes = Counter[int]()
    for cell in case.select(method, FAIL, url=url):
        sizes += cell.sizes
    return bool(sizes) and all(size in MISSING_ID for size in sizes)


def stateless(case: Case) -> bool:
    """Say whether a server keeps no sessions, by its own word: it ends "session None" after each request."""
    return case.view != Kind.CALL and bool(case.notes("session.closed", "stateless"))


def _matched(order: list[int], wanted: list[bool]) -> float:
    """Walk through transports made (-1), POSTs answered (-2) and refusals (their index) in the order of the log."""
    open_, matched = 0, 0
    for what in order:
        if what == -1:
            open_ += 1
        elif open_:
            open_ -= 1
            matched += what >= 0 and wanted[what]
    return matched / max(1, sum(wanted))
