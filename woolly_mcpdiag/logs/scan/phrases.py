"""The one place that knows whole texts again, but for the session id in them: what was read of one holds for all.

A phrase is the bytes of a range without those of its id. A hash of its first and last words finds a candidate, which is
then compared with the range byte by byte.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.hexes import packed
from woolly_mcpdiag.logs.scan.words import At, U, Words, where

_WIDTH = 128
"""Bytes of the longest phrase."""
_BEGIN = 4
"""First words that make the hash; an id that begins before their end keeps a phrase from being known again."""
_SHORTEST = 32
_SLOTS = 1 << 12
_SHIFT = U(64 - 12)
_SPREAD = U(0x9E3779B97F4A7C15)
_MOST = 1 << 10
_CHUNK = 1 << 11
"""Ranges looked at together, so that they stay in the cache."""
_ALL = U(0x0101010101010101)
_DASHED = 36
_NEWS = 64
"""Phrases learned in one call."""


@dataclass(slots=True)
class Known:
    """What is known of ranges; ``value`` is -1 and the rest is meaningless where nothing is."""

    value: NDArray[np.int64]
    high: Words
    low: Words
    slot: At


class Phrases:
    """Phrases and the number that each stands for."""

    def __init__(self) -> None:
        self._slots = np.zeros(_SLOTS, np.int64)
        self._texts = np.zeros((_MOST + 1, _WIDTH), np.uint8)
        self._masks = np.zeros((_MOST + 1, _WIDTH), np.uint8)
        self._sizes = np.full(_MOST + 1, -1, np.int64)
        self._values = np.full(_MOST + 1, -1, np.int64)
        self._ids = np.zeros(_MOST + 1, np.int64)
        """Where the id begins in the text, 0 where there is none."""
        self._id_sizes = np.zeros(_MOST + 1, np.int64)
        self._count = 1  # number 0 is of no phrase

    def read(self, block: Block, start: At, end: At) -> Known:
        """Return what is known of ranges, which are in lines and end 16 bytes or more into the block."""
        number, slot = np.empty(len(start), np.int64), np.empty(len(start), np.int64)
        for begin in range(0, len(start), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            number[part], slot[part] = self._numbers(block, start[part], end[part])
        same = number > 0
        value = np.where(same, self._values.take(number), -1)
        high, low = np.zeros(len(start), np.uint64), np.zeros(len(start), np.uint64)
        named = where(self._ids.take(number))
        if len(named):
            at = start[named] + self._ids[number[named]]
            high[named], low[named], fine = packed(
                block.data, block.words, at, dashed=self._id_sizes[number[named]] == 36
            )
            value[named[~fine]] = -1
        return Known(value, high, low, slot)

    def _numbers(self, block: Block, start: At, end: At) -> tuple[At, At]:
        """Return (number of the phrase, 0 where none is known, slot) of each range."""
        size = end - start
        rows = np.ndarray((len(block.data) - _WIDTH + 1,), f"V{_WIDTH}", block.data.data, strides=(1,))[start]
        table = rows.view("<u8").reshape(-1, _WIDTH // 8)
        key = size.astype(np.uint64)
        for column in (*(table[:, index] for index in range(_BEGIN)), block.words[end - 16], block.words[end - 8]):
            key ^= column
            key *= _SPREAD
            key ^= key >> U(29)
        slot = (key >> _SHIFT).astype(np.int64)
        number = self._slots.take(slot)
        table &= _rows(self._masks, number)
        eights = (table == _rows(self._texts, number)).view(np.uint64)
        same = ((eights[:, 0] & eights[:, 1]) == _ALL) & (self._sizes.take(number) == size)
        return np.where(same, number, 0), slot

    def learn(
        self, block: Block, rows: At, start: At, end: At, known: Known, value: At, named: At, url_end: At
    ) -> None:
        """Remember the values of ``rows``; ``named`` is the size of the id that ends at ``url_end``, 0 without one."""
        fits = (end[rows] - start[rows] <= _WIDTH) & (end[rows] - start[rows] >= _SHORTEST)
        rows = rows[fits]
        _, first = np.unique(known.slot[rows], return_index=True)
        for row in rows[first[:_NEWS]].tolist():
            if self._count > _MOST:
                self._forget()
            number, size = self._count, int(end[row] - start[row])
            self._count += 1
            text, mask = self._texts[number], self._masks[number]
            text.fill(0)
            mask.fill(0)
            text[:size] = block.data[start[row] : end[row]]
            mask[:size] = 0xFF
            self._ids[number] = self._id_sizes[number] = 0
            if named[row]:
                id_end = int(url_end[row] - start[row])
                id_start = id_end - int(named[row])
                text[id_start:id_end] = mask[id_start:id_end] = 0
                self._ids[number], self._id_sizes[number] = id_start, named[row]
            self._sizes[number], self._values[number] = size, value[row]
            self._slots[known.slot[row]] = number

    def _forget(self) -> None:
        self._slots.fill(0)
        self._count = 1


def _rows(table: NDArray[np.uint8], number: At) -> Words:
    rows: Words = table.view(f"V{_WIDTH}").ravel()[number].view("<u8").reshape(-1, _WIDTH // 8)
    return rows
