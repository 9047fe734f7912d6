"""transport.wrong-path: nothing MCP lives at this path."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding

CAUSE = "transport.wrong-path"
_NOT_FOUND = 9
"""Bytes of a framework's bare "Not Found" (measured)."""


def decide(case: Case) -> Iterator[Finding]:
    """Name it where an address only ever answers 404."""
    for url in sorted(case.mcp):
        cells = [cell for cell in case.select(status=404, url=url) if case.left(cell)]
        if not cells or case.count(status=range(200, 400), url=url):
            continue
        sized = any(_NOT_FOUND in cell.sizes for cell in cells)
        count = case.claim(CAUSE, cells)
        yield finding(
            case,
            CAUSE,
            count,
            f"{case.at(url)} answered every one of {count} requests with 404: nothing is served at this path.",
            confidence="certain" if sized else "likely",
            of=sum(cell.count for cell in case.select(url=url)),
            unit="requests",
            because=[
                'The body has the size of a framework\'s bare "Not Found".'
                if sized
                else "No request to this address ever succeeded, so no session can have been lost here."
            ],
            cells=cells,
        )
