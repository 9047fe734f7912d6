"""The one way from a byte stream to blocks of whole lines in a buffer that is used again and again."""

from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

SIZE = 2 << 20
"""Bytes read at a time."""
_BACK = 1 << 16
_NEWLINE = ord("\n")


class Blocks:
    """Gives the whole lines of a stream, a block at a time.

    A line longer than the buffer makes it grow; a missing newline at the end of the stream is added.
    """

    def __init__(self, stream: BinaryIO, *, slack: int, size: int = SIZE, limit: int | None = None) -> None:
        """``slack`` bytes behind each block may be read by whoever gets it; ``limit`` is where to stop, in bytes."""
        self._stream = stream
        self._slack = slack
        self._data = np.zeros(size + slack, np.uint8)
        self._size = size
        self._filled = 0
        self._left = limit
        self._ended = False

    def next(self) -> tuple[NDArray[np.uint8], int, bool] | None:
        """Return (bytes, how many of them are whole lines, whether they are the last), ``None`` at the end."""
        while True:
            if not self._ended:
                self._fill()
            if self._ended:
                return self._rest()
            size = self._whole()
            if size:
                return self._data, size, False
            if self._filled == self._size:
                self._grow()

    def use(self, size: int) -> None:
        """Say how many bytes of the last block are done with; the others come again."""
        rest = self._filled - size
        self._data[:rest] = self._data[size : self._filled].copy()
        self._filled = rest

    def _fill(self) -> None:
        want = self._size - self._filled
        if self._left is not None:
            want = min(want, self._left)
        got = 0
        if want:
            got = self._stream.readinto(memoryview(self._data)[self._filled : self._filled + want]) or 0  # type: ignore[attr-defined,arg-type]
            self._filled += got
            if self._left is not None:
                self._left -= got
        room = self._left if self._left is not None else 1
        if (want and not got) or not room:
            self._ended = True

    def _rest(self) -> tuple[NDArray[np.uint8], int, bool] | None:
        if not self._filled:
            return None
        if self._data[self._filled - 1] != _NEWLINE:
            self._data[self._filled] = _NEWLINE
            self._filled += 1
        return self._data, self._filled, True

    def _whole(self) -> int:
        """Return the size up to the last newline, 0 where there is none."""
        start = max(self._filled - _BACK, 0)
        place = self._data[start : self._filled].tobytes().rfind(b"\n")
        if place < 0 and start:
            start, place = 0, self._data[: self._filled].tobytes().rfind(b"\n")
        return start + place + 1

    def _grow(self) -> None:
        self._size *= 2
        grown = np.zeros(self._size + self._slack, np.uint8)
        grown[: self._filled] = self._data[: self._filled]
        self._data = grown
