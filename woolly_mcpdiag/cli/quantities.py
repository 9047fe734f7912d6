"""The one place for lengths of time, rates, ranges and counts as people type them."""

import math
import re
from collections.abc import Mapping

from woolly_mcpdiag.core.errors import UsageError

_UNITS: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "": 1.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|m|h)", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?\Z", re.ASCII)
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*/?\s*(?:(s|sec|m|min|h))?\Z", re.ASCII)
_PER: Mapping[str | None, float] = {None: 1.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
LONGEST = 30 * 86_400.0
"""Seconds."""


def seconds(text: str, option: str, *, zero: bool = False) -> float:
    """Return the seconds of "30s", "500ms", "1m30s", "2h" or a bare number of seconds.

    Raises ``UsageError`` for anything else, for a time over 30 days, and for 0 unless ``zero``.
    """
    stripped = text.strip().lower().replace(" ", "")
    if _NUMBER.match(stripped):
        found = float(stripped)
    elif stripped and not _PART.sub("", stripped):
        found = sum(float(part[1]) * _UNITS[part[2]] for part in _PART.finditer(stripped))
    else:
        msg = f"{option} {text}: not a length of time"
        raise UsageError(msg, hint=f"write {option} 30s, {option} 500ms or {option} 1m30s")
    if found > LONGEST or (found == 0 and not zero):
        msg = f"{option} {text}: {'is no time at all' if found == 0 else 'is over 30 days'}"
        raise UsageError(msg, hint=f"write for example {option} 30s")
    return found


def rate(text: str, option: str) -> float:
    """Return a number a second, of "10/s", "600/m" or a bare number. Raises ``UsageError`` for anything else and 0."""
    found = _RATE.match(text.strip().lower())
    if found is None or (found[2] and "/" not in text):
        msg = f"{option} {text}: not a rate"
        raise UsageError(msg, hint=f"write {option} 10/s or {option} 600/m")
    each = float(found[1]) / _PER[found[2]]
    if not 0 < each <= 1_000_000:
        msg = f"{option} {text}: {'nothing would ever start' if each == 0 else 'is over a million a second'}"
        raise UsageError(msg, hint=f"write {option} 10/s")
    return each


def span(text: str, option: str) -> tuple[float, float]:
    """Return the seconds of "0.5s..2s", "500ms..2s" or of one length, which stands for both ends.

    Raises ``UsageError`` for anything else, and where the second is below the first.
    """
    low, dots, high = text.partition("..")
    first = seconds(low, option, zero=True)
    last = seconds(high, option, zero=True) if dots else first
    if last < first:
        msg = f"{option} {text}: {high} is below {low}"
        raise UsageError(msg, hint=f"exchange the two: {option} {high}..{low}")
    return first, last


def whole(text: str, option: str, *, least: int = 1, most: int = 1_000_000_000) -> int:
    """Return a whole number; thousands may be parted by "_" or ",". Raises ``UsageError`` for any other text."""
    digits = text.strip().replace("_", "").replace(",", "")
    if not digits.isascii() or not digits.isdigit() or not least <= int(digits[:12]) <= most:
        msg = f"{option} {text}: is not a whole number from {least:,} to {most:,}"
        raise UsageError(msg, hint=f"write for example {option} {max(least, min(10, most))}")
    return int(digits)


def share(text: str, option: str) -> float:
    """Return a share between 0 and 1 of "95", "95%" or "0.95". Raises ``UsageError`` for anything else."""
    stripped = text.strip().removesuffix("%").strip()
    found = float(stripped) if _NUMBER.match(stripped) else math.nan
    found = found / 100 if found > 1 or "%" in text else found
    if not 0 < found < 1:
        msg = f"{option} {text}: is no share between 0 and 100 %"
        raise UsageError(msg, hint=f"write {option} 95")
    return found
