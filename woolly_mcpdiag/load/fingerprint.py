"""The one rule for which failures are alike."""

import re
from functools import lru_cache
from hashlib import blake2b

_IDS = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{8,}|(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{16,}|0x[0-9a-fA-F]+")
_NUMBERS = re.compile(r"\d+(?:\.\d+)?")
_LONGEST = 300


@lru_cache(maxsize=4096)
def fingerprint(kind: str, operation: str, outcome: str, status: int, code: int, text: str) -> str:
    """Return 12 hexadecimal digits that failures of one sort share, in every process and every run.

    Ids and numbers within the text do not count.
    """
    parts = (kind, operation, outcome, str(status), str(code), plain(text))
    return blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()


def plain(text: str) -> str:
    """Return a text without what differs from one failure to the next: ids, numbers, spaces."""
    text = _NUMBERS.sub("#", _IDS.sub("*", text[:_LONGEST]))
    return " ".join(text.split())
