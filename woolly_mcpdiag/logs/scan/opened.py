"""The one place that makes rows of lines that name a new session: ``Created new MCP session <id> for key <key>``."""

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import Batch, Kind, Logger, Vocabulary
from woolly_mcpdiag.logs.scan.hexes import packed
from woolly_mcpdiag.logs.scan.lines import Lines
from woolly_mcpdiag.logs.scan.memo import Memo
from woolly_mcpdiag.logs.scan.words import PAD, At, Flags, U, Words, find, has_zero, holds, where, word

STARTS: tuple[tuple[bytes, Logger], ...] = (
    (b"Created new MCP session ", Logger.APP),
    (b"Received session ID: ", Logger.MCP_CLIENT),
    (b"Created new transport with session ID: ", Logger.MCP_SERVER),
    (b"Created new session with ID: ", Logger.MCP_SERVER),
)
FIRST_WORDS = tuple(dict.fromkeys(word(text) for text, _ in STARTS))
_FOR_KEY = b" for key "
_DASH, _SLASH, _EQUALS = ord("-"), ord("/"), ord("=")
_UNDERLINES = U(0x5F5F5F5F5F5F5F5F)
_TAKEN_OFF = np.zeros(256, np.bool_)
_TAKEN_OFF[[ord(byte) for byte in '.,;)"\\']] = True
_SUFFIX = 9
"""Bytes of ``_edcec7aa``, the usual end of a key."""


class Opened:
    """Makes OPENED rows."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._agents = Memo(lambda text: vocabulary.agents.code(text.decode()) if _plain(text) else None)

    def read(self, lines: Lines, rows: At, sources: NDArray[np.uint16]) -> Batch:
        """Return rows of lines whose message begins with one of ``STARTS``; the others are marked slow."""
        first = lines.block.words[lines.message[rows]]
        at, logger = np.full(len(rows), -1, np.int64), np.zeros(len(rows), np.uint8)
        for text, writer in STARTS:
            same = where(first == word(text))
            same = same[holds(lines.block.words, lines.message[rows[same]], text)]
            at[same], logger[same] = lines.message[rows[same]] + len(text), writer
        known = at >= 0
        return self._rows(lines, rows[known], at[known], logger[known], sources)

    def _rows(self, lines: Lines, rows: At, at: At, logger: NDArray[np.uint8], sources: NDArray[np.uint16]) -> Batch:
        block = lines.block
        dashed = block.data[at + 8] == _DASH
        high, low, good = packed(block.data, block.words, at, dashed=dashed)
        end = at + np.where(dashed, 36, 32)
        until = lines.until[rows]
        good &= end <= until
        agent = np.zeros(len(rows), np.int64)
        keyed = where(good & (end < until) & (logger == Logger.APP))
        if len(keyed):
            agent[keyed], fine = self._keys(lines, end[keyed], until[keyed])
            good[keyed] &= fine
        others = where(good & (end < until) & (logger != Logger.APP))
        good[others] = _says_no_more(block.words, end[others], until[others])
        lines.slow[rows[~good]] = True
        batch = Batch.empty(int(good.sum()))
        batch.line[:] = rows[good]
        batch.kind.fill(Kind.OPENED)
        batch.logger[:] = logger[good]
        batch.high[:], batch.low[:], batch.agent[:] = high[good], low[good], agent[good]
        batch.source[:] = sources[lines.head[rows[good]]]
        return batch

    def _keys(self, lines: Lines, at: At, until: At) -> tuple[NDArray[np.int64], Flags]:
        """Return (agent code, good) of what stands behind the id."""
        words, data = lines.block.words, lines.block.data
        start = at + len(_FOR_KEY)
        end = find(words, start, np.minimum(until, start + PAD // 2), ord(" "))
        cut = end - _SUFFIX
        good = holds(words, at, _FOR_KEY) & (start < cut) & ((end == until) | (end < start + PAD // 2))
        good &= (data[cut] == ord("_")) & ~_TAKEN_OFF[data[end - 1]]
        good &= has_zero(words[cut + 1] ^ _UNDERLINES) == 0
        good &= (words[cut + 1] & U(0x8080808080808080)) == 0
        more = where(good & (end < until))
        good[more] = _says_no_more(words, end[more], until[more])
        rows = where(good)
        code = np.full(len(at), -1, np.int64)
        code[rows] = self._agents.numbers(lines.block, start[rows], cut[rows], -1)
        return np.maximum(code, 0), code >= 0


def _says_no_more(words: Words, at: At, until: At) -> Flags:
    """Say whether no exchange is told of behind a session: the line engine looks for those first."""
    good: Flags = (find(words, at, until, _SLASH) == until) & (find(words, at, until, _EQUALS) == until)
    return good


def _plain(text: bytes) -> bool:
    return text.isascii() and all(0x20 < byte < 0x7F for byte in text) and b'"' not in text and b"\\" not in text
