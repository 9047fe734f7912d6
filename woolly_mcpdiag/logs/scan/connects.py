"""The one place that knows httpcore's connect lines again by host and port: only the first to each place is told."""

import numpy as np

from woolly_mcpdiag.logs.recognise.httpcore import CONNECT_LITERAL
from woolly_mcpdiag.logs.scan.lines import Lines
from woolly_mcpdiag.logs.scan.words import At, Flags, find, hashes, holds, where, word

_START = f"{CONNECT_LITERAL} host='".encode()
_PORT = b"' port="
FIRST_WORD = word(_START)
_MOST = 4096
_DIGITS = 6
_ZERO, _SPACE = np.uint8(0x30), ord(" ")


class Connects:
    """Remembers the places that the line engine has been told of."""

    def __init__(self) -> None:
        self._known = np.empty(0, np.uint64)

    def known(self, lines: Lines, rows: At) -> Flags:
        """Return which connect lines name a place that is known."""
        if not len(rows) or not len(self._known):
            return np.zeros(len(rows), np.bool_)
        key, good = _places(lines, rows)
        at = np.minimum(np.searchsorted(self._known, key), len(self._known) - 1)
        out: Flags = good & (self._known[at] == key)
        return out

    def learn(self, lines: Lines, rows: At) -> None:
        """Remember the places of lines that the line engine has read, where they are connect lines."""
        rows = rows[(lines.head[rows] >= 0) & (lines.first[rows] == FIRST_WORD)]
        if len(rows) and len(self._known) < _MOST:
            key, good = _places(lines, rows)
            self._known = np.union1d(self._known, key[good])


def _places(lines: Lines, rows: At) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint64]], Flags]:
    """Return (hash of host and port, good) of lines; good where they are written as httpcore does."""
    block = lines.block
    start, until = lines.message[rows] + len(_START), lines.until[rows]
    good = holds(block.words, lines.message[rows], _START)
    quote = find(block.words, start, until, ord("'"))
    port = quote + len(_PORT)
    good &= (quote > start) & (port < until)
    rest = where(good)
    good[rest] = holds(block.words, quote[rest], _PORT)
    end = port.copy()
    live = where(good)
    for _ in range(_DIGITS):
        live = live[block.data[end[live]] - _ZERO < 10]
        end[live] += 1
    good &= (end > port) & (end < port + _DIGITS) & (end <= until)
    good[good] &= (end[good] == until[good]) | (block.data[end[good]] == _SPACE)
    key = np.zeros(len(rows), np.uint64)
    rest = where(good)
    key[rest] = hashes(block.words, start[rest], (end - start)[rest])
    return key, good
