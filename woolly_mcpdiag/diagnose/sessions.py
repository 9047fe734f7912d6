"""The session table: one row a session, however many lines it had; memory grows with sessions, not with lines.

Rows of batches are reduced to one row a session and chunk; those are appended and from time to time merged. Every
column merges by an associative function, so chunks, files and processes add up to the same table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.diagnose.memory import give_back
from woolly_mcpdiag.logs.batch import NO_TIME, Batch

NEVER = np.uint32(0xFFFFFFFF)
"""The line of something that did not happen (for a first line); 0 for a last line."""
LATE = np.iinfo(np.int64).max
"""The first time of something that did not happen, or has no time."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_FIRST_LIMIT = 1 << 15
_FAIL = 400

MERGE: dict[str, np.ufunc] = {
    "first_line": np.minimum,
    "first_ok": np.minimum,
    "last_ok": np.maximum,
    "first_fail": np.minimum,
    "last_fail": np.maximum,
    "opened": np.minimum,
    "first": np.minimum,
    "last": np.maximum,
    "first_fail_time": np.minimum,
    "last_ok_time": np.maximum,
    "ok": np.add,
    "fail": np.add,
    "idle": np.maximum,
    "status": np.maximum,
    "agent": np.maximum,
    "source": np.minimum,
}
"""Column → how two rows of one session become one. Lines are of exchanges, or of the line that names the session in the
table of openings, which only has first_line, opened, agent and source. Times and idle are µs; ``ok`` counts exchanges
below 400, ``fail`` those answered 400 or 404, the answers to an unknown session; ``status`` is the highest of these."""


@dataclass(slots=True)
class Rows:
    """Columns of the table, ``high`` and ``low`` (the packed id) first, sorted by a hash of the id."""

    columns: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns["high"]) if self.columns else 0

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]


class SessionTable:
    """Collects sessions from batches of one kind of view, or from the lines that name new sessions."""

    def __init__(self, *, openings: bool = False) -> None:
        self._openings = openings
        self._parts: list[Rows] = []
        self._rows = 0
        self._limit = _FIRST_LIMIT

    def add(self, batch: Batch, rows: NDArray[np.intp]) -> None:
        """Add the given rows of a batch, in their order; every one must name a session."""
        if not len(rows):
            return
        part = _opened(batch, rows) if self._openings else _used(batch, rows)
        self._parts.append(part)
        self._rows += len(part)
        if self._rows > self._limit:
            self.table()

    @staticmethod
    def joined(tables: Sequence["SessionTable"]) -> "SessionTable":
        """Return the sessions of several tables as one table; the tables themselves stay as they are."""
        whole = SessionTable(openings=tables[0]._openings)
        for table in tables:
            rows = table.table()
            if len(rows):
                whole._parts.append(Rows(dict(rows.columns)))
                whole._rows += len(rows)
        return whole

    def table(self) -> Rows:
        """Merge everything into one row a session and return it."""
        if not self._parts:
            return Rows()
        if len(self._parts) > 1:
            parts, self._parts = self._parts, []
            merged = _merged(parts)
            if self._rows > _FIRST_LIMIT:
                give_back()
            self._parts = [merged]
            self._rows = len(merged)
            self._limit = self._rows + (self._rows >> 2) + _FIRST_LIMIT
        return self._parts[0]


