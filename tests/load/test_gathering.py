import pytest

from woolly_mcpdiag.core.measures import Series, Tally, merged
from woolly_mcpdiag.load.gathering import Gathering
from woolly_mcpdiag.load.plan import Model, Plan
from woolly_mcpdiag.load.travel import Snapshot

PLAN = Plan(calls=(), model=Model(concurrency=4))


def counted(calls: int) -> Tally:
    tally = Tally()
    if calls:
        tally.of(Series()).ok = calls
        tally.of(Series()).latency.add(0.25, calls)
    return tally


def snapshot(at: float, calls: int = 0, in_flight: int = 0) -> Snapshot:
    return Snapshot(at=at, tally=counted(calls), in_flight=in_flight)


def test_an_interval_is_told_when_every_process_has_reported_its_second():
    gathering = Gathering(PLAN, offset=10.0)
    assert gathering.take([], []) is None
    both = [snapshot(1.02, 3, 1), snapshot(0.98, 2, 1)]
    assert gathering.take(both, both) is None
    both = [snapshot(1.02, 3, 1), snapshot(1.05, 4, 2)]
    row = gathering.take(both, both)
    assert (row.start, row.end, row.in_flight, row.users) == (10.0, 11.02, 3, 4)
    assert row.tally == counted(7)
    assert gathering.take(both, both) is None


def test_a_process_that_hangs_holds_the_others_up_for_two_seconds_only():
    gathering = Gathering(PLAN, offset=0.0)
    assert gathering.take([snapshot(0.5), snapshot(2.0)], [snapshot(0.5), snapshot(2.0)]) is None
    late = [snapshot(0.5, 1), snapshot(3.0, 2)]
    row = gathering.take(late, late)
    assert (row.end, row.tally) == (3.0, counted(3))


def test_what_a_lost_process_told_stays_in_the_sum_and_it_holds_nobody_up():
    gathering = Gathering(PLAN, offset=0.0)
    lost = snapshot(0.9, 5)
    row = gathering.take([lost, snapshot(1.0, 2)], [snapshot(1.0, 2)])
    last = gathering.take([lost, snapshot(1.5, 4)], (), end=1.5)
    assert [each.tally for each in (row, last)] == [counted(7), counted(2)]
    assert merged([row.tally, last.tally]) == gathering.tally == counted(9)
    assert (last.start, last.end, last.users) == (1.0, 1.5, 0)


def test_a_short_rest_in_which_nothing_happened_is_no_interval():
    gathering = Gathering(PLAN, offset=0.0)
    whole = [snapshot(1.0, 2)]
    assert gathering.take(whole, whole) is not None
    assert gathering.take([snapshot(1.1, 2)], (), end=1.1) is None
    assert gathering.take([snapshot(1.1, 3)], (), end=1.1).tally == counted(1)


@pytest.mark.parametrize(("seconds", "most"), [(600, 600), (3600, 720), (21_600, 830)])
def test_a_long_run_has_few_intervals_and_its_first_ten_minutes_are_told_by_the_second(seconds: int, most: int):
    gathering = Gathering(PLAN, offset=0.0)
    rows = []
    for at in range(1, seconds + 1):
        now = [snapshot(float(at), at)]
        if (row := gathering.take(now, now)) is not None:
            rows.append(row)
    assert len(rows) <= most
    assert all(row.end - row.start == 1 for row in rows[:600])
    assert [row.start for row in rows[1:]] == [row.end for row in rows[:-1]]
