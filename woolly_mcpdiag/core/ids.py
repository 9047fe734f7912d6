"""The one normal form of a session id: 32 hex digits and a dashed UUID of the same digits are one session."""

import re

_HEX = re.compile(r"[0-9a-fA-F]{32}\Z")
_DASHED = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
MASK = (1 << 64) - 1


def normalise(session: str) -> str:
    """Return lower-case hex without dashes for a UUID, any other id as it is."""
    if _DASHED.match(session):
        return session.replace("-", "").lower()
    if _HEX.match(session):
        return session.lower()
    return session


def short(session: str) -> str:
    """Return the first eight characters, as people name a session."""
    return session[:8]


def pack(session: str) -> tuple[int, int]:
    """Return a normalised id as two 64-bit numbers; (0, 0) is reserved for no session.

    A 32-hex id packs without loss (big-endian halves). Any other id becomes a 128-bit digest,
    so its text must be kept beside it by whoever wants it back.
    """
    if _HEX.match(session):
        return int(session[:16], 16), int(session[16:], 16)
    if not session:
        return 0, 0
    import hashlib  # noqa: PLC0415 - a rare path; saves its import at start

    digest = hashlib.blake2b(session.encode("utf-8", "surrogateescape"), digest_size=16).digest()
    return int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1


def unpack(high: int, low: int) -> str:
    """Return the 32 hex digits of a packed id."""
    return f"{high & MASK:016x}{low & MASK:016x}"
