"""The one place that reads the time stamps of many rows: minutes through a memory, seconds and fractions by digits."""

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import NO_TIME
from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.words import At, Bytes, U, Words, columns, where
from woolly_mcpdiag.logs.stamps import Stamps

_REMEMBERED = 1 << 14
_SECOND = 1_000_000
_ZERO = np.uint8(0x30)
_DIGITS = U(0x0F0F0F0F0F0F0F0F)
_FRACTION = len("2026-11-22 14:44:40,")
_IN_WORD = 4
"""Digits of a fraction that stand in the third word of a stamp."""


class Clock:
    """Times of rows whose stamps are known to have digits where digits belong."""

    def __init__(self) -> None:
        self._stamps = Stamps()
        self._minutes: dict[bytes, int] = {}

    def iso(self, block: Block, at: At, fraction: int) -> NDArray[np.int64]:
        """Return the times of ``2026-11-22 14:44:40,551`` at ``at``, ``NO_TIME`` where it is no time of any day."""
        *keys, rest = columns(block.data, at, 3)
        times = self._bases(block, at, keys, 16, b":00")
        digits = (rest >> U(8)) & _DIGITS  # from the colon before the seconds on
        tens = digits & U(15)
        micros = (tens * U(10) + (digits >> U(8) & U(15))) * U(_SECOND)
        for place in range(min(fraction, 6)):
            if place == _IN_WORD:
                digits = block.words[at + _FRACTION + _IN_WORD] & _DIGITS
            elif not place:
                digits >>= U(24)
            else:
                digits >>= U(8)
            micros += (digits & U(15)) * U(10 ** (5 - place))
        wrong = where((tens > U(5)) | (times < 0))
        times += micros.view(np.int64)
        times[wrong] = NO_TIME
        return times

    def combined(self, block: Block, at: At) -> NDArray[np.int64]:
        """Return the times of ``22/Nov/2026:14:40:45 +0000`` at ``at``."""
        zone = block.words[at + 18]
        keys = [block.words[at], block.words[at + 8], block.words[at + 12], zone >> U(16)]
        keys[2] = keys[2] & U(0xFFFFFFFFFFFF)  # up to the colon before the seconds
        times = self._bases(block, at, keys, 17, b":00", zone=(20, 26))
        return _with_seconds(times, block.data, at + 18)

    def _bases(
        self, block: Block, at: At, keys: list[Words], size: int, seconds: bytes, zone: tuple[int, int] = (0, 0)
    ) -> NDArray[np.int64]:
        """Return the time of each row's minute; a row that repeats the minute before it costs nothing."""
        if not len(at):
            return np.empty(0, np.int64)
        changed = np.zeros(len(at), np.bool_)
        changed[0] = True
        for key in keys:
            changed[1:] |= key[1:] != key[:-1]
        rows = where(changed)
        bases = np.empty(len(rows), np.int64)
        for index, place in enumerate(at[rows].tolist()):
            text = block.text(place, place + size) + seconds + block.text(place + zone[0], place + zone[1])
            base = self._minutes.get(text)
            if base is None:
                if len(self._minutes) >= _REMEMBERED:
                    self._minutes.clear()
                base = self._minutes[text] = self._stamps.text(text.decode("ascii", "replace"))[0]
            bases[index] = base
        return np.repeat(bases, np.diff(np.append(rows, len(at))))


def _with_seconds(times: NDArray[np.int64], data: Bytes, at: At) -> NDArray[np.int64]:
    tens, ones = data[at] - _ZERO, data[at + 1] - _ZERO
    wrong = (tens > 5) | (ones > 9) | (times < 0)
    times += (tens * np.int64(10) + ones) * _SECOND
    times[wrong] = NO_TIME
    return times
