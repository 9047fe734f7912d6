"""The one place for work on many short byte ranges at once: eight bytes are one little-endian number.

A *word* is the number made of the eight bytes at a position; ``view`` gives all of them without copying.
Positions are int64 arrays; every range may be read up to ``PAD`` bytes beyond its end.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
At = NDArray[np.int64]
Flags = NDArray[np.bool_]

PAD = 512
"""Zero bytes that must follow the data of a block, so that reads beyond a line's end stay inside it."""
U = np.uint64
_ONES = U(0x0101010101010101)
_HIGH = U(0x8080808080808080)
_MIX = U(0x9E3779B97F4A7C15)
_LENGTH = 0x5851F42D4C957F2D
_64 = (1 << 64) - 1
MASK = np.array([(1 << 8 * size) - 1 for size in range(9)], np.uint64)
"""By size: the first that many bytes of a word."""


def view(data: Bytes) -> Words:
    """Return the words at every position of a block."""
    return np.ndarray((len(data) - 7,), "<u8", data.data, strides=(1,))


def where(flags: NDArray[Any]) -> At:
    """Return the places of the true ones; as ``flatnonzero`` without its two layers of Python."""
    places: At = flags.nonzero()[0]
    return places


def word(text: bytes) -> np.uint64:
    """Return the word of up to eight bytes, filled up with zeros."""
    return U(int.from_bytes(text[:8], "little"))


def columns(data: Bytes, at: At, count: int) -> list[Words]:
    """Return the words at ``at``, ``at + 8``, … one array for each of ``count``; one gather for all of them."""
    width = count * 8
    rows: Any = np.ndarray((len(data) - width + 1,), f"V{width}", data.data, strides=(1,))[at]
    table = rows.view("<u8").reshape(-1, count)
    return [np.ascontiguousarray(table[:, index]) for index in range(count)]


def mix(key: Words, add: Words) -> Words:
    """Return a new hash of a hash and one more word."""
    key = (key ^ add) * _MIX
    key ^= key >> U(29)
    return key


def hashes(words: Words, at: At, size: At) -> Words:
    """Return a 64-bit hash of each range; every byte and the size count."""
    out = np.zeros(len(at), np.uint64)
    if not len(at):
        return out
    for length in where(np.bincount(size)).tolist():
        rows = where(size == length)
        start = at[rows]
        key = np.full(len(rows), length * _LENGTH & _64, np.uint64)
        for offset in range(0, length - 7, 8):
            key = mix(key, words[start + offset])
        if length & 7:
            key = mix(key, words[start + (length - 8)] if length >= 8 else words[start] & MASK[length])
        out[rows] = key
    return out


def has_zero(value: Words) -> Words:
    """Return a number that is not 0 where a word has a zero byte; its lowest bit set marks the first one."""
    return (value - _ONES) & ~value & _HIGH


def find(words: Words, start: At, end: At, byte: int) -> At:
    """Return where a byte stands first in each range, ``end`` where it does not."""
    pattern = U(byte * 0x0101010101010101)
    out = end.copy()
    live = where(start < end)
    at = start[live]
    while len(live):
        zero = has_zero(words[at] ^ pattern)
        hit = zero != 0
        if hit.any():
            lowest = zero[hit]
            lowest &= ~lowest + U(1)
            place = at[hit] + (np.bitwise_count(lowest - U(1)) >> 3)
            rows = live[hit]
            out[rows] = np.minimum(place, end[rows])
            live, at = live[~hit], at[~hit]
        at = at + 8
        more = at < end[live]
        live, at = live[more], at[more]
    return out


def holds(words: Words, at: At, text: bytes, *, known: int = 0) -> Flags:
    """Return where a text stands at a position; its first ``known`` bytes are known to stand there."""
    if known:
        begin = min(known, len(text) - 8)
        return holds(words, at + begin, text[begin:])
    size = len(text)
    if size <= 8:
        return np.asarray((words[at] & MASK[size]) == word(text))
    good: Flags = words[at] == word(text)
    for offset in [*range(8, size - 8, 8), size - 8]:
        rows = where(good)
        if not len(rows):
            break
        good[rows] = words[at[rows] + offset] == word(text[offset : offset + 8])
    return good
