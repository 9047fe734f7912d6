"""The one place that reads the URLs of many rows: their address in the vocabulary and the session id they name."""

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.recognise.exchange import Urls
from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.hexes import packed
from woolly_mcpdiag.logs.scan.memo import Memo
from woolly_mcpdiag.logs.scan.words import MASK, At, Flags, U, Words, find, has_zero, where, word

_HEX, _DASHED = 32, 36
_KEYS = (word(b"sion_id="), word(b"ssionId="))
_ENDS = (b"?session_id=", b"&session_id=", b"?sessionId=", b"&sessionId=")
_UNKNOWN = -1
_QUERY = -2
_LOWER = U(0x2020202020202020)
_SESSION, _MCP = word(b"session"), word(b"mcp-ses")
_MOST_PARAMETERS = 32
_BACKSLASHES = U(0x5C5C5C5C5C5C5C5C)
_HIGH = U(0x8080808080808080)
_PRINTED = U(0x2121212121212121)


class Addresses:
    """Codes and sessions of URLs; what is not plain is left to the line engine."""

    def __init__(self, urls: Urls) -> None:
        self._urls = urls
        self._plain = Memo(self._read_plain)
        self._before_session = Memo(self._read_before_session)

    def read(self, block: Block, start: At, end: At) -> tuple[NDArray[np.int64], Words, Words, Flags]:
        """Return (code, high, low, good) of the URLs; only good rows are read."""
        return self.read_named(block, start, end)[:4]

    def read_named(self, block: Block, start: At, end: At) -> tuple[NDArray[np.int64], Words, Words, Flags, At]:
        """As ``read``, and the size of the id at the end of each URL, 0 where there is none."""
        words = block.words
        size = end - start
        named = np.zeros(len(start), np.int64)
        for length in (_HEX, _DASHED):
            key = words[np.maximum(end - length - 8, 0)]
            named[((key == _KEYS[0]) | (key == _KEYS[1])) & (size > length + 12)] = length
        high, low = np.zeros(len(start), np.uint64), np.zeros(len(start), np.uint64)
        code = np.full(len(start), _UNKNOWN, np.int64)
        rows = where(named)
        if len(rows):
            at = end[rows] - named[rows]
            high[rows], low[rows], good = packed(block.data, words, at, dashed=named[rows] == _DASHED)
            fine = rows[good]
            code[fine] = self._before_session.numbers(block, start[fine], at[good], _UNKNOWN)
        rows = where(named == 0)
        if len(rows):
            code[rows] = self._others(block, start[rows], end[rows])
        return code, high, low, code >= 0, named

    def _others(self, block: Block, start: At, end: At) -> NDArray[np.int64]:
        code = self._plain.numbers(block, start, end, _QUERY)
        rows = where(code == _QUERY)
        if not len(rows):
            return code
        start, end = start[rows], end[rows]
        query = find(block.words, start, end, ord("?"))
        good = (query < end) & _plain_query(block.words, query, end)
        code[rows] = _UNKNOWN
        code[rows[good]] = self._plain.numbers(block, start[good], query[good], _UNKNOWN)
        return code

    def _read_plain(self, text: bytes) -> int | None:
        if not _printable(text) or b"?" in text:
            return None
        code, high, low = self._urls.read(text.decode())
        return _UNKNOWN if high or low else code

    def _read_before_session(self, text: bytes) -> int | None:
        if not _printable(text) or not text.endswith(_ENDS) or text.count(b"=") > 1:
            return None
        code, high, low = self._urls.read(text.decode() + "1" * _HEX)
        return code if high == low == 0x1111111111111111 else _UNKNOWN


def _printable(text: bytes) -> bool:
    return text.isascii() and all(0x20 < byte < 0x7F for byte in text) and b'"' not in text and b"\\" not in text


def _plain_query(words: Words, start: At, end: At) -> Flags:
    """Return where a query is printable ASCII and no parameter of it names a session."""
    good = np.ones(len(start), np.bool_)
    at = start.copy()
    live = where(at < end)
    while len(live):  # every byte above the space and below 0x80
        have = words[at[live]]
        left = np.minimum(end[live] - at[live], 8)
        bad = (((have - _PRINTED) & ~have & _HIGH) | (have & _HIGH) | has_zero(have ^ _BACKSLASHES)) & MASK[left]
        # A borrow can only come from a smaller byte below it, which is bad itself.
        good[live[bad != 0]] = False
        at[live] += 8
        live = live[at[live] < end[live]]
    at = start.copy()
    live = where(good & (at < end))
    for _ in range(_MOST_PARAMETERS):
        name = words[at[live] + 1] | _LOWER
        good[live[((name & MASK[7]) == _SESSION) | ((name & MASK[7]) == _MCP)]] = False
        at[live] = find(words, at[live] + 1, end[live], ord("&"))
        live = live[at[live] < end[live]]
        if not len(live):
            return good
    good[live] = False
    return good