class _Groups:
    """Rows sorted by session, in their order within each; and where each session's rows begin."""

    def __init__(self, batch: Batch, rows: NDArray[np.intp]) -> None:
        high, low = batch.high[rows], batch.low[rows]
        key = hashed(high, low)
        order = np.argsort(key, kind="stable")
        key = key[order]
        new = np.concatenate(([True], key[1:] != key[:-1]))
        self.rows = rows[order]
        self.edges = np.flatnonzero(new)
        self.member = np.cumsum(new) - 1
        """Row → its session's place."""
        self.columns: dict[str, NDArray[Any]] = {"high": high[order[self.edges]], "low": low[order[self.edges]]}

    def __len__(self) -> int:
        return len(self.edges)

    def first_last(self, mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Return (session places, their first and last row of the mask)."""
        chosen = np.flatnonzero(mask)
        member = self.member[chosen]
        change = np.flatnonzero(member[1:] != member[:-1])
        starts = np.concatenate(([0], change + 1)) if len(chosen) else chosen
        ends = np.append(change, len(chosen) - 1) if len(chosen) else chosen
        return member[starts], chosen[starts], chosen[ends]


def _opened(batch: Batch, rows: NDArray[np.intp]) -> Rows:
    groups = _Groups(batch, rows)
    first = groups.rows[groups.edges]
    time = batch.time[first]
    return Rows(
        groups.columns
        | {
            "first_line": batch.line[first].astype(np.uint32),
            "opened": np.where(time == NO_TIME, LATE, time),
            "agent": np.maximum.reduceat(batch.agent[groups.rows], groups.edges),
            "source": batch.source[first],
        }
    )


def _used(batch: Batch, rows: NDArray[np.intp]) -> Rows:
    groups = _Groups(batch, rows)
    count = len(groups)
    line, time, status = batch.line[groups.rows].astype(np.uint32), batch.time[groups.rows], batch.status[groups.rows]
    last = np.append(groups.edges[1:], len(line)) - 1
    columns = groups.columns | {
        "first_line": line[groups.edges],
        "first": np.where(time[groups.edges] == NO_TIME, LATE, time[groups.edges]),
        "last": time[last],
        "idle": _idle(time, groups.edges),
        "agent": batch.agent[groups.rows[groups.edges]],
        "source": batch.source[groups.rows[groups.edges]],
    }
    columns |= _outcome(groups, status < _FAIL, line, time, "ok")
    failed = (status == 400) | (status == 404)
    columns |= _outcome(groups, failed, line, time, "fail")
    highest = np.zeros(count, np.uint16)
    if failed.any():
        np.maximum.at(highest, groups.member[failed], status[failed])
    columns["status"] = highest
    return Rows({name: columns[name] for name in ("high", "low", *MERGE) if name != "opened"})


def _outcome(
    groups: _Groups, mask: NDArray[np.bool_], line: NDArray[np.uint32], time: NDArray[np.int64], name: str
) -> dict[str, NDArray[Any]]:
    place, first, last = groups.first_last(mask)
    firsts, lasts = np.full(len(groups), NEVER), np.zeros(len(groups), np.uint32)
    firsts[place], lasts[place] = line[first], line[last]
    times: NDArray[np.int64]
    if name == "ok":
        times = np.full(len(groups), NO_TIME)
        times[place] = time[last]
    else:
        times = np.full(len(groups), LATE)
        times[place] = np.where(time[first] == NO_TIME, LATE, time[first])
    return {
        f"first_{name}": firsts,
        f"last_{name}": lasts,
        "last_ok_time" if name == "ok" else "first_fail_time": times,
        name: np.bincount(groups.member[mask], minlength=len(groups)).astype(np.uint32),
    }


def _idle(time: NDArray[np.int64], edges: NDArray[np.intp]) -> NDArray[np.int64]:
    silence = np.zeros(len(time), np.int64)
    if len(time) > 1 and (time != NO_TIME).all():
        silence[1:] = time[1:] - time[:-1]
    silence[edges] = 0
    return np.asarray(np.maximum.reduceat(silence, edges), np.int64)


def hashed(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return one number for each packed id; two ids share one with a chance of 2^-64."""
    # Time-ordered ids share their high half, others their low half: mix both.
    mixed = high * _MIX
    mixed ^= low
    return mixed


def _merged(parts: list[Rows]) -> Rows:
    """Merge rows of the same session; takes the parts' columns away one by one to keep the peak low."""
    table, *later = parts
    if len(later) > 1 and len(table) < sum(map(len, later)):
        return _all(parts)
    rows = later[0] if len(later) == 1 else _all(later)
    if len(table) > _FIRST_LIMIT:
        give_back()
    return _both(table, rows)


def _both(table: Rows, later: Rows) -> Rows:
    """Merge later rows into a table, both one row a session: less work than sorting it again."""
    key, add = hashed(table["high"], table["low"]), hashed(later["high"], later["low"])
    place = key.searchsorted(add)
    fresh = key[np.minimum(place, len(key) - 1)] != add
    del key, add
    before = np.cumsum(fresh)
    rows, again = np.flatnonzero(fresh), np.flatnonzero(~fresh)
    old, new, at = place[again], place[rows] + before[rows] - 1, place[again] + before[again]
    kept = np.ones(len(table) + len(rows), np.bool_)
    kept[new] = False
    pause = _pause(table["last"][old], later["first"][again]) if "idle" in table.columns else None
    out: dict[str, NDArray[Any]] = {}
    for name in list(table.columns):
        had, got = table.columns.pop(name), later.columns.pop(name)
        out[name] = column = np.empty(len(kept), had.dtype)
        column[kept], column[new] = had, got[rows]
        if name in MERGE:
            column[at] = MERGE[name](had[old], got[again])
        if name == "idle" and pause is not None:
            column[at] = np.maximum(column[at], pause)
    return Rows(out)


def _pause(last: NDArray[np.int64], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the µs from one exchange of a session to the next, 0 where they have no times."""
    known = (first != LATE) & (last != NO_TIME)
    return np.asarray(np.where(known, first, 0) - np.where(known, last, 0), np.int64)


def _all(parts: list[Rows]) -> Rows:
    """Merge parts that are alike in size."""
    key = np.concatenate([hashed(part["high"], part["low"]) for part in parts])
    order = np.argsort(key, kind="stable")  # sorted runs merge in linear time
    key = key[order]
    new = np.concatenate(([True], key[1:] != key[:-1]))
    edges = np.flatnonzero(new)
    del key
    out: dict[str, NDArray[Any]] = {}
    for name in list(parts[0].columns):
        column = np.concatenate([part.columns[name] for part in parts])[order]
        if name == "idle":
            first, last = (np.concatenate([part[other] for part in parts])[order] for other in ("first", "last"))
            column[1:] = np.maximum(column[1:], np.where(new[1:], 0, _pause(last[:-1], first[1:])))
        out[name] = MERGE[name].reduceat(column, edges) if name in MERGE else column[edges]
    for part in parts:
        part.columns.clear()
    return Rows(out)
