"""The one place that recognises, for many lines at once, prefixes which the line engine has read once."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.scan.exact import Head, Layout
from woolly_mcpdiag.logs.scan.words import MASK, At, Bytes, U, Words, mix, where, word

_SLOTS = 1 << 10
_SHIFT = U(64 - 10)
_SPREAD = U(0xD6E8FEB86659FD93)
_GUESSES = 1 << 12
_GUESS_SHIFT = U(64 - 12)
_MIX = U(0x9E3779B97F4A7C15)
_SIXES = 0x06
_DEEPEST = 25
_NONE = np.int32(-1)


@dataclass(slots=True)
class _Word:
    """What eight bytes of a layout must be."""

    mask: np.uint64
    fixed: np.uint64
    sixes: np.uint64
    """0x06 where a digit stands: added to a byte 0x30 … 0x39 it stays below 0x40."""
    digits: np.uint64


class Group:
    """All heads under one layout."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.size = len(layout.text)
        self._words = _words_of(layout)
        self._levels: dict[int, NDArray[np.int32]] = {}
        self._key = np.empty(0, np.uint64)
        self._mask = np.empty(0, np.uint64)
        self._rest = np.empty(0, np.uint64)
        self._next = np.empty(0, np.int32)
        self.numbers = np.empty(0, np.int32)
        self._known: set[bytes] = set()
        self._guess = Guess()

    def add(self, head: Head, number: int) -> bool:
        """Add a head under its number; False where its text is known already or too long."""
        text = head.text
        level = len(text) // 8
        if text in self._known or level >= _DEEPEST:
            return False
        self._known.add(text)
        self._guess.add(text)
        key = np.zeros(1, np.uint64)
        for at in range(0, level * 8, 8):
            key = mix(key, np.array([word(text[at : at + 8])]))
        slot = int((key * _SPREAD >> _SHIFT)[0])
        table = self._levels.setdefault(level, np.full(_SLOTS, _NONE))
        rest = len(text) % 8
        self._next = np.append(self._next, table[slot])
        table[slot] = len(self._key)
        self._key = np.append(self._key, key)
        self._mask = np.append(self._mask, MASK[rest])
        self._rest = np.append(self._rest, word(text[level * 8 :]))
        self.numbers = np.append(self.numbers, np.int32(number))
        return True

    def read(self, data: Bytes, at: At) -> tuple[At, NDArray[np.int32]]:
        """Return (which of the line starts have this layout, as indices into ``at``; the head of each of these or -1).

        One gather for both: where the bytes lie costs more than how many there are.
        """
        depth = max(self._levels) + 1 if self._levels else 0
        width = (self.size + 7) // 8 * 8 + depth * 8
        lines: Any = np.ndarray((len(data) - width + 1,), f"V{width}", data.data, strides=(1,))[at]
        fit = self._fits(lines, width)
        if not depth or not len(fit):
            return fit, np.full(len(fit), _NONE)
        if len(fit) < len(at):
            lines = lines[fit]
        return fit, self._match([_column(lines, self.size + 8 * index, width) for index in range(depth)], depth - 1)

    def _fits(self, lines: NDArray[Any], width: int) -> At:
        if not self._words:
            return np.arange(len(lines))
        good = np.ones(len(lines), np.bool_)
        for index, want in enumerate(self._words):
            have = _column(lines, 8 * index, width)
            if want.sixes:
                good &= ((have + want.sixes) & want.digits) == (want.fixed & want.digits)
            have &= want.mask
            good &= have == want.fixed
        return where(good)

    def _match(self, table: list[Words], deepest: int) -> NDArray[np.int32]:
        count = len(table[0])
        out, slot = self._guess.read(table)
        rows = where(out < 0)
        if len(rows) == count:
            out = self._search(table, deepest, count)
        elif len(rows):
            out[rows] = self._search([column[rows] for column in table], deepest, len(rows))
        if len(rows):
            self._guess.learn(slot[rows], out[rows])
        known = out >= 0
        if known.all():
            return self.numbers[out]
        return np.where(known, self.numbers[out], _NONE)

    def _search(self, table: list[Words], deepest: int, count: int) -> NDArray[np.int32]:
        """Return the index of each row's head in this group, -1 where it has none."""
        out = np.full(count, _NONE)
        key = np.zeros(count, np.uint64)
        for level in range(deepest + 1):
            have = table[level]
            if level in self._levels:
                self._look(level, key, have, out)
            if level < deepest:
                key = mix(key, have)
        return out

    def _look(self, level: int, key: Words, have: Words, out: NDArray[np.int32]) -> None:
        entry = self._levels[level][(key * _SPREAD >> _SHIFT).astype(np.intp)]
        rows = where(entry >= 0)
        while len(rows):
            here = entry[rows]
            good = (self._key[here] == key[rows]) & ((have[rows] & self._mask[here]) == self._rest[here])
            hit = rows[good]
            out[hit] = here[good]
            rows = rows[~good]
            entry[rows] = self._next[entry[rows]]
            rows = rows[entry[rows] >= 0]


