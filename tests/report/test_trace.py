import json
from collections import defaultdict

import pytest

from woolly_mcpdiag.core.timelines import Moment, Timeline
from woolly_mcpdiag.report import trace
from woolly_mcpdiag.report.model import Report


def events(report: Report) -> list[dict]:
    return json.loads(trace.render(report))["traceEvents"]


def test_times_are_whole_microseconds_from_the_first(report: Report):
    rows = [row for row in events(report) if row["ph"] != "M"]
    assert all(isinstance(row["ts"], int) and row["ts"] >= 0 for row in rows)
    assert all(isinstance(row["dur"], int) and row["dur"] >= 0 for row in rows if row["ph"] == "X")
    if rows:
        assert min(row["ts"] for row in rows) == 0


def test_slices_of_a_lane_nest(report: Report):
    lanes = defaultdict(list)
    for row in events(report):
        if row["ph"] == "X":
            lanes[row["pid"], row["tid"]].append((row["ts"], row["ts"] + row["dur"]))
    for slices in lanes.values():
        outer = slices[0]
        assert all(outer[0] <= start <= end <= outer[1] for start, end in slices)


def test_every_process_and_thread_has_a_name(samples):
    rows = events(samples.mixed())
    named = {row["pid"]: row["args"]["name"] for row in rows if row["name"] == "process_name"}
    threads = {(row["pid"], row["tid"]) for row in rows if row["name"] == "thread_name"}
    assert set(named.values()) == {*samples.AGENTS, "activity (UTC)"}
    assert {row["pid"] for row in rows} == set(named)
    assert {(row["pid"], row["tid"]) for row in rows if row["ph"] in {"X", "i"}} <= threads


def test_a_stamp_is_not_a_microsecond_early(samples):
    start = samples.START
    moments = tuple(Moment(at=start + k / 1000, mark="ok", label="") for k in range(2_000))
    report = Report(timelines=[Timeline(name="a", moments=moments)], timelines_of=1)
    assert [row["ts"] for row in events(report) if row["ph"] == "i"] == [k * 1000 for k in range(2_000)]


def test_an_order_is_a_millisecond_a_step_and_says_so(samples):
    text = json.loads(trace.render(samples.seed()))
    assert text["otherData"]["clock"] == "1 ms stands for one event; the log has no times"
    marks = [row["ts"] for row in text["traceEvents"] if row["ph"] == "i"]
    assert marks[:3] == [0, 1_000, 3_000]


def test_the_counter_ends_at_nothing(samples):
    counters = [row for row in events(samples.healthy()) if row["ph"] == "C"]
    assert counters[0]["args"] == {"ok": 3}
    assert counters[-1]["args"] == {"ok": 0}
    assert [row["ts"] for row in counters] == sorted(row["ts"] for row in counters)


def test_when_it_began_is_told_once(samples):
    assert json.loads(trace.render(samples.mixed()))["otherData"]["start"] == "2026-11-22 14:02:11.000000 UTC"


@pytest.mark.parametrize("report", [Report(), Report(timelines=[Timeline(name="x")], timelines_of=1)])
def test_nothing_to_show_is_still_a_trace(report: Report):
    assert events(report) == []
