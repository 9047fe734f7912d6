"""The one place that finds where a block holds any of the recogniser's literals, at the price of one pass.

Of every four-byte lane (aligned to 4 in the block) a 16-bit hash is looked up in a table that was filled so that each
literal, however it lies to the lanes, has one lane in it. Hits are then compared with the literals byte by byte.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.scan.words import MASK, At, Bytes, Words, holds, view, word

_LANE = 4
_FACTOR = np.uint32(0x9E3779B1)
_SHIFT = 16
_SHORTEST = 5
_ANY = range(256)
_LANES = NDArray[np.uint32]


class _Entry(NamedTuple):
    """A lane that betrays a text: its known bytes, and where the lane lies in the text."""

    mask: int
    lane: int
    text: int
    offset: int


class Literals:
    """A set of byte texts of at least five bytes."""

    def __init__(self, texts: Iterable[bytes], sample: Bytes) -> None:
        """``sample`` is text as it will be searched; lanes that are rare in it are preferred."""
        self.texts = tuple(texts)
        usual = np.bincount(_hashed(sample[: len(sample) & ~3].view("<u4")), minlength=1 << 16)
        self._table = np.zeros(1 << 16, np.bool_)
        self._first = np.full(1 << 16, -1, np.int32)
        entries: list[_Entry] = []
        following: list[int] = []
        for number, text in enumerate(self.texts):
            for shift in range(_LANE):
                mask, lanes, offset = _best(text, shift, usual)
                slots = _hashed(np.array(lanes, np.uint32))
                self._table[slots] = True
                for slot in dict.fromkeys(slots.tolist()):
                    following.append(int(self._first[slot]))
                    self._first[slot] = len(entries)
                    entries.append(_Entry(mask, lanes[0] & mask, number, offset))
        self._next = np.array(following, np.int32)
        self._mask = np.array([entry.mask for entry in entries], np.uint32)
        self._lane = np.array([entry.lane for entry in entries], np.uint32)
        self._text = np.array([entry.text for entry in entries], np.int64)
        self._offset = np.array([entry.offset for entry in entries], np.int64)
        self._start = np.array([word(text) for text in self.texts], np.uint64)
        self._start_mask = np.array([MASK[min(len(text), 8)] for text in self.texts], np.uint64)
        self._places, self._hashes, self._hits = np.empty(0, np.intp), np.empty(0, np.uint32), np.empty(0, np.bool_)

    def find(self, data: Bytes, size: int) -> list[tuple[int, At]]:
        """Return (number of the text, sorted positions) for every text found in the first ``size`` bytes."""
        lanes: _LANES = data[: (size + _LANE - 1) // _LANE * _LANE].view("<u4")
        count = len(lanes)
        if len(self._places) < count:
            self._places, self._hashes = np.empty(count, np.intp), np.empty(count, np.uint32)
            self._hits = np.empty(count, np.bool_)
        hashed, places, hits = self._hashes[:count], self._places[:count], self._hits[:count]
        np.multiply(lanes, _FACTOR, out=hashed)
        np.right_shift(hashed, _SHIFT, out=places, casting="unsafe")
        np.take(self._table, places, out=hits, mode="clip")
        found = np.flatnonzero(hits)
        return self._verify(view(data), size, lanes, found) if len(found) else []

    def _verify(self, words: Words, size: int, lanes: _LANES, found: At) -> list[tuple[int, At]]:
        entry = self._first[self._places[found]]
        starts, texts = [], []
        while len(found):
            same = np.flatnonzero((lanes[found] & self._mask[entry]) == self._lane[entry])
            text = self._text[entry[same]]
            start = found[same] * _LANE - self._offset[entry[same]]
            inside = (start >= 0) & (start < size)
            if not inside.all():
                start, text = start[inside], text[inside]
            good = np.flatnonzero((words[start] & self._start_mask[text]) == self._start[text])
            starts.append(start[good])
            texts.append(text[good])
            entry = self._next[entry]
            more = entry >= 0
            found, entry = found[more], entry[more]
        start, text = np.concatenate(starts), np.concatenate(texts)
        out = []
        for number in np.flatnonzero(np.bincount(text)).tolist():
            at = start[text == number]
            if len(self.texts[number]) > 8:
                at = at[holds(words, at, self.texts[number])]
            if len(at):
                at.sort()
                out.append((number, at[np.append(True, at[1:] != at[:-1])]))
        return out


def _hashed(lanes: _LANES) -> _LANES:
    return (lanes * _FACTOR) >> np.uint32(_SHIFT)


def _best(text: bytes, shift: int, usual: NDArray[np.int64]) -> tuple[int, list[int], int]:
    """Return (mask, lanes, offset in the text) of the rarest lane of a text that begins ``shift`` bytes into a lane."""
    if len(text) < _SHORTEST:
        message = f"literal {text!r}: shorter than {_SHORTEST} bytes"
        raise ValueError(message)
    first = (_LANE - shift) % _LANE
    whole = [(0xFFFFFFFF, [int.from_bytes(text[at : at + 4], "little")], at) for at in range(first, len(text) - 3, _LANE)]
    if whole:
        return min(whole, key=lambda one: int(usual[_hashed(np.array(one[1], np.uint32))].sum()))
    if shift == 1:  # one unknown byte, then the first three of the text
        return 0xFFFFFF00, [byte | int.from_bytes(text[:3], "little") << 8 for byte in _ANY], -1
    return 0x00FFFFFF, [int.from_bytes(text[first : first + 3], "little") | byte << 24 for byte in _ANY], first
