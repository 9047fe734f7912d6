"""net.connection-cut: the connection ended after the request was sent and before its answer."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.rules.net_keepalive_race import broken_requests

CAUSE = "net.connection-cut"
_ACCOUNT_FOR_IT = (
    "net.keepalive-race",
    "net.refused",
    "net.connect-timeout",
    "session.server-restarted",
    "session.stream-cut",
    "proxy.upstream-down",
    "proxy.idle-cut",
    "server.fd-exhausted",
    "transport.body-too-large",
)
"""Findings that say already why connections ended."""


def decide(case: Case) -> Iterator[Finding]:
    """Name broken requests that no other finding accounts for."""
    notes = broken_requests(case)
    if not notes or any(case.found(cause) for cause in _ACCOUNT_FOR_IT):
        return
    yield finding(
        case,
        CAUSE,
        len(notes),
        f"{Count(len(notes)):request|requests} met the end of their connection in place of an answer.",
        confidence="possible",
        unit="requests",
        because=[
            "No connection was refused beside it: the server ended these, or something on the way did.",
            "The server may have carried out what was asked; its log at that second tells.",
        ],
        evidence=case.show_notes(notes),
    )
