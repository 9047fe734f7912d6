from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from woolly_mcpdiag.logs.batch import NO_TIME
from woolly_mcpdiag.logs.stamps import Stamps, number


def micros(iso: str) -> int:
    moment = datetime.fromisoformat(iso).replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // (moment.resolution)


@pytest.mark.parametrize(
    ("stamp", "expected", "zoned"),
    [
        ("2026-11-22 14:44:21", "2026-11-22T14:44:21", False),
        ("2026-11-22 14:44:21,778", "2026-11-22T14:44:21.778", False),
        ("2026-11-22 14:44:28,057.057", "2026-11-22T14:44:28.057", False),
        ("2026-11-22T14:44:21.778Z", "2026-11-22T14:44:21.778", True),
        ("2026-11-22T14:44:21.123456789Z", "2026-11-22T14:44:21.123456", True),
        ("2026-11-22T15:44:21+01:00", "2026-11-22T14:44:21", True),
        ("2026-11-22 09:14:21 -0530", "2026-11-22T14:44:21", True),
        ("2026/11/22 14:44:21", "2026-11-22T14:44:21", False),
        ("22/Nov/2026:15:44:21 +0100", "2026-11-22T14:44:21", True),
        ("Nov 22 14:44:21", "2026-11-22T14:44:21", False),
        ("Nov  2 14:44:21.5", "2026-11-02T14:44:21.5", False),
        ("Sun Nov 22 14:44:21.551000 2026", "2026-11-22T14:44:21.551", False),
        ("Sun 2026-11-22 14:44:21 UTC", "2026-11-22T14:44:21", True),
        ("11/22/26 14:44:21", "2026-11-22T14:44:21", False),
        ("11/22/2026 02:44:21 PM", "2026-11-22T14:44:21", False),
        ("11/22/2026 12:44:21 AM", "2026-11-22T00:44:21", False),
        ("2026-11-22 02:44:21 PM", "2026-11-22T14:44:21", False),
        ("2026-11-22 12:44:21.5am", "2026-11-22T00:44:21.5", False),
        ("2026-11-22 2:44:21,778", "2026-11-22T02:44:21.778", False),
        ("22/11/2026 14:44:21", "2026-11-22T14:44:21", False),
        ("22-11-2026 14:44:21,5", "2026-11-22T14:44:21.5", False),
        ("02.11.2026 14:44:21", "2026-11-02T14:44:21", False),
        ("02/11/2026 14:44:21", "2026-02-11T14:44:21", False),
        ("26/11/22 14:44:21", "2026-11-22T14:44:21", False),
        ("22/11/26 14:44:21", "2026-11-22T14:44:21", False),
        ("22-Nov-2026 14:44:21,778", "2026-11-22T14:44:21.778", False),
        ("2 Nov 2026 14:44:21", "2026-11-02T14:44:21", False),
        ("Sun, 22 Nov 2026 14:44:21 +0000", "2026-11-22T14:44:21", True),
        ("Sun Nov  1 14:44:21 UTC 2026", "2026-11-01T14:44:21", True),
        ("Nov 22, 2026 02:44:21 PM", "2026-11-22T14:44:21", False),
        ("1795358661.5", "2026-11-22T14:44:21.5", True),
        ("1795358661,5", "2026-11-22T14:44:21.5", True),
        ("1795358661778", "2026-11-22T14:44:21.778", True),
        ("11-22 14:44", "2026-11-22T14:44:00", False),
        ("2026-11-22 14:44", "2026-11-22T14:44:00", False),
        ("2026-11-22 14:44Z", "2026-11-22T14:44:00", True),
        ("1122 14:44:21.778000", "2026-11-22T14:44:21.778", False),
        ("14:44:21.778", "2026-11-22T14:44:21.778", False),
        ("2026-12-31 23:59:60", "2026-12-31T23:59:59", False),
    ],
)
def test_a_stamp_is_read(stamp, expected, zoned):
    stamps = Stamps(day=date(2026, 11, 22))
    assert stamps.text(stamp) == (micros(expected), zoned)
    assert stamps.text(stamp) == (micros(expected), zoned)  # from memory


