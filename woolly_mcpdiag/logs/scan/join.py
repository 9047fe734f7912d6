"""The one place that puts rows of several batches into the order of their lines."""

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import COLUMNS, Batch
from woolly_mcpdiag.logs.scan.words import where

_TEXTS = 3
"""Rows of each class of rows in a block that keep their line."""


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


def worth_showing(batch: Batch) -> list[int]:
    """Return up to three rows of each class (kind, method, status, address)."""
    if not len(batch):
        return []
    key = (
        (batch.url.astype(np.int64) + 1 << 24)
        | (batch.kind.astype(np.int64) << 20)
        | (batch.method.astype(np.int64) << 12)
        | batch.status.astype(np.int64) & 0xFFF
    )
    order = np.argsort(key, kind="stable")
    begins = where(np.append(True, np.diff(key[order]) != 0))
    ends = np.append(begins[1:], len(order))
    return sorted(
        order[place]
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        for place in range(begin, min(begin + _TEXTS, end))
    )
