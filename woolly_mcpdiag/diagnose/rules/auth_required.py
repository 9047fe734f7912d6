"""auth.required and auth.challenge: the endpoint wants credentials, and whether the client then had them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import FAIL, Case, finding, is_httpx2
from woolly_mcpdiag.diagnose.casefile import Cell
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.endpoints import is_auth
from woolly_mcpdiag.diagnose.shapes import answered
from woolly_mcpdiag.logs.batch import Kind

CHALLENGE = "auth.challenge"
_WANTED = 401
_REFUSED = (
    "{n:request|requests} to {urls} {n:~was|were} refused with {statuses}: credentials are missing, wrong or expired."
)
_required = answered("auth.required", (_WANTED, 407), _REFUSED)
_required_of_probes = answered(
    "auth.required",
    (_WANTED, 407),
    _REFUSED,
    because=["A 2.x client shows two per connect: its era probe and initialize."],
)


def decide(case: Case) -> Iterator[Finding]:
    """Take out what the client answered with a token, address by address; all else is auth.required."""
    for url in sorted(case.mcp):
        cells = [cell for cell in case.select(status=_WANTED, url=url) if case.left(cell)]
        sources = {cell.key.source for cell in cells}
        for source in sorted(sources):
            yield from _challenge(case, url, source, [cell for cell in cells if cell.key.source == source])
    probing = case.view != Kind.CALL or any(is_httpx2(cell) for cell in case.select("POST", _WANTED))
    yield from _required_of_probes(case) if probing else _required(case)


def _challenge(case: Case, url: int, source: int, cells: list[Cell]) -> Iterator[Finding]:
    met, all_, oauth = _met(case, url, source)
    count = case.claim(CHALLENGE, cells, round(met / all_ * case.open(cells))) if met else 0
    if not count:
        return
    yield finding(
        case,
        CHALLENGE,
        count,
        f"{Count(count):request|requests} to {case.at(url)} got 401 first, and the same address answered once the client had its token.",
        confidence="certain" if oauth else "likely",
        of=sum(cell.count for cell in cells),
        unit="401 responses",
        because=[
            "Requests to the authorisation server stand between each refusal and the next success."
            if oauth
            else "All stand before the first success on this address, and none comes after it."
        ],
        cells=cells,
    )


def _met(case: Case, url: int, source: int) -> tuple[int, int, bool]:
    """Return how many kept 401s a success met, of how many, and whether the requests for a token are in the log."""
    refused = _lines(case.rows("failures"), url, source, _WANTED)
    good = case.rows("ordinary")
    served = np.sort(good["line"][(good["url"] == url) & (good["source"] == source) & (good["status"] < 300)])
    if not len(refused) or not len(served):
        return 0, len(refused), False
    asked = _asked(refused, served, _token_lines(case, source), each=case.count("POST", 202, url=url) >= len(refused))
    if refused.max() < served[0]:
        return len(refused), len(refused), bool(asked.all())
    return int(np.count_nonzero(asked)), len(refused), True


def _asked(
    refused: NDArray[np.int64], served: NDArray[np.int64], token: NDArray[np.int64], *, each: bool
) -> NDArray[np.bool_]:
    """Say of each refusal whether a request for a token and then a success follow it.

    With ``each`` there is a handshake for every refusal. Without, a client may be refused again and again beside one
    that works: then the token must come before the next success, and none may have come since the last.
    """
    if not len(token):
        return np.zeros(len(refused), bool)
    after = np.searchsorted(token, refused)
    if each:
        answers = token[np.minimum(after, len(token) - 1)]
        return np.asarray((after < len(token)) & (answers < served[-1]), np.bool_)
    place = np.searchsorted(served, refused)
    known = np.concatenate(([0], np.searchsorted(token, served), [0]))
    return np.asarray((place < len(served)) & (known[place + 1] > after) & (known[place] >= after), np.bool_)


def _lines(rows: dict[str, NDArray[np.int64]], url: int, source: int, status: int) -> NDArray[np.int64]:
    return np.sort(rows["line"][(rows["url"] == url) & (rows["source"] == source) & (rows["status"] == status)])


def _token_lines(case: Case, source: int) -> NDArray[np.int64]:
    """Return the lines of requests that OAuth makes and that were served."""
    codes = sorted({key.url for key in case.file.cells if key.url >= 0 and is_auth(case.at(key.url))})
    rows = case.file.ordinary.columns()
    mine = np.isin(rows["url"], codes) & (rows["source"] == source) & (rows["status"] < FAIL)
    return np.sort(rows["line"][mine])
