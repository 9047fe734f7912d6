"""The one place that finds where a block holds any of the recogniser's literals, at the price of one pass.

Of every four-byte lane (aligned to 4 in the block) a hash of 17 bits is looked up in a table, filled so that each
literal, however it lies to the lanes, has one lane in it. Hits are then compared with the literals byte by byte.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.scan.words import MASK, At, Bytes, Flags, Words, holds, view, where, word

_LANE = 4
_FACTORS = tuple((0x9E3779B1 * (2 * number + 1)) & 0xFFFFFFFF for number in range(48))
_BITS = 17
_SHIFT = 32 - _BITS
_CHUNK = 1 << 16
"""Lanes looked up at a time, so that the scratch arrays stay in the cache."""
GRAIN = 16
_SHORTEST = 5
_ANY = range(256)
_LANES = NDArray[np.uint32]


class _Entry(NamedTuple):
    """A lane that betrays a text, and where the lane lies in the text."""

    text: int
    offset: int


class Literals:
    """A set of byte texts of at least five bytes."""

    def __init__(
        self,
        texts: Iterable[bytes],
        sample: Bytes,
        always: Iterable[bytes] = (),
        following: Mapping[bytes, bytes] = MappingProxyType({}),
    ) -> None:
        """``sample`` is text as it will be searched; lanes that are rare in it are preferred.

        Texts in ``always`` are found in every line. Of a text in ``following`` only places with two of those bytes
        behind it are sure to be found.
        """
        self.texts = tuple(texts)
        wanted = frozenset(always)
        chosen = _chosen(self.texts, sample, following)
        self._factor = _factor(np.array([lane for lanes, _ in chosen for lane in lanes], np.uint32), sample)
        self._table = np.zeros(1 << _BITS, np.bool_)
        self._first = np.full(1 << _BITS, -1, np.int32)
        entries: list[_Entry] = []
        chained: list[int] = []
        for lanes, entry in chosen:
            slots = _hashed(np.array(lanes, np.uint32), self._factor)
            self._table[slots] = True
            for slot in dict.fromkeys(slots.tolist()):
                chained.append(int(self._first[slot]))
                self._first[slot] = len(entries)
                entries.append(entry)
        self._next = np.array(chained, np.int32)
        self._always = np.zeros(len(entries), np.bool_)
        for first in self._first[self._first >= 0].tolist():
            chain = [first]
            while chained[chain[-1]] >= 0:
                chain.append(chained[chain[-1]])
            self._always[chain] = any(self.texts[entries[one].text] in wanted for one in chain)
        self._text = np.array([entry.text for entry in entries], np.int64)
        self._offset = np.array([entry.offset for entry in entries], np.int64)
        self._start = np.array([word(text) for text in self.texts], np.uint64)
        self._start_mask = np.array([MASK[min(len(text), 8)] for text in self.texts], np.uint64)
        self._places, self._hashes = np.empty(_CHUNK, np.intp), np.empty(_CHUNK, np.uint32)
        self._hits = np.empty(_CHUNK, np.bool_)

    def find(self, data: Bytes, size: int, settled: Flags) -> list[tuple[int, At]]:
        """Return (number of the text, sorted positions) for every text found in the first ``size`` bytes.

        In the pieces of ``GRAIN`` bytes that are ``settled`` only ``always`` texts are sure to be found.
        """
        lanes: _LANES = data[: (size + _LANE - 1) // _LANE * _LANE].view("<u4")
        founds, entries = [], []
        for start in range(0, len(lanes), _CHUNK):
            chunk = lanes[start : start + _CHUNK]
            hashed, places, hits = (x[: len(chunk)] for x in (self._hashes, self._places, self._hits))
            np.multiply(chunk, self._factor, out=hashed)
            np.right_shift(hashed, _SHIFT, out=hashed)
            places[:] = hashed
            self._table.take(places, None, hits, "wrap")  # no place is outside; this mode is the fastest
            found = where(hits)
            entries.append(self._first.take(places.take(found)))
            found += start
            founds.append(found)
        if not founds:
            return []
        lane, entry = np.concatenate(founds), np.concatenate(entries)
        # A piece lies within one line, and of every text at least three bytes lie within its lane.
        open_ = where(~settled.take(lane // (GRAIN // _LANE)) | self._always.take(entry))
        return self._verify(view(data), size, lane[open_] * _LANE, entry[open_])

    def _verify(self, words: Words, size: int, lane_at: At, entry: NDArray[np.int32]) -> list[tuple[int, At]]:
        starts, texts = [], []
        while len(lane_at):
            text, start = self._text[entry], lane_at - self._offset[entry]
            inside = (start >= 0) & (start < size)
            if not inside.all():
                start, text = np.where(inside, start, 0), np.where(inside, text, 0)
            good = where(((words[start] ^ self._start[text]) & self._start_mask[text]) == 0)
            starts.append(start[good])
            texts.append(text[good])
            entry = self._next[entry]
            more = where(entry >= 0)
            lane_at, entry = lane_at[more], entry[more]
        if not starts:
            return []
        start, text = np.concatenate(starts), np.concatenate(texts)
        order = np.argsort(text.astype(np.uint8), kind="stable")  # a radix sort
        start, counts = start[order], np.bincount(text, minlength=len(self.texts))
        out = []
        for number, last in zip(where(counts).tolist(), np.cumsum(counts)[where(counts)].tolist(), strict=True):
            at = np.sort(start[last - int(counts[number]) : last])
            if len(self.texts[number]) > 8:
                at = at[holds(words, at, self.texts[number])]
            if len(at):
                out.append((number, at))
        return out


def _hashed(lanes: _LANES, factor: np.uint32) -> _LANES:
    return (lanes * factor) >> np.uint32(_SHIFT)


def _factor(lanes: _LANES, sample: Bytes) -> np.uint32:
    """Return the factor under which the fewest other lanes of a sample fall into the slots of ``lanes``."""
    usual: _LANES = sample[: len(sample) & ~3].view("<u4")
    best, least = np.uint32(_FACTORS[0]), len(usual) + 1
    for number in _FACTORS:
        factor = np.uint32(number)
        table = np.zeros(1 << _BITS, np.bool_)
        table[_hashed(lanes, factor)] = True
        count = int(np.count_nonzero(table[_hashed(usual, factor)]))
        if count < least:
            best, least = factor, count
    return best


def _chosen(texts: Iterable[bytes], sample: Bytes, following: Mapping[bytes, bytes]) -> list[tuple[list[int], _Entry]]:
    lanes, counts = np.unique(sample[: len(sample) & ~3].view("<u4"), return_counts=True)
    usual = dict(zip(lanes.tolist(), counts.tolist(), strict=True))
    out = []
    for number, text in enumerate(texts):
        for shift in range(_LANE):
            best, offset = _best(text, shift, usual, following.get(text, _ANY))
            out.append((best, _Entry(number, offset)))
    return out


def _best(text: bytes, shift: int, usual: dict[int, int], following: Sequence[int]) -> tuple[list[int], int]:
    """Return (lanes, offset in the text) of the rarest lane of a text that begins ``shift`` bytes into a lane.

    A text too short to fill a lane gives all lanes that its neighbours can make of one.
    """
    if len(text) < _SHORTEST:
        message = f"literal {text!r}: shorter than {_SHORTEST} bytes"
        raise ValueError(message)
    first = (_LANE - shift) % _LANE
    whole = [(int.from_bytes(text[at : at + 4], "little"), at) for at in range(first, len(text) - 3, _LANE)]
    if whole:
        lane, at = min(whole, key=lambda one: usual.get(one[0], 0))
        return [lane], at
    known = text[first:]
    unknown = _LANE - len(known)
    if shift > 1 or len(following) ** unknown <= len(_ANY):
        ends = itertools.product(following, repeat=unknown)
        return [int.from_bytes(known + bytes(end), "little") for end in ends], first
    # One unknown byte, then the first three of the text.
    return [byte | int.from_bytes(text[:3], "little") << 8 for byte in _ANY], -1
