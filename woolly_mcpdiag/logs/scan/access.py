"""The one place that makes rows of access-log lines: ``"POST /mcp HTTP/1.1" 200``, with a known head or combined."""

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import NO_TIME, UNKNOWN_SIZE, Batch, Kind, Logger
from woolly_mcpdiag.logs.formats.format import LEVELS
from woolly_mcpdiag.logs.scan.addresses import Addresses
from woolly_mcpdiag.logs.scan.calls import methods
from woolly_mcpdiag.logs.scan.clock import Clock
from woolly_mcpdiag.logs.scan.lines import Lines
from woolly_mcpdiag.logs.scan.words import MASK, At, Bytes, Flags, U, find, where, word

LITERAL = b" HTTP/"
_ZERO = np.uint8(0x30)
_SPACE, _QUOTE, _BACKSLASH, _DASH = ord(" "), ord('"'), ord("\\"), ord("-")
_VERSION = U(0xFF00FF)  # of "1.1": the digits may differ, the point not
_STAMP = len("[22/Nov/2026:14:40:45 +0000] ")
_NOBODY = b" - - "
_LONGEST_SIZE = 15
_LONGEST_CLIENT = 200
_LOWER = word(b" " * 4)
_LEVELS = np.array([word(level[:4].encode()) for level in sorted(LEVELS) if level.islower()])
"""How records begin that have a level before the client: they are of another format."""
_WIDE = 0x80


class Access:
    """Makes SERVED and PROXIED rows."""

    def __init__(self, addresses: Addresses, clock: Clock) -> None:
        self._addresses = addresses
        self._clock = clock

    def served(self, lines: Lines, rows: At, at: At, sources: NDArray[np.uint16]) -> Batch:
        """Return rows of lines under a known head with the literal at ``at``; those it cannot read are marked slow."""
        block = lines.block
        quote = find(block.words, lines.message[rows], at, _QUOTE)
        batch, good = self._rows(lines, rows, quote, at, lines.until[rows])
        batch.kind.fill(Kind.SERVED)
        batch.logger.fill(Logger.ACCESS)
        batch.source[:] = sources[lines.head[rows[good]]]
        return batch

    def proxied(self, lines: Lines, rows: At, at: At, source: int) -> Batch:
        """Return rows of lines without a head that have combined format; the others stay as they are."""
        block = lines.block
        start = block.start[rows]
        # The client's name ends at the first space; all behind it up to the quote is of one length.
        nobody = find(block.words, start, np.minimum(at, start + _LONGEST_CLIENT + 1), _SPACE)
        stamp = nobody + len(_NOBODY)
        quote = stamp + _STAMP
        first = block.data[start]
        good = (nobody > start) & (nobody - start <= _LONGEST_CLIENT) & (quote < at)
        good &= ~np.isin((block.words[start] | _LOWER) & MASK[4], _LEVELS)
        good &= (first != ord("[")) & ((block.words[nobody] & U(0xFFFFFFFFFF)) == word(_NOBODY))
        rows, at, quote, stamp, nobody, start = (x[good] for x in (rows, at, quote, stamp, nobody, start))
        good = _is_combined(block.data, stamp) & (block.data[quote] == _QUOTE)
        good &= find(block.words, start, nobody, _QUOTE) == nobody
        rows, at, quote, stamp = (x[good] for x in (rows, at, quote, stamp))
        time = self._clock.combined(block, stamp + 1)
        good = time != NO_TIME
        rows, at, quote, time = (x[good] for x in (rows, at, quote, time))
        batch, good = self._rows(lines, rows, quote, at, block.end[rows], mark=False)
        batch.kind.fill(Kind.PROXIED)
        batch.logger.fill(Logger.NGINX)
        batch.source.fill(source)
        batch.time[:] = time[good]
        return batch

    def _rows(self, lines: Lines, rows: At, quote: At, at: At, until: At, *, mark: bool = True) -> tuple[Batch, Flags]:
        block = lines.block
        data, words = block.data, block.words
        code, size = methods(words, quote + 1)
        url = quote + 1 + size
        address, high, low, good = self._addresses.read(block, url, np.maximum(at, url))
        closing = at + len(LITERAL) + 3
        escaped = data[closing] == _BACKSLASH
        closing = closing + escaped
        status = np.zeros(len(rows), np.int64)
        good &= (code > 0) & (url < at) & (closing + 5 <= until)
        good &= (data[at + 6] - _ZERO < 10) & (data[at + 7] == ord(".")) & (data[at + 8] - _ZERO < 10)
        good &= (data[closing] == _QUOTE) & (data[closing + 1] == _SPACE)
        for place in (2, 3, 4):
            digit = data[closing + place] - _ZERO
            good &= digit < 10
            status = status * 10 + digit
        # Behind a status another separator, or more of a number, is left to the line engine.
        good &= (closing + 5 == until) | (data[closing + 5] == _SPACE)
        length, sure = _sizes(data, closing + 5, until)
        good &= sure
        if mark and not good.all():
            lines.slow[rows[~good]] = True
        batch = Batch.empty(int(good.sum()))
        batch.line[:] = rows[good]
        batch.method[:], batch.status[:], batch.url[:] = code[good], status[good], address[good]
        batch.high[:], batch.low[:], batch.size[:] = high[good], low[good], length[good]
        return batch, good


def _is_combined(data: Bytes, stamp: At) -> Flags:
    """Return where ``[22/Nov/2026:14:40:45 +0000] `` stands."""
    good: Flags = (data[stamp] == ord("[")) & (data[stamp + 27] == ord("]")) & (data[stamp + 28] == _SPACE)
    for place, byte in ((3, "/"), (7, "/"), (12, ":"), (15, ":"), (18, ":"), (21, " ")):
        good &= data[stamp + place] == ord(byte)
    sign = data[stamp + 22]
    good &= (sign == ord("+")) | (sign == _DASH)
    for place in (1, 2, 8, 9, 10, 11, 13, 14, 16, 17, 19, 20, 23, 24, 25, 26):
        good &= data[stamp + place] - _ZERO < 10
    good &= (
        (data[stamp + 4] - np.uint8(65) < 26)
        & (data[stamp + 5] - np.uint8(97) < 26)
        & (data[stamp + 6] - np.uint8(97) < 26)
    )
    return good


def _sizes(data: Bytes, at: At, until: At) -> tuple[NDArray[np.int64], Flags]:
    """Return (byte counts, sure) of what stands behind the space (digits or a dash, no word character) at ``at``.

    Not sure are those beside a character that is not ASCII, which may be a digit or no word character.
    """
    out, sure = np.full(len(at), UNKNOWN_SIZE, np.int64), np.ones(len(at), np.bool_)
    rows = where(at < until)
    place = at[rows] + 1
    first = data[place]
    sure[rows[first >= _WIDE]] = False
    dash = first == _DASH
    sure[rows[dash & (data[place + 1] >= _WIDE)]] = False
    out[rows[dash & ~_WORD[data[place + 1]]]] = 0
    value = np.zeros(len(rows), np.int64)
    live = where(first - _ZERO < 10)
    for _ in range(_LONGEST_SIZE):
        if not len(live):
            break
        value[live] = value[live] * 10 + (data[place[live]] - _ZERO)
        place[live] += 1
        following = data[place[live]]
        more = following - _ZERO < 10
        done = live[~more & ~_WORD[following]]
        out[rows[done]] = value[done]
        sure[rows[live[following >= _WIDE]]] = False
        live = live[more]
    return out, sure


_WORD = np.zeros(256, np.bool_)
_WORD[[*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B), ord("_")]] = True
