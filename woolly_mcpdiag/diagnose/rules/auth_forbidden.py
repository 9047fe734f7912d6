"""auth.forbidden: a 403 that is not known to be the Origin guard's."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.shapes import answered

_TOLD = ("proxy.error", "forbidden")
_REFUSED = "{n:request|requests} to {urls} {n:~was|were} refused with 403 Forbidden."
_by_proxy = answered(
    "auth.forbidden",
    (403,),
    _REFUSED,
    because=["A rule of the proxy refused (nginx: `deny`), not the MCP server."],
    told=_TOLD,
    alone=True,
)
_by_status = answered(
    "auth.forbidden",
    (403,),
    _REFUSED,
    confidence="possible",
    because=[
        "Not told apart by a status alone: missing rights, the Origin guard (21 bytes) or a proxy (an HTML page)."
    ],
)


def decide(case: Case) -> Iterator[Finding]:
    """Name the proxy where its log does, else leave open who refused."""
    yield from _by_proxy(case) if case.notes(*_TOLD) else _by_status(case)
