"""The session table: one row a session, however many lines it had; memory grows with sessions, not with lines.

Batches give partial rows, which are appended and from time to time merged by session. Every column merges by an
associative function, so batches, files and processes add up to the same table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import NO_TIME, Batch, Kind

NEVER = np.uint32(0xFFFFFFFF)
"""The line of something that did not happen (for a first line); 0 for a last line."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_FIRST_LIMIT = 1 << 16
_FAIL = 400

_MERGE: dict[str, np.ufunc] = {
    "first_line": np.minimum,
    "first_ok": np.minimum,
    "last_ok": np.maximum,
    "first_fail": np.minimum,
    "last_fail": np.maximum,
    "opened_line": np.minimum,
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
_LATE = np.iinfo(np.int64).max


@dataclass(slots=True)
class Rows:
    """Columns of the table; see ``COLUMNS`` for what they mean."""

    columns: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns["high"]) if self.columns else 0

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]


COLUMNS = {
    "high": "packed session id",
    "low": "packed session id",
    "first_line": "line of its first row",
    "opened_line": "line that names it as new",
    "first_ok": "line of its first success",
    "last_ok": "line of its last success",
    "first_fail": "line of its first failing response",
    "last_fail": "line of its last failing response",
    "opened": "µs, when a line named it as new",
    "first": "µs, its first exchange",
    "last": "µs, its last exchange",
    "first_fail_time": "µs",
    "last_ok_time": "µs",
    "ok": "exchanges below 400",
    "fail": "exchanges answered 400 or 404: the two answers to an unknown session",
    "idle": "µs, its longest silence between exchanges",
    "status": "its highest failing status",
    "agent": "agent type code",
    "source": "first source that told of it",
}


class SessionTable:
    """Collects sessions from batches of one kind of view."""

    def __init__(self) -> None:
        self._parts: list[Rows] = []
        self._rows = 0
        self._limit = _FIRST_LIMIT

    def add(self, batch: Batch, rows: NDArray[np.intp]) -> None:
        """Add the given rows of a batch; every one must name a session."""
        if not len(rows):
            return
        part = _reduce(_partial(batch, rows))
        self._parts.append(part)
        self._rows += len(part)
        if self._rows > self._limit:
            self.table()

    @staticmethod
    def joined(tables: Sequence["SessionTable"]) -> "SessionTable":
        """Return the sessions of several tables as one table; the tables themselves stay as they are."""
        whole = SessionTable()
        for table in tables:
            rows = table.table()
            if len(rows):
                whole._parts.append(Rows(dict(rows.columns)))
                whole._rows += len(rows)
        return whole

    def table(self) -> Rows:
        """Merge everything into one row a session and return it, ordered by first line."""
        if not self._parts:
            return Rows()
        if len(self._parts) > 1:
            merged = _reduce_parts(self._parts)
            self._parts = [merged]
            self._rows = len(merged)
            self._limit = max(_FIRST_LIMIT, self._rows + (self._rows >> 2) + _FIRST_LIMIT)
        return self._parts[0]


def _partial(batch: Batch, rows: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    line = batch.line[rows].astype(np.uint32)
    time, status, kind = batch.time[rows], batch.status[rows], batch.kind[rows]
    used = kind != Kind.OPENED
    failed = used & ((status == 400) | (status == 404))
    fine = used & (status < _FAIL)
    known = time != NO_TIME
    never, zero = np.full(len(rows), NEVER), np.zeros(len(rows), np.uint32)
    late, early = np.full(len(rows), _LATE), np.full(len(rows), NO_TIME)
    return {
        "high": batch.high[rows],
        "low": batch.low[rows],
        "first_line": line,
        "opened_line": np.where(used, never, line),
        "first_ok": np.where(fine, line, never),
        "last_ok": np.where(fine, line, zero),
        "first_fail": np.where(failed, line, never),
        "last_fail": np.where(failed, line, zero),
        "opened": np.where(~used & known, time, late),
        "first": np.where(used & known, time, late),
        "last": np.where(used, time, early),
        "first_fail_time": np.where(failed & known, time, late),
        "last_ok_time": np.where(fine, time, early),
        "ok": fine.astype(np.uint32),
        "fail": failed.astype(np.uint32),
        "idle": np.zeros(len(rows), np.int64),
        "status": np.where(failed, status, 0).astype(np.uint16),
        "agent": batch.agent[rows],
        "source": batch.source[rows],
    }


def _key(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> NDArray[np.uint64]:
    # Time-ordered ids share their high half, others their low half: mix both.
    return (high * _MIX) ^ low


def _reduce(rows: dict[str, NDArray[Any]]) -> Rows:
    return _reduce_parts([Rows(rows)], consume=False)


def _reduce_parts(parts: list[Rows], *, consume: bool = True) -> Rows:
    """Merge rows of the same session; takes the parts' columns away one by one to keep the peak low."""
    high = np.concatenate([part["high"] for part in parts])
    low = np.concatenate([part["low"] for part in parts])
    key = _key(high, low)
    order = np.argsort(key, kind="stable")
    key = key[order]
    new = np.concatenate(([True], key[1:] != key[:-1]))
    edges = np.flatnonzero(new)
    del key
    out: dict[str, NDArray[Any]] = {"high": high[order][edges], "low": low[order][edges]}
    del high, low
    first = np.concatenate([part["first"] for part in parts])[order]
    last = np.concatenate([part["last"] for part in parts])[order]
    silence = np.zeros(len(order), np.int64)
    both = ~new[1:] & (first[1:] != _LATE) & (last[:-1] != NO_TIME)
    silence[1:][both] = first[1:][both] - last[:-1][both]
    out["idle"] = np.maximum.reduceat(
        np.maximum(silence, np.concatenate([part["idle"] for part in parts])[order]), edges
    )
    del silence, both, first, last, new
    for name, merge in _MERGE.items():
        if name != "idle":
            taken = [part.columns.pop(name) if consume else part[name] for part in parts]
            out[name] = merge.reduceat(np.concatenate(taken)[order], edges)
    return Rows({name: out[name] for name in COLUMNS})
