"""The one place for the report as trace-event JSON, which Perfetto, speedscope and Chrome open."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.core.timelines import Timeline
from woolly_mcpdiag.report import lanes, wording
from woolly_mcpdiag.report.escape import printable
from woolly_mcpdiag.report.model import Report

STEP = 1_000
"""Microseconds a step takes where the log has only an order."""
_ACTIVITY = 1
_FIRST_PID = 2
Row = dict[str, Any]
Clock = Callable[[float], int]
"""Seconds (or a position in the order) to microseconds from the start."""


def render(report: Report) -> str:
    """Return trace-event JSON: a process an agent (or source), a thread a lane, a counter track of activity.

    Times are whole microseconds from the first thing drawn; ``otherData`` says when that was. A start is
    rounded down and a length is the difference of two rounded times, so slices that touch never overlap.

    Raises ``UsageError`` for a run of which no session is known.
    """
    if report.run is not None and not report.timelines:
        message = "--format trace: no session of this run is known one by one"
        raise UsageError(message, "trace draws sessions; html and csv have the run over time")
    extent = lanes.axis(report)
    rows = list(_events(report, extent.start)) if extent else []
    clock = "1 ms stands for one event; the log has no times" if report.clock == "order" else "time, UTC"
    other = {"tool": f"mcpdiag {report.version}".strip(), "verdict": printable(wording.verdict(report)), "clock": clock}
    if extent and report.clock == "time":
        other["start"] = f"{wording.stamp(extent.start, date=True, digits=6)} UTC"
    body = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    tail = json.dumps(other, ensure_ascii=False)
    return f'{{"displayTimeUnit":"ms","otherData":{tail},"traceEvents":[\n{body}\n]}}\n'


def _events(report: Report, start: float) -> Iterator[Row]:
    ordered = report.clock == "order"

    def ticks(at: float) -> int:
        if ordered:
            return math.floor((at - start) * STEP)
        # Seconds since the epoch are good to a quarter of a microsecond as floats: .195 must not become .194999.
        return math.floor(at * 1e6 + 0.25) - math.floor(start * 1e6 + 0.25)

    pids: dict[str, int] = {}
    for tid, lane in enumerate(report.timelines, 1):
        owner = printable(lane.agent or lane.source or "sessions")
        pid = pids.setdefault(owner, len(pids) + _FIRST_PID)
        yield from _lane(lane, pid, tid, ticks, step=STEP if ordered else 1)
    for owner, pid in pids.items():
        yield _name("process_name", owner, pid)
    if report.activity:
        unit = "1 ms = 1 event" if ordered else "UTC"
        yield _name("process_name", f"activity ({unit})", _ACTIVITY)
        yield from _counters(report, ticks)


def _lane(lane: Timeline, pid: int, tid: int, ticks: Clock, *, step: int) -> Iterator[Row]:
    yield {**_name("thread_name", printable(f"{lane.name} {lane.key}".strip()), pid), "tid": tid}
    yield {"ph": "M", "name": "thread_sort_index", "pid": pid, "tid": tid, "args": {"sort_index": tid}}
    points = [m.at for m in lane.moments] + [at for at in (lane.opened, lane.closed) if at is not None]
    if not points:
        return
    first, last = ticks(min(points)), ticks(max(points)) + step
    texts = {"session": lane.session, "key": lane.key, "source": lane.source, "note": lane.note}
    args: Row = {name: printable(text) for name, text in texts.items() if text}
    args |= {"requests": lane.requests, "failures": lane.failures}
    slice_ = {"ph": "X", "cat": "session", "pid": pid, "tid": tid}
    yield {**slice_, "name": printable(lane.name), "ts": first, "dur": last - first, "args": args}
    if lane.opened is not None and lane.ready is not None and lane.ready > lane.opened:
        begin, end = ticks(lane.opened), min(ticks(lane.ready), last)
        yield {**slice_, "name": "getting ready", "ts": begin, "dur": end - begin}
    for moment in lane.moments:
        row = {"name": printable(moment.label) or moment.mark, "cat": moment.mark, "pid": pid, "tid": tid}
        yield {"ph": "i", "s": "t", **row, "ts": ticks(moment.at), "args": {"mark": moment.mark}}


def _counters(report: Report, ticks: Clock) -> Iterator[Row]:
    activity = report.activity
    if activity is None or not activity.series:
        return
    series = {printable(name): values for name, values in activity.series.items() if any(values)}
    bins = max(map(len, activity.series.values()))
    for index in range(bins + 1):
        values = {name: counts[index] if index < len(counts) else 0 for name, counts in series.items()}
        at = max(ticks(activity.start + index * activity.width), 0)
        yield {"ph": "C", "name": "requests a bin", "pid": _ACTIVITY, "tid": 0, "ts": at, "args": values}


def _name(kind: str, text: str, pid: int) -> Row:
    return {"ph": "M", "name": kind, "pid": pid, "args": {"name": text}}
