"""transport.protocol-version: the server does not speak the protocol version that the client names."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "transport.protocol-version"
_BODIES = (183, 195, 198, 150)
"""Bytes of "Unsupported protocol version" of mcp 1.11, 1.30, the TypeScript SDK and the modern era (measured)."""


def decide(case: Case) -> Iterator[Finding]:
    """Name it where a 400 has the size of that body, or a line says it."""
    told = case.notes("call.rejected", "protocol-version")
    cells = [
        cell for cell in case.select(status=400) if case.left(cell) and any(size in cell.sizes for size in _BODIES)
    ]
    if not told and not cells:
        return
    sized = sum(count for cell in cells for size, count in cell.sizes.items() if size in _BODIES)
    count = case.claim(CAUSE, cells or case.select("POST", 400), sized or len(told))
    yield finding(
        case,
        CAUSE,
        count or len(told),
        f"{Count(count or len(told)):request names|requests name} a protocol version that the server does not support.",
        confidence="certain",
        of=case.count(status=400),
        unit="400 responses",
        because=["The answer says it." if told else "The 400 has the size of that answer's body."],
        evidence=(*case.show_notes(told, 2), *case.show(cells, 2)),
        cells=cells,
    )
