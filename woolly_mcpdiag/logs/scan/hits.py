"""The one place that decides which lines hold a text that could mean something to the recognisers."""

import re
from dataclasses import dataclass

import numpy as np

from woolly_mcpdiag.logs.recognise.failures import WORDS
from woolly_mcpdiag.logs.recognise.recogniser import LITERALS
from woolly_mcpdiag.logs.scan import waiting
from woolly_mcpdiag.logs.scan.access import LITERAL as ACCESS
from woolly_mcpdiag.logs.scan.calls import START as CALL
from woolly_mcpdiag.logs.scan.lines import Lines
from woolly_mcpdiag.logs.scan.literals import GRAIN, Literals
from woolly_mcpdiag.logs.scan.words import MASK, At, Bytes, Flags, Words, where, word

_SHORT = ("gent", "-326", "Tool '")
"""Literals that are short or stand in many loggers' names; they are searched for with what must be beside them."""
_CODES = (b"=-326", b":-326", b" -326", b"\t-326")
_TOOL = (b"' failed", b"' raised")
_BEGINNINGS = (b"xecuting ", b"unning ", b"tarting ")
_AGENT = (b"gent execution", *_BEGINNINGS)
_FOLLOWING = {**dict.fromkeys(_CODES, b"0123456789"), ACCESS: b"0123456789."}
_AGENT_START, _AGENT_MASK = word(b"agent"), MASK[5]
_TRACEBACK = (b"Traceback (most recent", b"Exception Group Traceback")
_FAILURES = frozenset(
    text.encode()
    for text in (
        "Error",
        "Timeout",
        "Exception",
        "EndOfStream",
        "gaierror",
        "Cancelled",
        *(words for words, _ in WORDS),
    )
)
"""Without one of these a record at WARNING or above says nothing of a failure."""
_OPENING = b"MCP session"
_NARROWER = {
    b"isError": re.compile(rb"""isError\\?["']?\s*[:=]\s*[Tt]rue"""),
    **dict.fromkeys(_CODES, re.compile(rb".-326.*?message", re.DOTALL)),
    **dict.fromkeys(_BEGINNINGS, re.compile(rb"\w+ \S+ agent")),
    _OPENING: re.compile(rb"(?i)MCP session.{6,}?(?:established|opened|created|started|acquired)"),
}
"""Texts that often mean nothing, and what must be in the line from there on."""
_SPACE = ord(" ")
_AFTER_VERB = np.zeros(256, np.bool_)
_AFTER_VERB[[ord(byte) for byte in "dDaAnNwWeE"]] = True
"""How the words end that stand before ``_OPENING`` where a session begins, if none follows it that says so: opened, a,
an, new, the.
"""
_EXCHANGES = frozenset({CALL, waiting.LITERAL})
_PLACES = (*waiting.LENGTHS, *waiting.SESSIONS)
_TEXTS = tuple(
    dict.fromkeys(
        [
            *_PLACES,
            *waiting.ODD,
            *(text.encode() for text in LITERALS if text not in _SHORT),
            *_TOOL,
            *_AGENT,
            *_TRACEBACK,
            *_NARROWER,
        ]
    )
)
_WITH_FAILURES = tuple(dict.fromkeys((*_TEXTS, *sorted(_FAILURES))))
_FAILED = re.compile(b"|".join(re.escape(text) for text in sorted(_FAILURES)))
_FEW = 1024
"""Serious lines in a block up to which they are searched for failures by themselves."""


@dataclass(slots=True)
class Hits:
    """What the literals say of a block."""

    suspect: Flags
    """Lines that hold a text, other than in their prefix."""
    agents: Flags
    """Lines that may tell of an agent, whatever else they tell."""
    access: At
    """First place of `` HTTP/`` in each line that has it."""
    access_line: At
    exchanges: Flags
    """Lines that could be a call or an answer, however they are written."""
    calls: Flags
    """Those of them that hold what a call does: the line engine looks for that first."""
    places: dict[bytes, tuple[At, At]]
    """(Line, place) of header names in httpcore's answers."""


