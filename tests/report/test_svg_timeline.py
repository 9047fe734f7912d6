import xml.etree.ElementTree as ET

from woolly_mcpdiag.core.timelines import Moment, Timeline
from woolly_mcpdiag.report import lanes, svg_timeline
from woolly_mcpdiag.report.model import Report


def draw(report: Report) -> ET.Element:
    extent = lanes.axis(report)
    assert extent is not None
    return ET.XML(svg_timeline.draw(report, report.timelines, extent))


def one(*moments: Moment) -> Report:
    return Report(clock="order", timelines=[Timeline(name="a", moments=moments)], timelines_of=1)


def marks(root: ET.Element) -> list[tuple[str, str]]:
    kinds = [(path.get("class") or "", path.findtext("title") or "") for path in root.iter("path")]
    return [(kind, tip) for kind, tip in kinds if kind.startswith("m-")]


def test_every_mark_has_a_tooltip_and_a_shape_of_its_own():
    report = one(*(Moment(at=n * 10.0, mark=mark, label=f"did {mark}") for n, mark in enumerate(svg_timeline.WORDS)))
    found = marks(draw(report))
    assert {kind for kind, _ in found} == {f"m-{mark}" for mark in svg_timeline.WORDS}
    assert ("m-fail", "event 30  did fail") in found
    assert len({svg_timeline.shape(mark, 0, 0) for mark in svg_timeline.WORDS}) == len(svg_timeline.WORDS)


def test_marks_that_touch_become_one_that_says_how_many():
    moments = [Moment(at=1 + n / 1000, mark="ok", label="POST 200") for n in range(5)]
    found = marks(draw(one(*moments, Moment(at=1000.0, mark="ok", label="end"))))
    assert len(found) == 2
    assert found[0][1].endswith("5 × POST 200")


def test_thinning_keeps_every_failure():
    moments = tuple(Moment(at=float(n), mark="fail" if n % 10_000 == 7 else "ok", label="") for n in range(50_000))
    found = marks(draw(one(*moments)))
    assert sum(kind == "m-fail" for kind, _ in found) == 5
    assert len(found) <= svg_timeline.MOST_MARKS


def test_a_lane_tells_all_it_knows(samples):
    told = svg_timeline.about(samples.seed(), samples.seed().timelines[1])
    assert told.startswith("session ")
    assert "agent tester; opened event 6; 2 requests, 1 failure; 1 other sessions alive" in told
    assert told.endswith("200, then no answer ever")


def test_marks_stay_within_the_plot(big: Report):
    extent = lanes.axis(big)
    assert extent is not None
    xs = [svg_timeline.place(extent, at) for at in (extent.start - 9, extent.start, extent.end, extent.end + 9)]
    assert xs == [svg_timeline.LEFT] * 2 + [svg_timeline.LEFT + svg_timeline.PLOT] * 2
