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

_CLOCK = r"(?P<H>\d{1,2}):(?P<M>\d\d)(?::(?P<S>\d\d))?"
_LAYOUTS = tuple(
    re.compile(date_part + _CLOCK + r"(?P<tail>.*)\Z", re.ASCII)
    for date_part in (
        r"(?P<y>\d{4})[-/.](?P<m>\d\d)[-/.](?P<d>\d\d)[T _]",
        r"(?:[A-Z][a-z]{2},? )?(?P<d>\d{1,2})[-/ ](?P<b>[A-Z][a-z]{2})[-/ ](?P<y>\d{4})(?:,? |:)",
        r"(?:[A-Z][a-z]{2},? )?(?P<b>[A-Z][a-z]{2}) {1,2}(?P<d>\d{1,2}),? (?:(?P<y>\d{4}),? )?",
        r"[A-Z][a-z]{2} (?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d) ",
        r"(?P<one>\d\d)(?P<mark>[-/.])(?P<two>\d\d)[-/.](?P<three>\d{4}|\d\d),? ",
        r"(?P<m>\d\d)[-/]?(?P<d>\d\d) {1,2}",  # glog, and the logging cookbook
        r"",
    )
)
_EPOCH_NUMBER = re.compile(r"\d{10}(?:[.,]\d{1,9})?|\d{13}|\d{16}", re.ASCII)
_DAY = 86_400_000_000
_SECONDS = {f"{second:02}": second * 1_000_000 for second in range(60)}
_WHOLE = len("2026-11-22 14:44:40")
_TAIL = re.compile(
    r"(?:[.,:](?P<fraction>\d{1,9})(?:\.\d{3})?)?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"(?: ?(?P<zone>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?))?(?: (?P<year>\d{4}))?(?: [A-Z]{3,5})?\Z",
    re.ASCII,
)


class Stamps:
    """Reads stamps; minutes and what follows the seconds are remembered, so that the next line of a minute is cheap.

    A stamp without a zone is read as UTC. Stamps without a year (syslog, glog) take it from ``day``, the day the log
    was last written to, else from ``year``; without either they give no time. Stamps without a date need ``day``, and
    are of the day after it once the clock has gone back by more than half a day.

    ``01/02/2026`` is month first, as rich and the logging documentation write it, until a number above 12, or a date
    after ``day``, shows that the log is day first; ``01.02.2026`` is day first.
    """

    def __init__(self, *, year: int | None = None, day: date | None = None) -> None:
        self.year = day.year if day else year
        """The year of stamps that name none, ``None`` where it is not known."""
        self._day = day
        self._minutes: dict[str, int] = {}
        self._tails: dict[str, Stamp] = {}
        self._others: dict[str, Stamp] = {}
        self._clocks: dict[str, Stamp] = {}
        self._latest = 0
        """The last time without a date, in µs since the epoch."""
        self.day_first = False
        """True once the log has shown that it writes the day before the month."""

    def dates(self, stamp: str) -> bool:
        """Say whether a stamp gives a time here; nothing is remembered of it."""
        return Stamps(year=self.year, day=self._day).text(stamp)[0] != NO_TIME

    def unlearn(self) -> None:
        """Read dates month first again, as if the log had not yet shown that it is day first."""
        self.day_first = False
        self._others.clear()

    def text(self, stamp: str) -> Stamp:
        """Return the time of a stamp, ``NO_TIME`` where it is none."""
        minute, second, tail = self._minutes.get(stamp[:17]), _SECONDS.get(stamp[17:19]), stamp[19:]
        if minute is None or second is None:
            return self._others.get(stamp) or self._new(stamp)
        if not tail:
            return minute + second, False
        known = self._tails.get(tail) or self._new_tail(tail)
        if known is None:
            return self._others.get(stamp) or self._new(stamp)
        return minute + second + known[0], known[1]

    def _new_tail(self, tail: str) -> Stamp | None:
        """Return what stands behind the seconds; ``None`` where it changes the hour or is nothing known."""
        match = _TAIL.match(tail)
        if match is None or match["half"]:
            return None
        if len(self._tails) >= _REMEMBERED:
            self._tails.clear()
        found = self._tails[tail] = _tail(tail)
        return found

    def _new(self, stamp: str) -> Stamp:
        if (clock := self._clocks.get(stamp)) is not None:
            return self._following(*clock)
        if len(self._minutes) + len(self._others) + len(self._clocks) >= _REMEMBERED:
            self._minutes.clear()
            self._others.clear()
            self._clocks.clear()
        for layout in _LAYOUTS:
            if (match := layout.match(stamp)) is not None:
                break
        else:
            if _EPOCH_NUMBER.fullmatch(stamp) is None:
                return _NOTHING
            return number(float(stamp.replace(",", "."))), True
        part = match.groupdict()
        seconds = self._seconds(part)
        if seconds == NO_TIME:
            return _NOTHING
        if layout is _LAYOUTS[0] and match.end("S") == _WHOLE and self._new_tail(part["tail"] or ""):
            self._minutes[stamp[:17]] = seconds - min(int(part["S"] or 0), 59) * 1_000_000
        micros, zoned = _tail(part["tail"])
        found = seconds + micros, zoned
        if layout is _LAYOUTS[-1]:
            self._clocks[stamp] = found
            return self._following(*found)
        self._others[stamp] = found
        return found

    def _following(self, time: int, zoned: bool) -> Stamp:
        """Return a time of the first day as one of the day that the log has come to."""
        if not self._latest:
            self._latest = time
        days = round((self._latest - time) / _DAY)
        time += max(days, 0) * _DAY
        self._latest = max(self._latest, time)
        return time, zoned

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
        if part.get("one"):
            return self._numeric(int(part["one"] or 0), int(part["two"] or 0), part["three"] or "", part["mark"] == ".")
        if not part.get("d"):
            return self._day
        month = _MONTHS.get(part.get("b") or "") or int(part.get("m") or 0)
        day = int(part["d"] or 0)
        year_text = part.get("y") or trailing_year
        if year_text:
            year = int(year_text)
            return date(year + 2000 if year < 100 else year, month, day)
        if self.year is None:
            return None
        # A log last written in January may begin in December of the year before.
        late = self._day is not None and (month, day) > (self._day.month, self._day.day)
        return date(self.year - late, month, day)

    def _numeric(self, one: int, two: int, three: str, dots: bool) -> date:
        """Return the date of three numbers, of which only the year may have four digits (Spark: year first)."""
        year = int(three) + (2000 if len(three) == 2 else 0)
        if one > 12 and len(three) == 2 and not dots and not (self.year == year and one <= 31):
            return date(2000 + one, two, int(three))
        if dots or one > 12:
            self._set_day_first(dots=dots)
            return date(year, two, one)
        if two > 12:
            return date(year, one, two)
        found, other = date(year, one, two), date(year, two, one)
        if not self.day_first and self._day is not None and found > self._day + timedelta(days=1) >= other:
            self._set_day_first(dots=False)
        return other if self.day_first else found

    def _set_day_first(self, *, dots: bool) -> None:
        if not dots and not self.day_first:
            self.day_first = True
            self._others.clear()


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
