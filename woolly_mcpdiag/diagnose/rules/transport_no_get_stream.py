"""transport.no-get-stream: a server without GET streams or without DELETE; benign."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "transport.no-get-stream"


def decide(case: Case) -> Iterator[Finding]:
    """Explain 405 to GET or DELETE where POSTs on the same address work."""
    for url in sorted(case.mcp):
        cells = [cell for method in ("GET", "DELETE") for cell in case.select(method, 405, url=url) if case.left(cell)]
        if not cells or not case.count("POST", range(200, 300), url=url):
            continue
        count = case.claim(CAUSE, cells)
        yield finding(
            case,
            CAUSE,
            count,
            f"{Count(count):GET or DELETE|GETs or DELETEs} to {case.at(url)} got 405 while its POSTs work: a server without streams or sessions may do that.",
            confidence="certain",
            of=count,
            unit="405 responses",
            because=["The specification allows 405 here, and the client goes on without."],
            cells=cells,
        )
