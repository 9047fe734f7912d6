from woolly_mcpdiag.core.timelines import Activity, Moment, Timeline
from woolly_mcpdiag.report import terminal_timeline
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.plain import plain


def shown(report: Report, *, width: int = 80, verbose: bool = False) -> str:
    return plain(terminal_timeline.timeline(report, width, verbose=verbose))


def failing(*moments: Moment, **more) -> Report:
    lane = Timeline(name="abcd1234", requests=len(moments), failures=1, moments=moments)
    return Report(clock="order", requests=1, timelines=[lane], timelines_of=1, **more)


def test_a_lane_shows_each_mark_in_its_place():
    marks = ("opened", "ok", "fail", "closed")
    report = failing(*(Moment(at=float(n), mark=mark, label="") for n, mark in enumerate(marks)))
    row = shown(report, verbose=True).splitlines()[2]
    body = row[12 : 12 + 56]
    assert body[0] == "○"
    assert body[-1] == "┤"
    assert [char for char in body if char != "·"] == ["○", "█", "✗", "┤"]


def test_a_failure_hides_an_answer_in_the_same_cell():
    report = failing(
        Moment(at=1.0, mark="ok", label=""), Moment(at=1.0, mark="fail", label=""), Moment(at=9.0, mark="ok", label="")
    )
    row = shown(report, verbose=True).splitlines()[2]
    assert "✗" in row
    assert row.count("█") == 1


def test_at_most_sixteen_lanes_are_drawn_and_it_says_of_how_many(samples):
    names = [lane.name for lane in samples.mixed().timelines]
    text = shown(samples.mixed())
    assert "16 of 37 lanes, failing ones first" in text
    assert sum(name in text for name in names) == 16
    full = shown(samples.mixed(), verbose=True)
    assert sum(name in full for name in names) == 37


def test_the_legend_names_only_what_is_drawn(samples):
    legend = shown(samples.seed()).splitlines()[-1]
    assert legend == "  ✗ failure  ○ opened  ≈ stream  · idle"


def test_a_healthy_report_has_the_strip_alone(samples):
    text = shown(samples.healthy())
    assert "--verbose draws them" in text
    assert "00000001" not in text
    assert "00000001" in shown(samples.healthy(), verbose=True)


def test_the_strip_has_one_height_for_one_figure():
    report = failing(
        Moment(at=1.0, mark="fail", label=""),
        activity=Activity(start=1.0, width=1.0, series={"ok": [8, 4, 0, 8], "400": [0, 0, 0, 0]}),
    )
    strip = next(line for line in shown(report).splitlines() if line.startswith("  all"))
    assert set(strip[12:68]) == {"█", "▄", " "}
    assert strip.endswith("peak 8")
    assert "failing" not in shown(report)


def test_many_bins_add_up_within_a_cell():
    report = failing(
        Moment(at=0.0, mark="fail", label=""), activity=Activity(start=0.0, width=1.0, series={"400": [1] * 560})
    )
    strip = next(line for line in shown(report).splitlines() if line.startswith("  failing"))
    assert "peak 10" in strip or "peak 11" in strip


def test_nothing_to_draw_is_no_section():
    assert shown(Report()) == ""
