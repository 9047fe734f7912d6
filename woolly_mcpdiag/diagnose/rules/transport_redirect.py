"""transport.redirect: every request is answered with a redirect to the same path with or without its slash."""

from collections.abc import Iterator
from dataclasses import replace

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import FAIL, Case, finding
from woolly_mcpdiag.diagnose.casefile import Cell
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.endpoints import path_of

CAUSE = "transport.redirect"
_REDIRECTS = (301, 302, 307, 308)
_LEFT = "The server answers with a redirect, and the client does not follow it"
_FOLLOW = (
    "Write the URL exactly as the server routes it: the one that answers without 307. An HTTP client of your own must "
    "be told to follow redirects (httpx: `follow_redirects=True`); SDK clients do."
)


def decide(case: Case) -> Iterator[Finding]:
    """Name it for every redirect, and tell whether its client went where it pointed."""
    cells = [cell for cell in case.select(status=_REDIRECTS) if case.left(cell)]
    count = case.claim(CAUSE, cells)
    if not count:
        return
    urls = ", ".join(dict.fromkeys(case.at(cell.key.url) for cell in cells))
    seen = ", ".join(str(status) for status in sorted({cell.key.status for cell in cells}))
    told = f"{Count(count):request|requests} to {urls} {Count(count):~was|were} answered with a redirect ({seen})"
    followed = _followed(case, cells)
    found = finding(
        case,
        CAUSE,
        count,
        f"{told} and sent again: each call pays twice."
        if followed
        else f"{told}, and none was sent again to the other spelling: a client that does not follow redirects gets no answer at all.",
        confidence="certain" if followed else "likely",
        of=case.requests,
        unit="requests",
        because=[
            "The redirected requests succeed, so nothing fails; the exact URL saves half of the requests."
            if followed == "well"
            else "The address that differs only in its last slash is asked right afterwards."
            if followed
            else "The same path with or without its last slash is not in the log. Not excluded: the redirect points elsewhere, such as to a login page; its `location` header tells."
        ],
        cells=cells,
    )
    yield found if followed else replace(found, severity="error", title=_LEFT, client=_FOLLOW)


def _followed(case: Case, cells: list[Cell]) -> str:
    """Return "well" where requests reach their new address and succeed, "badly" where they fail, "" for neither."""
    names = {path_of(case.at(cell.key.url)).rstrip("/") for cell in cells}
    reached = [
        cell
        for cell in case.file.cells.values()
        if cell.key.kind == case.view
        and cell.key.url >= 0
        and cell.key.status not in _REDIRECTS
        and path_of(case.at(cell.key.url)).rstrip("/") in names
    ]
    if any(cell.key.status < FAIL for cell in reached):
        return "well"
    return "badly" if reached else ""
