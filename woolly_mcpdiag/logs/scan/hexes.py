"""The one place that packs written session ids, 32 hex digits or a dashed UUID, many at a time."""

import numpy as np

from woolly_mcpdiag.logs.scan.words import At, Bytes, Flags, U, Words, where

_NIBBLES = U(0x0F0F0F0F0F0F0F0F)
_ONES = U(0x0101010101010101)
_LETTER = U(0x4040404040404040)
_ZERO = U(0x3030303030303030)
_SIX = U(0x0606060606060606)
_LOW4 = U(0xFFFFFFFF)
_DASHES = (8, 13, 18, 23)


def packed(data: Bytes, words: Words, at: At, *, dashed: Flags) -> tuple[Words, Words, Flags]:
    """Return (high, low, good) of the ids at ``at``: 36 characters if ``dashed``, else 32; good if all are hex."""
    quarters = np.empty((4, len(at)), np.uint64)
    for index in range(4):
        quarters[index] = words[at + 8 * index]
    rows = where(dashed)
    good = np.ones(len(at), np.bool_)
    if len(rows):
        start = at[rows]
        quarters[1, rows] = (words[start + 9] & _LOW4) | (words[start + 14] << U(32))
        quarters[2, rows] = (words[start + 19] & _LOW4) | (words[start + 24] << U(32))
        quarters[3, rows] = words[start + 28]
        good[rows] = np.logical_and.reduce([data[start + place] == ord("-") for place in _DASHES])
    numbers, fine = _eight(quarters)
    good &= fine[0] & fine[1] & fine[2] & fine[3]
    return (numbers[0] << U(32)) | numbers[1], (numbers[2] << U(32)) | numbers[3], good


def _eight(text: Words) -> tuple[Words, Flags]:
    """Read eight hex digits as a 32-bit number; good where writing it again gives the same text."""
    nibbles = (text & _NIBBLES) + U(9) * ((text >> U(6)) & _ONES)
    lower = text | ((text & _LETTER) >> U(1))
    again = nibbles + _ZERO + U(39) * (((nibbles + _SIX) >> U(4)) & _ONES)
    pairs = ((nibbles << U(4)) | (nibbles >> U(8))) & U(0x00FF00FF00FF00FF)
    fours = ((pairs << U(8)) | (pairs >> U(16))) & U(0x0000FFFF0000FFFF)
    number = ((fours << U(16)) | (fours >> U(32))) & _LOW4
    return number, np.asarray((lower == again) & ((nibbles & ~_NIBBLES) == 0))
