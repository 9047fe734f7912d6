"""net.keepalive-race: a kept connection was closed by the server just when the client used it again."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.core.ids import normalise, pack
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Note

CAUSE = "net.keepalive-race"
_BROKEN = ("ReadError", "RemoteProtocolError", "WriteError")
"""What clients raise where a connection ends before the answer."""
_AWAY = ("ConnectError", "ConnectTimeout")
"""What they raise where nobody takes the connection."""
_OFTEN = 0.5
"""The same where each is known to have come after a pause, on a kept connection."""
_PAUSE = 0.1
"""Seconds for which a connection was idle before."""
_LOOKS = 200
"""Broken requests that are looked at."""
_AT_ONCE = 0.1
"""Seconds after which the end is another matter: the server had begun to work."""
_RARE = 0.1
"""Share of calls above which the reason is another one: measured 0.6 % at the worst moment."""


def decide(case: Case) -> Iterator[Finding]:
    """Name it for a few broken requests among many good ones, with nothing else wrong."""
    notes = broken_requests(case)
    went = case.restarts() or case.found("session.server-restarted") or case.noted("call.failed", *_AWAY)
    if not notes or went:
        return
    served = case.count("POST", range(200, 300))
    paused = _all_after_a_pause(case)
    if len(notes) > (_OFTEN if paused else _RARE) * served:
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
            "Each broke at once, on a connection that was kept, after a pause: the server did not go away."
            if paused
            else "Rare, single, and without any HTTP error: the server did not go away.",
            "Certain with httpcore DEBUG: no connect_tcp before the broken request, and a pause near the server's keep-alive time.",
        ],
        evidence=case.show_notes(notes),
    )


def _all_after_a_pause(case: Case) -> bool:
    """Say whether every broken request met its end at once, on a connection that was kept, after a pause.

    Only a load tells so much of each; where it does, even many are the race and not a server that ends.
    """
    broken = case.notes("http.exchange", *_BROKEN)
    if not broken or not all(note.event.extra.get("reused") and note.event.session for note in broken):
        return False
    good = case.rows("ordinary")
    for note in broken[:_LOOKS]:
        high, low = pack(normalise(note.event.session))
        began = note.time - (note.event.duration or 0.0) * 1e6
        ends = good["time"][(good["high"] == high) & (good["low"] == low) & (good["time"] <= began)]
        if (note.event.duration or 0.0) > _AT_ONCE or not len(ends) or began - ends.max() < _PAUSE * 1e6:
            return False
    return True


def broken_requests(case: Case) -> list[Note]:
    """Return the calls whose connection ended before the answer; streams that ended are another matter."""
    return [note for note in case.notes("call.failed", *_BROKEN) if not _of_stream(note)]


def _of_stream(note: Note) -> bool:
    text = note.event.message
    return "chunked read" in text or "sse_reader" in text or "SSE stream" in text
