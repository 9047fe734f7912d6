from woolly_mcpdiag.core.timelines import Timeline
from woolly_mcpdiag.report import html_pictures
from woolly_mcpdiag.report.model import Report


def test_the_same_lanes_are_there_as_a_table(samples):
    text = "".join(html_pictures.timeline(samples.seed()))
    table = text[text.index("<table") :]
    assert table.count("<tr>") == 30
    assert "200, then no answer ever" in table


def test_an_order_says_that_it_is_none_of_time(samples):
    assert "Positions are the order of events" in "".join(html_pictures.timeline(samples.seed()))
    assert "Times are UTC" in "".join(html_pictures.timeline(samples.healthy()))


def test_only_the_first_eight_histograms_are_drawn(samples):
    report = Report(latencies=samples.healthy().latencies * 11)
    text = "".join(html_pictures.durations(report))
    assert text.count("<svg") == 8
    assert "and 3 more in the JSON report" in text


def test_nothing_to_draw_is_no_section():
    assert "".join(html_pictures.timeline(Report())) == ""
    assert "".join(html_pictures.timeline(Report(timelines=[Timeline(name="x")]))) == ""
    assert "".join(html_pictures.durations(Report())) == ""
