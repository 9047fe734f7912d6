"""net.tls-mismatch: one side speaks TLS and the other does not, or the certificate does not fit."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.count import Count

CAUSE = "net.tls-mismatch"
_WORDS = ("SSL", "CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "TLS")


def decide(case: Case) -> Iterator[Finding]:
    """Name it by the client's SSL error, or by a server that receives what is not HTTP."""
    notes = [
        n
        for n in case.notes("call.failed")
        if n.event.error in ("ConnectError", "SSLError", "SSLCertVerificationError") and _says(n.event.message)
    ]
    garbage = case.notes("server.error", "not-http")
    if not notes and not garbage:
        return
    plain = any("WRONG_VERSION" in note.event.message for note in notes)
    yield finding(
        case,
        CAUSE,
        len(notes) or len(garbage),
        f"{Count(len(notes)):call|calls} failed in the TLS handshake"
        + (": an https:// URL points at a port that speaks plain HTTP." if plain else ".")
        if notes
        else f"{Count(len(garbage)):time|times} the server received something that is not HTTP, as when https:// is used on its plain port.",
        confidence="certain" if notes else "likely",
        unit="calls",
        because=["The error names TLS." if notes else "Port scanners cause the same line; the client's log decides."],
        evidence=(*case.show_notes(notes), *case.show_notes(garbage, 1)),
    )


def _says(text: str) -> bool:
    return any(word in text for word in _WORDS)
