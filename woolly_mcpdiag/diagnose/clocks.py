"""The one place for clocks that are whole quarter hours apart: logs in local time beside logs that name their zone."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.diagnose.casefile import CaseFile, Cell, Sample
from woolly_mcpdiag.diagnose.pool import Pool
from woolly_mcpdiag.diagnose.sessions import LATE, SessionTable
from woolly_mcpdiag.logs.batch import NO_TIME

_QUARTER = 900_000_000
_MOST = 14 * 4
"""Quarter hours: no zone is further from UTC."""
_NEAR = 10_000_000
"""µs by which first and last exchange may differ after the shift."""
_TIMES = ("opened", "first", "last", "first_fail_time", "last_ok_time")
"""Columns of a session table that are moments."""


def zone_shift(here: tuple[int, int], there: tuple[int, int]) -> int:
    """Return the µs, whole quarter hours, that bring the second span onto the first; 0 where none does."""
    apart = here[0] - there[0]
    quarters = round(apart / _QUARTER)
    shift = quarters * _QUARTER
    near = abs(apart - shift) <= _NEAR and abs(here[1] - there[1] - shift) <= _NEAR
    return shift if near and abs(quarters) <= _MOST else 0


def moved(file: CaseFile, shift: int) -> CaseFile:
    """Return a copy of a case file with every time later by some µs."""
    if not shift:
        return file
    file.settle()
    copy = CaseFile(file.vocabulary)
    for name in ("failures", "openings", "ordinary"):
        setattr(copy, name, _pool(getattr(file, name), shift))
    copy.sessions = {kind: _table(table, shift) for kind, table in file.sessions.items()}
    copy.opened = _table(file.opened, shift)
    copy.cells = {key: _cell(cell, shift) for key, cell in file.cells.items()}
    copy.notes = [note._replace(time=_later(note.time, shift)) for note in file.notes]
    copy.opening_samples = {key: _samples(kept, shift) for key, kept in file.opening_samples.items()}
    copy.spans = {source: (first + shift, last + shift) for source, (first, last) in file.spans.items()}
    # All else is without time and only read: the copy shares it.
    for name in ("note_counts", "keys", "rows", "stamped", "_events"):
        setattr(copy, name, getattr(file, name))
    return copy


def _later(time: int, shift: int) -> int:
    return time if time == NO_TIME else time + shift


def _samples(kept: Iterable[Sample], shift: int) -> list[Sample]:
    return [sample._replace(time=_later(sample.time, shift)) for sample in kept]


def _cell(cell: Cell, shift: int) -> Cell:
    return replace(
        cell,
        first_time=_later(cell.first_time, shift),
        last_time=_later(cell.last_time, shift),
        samples=_samples(cell.samples, shift),
    )


def _column(times: NDArray[Any], shift: int) -> NDArray[Any]:
    return np.where((times == NO_TIME) | (times == LATE), times, times + shift)


def _pool(pool: Pool, shift: int) -> Pool:
    copy = Pool.joined([pool])
    copy._parts = [{**part, "time": _column(part["time"], shift)} for part in copy._parts]
    return copy


def _table(table: SessionTable, shift: int) -> SessionTable:
    copy = SessionTable.joined([table])
    for rows in copy._parts:
        rows.columns.update({name: _column(rows[name], shift) for name in _TIMES if name in rows.columns})
    return copy
