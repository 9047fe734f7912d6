"""transport.origin-guard: the server's guard does not know the Origin header."""

from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.casefile import Cell
from woolly_mcpdiag.diagnose.shapes import answered

_BODY = 21
"""Bytes of "Invalid Origin header" (measured, mcp 1.23 and later)."""


def _guarded(case: Case, cell: Cell) -> bool:
    return _BODY in cell.sizes or bool(case.notes("server.error", "bad-origin"))


decide = answered(
    "transport.origin-guard",
    (403,),
    "{n:request|requests} to {urls} {n:~was|were} refused with 403: the server does not accept the Origin header it was sent.",
    because=['The body has the size of "Invalid Origin header", or the server logs it.'],
    told=("server.error", "bad-origin"),
    alone=True,
    only=_guarded,
)
