"""The one place that puts rows of several batches into the order of their lines."""

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import COLUMNS, Batch
from woolly_mcpdiag.logs.scan.words import where

_TEXTS = 3
"""Rows of each class of rows in a block that keep their line."""
_ENOUGH = 4 * _TEXTS
"""Rows of a class in all blocks after which no more are kept."""
_SLOTS = 1 << 12
_CLASSES = 1 << 16


def join(batches: list[Batch]) -> Batch:
    """Return all rows in the order of their lines; rows of one line keep the order of the batches."""
    batches = [batch for batch in batches if len(batch)]
    if not batches:
        return Batch.empty()
    if len(batches) == 1 and bool((np.diff(batches[0].line) >= 0).all()):
        return batches[0]
    line = np.concatenate([batch.line for batch in batches])
    order = np.argsort(line, kind="stable")
    out = Batch.empty()
    for name in COLUMNS:
        setattr(out, name, np.concatenate([getattr(batch, name) for batch in batches])[order])
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    before = 0
    for batch in batches:
        out.notes.update({int(place[before + row]): note for row, note in batch.notes.items()})
        out.texts.update({int(place[before + row]): text for row, text in batch.texts.items()})
        before += len(batch)
    return out


def picked(batch: Batch, rows: NDArray[np.int64]) -> Batch:
    """Return some rows of a batch, in ascending order."""
    out = Batch.empty()
    for name in COLUMNS:
        setattr(out, name, getattr(batch, name)[rows])
    if batch.notes or batch.texts:
        place = {row: index for index, row in enumerate(rows.tolist())}
        out.notes = {place[row]: note for row, note in batch.notes.items() if row in place}
        out.texts = {place[row]: text for row, text in batch.texts.items() if row in place}
    return out


class Shown:
    """Chooses rows that keep their line: a few of each class (kind, logger, method, status, address, source)."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._enough = np.full(_SLOTS, -1, np.int64)

    def choose(self, batch: Batch) -> list[int]:
        """Return up to three rows of each class that has not been chosen often enough."""
        if not len(batch):
            return []
        key = batch.url.astype(np.int64) + 1
        for column, bits in ((batch.source, 16), (batch.kind, 3), (batch.logger, 4), (batch.method, 4)):
            key = key << bits | column
        key = key << 10 | batch.status & 0x3FF
        fresh = where(self._enough.take(_slot(key)) != key)
        if not len(fresh):
            return []
        key = key[fresh]
        order = np.argsort(key, kind="stable")
        begins = where(np.append(True, np.diff(key[order]) != 0))
        ends = np.append(begins[1:], len(order))
        out: list[int] = []
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            rows = fresh[order[begin : min(begin + _TEXTS, end)]].tolist()
            out += rows
            self._note(int(key[order[begin]]), len(rows))
        return sorted(out)

    def _note(self, key: int, rows: int) -> None:
        count = self._counts[key] = self._counts.get(key, 0) + rows
        if count >= _ENOUGH:
            self._enough[_slot(np.array([key]))] = key
        if len(self._counts) > _CLASSES:
            self._counts.clear()


def _slot(key: NDArray[np.int64]) -> NDArray[np.intp]:
    return (key.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(64 - 12)).astype(np.intp)
