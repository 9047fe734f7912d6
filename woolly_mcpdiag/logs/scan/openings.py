"""The one place that knows with which bytes a message may begin under a head, for the line engine to read that head."""

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.exact import Exact
from woolly_mcpdiag.logs.scan.heads import Head
from woolly_mcpdiag.logs.scan.words import At, U, Words, where

_UNKNOWN, _GOOD, _MIXED = range(3)
_TRIES = 64
"""First words asked about in one block."""
_MOST = 1 << 12
_SPREAD = U(0x9E3779B97F4A7C15)


class Openings:
    """What the line engine said of messages by head and first byte; where it said no, by first word."""

    def __init__(self, exact: Exact) -> None:
        self._exact = exact
        self._bytes = np.empty(0, np.uint8)
        self._good: set[int] = set()
        self._bad: set[int] = set()

    def wrong(self, block: Block, head: NDArray[np.int32], first: Words, heads: list[Head], line: int) -> At:
        """Return the lines under a head which the line engine does not read under it; ``first`` are the first words
        of their messages, ``line`` the number of the first line.
        """
        missing = len(heads) * 256 - len(self._bytes)
        if missing:
            self._bytes = np.append(self._bytes, np.full(missing, _UNKNOWN, np.uint8))
        pair = head * 256 + (first & U(0xFF)).astype(np.int32)
        verdict = np.append(self._bytes, np.full(256, _GOOD, np.uint8))[pair]
        unsure = where(verdict != _GOOD)
        if not len(unsure):
            return unsure
        unknown = unsure[verdict[unsure] == _UNKNOWN]
        for row in unknown[np.unique(pair[unknown], return_index=True)[1]].tolist():
            if not block.odd[row]:
                self._bytes[pair[row]] = _GOOD if self._same(block, row, heads[head[row]], line) else _MIXED
        unsure = unsure[self._bytes[pair[unsure]] != _GOOD]
        bad: At = unsure[~self._by_word(block, unsure, pair, first, head, heads, line)]
        return bad

    def _by_word(
        self,
        block: Block,
        rows: At,
        pair: NDArray[np.int32],
        first: Words,
        head: NDArray[np.int32],
        heads: list[Head],
        line: int,
    ) -> NDArray[np.bool_]:
        have = first[rows]
        keys = ((have ^ pair[rows].astype(np.uint64) * _SPREAD) * _SPREAD).view(np.int64)
        unique, index, inverse = np.unique(keys, return_index=True, return_inverse=True)
        good = np.zeros(len(unique), np.bool_)
        tries = _TRIES
        for place, (key, at) in enumerate(zip(unique.tolist(), index.tolist(), strict=True)):
            if key in self._good:
                good[place] = True
            elif key not in self._bad and tries and not block.odd[rows[at]]:
                tries -= 1
                row = int(rows[at])
                good[place] = self._same(block, row, heads[head[row]], line)
                known = self._good if good[place] else self._bad
                if len(known) < _MOST:
                    known.add(key)
        return good[inverse]

    def _same(self, block: Block, row: int, known: Head, line: int) -> bool:
        read, _ = self._exact.learn(block.line(row), line + row)
        return read is not None and (read.parts, read.format) == (known.parts, known.format)
