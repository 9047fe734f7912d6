"""The one place that packs written session ids, 32 hex digits or a dashed UUID, many at a time."""

import numpy as np

from woolly_mcpdiag.logs.scan.words import At, Bytes, Flags, U, Words, where

_NIBBLES = U(0x0F0F0F0F0F0F0F0F)
_ONES = U(0x0101010101010101)
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
    letters = text >> U(6)
    letters &= _ONES
    nibbles = text & _NIBBLES
    nibbles += letters * U(9)
    letters <<= U(5)
    letters |= text  # in lower case
    again = nibbles + _SIX
    again >>= U(4)
    again &= _ONES
    again *= U(39)
    again += nibbles
    again += _ZERO
    fine = letters == again
    fine &= (nibbles & ~_NIBBLES) == 0
    np.right_shift(nibbles, U(8), out=again)
    nibbles <<= U(4)
    nibbles |= again
    nibbles &= U(0x00FF00FF00FF00FF)
    np.right_shift(nibbles, U(16), out=again)
    nibbles <<= U(8)
    nibbles |= again
    nibbles &= U(0x0000FFFF0000FFFF)
    np.right_shift(nibbles, U(32), out=again)
    nibbles <<= U(16)
    nibbles |= again
    nibbles &= _LOW4
    return nibbles, fine