@pytest.mark.parametrize(
    "stamp", ["", "x", "2026-13-01 00:00:00", "2026-02-30 00:00:00", "2026-01-01 25:00:00", "13/22"]
)
def test_what_is_no_stamp_has_no_time(stamp):
    assert Stamps(year=2026).text(stamp) == (NO_TIME, False)


@pytest.mark.parametrize("end", ["", ",5", " AM", " PM", ",5 PM", "Z", "+01:00", " X9"])
def test_what_is_remembered_of_a_minute_changes_no_time(end):
    stamps = Stamps()
    for second in ("07", "08", "60", "61", "7", "ab"):
        for each in ("", ",5", " PM", end):
            stamp = f"2026-11-22 02:44:{second}{each}"
            assert stamps.text(stamp) == Stamps().text(stamp)


def test_a_december_line_of_a_log_last_written_in_january_is_of_the_year_before():
    stamps = Stamps(day=date(2027, 1, 3))
    assert stamps.text("Dec 31 23:59:59")[0] == micros("2026-12-31T23:59:59")
    assert stamps.text("Jan  1 00:00:01")[0] == micros("2027-01-01T00:00:01")


def test_a_number_above_twelve_shows_that_a_log_is_day_first():
    stamps = Stamps()
    before, shown, after = (stamps.text(f"{date} 14:44:21")[0] for date in ("02/11/2026", "22/11/2026", "02/11/2026"))
    assert before == micros("2026-02-11T14:44:21")
    assert shown == micros("2026-11-22T14:44:21")
    assert after == micros("2026-11-02T14:44:21")


def test_a_date_after_the_last_day_shows_that_a_log_is_day_first():
    stamps = Stamps(day=date(2026, 2, 12))
    assert stamps.text("11/02/2026 14:44:21")[0] == micros("2026-02-11T14:44:21")
    assert stamps.text("10/02/2026 14:44:21")[0] == micros("2026-02-10T14:44:21")


def test_a_clock_without_date_goes_on_after_midnight():
    stamps = Stamps(day=date(2026, 11, 22))
    clocks = ("00:00:05", "23:59:59", "00:00:05", "23:59:58", "12:00:00", "23:59:59", "00:00:05")
    days = ("22", "22", "23", "22", "23", "23", "24")
    assert [stamps.text(clock)[0] for clock in clocks] == [
        micros(f"2026-11-{day}T{clock}") for day, clock in zip(days, clocks, strict=True)
    ]


def test_without_year_or_day_there_is_no_time():
    assert Stamps().text("Nov 22 14:44:21")[0] == NO_TIME
    assert Stamps(year=2026).text("14:44:21")[0] == NO_TIME


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year >= 1000))
def test_every_moment_reads_back(moment: datetime):
    stamps = Stamps()
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // moment.resolution
    assert stamps.text(moment.replace(tzinfo=None).isoformat(timespec="microseconds")) == (expected, False)
    assert stamps.text(f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond:06d}+00:00") == (expected, True)


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
def test_epoch_units_are_told_apart_by_size(unit):
    assert number(1795358661 * unit) == 1795358661_000_000


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 5.2, 10**400, 10**25])
def test_other_numbers_are_no_times(value):
    assert number(value) == NO_TIME


@given(st.floats() | st.integers())
def test_no_number_raises_and_every_time_fits_64_bits(value):
    assert -(1 << 63) <= number(value) < 1 << 63


@given(st.text(max_size=40) | st.text(alphabet="0123456789-/:., TZ+APM", max_size=40))
def test_no_text_raises(stamp):
    assert isinstance(Stamps(day=date(2026, 1, 1)).text(stamp)[0], int)