class Search:
    """Finds the recogniser's texts."""

    def __init__(self, sample: Bytes) -> None:
        self._sample = sample.copy()
        self._literals = Literals(_TEXTS, sample, _AGENT, _FOLLOWING)
        self._with_failures: Literals | None = None

    def read(self, lines: Lines, first: Words, serious: Flags) -> Hits:
        """Return what a block's lines hold; ``first`` are the first words of their messages, ``serious`` the lines at
        WARNING or above.

        Of lines that are understood already only ``agents`` is told.
        """
        block = lines.block
        suspect, agents = np.zeros(len(block), np.bool_), np.zeros(len(block), np.bool_)
        exchanges, calls = np.zeros(len(block), np.bool_), np.zeros(len(block), np.bool_)
        places: dict[bytes, tuple[At, At]] = {}
        access = access_line = np.empty(0, np.int64)
        literals = self._literals_for(lines, where(serious & ~lines.slow & ~lines.understood), suspect)
        for number, found in literals.find(block.data, block.size, _settled(lines)):
            text = literals.texts[number]
            line = np.searchsorted(block.end, found)
            inside = found >= lines.message[line]
            line, at = line[inside], found[inside]
            if text in _PLACES:
                places[text] = line, at
            elif text in waiting.ODD:
                lines.slow[line] = True
            elif text == ACCESS:
                fresh = np.append(True, line[1:] != line[:-1])[: len(line)]
                access, access_line = at[fresh], line[fresh]
            elif text in _FAILURES:
                suspect[line[serious[line]]] = True
            else:
                if text == _OPENING:
                    opened = _AFTER_VERB[block.data[at - 2]] & (block.data[at - 1] == _SPACE)
                    line = np.append(line[opened], _narrowed(lines, text, line[~opened], at[~opened]))
                elif text in _NARROWER:
                    line = _narrowed(lines, text, line, at)
                suspect[line] = True
                if text in _AGENT:
                    agents[line] = True
                elif text in _EXCHANGES:
                    exchanges[line] = True
                    if text == CALL:
                        calls[line] = True
        suspect[where((first & _AGENT_MASK) == _AGENT_START)] = True
        return Hits(suspect, agents, access, access_line, exchanges, calls, places)

    def _literals_for(self, lines: Lines, serious: At, suspect: Flags) -> Literals:
        """Return what to search for: few serious lines are searched for failures here."""
        if len(serious) > _FEW:
            if self._with_failures is None:
                self._with_failures = Literals(_WITH_FAILURES, self._sample, _AGENT, _FOLLOWING)
            return self._with_failures
        start, end = lines.message[serious].tolist(), lines.block.end[serious].tolist()
        texts = [lines.block.text(*place) for place in zip(start, end, strict=True)]
        if _FAILED.search(b"\n".join(texts)):
            suspect[[row for row, text in zip(serious.tolist(), texts, strict=True) if _FAILED.search(text)]] = True
        return self._literals


def _settled(lines: Lines) -> Flags:
    """Return which pieces of the block lie within lines that are understood."""
    block = lines.block
    rows = where(lines.understood)
    begin, after = (block.start[rows] + GRAIN - 1) // GRAIN, block.end[rows] // GRAIN
    some = where(begin < after)
    edges = np.zeros(2 * len(some) + 2, np.int64)
    edges[1:-1:2], edges[2:-1:2] = begin[some], after[some]
    edges[-1] = block.size // GRAIN + 1
    inside = np.arange(len(edges) - 1) % 2 == 1
    return np.repeat(inside, np.diff(edges))


def _narrowed(lines: Lines, text: bytes, line: At, at: At) -> At:
    pattern, block = _NARROWER[text], lines.block
    rows = [
        row
        for row, start in zip(line.tolist(), at.tolist(), strict=True)
        if not lines.slow[row] and pattern.match(block.text(start, int(block.end[row])))
    ]
    return np.array(rows, np.int64)
