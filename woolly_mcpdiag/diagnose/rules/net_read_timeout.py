"""net.read-timeout: no answer within the client's own time-out; why is open."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "net.read-timeout"

_LEAVE_WAITING = (
    "session.harvested-from-400",
    "session.no-affinity",
    "session.lost",
    "session.server-restarted",
    "session.idle-expired",
    "session.used-before-ready",
    "session.used-after-close",
    "session.stream-cut",
    "session.stream-conflict",
    "transport.mismatch",
    "net.connect-timeout",
    "proxy.idle-cut",
    "proxy.timeout",
    "proxy.upstream-down",
    "proxy.rate-limit",
    "server.capacity",
    "server.error",
    "server.event-loop-blocked",
    "server.fd-exhausted",
    "client.shared-object",
    "client.pool-exhausted",
    "client.gave-up",
)
"""Causes that leave calls waiting, so that their time-outs need no name of their own."""


def decide(case: Case) -> Iterator[Finding]:
    """Name the time-outs that no other finding accounts for; never a session cause from a time-out alone."""
    notes = [
        n
        for n in case.notes("call.failed", "ReadTimeout", "TimeoutError", "WriteTimeout")
        if n.event.agent or n.event.error != "TimeoutError"
    ]
    if not notes or any(case.found(cause) for cause in _LEAVE_WAITING):
        return
    refused = any(not found.benign for found in case.findings)
    yield finding(
        case,
        CAUSE,
        len(notes),
        f"{Count(len(notes)):call|calls} got no answer within the client's own time-out"
        + (", beside what was refused." if refused else ", and no request was refused."),
        confidence="possible",
        unit="calls",
        because=[
            "A time-out alone names no cause: a slow tool, a blocked server, a held-back stream and a lost answer look the same."
        ],
        evidence=case.show_notes(notes),
    )
