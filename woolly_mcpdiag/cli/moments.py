"""The one place for points in time as people type them."""

import re
from datetime import UTC, datetime, time, timedelta

from woolly_mcpdiag.core.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])(?:\s+ago)?\Z", re.ASCII)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\Z", re.ASCII)
_EPOCH = re.compile(r"\d{9,11}(?:\.\d+)?\Z", re.ASCII)


def moment(text: str, option: str, now: datetime) -> float:
    """Return seconds since the epoch for an ISO time, "14:30", "10m" or "10m ago", or epoch seconds.

    A time without a zone is UTC, as it is in a log; "14:30" is the last time the clock showed it before ``now``.
    Raises ``UsageError`` for anything else.
    """
    stripped = text.strip()
    if found := _AGO.match(stripped):
        return max(now.timestamp() - float(found[1]) * _SECONDS[found[2]], 0.0)
    if _EPOCH.match(stripped):
        return float(stripped)
    try:
        if _CLOCK.match(stripped):
            return _last(time.fromisoformat(stripped if stripped[2] == ":" else f"0{stripped}"), now)
        found_time = datetime.fromisoformat(stripped)
    except ValueError:
        msg = f"{option} {text!r}: not a time"
        raise UsageError(
            msg,
            hint=f'write {option} "2026-01-31 14:30", {option} 14:30, {option} "10m ago" or epoch seconds',
        ) from None
    return (found_time if found_time.tzinfo else found_time.replace(tzinfo=UTC)).timestamp()


def _last(clock: time, now: datetime) -> float:
    today = datetime.combine(now.date(), clock, tzinfo=UTC)
    return (today if today <= now else today - timedelta(days=1)).timestamp()
