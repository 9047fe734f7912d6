"""The one place that knows with which bytes a message may begin under a head, for the line engine to read that head."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.exact import Exact
from woolly_mcpdiag.logs.scan.heads import Head
from woolly_mcpdiag.logs.scan.records import SURE
from woolly_mcpdiag.logs.scan.words import At, U, Words, find, hashes, where

_UNKNOWN, _SOME, _GOOD, _MIXED = range(4)
_TRIES = 64
"""First words asked about in one block."""
_ENOUGH = 16
"""Different first words with the same first byte, all read under a head, after which the others are not asked about."""
_LONGEST_WORD = 64
_BEHIND = 3
"""Bytes from the end of a first word on that count as well: `` - `` makes it a logger."""
_SPACE = ord(" ")
_MOST = 1 << 12
_SPREAD = U(0x9E3779B97F4A7C15)


class Openings:
    """What the line engine said of messages by head and first byte; where that tells too little, by first words.

    One line tells for its first byte only where the format takes any message (``SURE``): another format reads
    ``INFO httpx x`` but not ``INFO hello x``.
    """

    def __init__(self, exact: Exact) -> None:
        self._exact = exact
        self._bytes = np.empty(0, np.uint8)
        self._read: Counter[int] = Counter()
        """By head and first byte: the first words that were read under the head."""
        self._good: set[int] = set()
        self._bad: set[int] = set()

    def wrong(
        self, block: Block, head: NDArray[np.int32], message: At, first: Words, heads: list[Head], line: int
    ) -> At:
        """Return the lines under a head which the line engine does not read under it.

        ``message`` is where their messages begin, ``first`` are the first words there, ``line`` is the number of the
        first line.
        """
        new = heads[len(self._bytes) // 256 :]
        if new:
            verdicts = [_UNKNOWN if one.format in SURE else _SOME for one in new]
            self._bytes = np.append(self._bytes, np.repeat(np.array(verdicts, np.uint8), 256))
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
        bad: At = unsure[~self._by_word(block, unsure, pair, message, head, heads, line)]
        return bad

    def _by_word(
        self,
        block: Block,
        rows: At,
        pair: NDArray[np.int32],
        message: At,
        head: NDArray[np.int32],
        heads: list[Head],
        line: int,
    ) -> NDArray[np.bool_]:
        if not len(rows):
            return np.zeros(0, np.bool_)
        begin = message[rows]
        end = np.minimum(block.end[rows], begin + _LONGEST_WORD)
        end = np.maximum(np.minimum(find(block.words, begin, end, _SPACE) + _BEHIND, block.end[rows]), begin)
        have = hashes(block.words, begin, end - begin)
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
                self._judge(int(pair[row]), good=bool(good[place]))
        return good[inverse]

    def _judge(self, pair: int, *, good: bool) -> None:
        """Take note that the line engine read another first word under a head, or did not."""
        self._read[pair] += good
        if not good:
            self._bytes[pair] = _MIXED
        elif self._bytes[pair] == _SOME and self._read[pair] >= _ENOUGH:
            self._bytes[pair] = _GOOD

    def _same(self, block: Block, row: int, known: Head, line: int) -> bool:
        read, _ = self._exact.learn(block.line(row), line + row)
        return read is not None and (read.parts, read.format) == (known.parts, known.format)
