"""The one place that recognises, for many lines at once, prefixes which the line engine has read once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.scan.heads import BARE, NOTHING, Head, Layout
from woolly_mcpdiag.logs.scan.varying import skip
from woolly_mcpdiag.logs.scan.words import MASK, At, Bytes, U, Words, mix, where, word

_SLOTS = 1 << 10
_SHIFT = U(64 - 10)
_SPREAD = U(0xD6E8FEB86659FD93)
_GUESSES = 1 << 12
_GUESS_SHIFT = U(64 - 12)
_MIX = U(0x9E3779B97F4A7C15)
_SIXES = 0x06
_DEEPEST = 25
_MOST = 1 << 13
"""Heads; a log that has more of them is read line by line."""
_NONE = np.int32(-1)


@dataclass(slots=True)
class _Word:
    """What eight bytes of a layout must be."""

    mask: np.uint64
    fixed: np.uint64
    sixes: np.uint64
    """0x06 where a digit stands: added to a byte 0x30 … 0x39 it stays below 0x40."""
    digits: np.uint64


@dataclass(slots=True)
class _Varying:
    """What may follow a text whose next byte begins something that varies."""

    size: int
    """Bytes from the group's beginning to there."""
    field: int
    rest: "Group"


class Group:
    """All heads under one layout."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.used = 0
        """Lines that it matched last."""
        self._varying: list[_Varying] = []
        self.size = len(layout.text)
        self._words = _words_of(layout)
        self._levels: dict[int, NDArray[np.int32]] = {}
        self._key = np.empty(0, np.uint64)
        self._mask = np.empty(0, np.uint64)
        self._rest = np.empty(0, np.uint64)
        self._next = np.empty(0, np.int32)
        self.numbers = np.empty(0, np.int32)
        """By entry: the number of its head, or -2 - n where the nth varying part follows."""
        self._known: dict[bytes, int] = {}
        self._guess = Guess()

    def add(self, parts: Sequence[bytes], fields: Sequence[int], number: int) -> bool:
        """Add a head under its number; False where it is known already or too long."""
        if not fields:
            return self._add(parts[0], number)
        known = self._known.get(parts[0])
        if known is None:
            found = _Varying(self.size + len(parts[0]), fields[0], Group(NOTHING))
            if not self._add(parts[0], -2 - len(self._varying)):
                return False
            self._varying.append(found)
        elif known < -1 and self._varying[-2 - known].field == fields[0]:
            found = self._varying[-2 - known]
        else:
            return False
        return found.rest.add(parts[1:], fields[1:], number)

    def _add(self, text: bytes, number: int) -> bool:
        level = len(text) // 8
        if text in self._known or level >= _DEEPEST:
            return False
        self._known[text] = number
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

    def read(self, data: Bytes, at: At) -> tuple[At, NDArray[np.int32], At | None]:
        """Return which of the line starts have this layout, as indices into ``at``; the head of each of these or -1;
        where their messages begin: of the lines that have something varying, ``None`` where no line has.

        One gather for all: where the bytes lie costs more than how many there are.
        """
        depth = max(self._levels) + 1 if self._levels else 0
        width = (self.size + 7) // 8 * 8 + depth * 8
        lines: Any = np.ndarray((len(data) - width + 1,), f"V{width}", data.data, strides=(1,))[at]
        fit = self._fits(lines, width)
        if not depth or not len(fit):
            return fit, np.full(len(fit), _NONE), None
        if len(fit) < len(at):
            lines = lines[fit]
        found = self._match([_column(lines, self.size + 8 * index, width) for index in range(depth)], depth - 1)
        return fit, found, self._go_on(data, at[fit], found) if self._varying else None

    def _go_on(self, data: Bytes, at: At, found: NDArray[np.int32]) -> At | None:
        """Finish lines in which something varies: set their heads and return where their messages begin, else 0."""
        messages = None
        for number, varying in enumerate(self._varying):
            rows = where(found == -2 - number)
            if not len(rows):
                continue
            place, good = skip(data, at[rows] + varying.size, varying.field)
            found[rows[~good]] = _NONE
            rows, place = rows[good], place[good]
            fit, heads, further = varying.rest.read(data, place)
            if messages is None:
                messages = np.zeros(len(at), np.int64)
            found[rows] = _NONE
            found[rows[fit]] = heads
            ends = place[fit] + varying.rest.sizes(heads)
            messages[rows[fit]] = ends if further is None else np.where(further > 0, further, ends)
        return messages

    def sizes(self, heads: NDArray[np.int32]) -> At:
        """Return the bytes of the texts of heads by their numbers, 0 where there is none."""
        if not len(heads):
            return np.empty(0, np.int64)
        known = [(number, len(text)) for text, number in self._known.items() if number >= 0]
        table = np.zeros(max(int(heads.max()), *(number for number, _ in known), 0) + 2, np.int64)
        for number, size in known:
            table[number] = size
        return table[heads]

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
        self._stale = False
        self._sure = np.empty(0, np.bool_)
        self._slots = np.full(_GUESSES, _NONE)
        self._wanted: list[Words] = []
        self._masks: list[Words] = []
        self._telling = 2
        """Words that make the key: at least two, more where the shortest head has more."""

    def add(self, text: bytes) -> None:
        """Add a head."""
        self._texts.append(text)
        self._stale = True

    def _prepare(self) -> None:
        texts, self._stale = self._texts, False
        self._slots.fill(_NONE)
        # In order, a text stands right before those that begin with it.
        begun = {one for one, other in pairwise(sorted(texts)) if other.startswith(one)}
        self._sure = np.array([one not in begun for one in texts])
        count = max(map(len, texts)) // 8 + 1
        self._telling = max(min(map(len, texts)) // 8, 2)
        pieces = [[one[at : at + 8] for one in texts] for at in range(0, count * 8, 8)]
        self._wanted = [np.array([word(piece) for piece in column], np.uint64) for column in pieces]
        self._masks = [MASK[[len(piece) for piece in column]] for column in pieces]

    def read(self, table: list[Words]) -> tuple[NDArray[np.int32], At]:
        """Return (index of the head or -1, slot) of each row; ``table`` has the words from the layout's end on."""
        if self._stale:
            self._prepare()
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
        """By head: bytes of the whole prefix, where nothing varies in it."""
        self.tail = np.empty(0, np.int64)
        """By head: bytes behind the message."""
        self.serious = np.empty(0, np.bool_)
        self.structured = np.empty(0, np.bool_)
        self.loose = np.empty(0, np.bool_)
        self.bare = np.empty(0, np.bool_)
        self._others = False
        """True once there are dated heads of a format other than ``BARE``; then heads of that tell nothing."""
        self.layouts: list[Layout] = []
        self.layout = np.empty(0, np.int64)
        """By head: index of its layout."""
        self.loggers = np.empty(0, np.uint8)
        self.sources = np.empty(0, np.uint16)

    def add(self, head: Head, source: int) -> bool:
        """Learn a head; False where it was known."""
        key = shape(head.layout)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(head.layout)
        head = replace(head, layout=replace(head.layout, text=group.layout.text))  # the same but for its digits
        if head.format == BARE and self._others:
            return False
        self._others |= head.format != BARE and len(head.layout.text) > 0
        if len(self.heads) >= _MOST or not group.add(head.parts, head.fields, len(self.heads)):
            return False
        self.append(head, source, group.size + sum(map(len, head.parts)))
        return True

    def append(self, head: Head, source: int, size: int) -> int:
        """Learn a head that ``match`` does not find, with the size of its prefix; return its number."""
        self.heads.append(head)
        if head.layout not in self.layouts:
            self.layouts.append(head.layout)
        self.layout = np.append(self.layout, self.layouts.index(head.layout))
        self.size = np.append(self.size, size)
        self.tail = np.append(self.tail, 0 if head.rest else len(head.tail))
        self.serious = np.append(self.serious, head.serious)
        self.structured = np.append(self.structured, head.structured)
        self.loose = np.append(self.loose, head.loose)
        self.bare = np.append(self.bare, head.format == BARE)
        self.loggers = np.append(self.loggers, np.uint8(head.logger))
        self.sources = np.append(self.sources, np.uint16(source))
        return len(self.heads) - 1

    def match(self, data: Bytes, start: At) -> tuple[NDArray[np.int32], At]:
        """Return the head of each line, -1 where it has none that is known, and where its message begins."""
        out = np.full(len(start), _NONE)
        rows = np.arange(len(start))
        varying: list[tuple[At, At]] = []
        for group in sorted(self._groups.values(), key=lambda one: (-one.size, -one.used)):
            if not len(rows):
                break
            group.used = 0
            fit, found, messages = group.read(data, start if len(rows) == len(start) else start[rows])
            if not len(fit):
                continue
            hit = found >= 0
            group.used = int(np.count_nonzero(hit))
            if messages is not None:
                varied = where(hit & (messages > 0))
                varying.append((rows[fit[varied]], messages[varied]))
            if len(fit) == len(start) and group.used == len(start):
                out = found
                break
            out[rows[fit[hit]]] = found[hit]
            rows = where(out < 0)
        if self._others and self.bare.any():
            out[np.append(self.bare, False)[out]] = _NONE
        message = start + np.append(self.size, 0)[out]
        for lines, at in varying:
            message[lines] = np.where(out[lines] < 0, message[lines], at)
        return out, message


def shape(layout: Layout) -> tuple[bytes, frozenset[int]]:
    """Return what layouts have in common that match the same lines."""
    text = bytes(0x30 if at in layout.digits else byte for at, byte in enumerate(layout.text))
    return text, layout.digits
