"""The one place that makes sure that JSON lines under a known head are whole: one message string, nothing odd in it."""

import numpy as np

from woolly_mcpdiag.logs.scan.lines import Lines
from woolly_mcpdiag.logs.scan.prefixes import Prefixes
from woolly_mcpdiag.logs.scan.words import At, Flags, holds, where

_QUOTE, _BACKSLASH = ord('"'), ord("\\")
_ESCAPED = np.zeros(256, np.bool_)
_ESCAPED[[ord(byte) for byte in '"\\nrtbfu']] = True
_BYTE = 256
_MANY = 1000
"""Lines of ``_BYTE`` bytes and more in a block up to which each is counted alone."""


def check(lines: Lines, rows: At, prefixes: Prefixes, scratch: tuple[Flags, Flags]) -> None:
    """Mark slow every line whose tail differs from its head's or whose message is not one plain JSON string."""
    block = lines.block
    for tail in dict.fromkeys(head.tail for head in prefixes.heads if head.structured and not head.rest):
        same = rows[
            np.isin(
                lines.head[rows],
                [n for n, head in enumerate(prefixes.heads) if head.tail == tail and head.structured and not head.rest],
            )
        ]
        lines.slow[same[~holds(block.words, lines.until[same], tail)]] = True
    lines.slow[rows[block.tabs[rows]]] = True
    size = block.size
    quotes, slashes = scratch[0][:size], scratch[1][:size]
    np.equal(block.data[:size], _BACKSLASH, out=slashes)
    escapes = where(slashes)
    np.equal(block.data[:size], _QUOTE, out=quotes)
    if len(escapes):
        lines.slow[np.searchsorted(block.end, _odd(lines, escapes))] = True
        after = escapes[_run_is_odd(block.data, escapes)] + 1
        code = block.data[after]
        quotes[after[code == _QUOTE]] = False
        newlines = after[code == ord("n")]
        if len(newlines):  # like tabs, they end what a row is made of
            lines.tabs = lines.tabs.copy()
            line = np.searchsorted(block.end, newlines)
            lines.tabs[line[newlines < lines.until[line]]] = True
    _count_quotes(lines, rows, prefixes, quotes)


def _run_is_odd(data: np.ndarray[tuple[int], np.dtype[np.uint8]], at: At) -> Flags:
    """Return which backslashes are at an odd place of their run, so that they escape what follows."""
    begins = np.append(True, at[1:] != at[:-1] + 1)[: len(at)]
    number = np.arange(len(at))
    start = np.maximum.accumulate(np.where(begins, number, 0))
    odd: Flags = (number - start) % 2 == 0
    return odd


def _odd(lines: Lines, escapes: At) -> At:
    """Return places of escapes that JSON does not have, or that could hide ASCII text (``\\u0048``, ``\\/``)."""
    data = lines.block.data
    at = escapes[_run_is_odd(data, escapes)]
    code = data[at + 1]
    bad = ~_ESCAPED[code]
    wide = where(code == ord("u"))
    if len(wide):
        place = at[wide] + 2
        digits = [data[place + offset] for offset in range(4)]
        fine = np.logical_and.reduce([_HEX[digit] for digit in digits])
        ascii_ = (digits[0] == ord("0")) & (digits[1] == ord("0"))
        bad[wide[~fine | ascii_]] = True
    return at[bad]


_HEX = np.zeros(256, np.bool_)
_HEX[[*range(0x30, 0x3A), *range(0x41, 0x47), *range(0x61, 0x67)]] = True


def _count_quotes(lines: Lines, rows: At, prefixes: Prefixes, quotes: Flags) -> None:
    """Mark slow the lines with more quotes than their prefix and tail have."""
    own = np.array([head.quotes for head in prefixes.heads])
    expected = own[lines.head[rows]]
    if len(rows) == len(lines.block) and np.count_nonzero(quotes) == expected.sum():
        return
    start, end = lines.block.start, lines.block.end
    long = rows[(end[rows] - start[rows]) >= _BYTE]
    if len(long) > _MANY:
        counted = np.add.reduceat(quotes, start, dtype=np.int32)
        lines.slow[rows[counted[rows] != expected]] = True
        return
    counted = np.add.reduceat(quotes.view(np.uint8), start, dtype=np.uint8)
    lines.slow[rows[counted[rows] != expected.astype(np.uint8)]] = True
    for row in long.tolist():  # their counts may have gone beyond a byte
        if np.count_nonzero(quotes[start[row] : end[row]]) != own[lines.head[row]]:
            lines.slow[row] = True
