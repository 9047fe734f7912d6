"""The one place that tells that lines are mere text: no record of their own, nothing the recognisers would take.

Prompts, SQL and source code go on with a record for many lines, no two the same; they are looked at together. The rules
are the line engine's (``logs.reader``, ``logs.formats``, ``logs.framing``), each in a form that may say no too often.
"""

from dataclasses import dataclass

from woolly_mcpdiag.logs.formats import _CLOCK
from woolly_mcpdiag.logs.recognise.failures import HINTS, leaf_of

_LONGEST = 1 << 16
_LEVELS = frozenset(b"TRAC DEBU INFO NOTI SUCC WARN ERRO CRIT FATA EXCE NOTS".split())
"""Beginnings of the levels that records without a time begin with."""
_NEVER = (b".py:", b"level=", b"lvl=", b"severity=", b"isError", b"-326")
"""Texts of rich's paths and of logfmt, and what the search for literals has looked at only in records."""
_AGENT, _BEGINNINGS = b" agent", (b"xecuting ", b"unning ", b"tarting ")
_FAILURES = tuple(text.encode() for text in HINTS)
_LEAVES = (*_FAILURES[:6], b"Group", b"Exit", b"Closed")
_SCREEN = 80
_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_NUMBERED = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789")
_DIGITS = frozenset(b"0123456789")
_FRAMED = frozenset(b"[<{\x00")


@dataclass(frozen=True, slots=True)
class Prose:
    """What lines of mere text do."""

    blank: int
    """How many of them are blank."""
    leaves: tuple[tuple[str, str], ...]
    """What they add to the failure they go on with."""


def prose(texts: list[bytes], *, failed: bool) -> Prose | None:
    """Return what bare lines do that hold no literal and no control character; ``None`` where they may be more.

    ``failed`` says whether they go on with a failure.
    """
    whole = b"\n".join(texts)
    if len(whole) > _LONGEST or any(text in whole for text in _NEVER):
        return None
    if _AGENT in whole and any(text in whole for text in _BEGINNINGS):
        return None
    named = any(text in whole for text in (_LEAVES if failed else _FAILURES))
    if named and not failed:
        return None
    text = whole.decode("utf-8", "replace")
    if ":" in text and _CLOCK.search(text):
        return None
    lines = text.split("\n")
    blank = sum(not line or line.isspace() for line in lines)
    leaves = tuple(leaf for leaf in map(leaf_of, lines) if leaf is not None) if named else ()
    return Prose(blank, leaves)


def is_bare(line: bytes) -> bool:
    """Say whether no framing and no format without a time can be at the beginning of a line that has no time."""
    first = line[:1]
    if not first:
        return True
    code = first[0]
    if code in _FRAMED:
        return line == b"{"
    if first in b" \t":
        return line.lstrip()[:4] not in _LEVELS and not _is_padded(line)
    if b"|" in line and (code in _LETTERS or code in _DIGITS or code >= 0x80):
        return False
    if code in _NUMBERED and b"-" in line.partition(b" ")[0]:
        return False
    return line[:4] not in _LEVELS and not _is_padded(line)


def _is_padded(line: bytes) -> bool:
    return line.endswith(b" ") and len(line) >= _SCREEN
