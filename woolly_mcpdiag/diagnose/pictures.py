"""Timelines and activity for the reports: one lane a session, or a kind of request where none is named."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.core.histogram import Histogram
from woolly_mcpdiag.core.ids import short, unpack
from woolly_mcpdiag.core.timelines import Activity, Latency, Mark, Moment, Timeline
from woolly_mcpdiag.diagnose.case import FAIL, Case
from woolly_mcpdiag.diagnose.endpoints import path_of
from woolly_mcpdiag.diagnose.sessions import NEVER, Rows
from woolly_mcpdiag.logs.batch import METHOD_CODE, METHODS, NO_TIME, Logger

LANES = 120
"""Lanes in a report; terminal and page show as many as fit."""
MOMENTS = 400
"""Marks on one lane."""
_BINS = 120


def timelines(case: Case) -> tuple[list[Timeline], int]:
    """Return the lanes to draw, failing ones first chosen, and how many there are in all."""
    if len(case.sessions):
        return _sessions(case)
    made = _made_by_hand(case)
    if made:
        return made[:LANES], len(made)
    lanes = list(_kinds(case))
    return lanes[:LANES], len(lanes)


def _clock(case: Case, time: int, line: int) -> float:
    return time / 1e6 if case.timed and time != NO_TIME else float(line)


def _placed(case: Case, time: int) -> bool:
    """Say whether a line has a place: beside lines with times, one without has none."""
    return time != NO_TIME or not case.timed


def _sessions(case: Case) -> tuple[list[Timeline], int]:
    table = case.sessions
    order = _drawn(table)
    chosen = {(int(table["high"][i]), int(table["low"][i])): int(i) for i in order.tolist()}
    moments: dict[tuple[int, int], list[tuple[int, Moment]]] = {key: [] for key in chosen}
    for row in _rows(case, ("failures", "ordinary"), table["low"][order]):
        key = row["high"], row["low"]
        if key in moments and len(moments[key]) < MOMENTS:
            moments[key].append((row["line"], _moment(case, row)))
    births, beside = case.births(chosen), overlaps(table, order)
    lanes = [
        _lane(case, key, row, moments[key], births.get(key), overlap)
        for (key, row), overlap in zip(chosen.items(), beside, strict=True)
    ]
    lanes.sort(key=lambda lane: lane.moments[0].at if lane.moments else 0.0)
    return lanes, len(table)


def _drawn(table: Rows) -> NDArray[np.intp]:
    """Return the sessions to draw: those that failed first, in the order of their first lines, then others."""
    found = np.zeros(0, np.intp)
    for failing in (True, False):
        if len(found) < LANES:
            rows = np.flatnonzero((table["fail"] > 0) == failing)
            found = np.append(found, rows[np.argsort(table["first_line"][rows], kind="stable")][: LANES - len(found)])
    return found


def _lane(
    case: Case,
    key: tuple[int, int],
    row: int,
    marks: list[tuple[int, Moment]],
    birth: int | None,
    overlap: int,
) -> Timeline:
    table, file = case.sessions, case.file
    session = file.vocabulary.sessions.get(key) or unpack(*key)
    if birth is not None and _placed(case, birth):
        line = int(table["first_line"][row])
        marks.append((0, Moment(at=_clock(case, birth, line), mark="opened", label="session named")))
    marks.sort(key=lambda pair: pair[0])
    moments = tuple(moment for _, moment in marks)
    used = [moment.at for moment in moments if moment.mark in ("ok", "fail")]
    name = file.keys.get(key, "")
    return Timeline(
        name=short(session),
        session=session,
        key=name,
        agent=name.rpartition("_")[0],
        source=file.vocabulary.sources.texts[int(table["source"][row])],
        opened=next((moment.at for moment in moments if moment.mark == "opened"), None),
        ready=next((moment.at for moment in moments if moment.mark == "ok"), None),
        first_use=used[0] if used else None,
        closed=next((moment.at for moment in moments if moment.mark == "closed"), None),
        requests=int(table["ok"][row]) + int(table["fail"][row]),
        failures=int(table["fail"][row]),
        longest_idle=float(table["idle"][row]) / 1e6 if case.timed else None,
        overlap=overlap if table["fail"][row] else None,
        note=fate_of(case, row),
        moments=moments,
    )


def overlaps(table: Rows, rows: NDArray[np.intp]) -> list[int]:
    """Return for some sessions how many others were alive at their first failure: begun by then, and not yet ended."""
    ends = np.maximum(table["last_ok"], table["last_fail"])
    known = ends >= table["first_line"]
    at = table["first_fail"][rows]
    begun, ended = table["first_line"][known], ends[known]
    begun.sort()
    ended.sort()
    alive = np.searchsorted(begun, at, side="right") - np.searchsorted(ended, at)
    return [int(count) - 1 for count in alive]


def fate_of(case: Case, row: int) -> str:
    """Say in a few words what became of a session, "" where nothing failed."""
    table = case.sessions
    if not table["fail"][row]:
        return ""
    if table["first_ok"][row] == NEVER:
        return "never worked"
    if table["last_ok"][row] < table["first_fail"][row]:
        return "worked, then lost"
    if table["last_fail"][row] < table["first_ok"][row]:
        return "failed first, then worked"
    return "known and unknown in turn"


def _made_by_hand(case: Case) -> list[Timeline]:
    """Pair refused GETs, sessions named by the application and later GETs, in order: a window join, not an identity."""
    if not case.found("session.harvested-from-400"):
        return []
    get = METHOD_CODE["GET"]
    refused = [row for row in _rows(case, ("failures",)) if row["method"] == get and row["status"] == 400]
    named = [row for row in _rows(case, ("openings",)) if row["logger"] == Logger.APP]
    later = [row for row in _rows(case, ("failures", "ordinary")) if row["method"] == get and row["status"] != 400]
    later.sort(key=lambda row: row["line"])
    lanes = []
    for index, birth in enumerate(named):
        key = birth["high"], birth["low"]
        session = case.file.vocabulary.sessions.get(key) or unpack(*key)
        name = case.file.keys.get(key, "")
        rows = [refused[index]] if index < len(refused) else []
        after = [later[index]] if index < len(later) else []
        moments = [
            *(_moment(case, row) for row in rows),
            Moment(at=_clock(case, birth["time"], birth["line"]), mark="opened", label="session named"),
        ]
        moments += [
            Moment(at=m.at, mark="stream" if m.mark == "ok" else m.mark, label=m.label)
            for m in (_moment(case, row) for row in after)
        ]
        lanes.append(
            Timeline(
                name=short(session),
                session=session,
                key=name,
                agent=name.rpartition("_")[0],
                opened=moments[len(rows)].at,
                source=case.file.vocabulary.sources.texts[birth["source"]],
                requests=len(rows) + len(after),
                failures=len(rows),
                note="200, then no answer ever" if after and after[0]["status"] == 200 else "",
                moments=tuple(moments),
            )
        )
    return lanes


def _kinds(case: Case) -> Iterator[Timeline]:
    """One lane a kind of request: method, path, status."""
    lanes: dict[str, list[Moment]] = {}
    totals: dict[str, int] = {}
    for cell in sorted(case.cells, key=lambda cell: (-(cell.key.status >= FAIL), -cell.count)):
        name = f"{METHODS[cell.key.method]} {path_of(case.at(cell.key.url))} {cell.key.status}"
        lanes.setdefault(name, [])
        totals[name] = totals.get(name, 0) + cell.count
    for row in _rows(case, ("failures", "ordinary")):
        name = f"{METHODS[row['method']]} {path_of(case.at(row['url']))} {row['status']}"
        if len(lanes[name]) < MOMENTS:
            lanes[name].append(_moment(case, row))
    births = [
        Moment(at=_clock(case, row["time"], row["line"]), mark="opened", label="session named")
        for row in _rows(case, ("openings",))
        if _placed(case, row["time"])
    ]
    if births:
        yield Timeline(name="sessions opened", requests=0, moments=tuple(births[:MOMENTS]))
    for name, moments in lanes.items():
        failing = int(name.rpartition(" ")[2]) >= FAIL
        yield Timeline(
            name=name, requests=totals[name], failures=totals[name] if failing else 0, moments=tuple(moments)
        )


def _moment(case: Case, row: dict[str, Any]) -> Moment:
    method, status = METHODS[row["method"]], row["status"]
    mark: Mark = "fail" if status >= FAIL else "closed" if method == "DELETE" else "stream" if method == "GET" else "ok"
    return Moment(at=_clock(case, row["time"], row["line"]), mark=mark, label=f"{method} {status}")


def _rows(case: Case, pools: Iterable[str], lows: NDArray[np.uint64] | None = None) -> Iterator[dict[str, Any]]:
    """Yield kept rows as dictionaries; with ``lows`` only those of sessions with such a low half."""
    for pool in pools:
        columns = case.rows(pool)
        if lows is not None:
            wanted = np.sort(lows)
            place = np.minimum(np.searchsorted(wanted, columns["low"]), len(wanted) - 1)
            mine = wanted[place] == columns["low"]
            columns = {name: column[mine] for name, column in columns.items()}
        lists = {
            name: columns[name].tolist()
            for name in ("line", "time", "logger", "method", "status", "url", "source", "high", "low")
        }
        for values in zip(*lists.values(), strict=True):
            yield dict(zip(lists, values, strict=True))


def activity(cases: Sequence[Case]) -> Activity | None:
    """Return counts per equal bin of time (or of lines): ok, 400, other 4xx, 5xx, errors."""
    marks: dict[str, list[tuple[NDArray[np.float64], int]]] = {}
    for case in cases:
        for name, at, weight in _marks(case):
            marks.setdefault(name, []).append((at, weight))
    everything = np.concatenate([at for found in marks.values() for at, _ in found] or [np.zeros(0)])
    if not len(everything):
        return None
    start, end = float(everything.min()), float(everything.max())
    bins = int(min(_BINS, len(everything)))
    width = (end - start) / bins or 1.0
    series = {
        name: np.sum([_bin(at, start, width, bins, weight) for at, weight in found], axis=0).astype(int).tolist()
        for name, found in marks.items()
    }
    return Activity(start=start, width=width, series={name: counts for name, counts in series.items() if any(counts)})


def _marks(case: Case) -> Iterator[tuple[str, NDArray[np.float64], int]]:
    good, bad = case.rows("ordinary"), case.rows("failures")
    yield "ok", _places(case, good["time"], good["line"]), case.file.ordinary.stride
    status, places = bad["status"], _places(case, bad["time"], bad["line"])
    for name, mask in (("400", status == 400), ("other 4xx", (status > 400) & (status < 500)), ("5xx", status >= 500)):
        yield name, places[mask[: len(places)]], case.file.failures.stride
    failed = [note for note in case.notes("call.failed") if _placed(case, note.time)]
    yield "errors", np.array([_clock(case, note.time, note.line) for note in failed], np.float64), 1


def _places(case: Case, time: NDArray[np.int64], line: NDArray[np.int64]) -> NDArray[np.float64]:
    if not case.timed:
        return line.astype(np.float64)
    # The few rows without a stamp are placed at the last one before them.
    known = np.maximum.accumulate(np.where(time == NO_TIME, 0, time)) if len(time) else time
    return np.asarray(np.where(known == 0, time.max(initial=0), known) / 1e6, np.float64)


def _bin(at: NDArray[np.float64], start: float, width: float, bins: int, weight: int) -> NDArray[np.int64]:
    index = np.clip(((at - start) / width).astype(np.int64), 0, bins - 1)
    return np.bincount(index, minlength=bins) * weight


def latencies(cases: Sequence[Case]) -> list[Latency]:
    """Return histograms of the durations that the logs tell: requests (HAR, own events), agent runs."""
    durations = [case.rows(name)["duration"] for case in cases for name in ("ordinary", "failures")]
    requests = np.concatenate(durations or [np.zeros(0, np.float32)])
    runs = [n.event.duration for case in cases for n in case.notes("agent.done") if n.event.duration is not None]
    found = []
    for name, values in (("MCP requests", requests[~np.isnan(requests)].tolist()), ("agent runs", runs)):
        histogram = Histogram()
        for value in values:
            histogram.add(value)
        if values:
            found.append(histogram.latency(name))
    return found
