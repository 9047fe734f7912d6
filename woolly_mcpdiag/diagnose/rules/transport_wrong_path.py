"""transport.wrong-path: nothing MCP lives at this path."""

import re
from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.endpoints import path_of
from woolly_mcpdiag.logs.batch import METHOD_CODE

CAUSE = "transport.wrong-path"
_NOT_FOUND = 9
"""Bytes of a framework's bare "Not Found" (measured)."""

_SSE = re.compile(r"(?i)/sse/?$")


def decide(case: Case) -> Iterator[Finding]:
    """Name it where an address only ever answers 404."""
    for url in sorted(case.mcp):
        cells = [cell for cell in case.select(status=404, url=url) if case.left(cell)]
        if not cells or case.count(status=range(200, 400), url=url) or _has_sessions(case, url):
            continue
        sized = any(_NOT_FOUND in cell.sizes for cell in cells)
        count = case.claim(CAUSE, cells)
        # The TypeScript SDK answers a POST to its SSE address with 404, Python with 405.
        rival = bool(_SSE.search(path_of(case.at(url)))) and all(
            cell.key.method == METHOD_CODE["POST"] for cell in cells
        )
        yield finding(
            case,
            CAUSE,
            count,
            f"{Count(count):request|requests} to {case.at(url)}, and every one got 404: nothing is served at this path.",
            confidence="certain" if sized else "possible" if rival else "likely",
            of=sum(cell.count for cell in case.select(url=url)),
            unit="requests",
            because=[
                'The body has the size of a framework\'s bare "Not Found".'
                if sized
                else "No request to this address ever succeeded, so no session can have been lost here.",
                *(
                    [
                        "Not excluded: an SSE address of the TypeScript SDK, which answers a Streamable client's POST like this."
                    ]
                    if rival and not sized
                    else []
                ),
            ],
            cells=cells,
        )


def _has_sessions(case: Case, url: int) -> bool:
    """Say whether an address is known to be MCP although nothing there succeeds, as in the end of a longer log."""
    return url in case.named or case.count("DELETE", url=url) > 0 or case.count(status=(400, 409), url=url) > 0
