"""The one place that turns repeated byte ranges into numbers: each new text is read once, in Python."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.words import At, hashes, where

_BUDGET = 512
"""New texts read in one call; more are left to the line engine, which reads each line for itself."""


class Memo:
    """Text → number. A 64-bit hash over all bytes and the length stands for the text."""

    def __init__(self, read: Callable[[bytes], int | None]) -> None:
        """``read`` gives a text's number, ``None`` where it must not be remembered."""
        self._read = read
        self._keys = np.empty(0, np.uint64)
        self._values = np.empty(0, np.int64)

    def numbers(self, block: Block, start: At, end: At, unknown: int) -> NDArray[np.int64]:
        """Return the number of each range, ``unknown`` where it has none."""
        out = np.full(len(start), unknown, np.int64)
        if not len(start):
            return out
        keys = hashes(block.words, start, end - start)
        new = self._look(keys, out)
        if len(new) and self._learn(block, keys, start, end, new):
            self._look(keys, out)
        return out

    def _look(self, keys: NDArray[np.uint64], out: NDArray[np.int64]) -> NDArray[np.int64]:
        if not len(self._keys):
            return np.arange(len(keys))
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        known = self._keys[place] == keys
        if known.all():
            out[:] = self._values[place]
            return np.empty(0, np.int64)
        out[known] = self._values[place[known]]
        return where(~known)

    def _learn(self, block: Block, keys: NDArray[np.uint64], start: At, end: At, new: NDArray[np.int64]) -> bool:
        added: dict[int, int] = {}
        _, first = np.unique(keys[new], return_index=True)
        for row in new[np.sort(first)[:_BUDGET]].tolist():
            number = self._read(block.text(int(start[row]), int(end[row])))
            if number is not None:
                added[int(keys[row])] = number
        if not added:
            return False
        fresh = np.array(list(added), np.uint64)
        values = np.array(list(added.values()), np.int64)
        merged = np.concatenate((self._keys, fresh))
        order = np.argsort(merged, kind="stable")
        self._keys, self._values = merged[order], np.concatenate((self._values, values))[order]
        return True
