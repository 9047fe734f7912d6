"""The one place that matches both ends of JSON records: what stands before the message, and what behind it.

Where the time, the level or the logger stand behind the message, a head is a pair of what is known of both ends.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.heads import Head
from woolly_mcpdiag.logs.scan.prefixes import Prefixes, shape
from woolly_mcpdiag.logs.scan.words import At, where

_QUOTE, _BACKSLASH, _N = ord('"'), ord("\\"), ord("n")
_NONE = -1
_Key = tuple[tuple[bytes, frozenset[int]], tuple[bytes, ...], tuple[int, ...]]


@dataclass(slots=True)
class Matched:
    """What is known of some lines."""

    head: NDArray[np.int32]
    """-1 where none is known."""
    message: At
    rows: At
    """Those whose ends were matched, for which the rest is."""
    until: At
    """Where the message ends."""
    base: At
    """What the place of the stamp is counted from."""


class Ends:
    """Finds heads by both ends of lines; those that have no end worth it are found by ``Prefixes`` alone."""

    def __init__(self, prefixes: Prefixes) -> None:
        self._prefixes = prefixes
        self._tails = Prefixes()
        self._fronts: dict[_Key, int] = {}
        self._behind: dict[_Key, int] = {}
        self._pairs: dict[int, int] = {}
        self._is_front = np.zeros(1, np.bool_)
        self._newline = np.zeros(0, np.bool_)
        self._keys = np.empty(0, np.int64)
        self._numbers = np.empty(0, np.int32)
        self._block: Block | None = None
        self._quotes = np.empty(0, np.int64)

    def add(self, head: Head, source: int) -> bool:
        """Learn a head; False where it was known."""
        rest = head.rest
        if rest is None:
            return self._prefixes.add(head, source)
        front = _number(self._fronts, self._prefixes, head, source)
        tail = replace(head, layout=rest.layout, parts=rest.parts, fields=rest.fields)
        known = len(self._tails.heads)
        behind = _number(self._behind, self._tails, tail, 0)
        if len(self._tails.heads) > known:
            self._newline = np.append(self._newline, rest.newline)
        if front < 0 or behind < 0 or self._newline[behind] != rest.newline:
            return False
        key = front << 32 | behind
        if key in self._pairs:
            return False
        dated = self._prefixes.heads[front].layout
        if rest.layout.at >= 0:
            dated = replace(rest.layout, text=self._tails.heads[behind].layout.text)
        number = self._prefixes.append(replace(head, layout=dated), source, 0)
        self._pairs[key] = number
        keys = sorted(self._pairs)
        self._keys = np.array(keys, np.int64)
        self._numbers = np.array([self._pairs[key] for key in keys], np.int32)
        return True

    def match(self, block: Block, rows: At | None = None) -> Matched:
        """Return what is known of lines, of all of them by default."""
        start, end = (block.start, block.end) if rows is None else (block.start[rows], block.end[rows])
        head, message = self._prefixes.match(block.data, start)
        none = np.empty(0, np.int64)
        if not self._pairs:
            return Matched(head, message, none, none, none)
        if len(self._is_front) != len(self._prefixes.heads) + 1:
            self._is_front = np.zeros(len(self._prefixes.heads) + 1, np.bool_)
            self._is_front[[number for number in self._fronts.values() if number >= 0]] = True
        fronts = where(self._is_front[head])
        quotes = self._quotes_of(block) if len(fronts) else none
        place = quotes.searchsorted(message[fronts])
        inside = place < len(quotes)
        at = quotes[np.minimum(place, len(quotes) - 1)] if len(quotes) else message[fronts]
        behind, stop = self._tails.match(block.data, at)
        good = inside & (behind >= 0) & (stop == end[fronts])
        newline = np.append(self._newline, False)[behind]
        data = block.data
        good &= ~newline | ((data[at - 2] == _BACKSLASH) & (data[at - 1] == _N) & (data[at - 3] != _BACKSLASH))
        key = head[fronts].astype(np.int64) << 32 | behind
        found = np.minimum(self._keys.searchsorted(key), len(self._keys) - 1)
        good &= self._keys[found] == key
        head[fronts] = np.where(good, self._numbers[found], _NONE)
        message[fronts[~good]] = start[fronts[~good]]
        known, at = fronts[good], at[good]
        dated = np.array([layout.behind for layout in self._prefixes.layouts])[self._prefixes.layout[head[known]]]
        return Matched(head, message, known, at - 2 * newline[good], np.where(dated, at, start[known]))

    def _quotes_of(self, block: Block) -> At:
        """Return where quotes stand that are not escaped."""
        if self._block is not block:
            data = block.data
            at = where(data[: block.size] == _QUOTE)
            live = where(data[at - 1] == _BACKSLASH)
            odd = np.zeros(len(at), np.bool_)
            back = 1
            while len(live):
                odd[live] = ~odd[live]
                back += 1
                live = live[at[live] >= back]
                live = live[data[at[live] - back] == _BACKSLASH]
            self._block, self._quotes = block, at[~odd]
        return self._quotes


def _number(known: dict[_Key, int], prefixes: Prefixes, head: Head, source: int) -> int:
    key = shape(head.layout), head.parts, head.fields
    if key not in known:
        number = len(prefixes.heads)
        known[key] = number if prefixes.add(replace(head, rest=None), source) else _NONE
    return known[key]
