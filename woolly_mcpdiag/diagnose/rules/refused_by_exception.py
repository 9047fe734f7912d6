"""Refusals that only an exception tells of (``HTTPStatusError``), in logs whose level leaves out the requests."""

from collections.abc import Iterator

from woolly_mcpdiag.core.causes import Confidence
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import FAIL, Case, finding
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.endpoints import looks_mcp

_CAUSES: dict[int, tuple[str, Confidence]] = {
    400: ("transport.mismatch", "possible"),
    401: ("auth.required", "certain"),
    403: ("auth.forbidden", "possible"),
    404: ("transport.wrong-path", "possible"),
    405: ("transport.mismatch", "likely"),
    406: ("transport.bad-accept", "certain"),
    413: ("transport.body-too-large", "certain"),
    415: ("transport.bad-accept", "certain"),
    421: ("transport.host-guard", "certain"),
    429: ("proxy.rate-limit", "certain"),
    500: ("server.error", "certain"),
    502: ("proxy.upstream-down", "certain"),
    504: ("proxy.timeout", "certain"),
}
"""What a status means where nothing else is known; a 409 or 503 has too many meanings."""
_OPEN = "log.unexplained-failure"
_TO_SEE = 'To see the requests, log the client at INFO: logging.getLogger("httpx").setLevel(logging.INFO).'
_RIVALS = (
    "An SSE client raises this for the GET it begins with; Streamable HTTP clients seldom meet a 400 that early.",
    "Not excluded: a session that an older server no longer knows, or headers that it does not accept.",
)


def decide(case: Case) -> Iterator[Finding]:
    """Name what the status tells, address by address, where no request to it is in the log."""
    seen = {key.url for key in case.file.cells}
    groups: dict[int, list[Note]] = {}
    for note in case.notes("call.failed", "HTTPStatusError"):
        if note.event.status and note.url >= 0 and note.url not in seen and looks_mcp(case.at(note.url)):
            groups.setdefault(note.event.status, []).append(note)
    for status, notes in sorted(groups.items()):
        cause, confidence = _CAUSES.get(status, (_OPEN, "certain"))
        urls = ", ".join(dict.fromkeys(case.at(note.url) for note in notes))
        yield finding(
            case,
            cause,
            len(notes),
            f"{Count(len(notes)):call|calls} to {urls} failed because the answer was {status}"
            + ("; its reason is not in this log." if cause == _OPEN else "."),
            confidence=confidence,
            because=[
                "The exception names the status; no request line that can be read is in this log.",
                *(_RIVALS if status == FAIL else ()),
                *([_TO_SEE] if confidence != "certain" or cause == _OPEN else []),
            ],
            evidence=case.show_notes(notes),
        )
