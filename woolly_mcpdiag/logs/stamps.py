"""The one place for time stamps: text or number to microseconds since the epoch, UTC."""

import math
import re
from datetime import UTC, date, datetime, timedelta

from woolly_mcpdiag.logs.batch import NO_TIME

Stamp = tuple[int, bool]
"""Microseconds since the epoch (UTC) and whether the stamp named its zone."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOTHING: Stamp = (NO_TIME, False)
_REMEMBERED = 4096
_MONTHS = {
    name: number
    for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)  # noqa: SIM905
}

_CLOCK = r"(?P<H>\d{1,2}):(?P<M>\d\d):(?P<S>\d\d)"
_LAYOUTS = tuple(
    re.compile(date_part + _CLOCK + r"(?P<tail>.*)\Z", re.ASCII)
    for date_part in (
        r"(?P<y>\d{4})[-/.](?P<m>\d\d)[-/.](?P<d>\d\d)[T _]",
        r"(?P<d>\d\d)/(?P<b>[A-Z][a-z]{2})/(?P<y>\d{4}):",
        r"(?:[A-Z][a-z]{2} )?(?P<b>[A-Z][a-z]{2}) {1,2}(?P<d>\d{1,2}) (?:(?P<y>\d{4}) )?",
        r"[A-Z][a-z]{2} (?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d) ",
        r"(?P<m>\d\d)/(?P<d>\d\d)/(?P<y>\d{4}|\d\d),? ",  # rich prints %x of the C locale: month first
        r"(?P<m>\d\d)(?P<d>\d\d) {1,2}",  # glog
        r"",
    )
)
_TAIL = re.compile(
    r"(?:[.,:](?P<fraction>\d{1,9})(?:\.\d{3})?)?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"(?: ?(?P<zone>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?))?(?: (?P<year>\d{4}))?(?: [A-Z]{3,5})?\Z",
    re.ASCII,
)


class Stamps:
    """Reads stamps; the second part of a stamp is remembered, so that the next line of that second is cheap.

    A stamp without a zone is read as UTC. Stamps without a year (syslog, glog) take it from ``day``, the day the log
    was last written to, else from ``year``; without either they give no time. Stamps without a date need ``day``.
    """

    def __init__(self, *, year: int | None = None, day: date | None = None) -> None:
        self._year = day.year if day else year
        self._day = day
        self._heads: dict[str, int] = {}
        self._tails: dict[str, Stamp] = {}
        self._others: dict[str, Stamp] = {}

    def text(self, stamp: str) -> Stamp:
        """Return the time of a stamp, ``NO_TIME`` where it is none."""
        head = self._heads.get(stamp[:19])
        if head is None:
            return self._others.get(stamp) or self._new(stamp)
        tail = stamp[19:]
        if not tail:
            return head, False
        micros, zoned = self._tails.get(tail) or self._new_tail(tail)
        return head + micros, zoned

    def _new_tail(self, tail: str) -> Stamp:
        found = _tail(tail)
        if len(self._tails) >= _REMEMBERED:
            self._tails.clear()
        self._tails[tail] = found
        return found

    def _new(self, stamp: str) -> Stamp:
        if len(self._heads) + len(self._others) >= _REMEMBERED:
            self._heads.clear()
            self._others.clear()
        for layout in _LAYOUTS:
            if (match := layout.match(stamp)) is not None:
                break
        else:
            return _NOTHING
        part = match.groupdict()
        seconds = self._seconds(part)
        if seconds == NO_TIME:
            return _NOTHING
        if layout is _LAYOUTS[0]:
            self._heads[stamp[:19]] = seconds
        micros, zoned = _tail(part["tail"])
        self._others[stamp] = found = (seconds + micros, zoned)
        return found

    def _seconds(self, part: dict[str, str | None]) -> int:
        tail = _TAIL.match(part["tail"] or "")
        if tail is None:
            return NO_TIME
        hour = int(part["H"] or 0)
        if tail["half"]:
            hour = hour % 12 + (12 if tail["half"] in "Pp" else 0)
        try:
            day = self._date(part, tail["year"])
            if day is None:
                return NO_TIME
            # A leap second is the last one of its minute told twice.
            second = min(int(part["S"] or 0), 59)
            moment = datetime(day.year, day.month, day.day, hour, int(part["M"] or 0), second, tzinfo=UTC)
        except ValueError:
            return NO_TIME
        return (moment - _EPOCH) // _MICROSECOND

    def _date(self, part: dict[str, str | None], trailing_year: str | None) -> date | None:
        if not part.get("d"):
            return self._day
        month = _MONTHS.get(part.get("b") or "") or int(part.get("m") or 0)
        day = int(part["d"] or 0)
        year_text = part.get("y") or trailing_year
        if year_text:
            year = int(year_text)
            return date(year + 2000 if year < 100 else year, month, day)
        if self._year is None:
            return None
        # A log last written in January may begin in December of the year before.
        late = self._day is not None and (month, day) > (self._day.month, self._day.day)
        return date(self._year - late, month, day)


def _tail(tail: str) -> Stamp:
    match = _TAIL.match(tail)
    if match is None:
        return 0, False
    micros = int((match["fraction"] or "0").ljust(6, "0")[:6])
    zone = match["zone"]
    if zone is None:
        return micros, False
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = (int(digits[:2]) * 60 + int(digits[2:])) * 60_000_000
        micros -= offset if zone[0] == "+" else -offset
    return micros, True


_EARLIEST = 1e8  # 1973: smaller numbers are durations or counters
_LATEST = 2.5e11  # year 9892, so that µs always fit


def number(value: float) -> int:
    """Return the time of an epoch number in s, ms, µs or ns, told apart by size; ``NO_TIME`` where it is none."""
    try:
        seconds = float(value)
    except OverflowError:
        return NO_TIME
    if not math.isfinite(seconds) or seconds < _EARLIEST:
        return NO_TIME
    for micros_each in (1_000_000, 1_000, 1):
        if seconds < 1e11:
            return round(value * micros_each)
        seconds /= 1000
    return int(value) // 1000 if seconds < 1e11 else NO_TIME
