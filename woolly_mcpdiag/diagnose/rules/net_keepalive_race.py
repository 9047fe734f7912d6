"""net.keepalive-race: a kept connection was closed by the server just when the client used it again."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Note

CAUSE = "net.keepalive-race"
_RARE = 0.1
"""Share of calls above which the reason is another one: measured 0.6 % at the worst moment."""


def decide(case: Case) -> Iterator[Finding]:
    """Name it for a few broken requests among many good ones, with nothing else wrong."""
    notes = [
        n for n in case.notes("call.failed", "ReadError", "RemoteProtocolError", "WriteError") if not _of_stream(n)
    ]
    if not notes or case.noted("call.failed", "ConnectError") or case.restarts():
        return
    served = case.count("POST", range(200, 300))
    if len(notes) > _RARE * served:
        return
    yield finding(
        case,
        CAUSE,
        len(notes),
        f"{len(notes)} of {served + len(notes)} requests broke on a kept connection that the server had just closed.",
        confidence="likely",
        of=served + len(notes),
        unit="requests",
        because=[
            "Rare, single, and without any HTTP error: the server did not go away.",
            "Certain with httpcore DEBUG: no connect_tcp before the broken request, and a pause near the server's keep-alive time.",
        ],
        evidence=case.show_notes(notes),
    )


def _of_stream(note: Note) -> bool:
    text = note.event.message
    return "chunked read" in text or "sse_reader" in text or "SSE stream" in text
