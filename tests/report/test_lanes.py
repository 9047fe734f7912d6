import pytest

from woolly_mcpdiag.core.timelines import Activity, Moment, Timeline
from woolly_mcpdiag.report import lanes
from woolly_mcpdiag.report.model import Report


def lane(name: str, *, failures: int = 0, at: float = 1.0) -> Timeline:
    return Timeline(name=name, failures=failures, moments=(Moment(at=at, mark="ok", label=""),))


def test_failing_lanes_are_chosen_first_and_the_order_stays():
    rows = [lane(str(n), failures=int(n in {7, 40, 41})) for n in range(50)]
    chosen = [row.name for row in lanes.choose(rows, 5)]
    assert {"7", "40", "41"} < set(chosen)
    assert chosen == sorted(chosen, key=int)
    assert len(chosen) == 5


def test_too_many_failing_lanes_are_sampled_from_the_whole():
    rows = [lane(str(n), failures=1) for n in range(100)]
    assert [row.name for row in lanes.choose(rows, 4)] == ["0", "25", "50", "75"]
    assert lanes.choose(rows, 0) == []


def test_the_axis_spans_timelines_and_activity():
    report = Report(
        timelines=[lane("a", at=5.0)], activity=Activity(start=2.0, width=2.0, series={"ok": [1, 0, 3, 0, 0]})
    )
    axis = lanes.axis(report)
    assert axis is not None
    assert (axis.start, axis.end) == (2.0, pytest.approx(8.0, abs=0.01))
    assert (axis.share(0.0), axis.share(99.0)) == (0.0, 1.0)


def test_nothing_to_draw_has_no_axis():
    assert lanes.axis(Report()) is None


def test_a_moment_far_from_the_log_does_not_stretch_the_axis(samples):
    start = samples.START
    report = Report(first=start, last=start + 10, timelines=[lane("a", at=start + 5), lane("no stamp", at=12.0)])
    axis = lanes.axis(report)
    assert axis is not None
    assert axis.start == start + 5


def test_one_moment_is_at_the_start_of_its_axis():
    assert lanes.Axis(start=3.0, end=3.0).share(3.0) == 0.0


@pytest.mark.parametrize("length", [0.0004, 0.03, 1.5, 40.0, 449.0, 7_200.0, 900_000.0])
def test_ticks_are_few_round_and_within(samples, length: float):
    extent = lanes.Axis(start=samples.START + 0.137, end=samples.START + 0.137 + length)
    ticks = lanes.ticks(Report(), extent)
    assert 1 <= len(ticks) <= 9
    assert all(extent.start <= at <= extent.end for at, _ in ticks)
    assert len({label for _, label in ticks}) == len(ticks)


def test_ticks_of_an_order_are_whole():
    ticks = lanes.ticks(Report(clock="order"), lanes.Axis(start=1.0, end=5.0))
    assert [label for _, label in ticks] == ["1", "2", "3", "4", "5"]