class Guess:
    """Tells heads by their first words, then compares the whole head.

    A head that another one begins with is not guessed.
    """

    def __init__(self) -> None:
        self._texts: list[bytes] = []
        self._sure = np.empty(0, np.bool_)
        self._slots = np.full(_GUESSES, _NONE)
        self._wanted: list[Words] = []
        self._masks: list[Words] = []
        self._telling = 2
        """Words that make the key: at least two, more where the shortest head has more."""

    def add(self, text: bytes) -> None:
        """Add a head."""
        self._texts.append(text)
        self._slots.fill(_NONE)
        beginnings = [any(other.startswith(one) and other != one for other in self._texts) for one in self._texts]
        self._sure = ~np.array(beginnings)
        count = max(len(one) for one in self._texts) // 8 + 1
        self._telling = max(min(len(one) for one in self._texts) // 8, 2)
        pieces = [[one[at : at + 8] for one in self._texts] for at in range(0, count * 8, 8)]
        self._wanted = [np.array([word(piece) for piece in column], np.uint64) for column in pieces]
        self._masks = [MASK[[len(piece) for piece in column]] for column in pieces]

    def read(self, table: list[Words]) -> tuple[NDArray[np.int32], At]:
        """Return (index of the head or -1, slot) of each row; ``table`` has the words from the layout's end on."""
        key = table[0] * _SPREAD
        for have in table[1 : self._telling]:
            key ^= have
            key *= _MIX
        slot = (key >> _GUESS_SHIFT).astype(np.intp)
        found = self._slots.take(slot)
        good = found >= 0
        index = found.astype(np.intp)
        for have, want, mask in zip(table, self._wanted, self._masks, strict=True):
            good &= (have & mask.take(index, mode="wrap")) == want.take(index, mode="wrap")
        return np.where(good, found, _NONE), slot

    def learn(self, slot: At, found: NDArray[np.int32]) -> None:
        """Remember what was found the long way."""
        sure = where(found >= 0)
        sure = sure[self._sure[found[sure]]]
        self._slots[slot[sure]] = found[sure]


def _column(lines: NDArray[Any], offset: int, width: int) -> Words:
    """Return the words at one offset in rows of ``width`` bytes."""
    return np.ndarray((len(lines),), "<u8", lines.data, offset, (width,)).copy()


def _words_of(layout: Layout) -> list[_Word]:
    out = []
    for start in range(0, len(layout.text), 8):
        piece = layout.text[start : start + 8]
        mask = fixed = sixes = digits = 0
        for index, byte in enumerate(piece):
            place = 8 * index
            if start + index in layout.digits:
                mask |= 0xF0 << place
                fixed |= 0x30 << place
                sixes |= _SIXES << place
                digits |= 0xF0 << place
            else:
                mask |= 0xFF << place
                fixed |= byte << place
        out.append(_Word(U(mask), U(fixed), U(sixes), U(digits)))
    return out


class Prefixes:
    """Every prefix learned so far."""

    def __init__(self) -> None:
        self.heads: list[Head] = []
        self._groups: dict[tuple[bytes, frozenset[int]], Group] = {}
        self.size = np.empty(0, np.int64)
        """By head: bytes of the whole prefix."""
        self.tail = np.empty(0, np.int64)
        """By head: bytes behind the message."""
        self.serious = np.empty(0, np.bool_)
        self.structured = np.empty(0, np.bool_)
        self.layouts: list[Layout] = []
        self.layout = np.empty(0, np.int64)
        """By head: index of its layout."""
        self.loggers = np.empty(0, np.uint8)
        self.sources = np.empty(0, np.uint16)

    def add(self, head: Head) -> bool:
        """Learn a head; False where it was known."""
        key = _shape(head.layout)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(head.layout)
        head = replace(head, layout=group.layout)  # the same but for its digits
        if not group.add(head, len(self.heads)):
            return False
        self.heads.append(head)
        if head.layout not in self.layouts:
            self.layouts.append(head.layout)
        self.layout = np.append(self.layout, self.layouts.index(head.layout))
        self.size = np.append(self.size, group.size + len(head.text))
        self.tail = np.append(self.tail, len(head.tail))
        self.serious = np.append(self.serious, head.serious)
        self.structured = np.append(self.structured, head.structured)
        self.loggers = np.append(self.loggers, np.uint8(head.logger))
        self.sources = np.append(self.sources, np.uint16(head.source))
        return True

    def match(self, data: Bytes, start: At) -> NDArray[np.int32]:
        """Return the head of each line, -1 where it has none that is known."""
        out = np.full(len(start), _NONE)
        rows = np.arange(len(start))
        for group in sorted(self._groups.values(), key=lambda one: -one.size):
            if not len(rows):
                break
            fit, found = group.read(data, start if len(rows) == len(start) else start[rows])
            if not len(fit):
                continue
            hit = found >= 0
            if len(fit) == len(start) and hit.all():
                return found
            out[rows[fit[hit]]] = found[hit]
            rows = where(out < 0)
        return out


def _shape(layout: Layout) -> tuple[bytes, frozenset[int]]:
    text = bytes(0x30 if at in layout.digits else byte for at, byte in enumerate(layout.text))
    return text, layout.digits
