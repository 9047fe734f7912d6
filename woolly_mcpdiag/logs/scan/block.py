"""The one shape of what the scanner works on: whole lines in one byte array, and where they begin and end."""

from dataclasses import dataclass

import numpy as np

from woolly_mcpdiag.logs.scan.words import PAD, At, Bytes, Flags, U, Words, view, where


@dataclass(slots=True)
class Block:
    """Whole lines, each ended by a newline, followed by ``PAD`` bytes that belong to nobody."""

    data: Bytes
    words: Words
    size: int
    start: At
    end: At
    """Without the newline and a carriage return before it."""
    odd: Flags
    """Lines that hold a control character other than tab."""
    tabs: Flags
    tab_at: At
    """Where the tabs are."""

    @staticmethod
    def of(data: Bytes, size: int, mask: Flags) -> "Block":
        """Return the block of the first ``size`` bytes; ``mask`` is scratch of at least that size."""
        low = _low(data, size, mask)
        kind = data[low]
        newline = kind == 10
        if newline.all():
            end = low
            odd = tabs = np.zeros(len(low), np.bool_)
        else:
            end = low[newline]
            rest, kind = low[~newline], kind[~newline]
            line = np.searchsorted(end, rest)
            odd, tabs = np.zeros(len(end), np.bool_), np.zeros(len(end), np.bool_)
            tabs[line[kind == 9]] = True
            returns = (kind == 13) & (data[rest + 1] == 10)
            odd[line[(kind != 9) & ~returns]] = True
            start = np.concatenate(([0], end[:-1] + 1))
            end = end.copy()
            end[line[returns]] -= 1
            return Block(data, view(data), size, start, end, odd, tabs, rest[kind == 9])
        start = np.concatenate(([0], end[:-1] + 1))
        return Block(data, view(data), size, start, end, odd, tabs, low[:0])

    def tabs_after(self, message: At) -> Flags:
        """Return the lines with a tab behind where their messages begin."""
        if not len(self.tab_at):
            return self.tabs
        line = np.searchsorted(self.end, self.tab_at)
        out = np.zeros(len(self), np.bool_)
        out[line[self.tab_at >= message[line]]] = True
        return out

    def __len__(self) -> int:
        return len(self.start)

    def line(self, index: int) -> bytes:
        """Return a line without its ending."""
        return self.data[self.start[index] : self.end[index]].tobytes()

    def text(self, start: int, end: int) -> bytes:
        """Return a part of the block."""
        return self.data[start:end].tobytes()


def _low(data: Bytes, size: int, mask: Flags) -> At:
    """Return the places of control characters, eight bytes at a time: they are far apart."""
    whole = (size + 7) // 8 * 8
    mask[size:whole] = False
    np.less(data[:size], 32, out=mask[:size])
    eights = mask[:whole].view(np.uint64)
    at = where(eights != 0)
    flags = eights[at]
    at *= 8
    above = flags - U(1)
    low = at + (np.bitwise_count(flags ^ above) >> 3)
    flags &= above
    more = where(flags)
    if not len(more):
        return low
    lows = [low]
    while len(more):
        at, flags = at[more], flags[more]
        above = flags - U(1)
        lows.append(at + (np.bitwise_count(flags ^ above) >> 3))
        flags &= above
        more = where(flags)
    return np.sort(np.concatenate(lows))


SLACK = PAD + 8
"""Bytes an array must have behind a block."""
