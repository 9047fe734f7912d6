"""The one place that reads the time stamps of many rows: minutes through a memory, seconds and fractions by digits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import NO_TIME
from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.heads import Layout
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

    def __init__(self, stamps: Stamps) -> None:
        """``stamps`` are the line engine's: what it has learned of the order of day and month holds here."""
        self._stamps = stamps
        self._minutes: dict[bytes, int] = {}
        self._others: dict[bytes, int] = {}

    def times(self, block: Block, start: At, layout: Layout) -> NDArray[np.int64]:
        """Return the times of lines under a layout with a stamp, ``NO_TIME`` where it is no time of any day."""
        at = start + layout.at
        if layout.size:
            return self._epochs(block, at, layout) if layout.epoch else self._other(block, at, layout)
        times = self.iso(block, at, layout.fraction)
        return np.where(times == NO_TIME, NO_TIME, times + layout.shift) if layout.shift else times

    def unlearn(self) -> None:
        """Read dates month first again."""
        self._stamps.unlearn()
        self._others.clear()

    def _epochs(self, block: Block, at: At, layout: Layout) -> NDArray[np.int64]:
        digits = _rows(block, at, layout.size) - _ZERO
        times = np.zeros(len(at), np.int64)
        for place in range(10):
            times = times * 10 + digits[:, place]
        return times * _SECOND + _micros(digits[:, layout.size - layout.fraction :])

    def _other(self, block: Block, at: At, layout: Layout) -> NDArray[np.int64]:
        """Ask for the time of each minute, in the order of lines."""
        stamps = _rows(block, at, layout.size)
        digits = stamps - _ZERO
        end = layout.second + 2
        if layout.second >= 0:
            stamps[:, layout.second : end] = stamps[:, end + 1 : end + 1 + layout.fraction] = ord("0")
        changed = np.ones(len(at), np.bool_)
        changed[1:] = (stamps[1:] != stamps[:-1]).any(axis=1)
        rows = where(changed)
        bases = np.array([self._base(stamps[row].tobytes()) for row in rows.tolist()], np.int64)
        times = np.repeat(bases, np.diff(np.append(rows, len(at))))
        if layout.second < 0:
            return times
        wrong = where((digits[:, layout.second] > 5) | (times == NO_TIME))
        times += (digits[:, layout.second] * np.int64(10) + digits[:, layout.second + 1]) * _SECOND
        times += _micros(digits[:, end + 1 : end + 1 + layout.fraction])
        times[wrong] = NO_TIME
        return times

    def _base(self, stamp: bytes) -> int:
        day_first = self._stamps.day_first
        base = self._others.get(stamp)
        if base is None:
            base = self._stamps.text(stamp.decode("ascii", "replace"))[0]
            if len(self._others) >= _REMEMBERED or self._stamps.day_first != day_first:
                self._others.clear()
            self._others[stamp] = base
        return base

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


def _rows(block: Block, at: At, size: int) -> NDArray[np.uint8]:
    """Return the bytes at each place."""
    rows: Any = np.ndarray((len(block.data) - size + 1,), f"V{size}", block.data.data, strides=(1,))[at]
    out: NDArray[np.uint8] = rows.view(np.uint8).reshape(-1, size)
    return out


def _micros(digits: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the microseconds that the digits of a fraction are."""
    out = np.zeros(len(digits), np.int64)
    for place in range(min(digits.shape[1], 6)):
        out += digits[:, place] * np.int64(10 ** (5 - place))
    return out


def _with_seconds(times: NDArray[np.int64], data: Bytes, at: At) -> NDArray[np.int64]:
    tens, ones = data[at] - _ZERO, data[at + 1] - _ZERO
    wrong = (tens > 5) | (ones > 9) | (times < 0)
    times += (tens * np.int64(10) + ones) * _SECOND
    times[wrong] = NO_TIME
    return times
