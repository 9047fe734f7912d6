import dataclasses
import xml.etree.ElementTree as ET

import pytest

from woolly_mcpdiag.core.timelines import Activity, Latency
from woolly_mcpdiag.report import lanes, svg_charts
from woolly_mcpdiag.report.model import Report


def strip(activity: Activity) -> ET.Element:
    report = Report(clock="order", activity=activity)
    extent = lanes.axis(report)
    assert extent is not None
    return ET.XML(svg_charts.activity(report, activity, extent))


def test_a_bar_tells_its_figures_and_stacks_failures_below():
    root = strip(Activity(start=1.0, width=1.0, series={"ok": [3, 0], "400": [1, 0]}))
    groups = list(root.iter("g"))
    assert [group.findtext("title") for group in groups] == ["event 1: 400 1, ok 3"]
    low, high = groups[0].findall("rect")
    assert (low.get("class"), high.get("class")) == ("s-bad", "s-ok")
    assert float(low.get("y")) > float(high.get("y"))


@pytest.mark.parametrize("bins", [1, 179, 180, 181, 2_000])
def test_many_bins_become_few_bars_and_lose_nothing(bins: int):
    root = strip(Activity(start=0.0, width=1.0, series={"ok": [1] * bins}))
    told = [int((group.findtext("title") or "").rpartition(" ")[2]) for group in root.iter("g")]
    assert sum(told) == bins
    assert len(told) <= svg_charts.MOST_BINS


def test_an_unknown_series_still_has_a_colour():
    assert svg_charts.series_kind("timeouts", 7) in {f"s-{name}" for name in svg_charts._PALETTE}


def test_a_histogram_marks_its_percentiles(samples):
    root = ET.XML(svg_charts.histogram(samples.mixed().latencies[0]))
    words = [element.text for element in root.iter("text")]
    assert {"p50 18.2 ms", "p95 211 ms", "p99 380 ms", "10 ms", "100 ms"} <= set(words)
    assert len(list(root.iter("rect"))) == 15


@pytest.mark.parametrize(
    "buckets",
    [
        ((0.0, 0.001, 5),),
        ((0.0, float("inf"), 5),),
        ((10.0, float("inf"), 1),),
        ((1e-7, 1e-6, 1), (3600.0, 7200.0, 9)),
    ],
)
def test_bounds_of_nothing_and_of_no_end_can_be_drawn(samples, buckets: tuple[tuple[float, float, int], ...]):
    data = dataclasses.replace(samples.healthy().latencies[0], buckets=buckets, p99=float("nan"))
    root = ET.XML(svg_charts.histogram(data))
    assert all(float(rect.get("width")) > 0 and -1 <= float(rect.get("x")) <= 520 for rect in root.iter("rect"))


def test_no_duration_is_no_picture():
    empty = Latency(name="", count=0, buckets=(), p50=0.0, p95=0.0, p99=0.0, highest=0.0)
    assert svg_charts.histogram(empty) == ""


@pytest.mark.parametrize(("low", "high"), [(0.004, 9.0), (8.0, 12.0), (0.5, 0.9), (0.0001, 3600.0)])
def test_a_histogram_has_a_few_round_labels(samples, low: float, high: float):
    data = dataclasses.replace(samples.healthy().latencies[0], buckets=((low, high, 3),))
    root = ET.XML(svg_charts.histogram(data))
    labels = [element.text for element in root.iter("text") if element.get("text-anchor") == "middle"]
    assert 2 <= len(labels) <= 9
