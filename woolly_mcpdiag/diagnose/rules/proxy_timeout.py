"""proxy.timeout: a proxy gave up waiting for the answer."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "proxy.timeout"


def decide(case: Case) -> Iterator[Finding]:
    """Name it for 504, and for answers that the proxy's log says it cut while waiting for a header."""
    cells = [cell for cell in case.select(status=504) if case.left(cell)]
    told = [
        n
        for n in case.notes("proxy.error", "upstream-timeout")
        if n.event.extra.get("phase") == "reading response header from upstream"
    ]
    count = case.claim(CAUSE, cells)
    if not count and not told:
        return
    yield finding(
        case,
        CAUSE,
        count or len(told),
        f"{Count(count or len(told)):call|calls} got 504: the answer took longer than the proxy waits.",
        confidence="certain",
        of=case.requests,
        unit="requests",
        because=[
            f"The proxy logs the time-out ({Count(len(told)):line|lines})."
            if told
            else "Only a gateway answers 504; the server itself never does."
        ],
        evidence=(*case.show(cells, 2), *case.show_notes(told, 1)),
        cells=cells,
    )
