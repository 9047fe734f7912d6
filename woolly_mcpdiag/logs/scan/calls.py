"""The one place that makes rows of httpx client lines: ``HTTP Request: POST <url> "HTTP/1.1 200 OK"``."""

import re

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import METHODS, Batch, Kind
from woolly_mcpdiag.logs.recognise.exchange import OURS
from woolly_mcpdiag.logs.scan.addresses import Addresses
from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.lines import Lines
from woolly_mcpdiag.logs.scan.phrases import Phrases
from woolly_mcpdiag.logs.scan.words import MASK, At, Words, where, word

START = b"HTTP Request: "
_METHODS = [(code, word(name.encode() + b" "), len(name) + 1) for code, name in enumerate(METHODS) if name]
_URL_AND_REST = re.compile(rb'\S+(?P<ending> \\?"HTTP/[\d.]+ (?P<status>\d{3}).*)', re.DOTALL)
_OURS = OURS.encode()
_OTHER_LOGGER = b"[httpx2"
"""Structlog names the logger behind the message."""
_LONGEST = 64
_SHORTEST = 8
_MOST = 512
_TRIES = 64


def methods(words: NDArray[np.uint64], at: At) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (code, bytes with the space behind it) of the HTTP method at each position, 0 where there is none."""
    have = words[at]
    code, size = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    for number, name, length in _METHODS:
        hit = (have & MASK[min(length, 8)]) == name
        code[hit], size[hit] = number, length
    return code, size


class Endings:
    """What follows the URL up to the end of a message, with its status: learned from the lines themselves."""

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}
        self._uses: dict[bytes, int] = {}

    def read(self, block: Block, start: At, end: At) -> tuple[At, NDArray[np.int64]]:
        """Return (where the URL ends, status) of messages, status 0 where their ending cannot be known."""
        url_end, status = end.copy(), np.zeros(len(end), np.int64)
        last = block.words[end - _SHORTEST]
        rows = np.arange(len(end))
        for text in sorted(self._known, key=lambda one: -self._uses[one]):
            rows = self._apply(text, block, start, end, last, rows, url_end, status)
            if not len(rows):
                return url_end, status
        for _ in range(_TRIES):
            if not len(rows):
                break
            learned = self._learn(block.text(int(start[rows[0]]), int(end[rows[0]])))
            left = self._apply(learned, block, start, end, last, rows, url_end, status) if learned else rows
            rows = left[1:] if len(left) == len(rows) else left
        return url_end, status

    def _apply(
        self,
        text: bytes,
        block: Block,
        start: At,
        end: At,
        last: NDArray[np.uint64],
        rows: At,
        url_end: At,
        status: NDArray[np.int64],
    ) -> At:
        same = rows[last[rows] == word(text[-_SHORTEST:])]
        at = end[same] - len(text)
        good = at > start[same]
        for offset in [*range(0, len(text) - 2 * _SHORTEST, 8), max(len(text) - 2 * _SHORTEST, 0)]:
            good &= block.words[np.maximum(at, 0) + offset] == word(text[offset : offset + 8])
        hit = same[good]
        if not len(hit):
            return rows
        url_end[hit], status[hit] = at[good], self._known[text]
        self._uses[text] += len(hit)
        rest: At = rows[status[rows] == 0]
        return rest

    def _learn(self, message: bytes) -> bytes | None:
        found = _URL_AND_REST.fullmatch(message)
        if not found or not _SHORTEST < len(found["ending"]) <= _LONGEST or len(self._known) >= _MOST:
            return None
        ending = found["ending"]
        if ending in self._known or _OURS in ending or _OTHER_LOGGER in ending:
            return None
        self._known[ending] = int(found["status"])
        self._uses[ending] = 0
        return ending


class Calls:
    """Makes CALL rows."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._endings = Endings()
        self._phrases = Phrases()

    def read(self, lines: Lines, rows: At, loggers: NDArray[np.uint8], sources: NDArray[np.uint16]) -> Batch:
        """Return rows of lines whose message begins with ``HTTP Request: ``; lines it cannot read are marked slow."""
        block = lines.block
        start, end = lines.message[rows] + len(START), lines.until[rows]
        known = self._phrases.read(block, start, end)
        fact, high, low = known.value, known.high, known.low
        new = where(fact < 0)
        if len(new):
            fact[new], high[new], low[new], named, url_end = self._read(block, start[new], end[new])
            news = new[fact[new] >= 0]
            ids, ends = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
            ids[new], ends[new] = named, url_end
            self._phrases.learn(block, news, start, end, known, fact, ids, ends)
        good = fact >= 0
        if not good.all():
            lines.slow[rows[~good]] = True
        rows = rows[good]
        batch = Batch.empty(len(rows))
        batch.line[:] = rows
        batch.kind.fill(Kind.CALL)
        fact = fact[good]
        batch.method[:], batch.status[:], batch.url[:] = fact >> 42, fact >> 32 & 0x3FF, fact & 0xFFFFFFFF
        batch.high[:], batch.low[:] = high[good], low[good]
        batch.logger[:], batch.source[:] = loggers[lines.head[rows]], sources[lines.head[rows]]
        return batch

    def _read(self, block: Block, start: At, end: At) -> tuple[At, Words, Words, At, At]:
        """Return (method, status and address in one number or -1, high, low, size of the id, end of the URL)."""
        code, size = methods(block.words, start)
        url = start + size
        url_end, status = self._endings.read(block, url, end)
        address, high, low, good, named = self._addresses.read_named(block, url, np.maximum(url_end, url))
        good &= (code > 0) & (status > 0) & (url_end > url)
        return np.where(good, code << 42 | status << 32 | address, -1), high, low, named, url_end
