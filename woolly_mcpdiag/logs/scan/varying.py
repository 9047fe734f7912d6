"""The one place that passes over what varies in prefixes: numbers of processes, threads and source lines, and ids."""

from typing import Any

import numpy as np

from woolly_mcpdiag.logs.scan.heads import DIGITS, LONG, PADDED
from woolly_mcpdiag.logs.scan.words import At, Bytes, Flags, U, Words, view

_MOST = {DIGITS: 9, PADDED: 9, LONG: 18}
_MOST_SPACES = 24
_HIGH, _ZEROS, _SIXES = U(0xF0F0F0F0F0F0F0F0), U(0x3030303030303030), U(0x0606060606060606)
_SPACES = U(0x2020202020202020)
_HEX = np.zeros(256, np.bool_)
_HEX[[*range(0x30, 0x3A), *range(0x61, 0x67), ord("-")]] = True


def skip(data: Bytes, at: At, field: int) -> tuple[At, Flags]:
    """Return (where it ends, good) of what varies at each place; ``field`` is its kind."""
    if field > 0:
        rows: Any = np.ndarray((len(data) - field + 1,), f"V{field}", data.data, strides=(1,))[at]
        return at + field, np.asarray(_HEX[rows.view(np.uint8).reshape(-1, field)].all(axis=1))
    words = view(data)
    if field == PADDED:
        at = _after(words, at, _spaces, _MOST_SPACES)
    end = _after(words, at, _digits, 2 * 8 + 8)
    return end, (end > at) & (end - at <= _MOST[field])


def _digits(have: Words) -> Words:
    """Return words with a bit in each byte that is no digit."""
    return ((have & _HIGH) ^ _ZEROS) | (((have + _SIXES) & _HIGH) ^ _ZEROS)


def _spaces(have: Words) -> Words:
    return have ^ _SPACES


def _after(words: Words, at: At, others: Any, most: int) -> At:  # noqa: ANN401 - a function of words
    """Return where the first byte stands that is another, or ``most`` bytes on."""
    end = at.copy()
    live = np.arange(len(at))
    for _ in range(0, most, 8):
        if not len(live):
            break
        size = _first(others(words[end[live]]))
        end[live] += size
        live = live[size == 8]
    return end


def _first(wrong: Words) -> At:
    """Return how many bytes of a word are zero before its first other byte."""
    below = ~wrong & (wrong - U(1))
    size: At = np.where(wrong == 0, 8, np.bitwise_count(below) >> 3).astype(np.int64)
    return size
