"""The fast engine: one block of whole lines to rows and counts, with the line engine for all it cannot be sure of."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import NO_TIME, Batch, Kind, Tally, Vocabulary
from woolly_mcpdiag.logs.scan import structured, waiting
from woolly_mcpdiag.logs.scan.access import Access
from woolly_mcpdiag.logs.scan.addresses import Addresses
from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.calls import START as CALL_START
from woolly_mcpdiag.logs.scan.calls import Calls
from woolly_mcpdiag.logs.scan.clock import Clock
from woolly_mcpdiag.logs.scan.connects import FIRST_WORD as CONNECT
from woolly_mcpdiag.logs.scan.connects import Connects
from woolly_mcpdiag.logs.scan.ends import Ends
from woolly_mcpdiag.logs.scan.exact import Exact
from woolly_mcpdiag.logs.scan.feeding import Feeder
from woolly_mcpdiag.logs.scan.hits import Hits, Search
from woolly_mcpdiag.logs.scan.join import Shown, join, picked
from woolly_mcpdiag.logs.scan.lines import Lines
from woolly_mcpdiag.logs.scan.opened import FIRST_WORDS, Opened
from woolly_mcpdiag.logs.scan.openings import Openings
from woolly_mcpdiag.logs.scan.pieces import Pieces
from woolly_mcpdiag.logs.scan.prefixes import Prefixes
from woolly_mcpdiag.logs.scan.words import At, Bytes, Flags, Words, holds, where, word

_SAMPLE = 1 << 16
_LEARN = 96
"""Lines given in vain to the line engine in one block to learn their prefix; half after a block that taught none."""
_AT_ONCE = 32
"""Prefixes learned before all lines are looked at again."""
_SHAPE = 64
"""Bytes of a line that stand for those which taught nothing."""
_LEAST = 6
_LOOKED_AT = 512
"""Lines of a block, evenly spread, whose prefix may be new."""
_SHAPES = 1 << 16
_TOO_SLOW = 0.75
"""Share of lines beyond which the line engine reads the whole block."""
_REST = 15
"""Blocks read without trying after one that was too slow; the first time only one, then twice as many each time."""
_LONGEST_LINE = 1 << 16
_CALL = word(CALL_START)


class Scanner:
    """Reads the blocks of one input, in order."""

    def __init__(self, exact: Exact, vocabulary: Vocabulary) -> None:
        self._exact = exact
        self._prefixes = Prefixes()
        self._ends = Ends(self._prefixes)
        self._clock = Clock(exact.stamps)
        addresses = Addresses(exact.urls)
        self._calls = Calls(addresses)
        self._access = Access(addresses, self._clock)
        self._opened = Opened(vocabulary)
        self._feeder = Feeder(exact, self._prefixes, self._clock)
        self._search: Search | None = None
        self._shown = Shown()
        self._lessons = _LEARN
        self._scratch = (np.empty(0, np.bool_), np.empty(0, np.bool_))
        self._hopeless: set[bytes] = set()
        self._connects = Connects()
        self._combined: int | None = None
        self._openings = Openings(exact)
        self._pieces = Pieces(exact.engine._reader)
        self._rest = self._pause = 0
        self.line = 1
        """Number of the next line."""

    def block(self, data: Bytes, size: int, *, last: bool) -> tuple[Batch, Tally, int]:
        """Read whole lines; return (rows, counts, bytes used).

        What is not used begins a record that may go on in the next block; with ``last`` all is used.
        """
        if len(self._scratch[0]) < size + 7:
            room = size + 8
            self._scratch = (np.empty(room, np.bool_), np.empty(room, np.bool_))
        block = Block.of(data, size, self._scratch[0])
        if self._rest and not last:
            self._rest -= 1
            return (*self._line_by_line(block, last=last), size)
        day_first = self._exact.stamps.day_first
        lines = self._lines(block)
        answers = self._judge(lines)
        if self._exact.stamps.day_first != day_first:
            # Of these lines some come before, some after what showed it.
            self._clock.unlearn()
            return (*self._line_by_line(block, last=last), size)
        used = len(block)
        if not last:
            fresh = where((lines.head >= 0) | lines.understood)
            used = int(fresh[-1]) if len(fresh) else 0
        if not used or np.count_nonzero(lines.slow) > _TOO_SLOW * len(block):
            self._rest = self._pause = min(2 * self._pause + 1, _REST)
            return (*self._line_by_line(block, last=last), size)
        self._pause = 0
        batch, tally = self._collect(lines, answers, used)
        self.line += used
        return batch, tally, size if used == len(block) else int(block.start[used])

    def _line_by_line(self, block: Block, *, last: bool) -> tuple[Batch, Tally]:
        first = self.line
        self.line += len(block)
        self._exact.feed((first + index, block.line(index)) for index in range(len(block)))
        return self._exact.take(end=last)

    def _lines(self, block: Block) -> Lines:
        matched = self._ends.match(block)
        head, message, until, base = matched.head, matched.message, block.end.copy(), block.start.copy()
        until[matched.rows], base[matched.rows] = matched.until, matched.base
        rows = where(head < 0)
        left = self._lessons
        while len(rows) and left > 0:
            learned, left = self._learn(block, rows, left)
            if not learned:
                self._lessons = max(self._lessons // 2, _LEAST) if left <= 0 else self._lessons
                break
            self._lessons = _LEARN
            more = self._ends.match(block, rows)
            head[rows], message[rows] = more.head, more.message
            until[rows[more.rows]], base[rows[more.rows]] = more.until, more.base
            rows = rows[head[rows] < 0]
        first = block.words[message]
        for wrong in (
            self._openings.wrong(block, head, message, first, self._prefixes.heads, self.line),
            self._pieces.find(block, head, self._prefixes.heads),
        ):
            if len(wrong):
                head[wrong], message[wrong] = -1, block.start[wrong]
                first[wrong] = block.words[message[wrong]]
        if self._prefixes.tail.any():
            until -= np.append(self._prefixes.tail, 0)[head]
        slow = (head < 0) | block.odd | (message > until) | (block.end - block.start > _LONGEST_LINE)
        nothing = np.zeros(len(head), np.bool_)
        return Lines(block, head, message, first, until, base, block.tabs_after(message), slow, nothing, nothing.copy())

    def _learn(self, block: Block, rows: At, left: int) -> tuple[bool, int]:
        """Show lines to the line engine until it has taught some new prefixes; return whether it has."""
        rows = rows[block.data[block.start[rows]] > ord(" ")]
        news: list[Callable[[bytes], object]] = []
        for row in rows[:: len(rows) // _LOOKED_AT + 1].tolist():
            raw = block.line(row)
            shape = raw[:_SHAPE].translate(_DIGITS)
            if block.odd[row] or not raw or raw[:1] == b" " or shape in self._hopeless:
                continue
            if any(one(raw) for one in news):
                continue
            head, combined = self._exact.learn(raw, self.line + row)
            if head is not None and self._ends.add(head, self._exact.source(head)):
                news.append(head.test())
                if len(news) >= _AT_ONCE:
                    break
                continue
            left -= 1
            if combined is not None:
                self._combined = combined
            if len(self._hopeless) < _SHAPES:
                self._hopeless.add(shape)
            if left <= 0:
                break
        return len(news) > 0, left

    def _judge(self, lines: Lines) -> waiting.Answers:
        """Decide for each line: a row, noise, or slow; return httpcore's answers."""
        block, prefixes = lines.block, self._prefixes
        if self._search is None:
            self._search = Search(block.data[: min(block.size, _SAMPLE)])
        rows = where(np.append(prefixes.structured, False)[lines.head])
        if len(rows):
            structured.check(lines, rows, prefixes, self._scratch)
            # What is no JSON object is no record of its own.
            lines.head[rows[lines.slow[rows]]] = -1
        fast = ~lines.slow & ~lines.tabs
        first = lines.first
        told = self._told(lines, fast, first)
        hits = self._search.read(lines, first, np.append(prefixes.serious, False)[lines.head])
        # Calls were not searched; one may yet be left to the line engine for what follows it.
        lines.exchanges = hits.exchanges | (first == _CALL)
        lines.slow[told[hits.agents[told]]] = True
        answers = self._rest_of_rows(lines, hits, fast & ~lines.slow, first)
        lines.open = hits.suspect | lines.understood
        lines.slow |= hits.suspect & ~lines.understood
        # A line without a head of its own goes on with the record before it, so that one is read with it.
        unsure = np.append(prefixes.bare, True)[lines.head] & ((lines.head < 0) | lines.slow)
        lines.slow[:-1] |= unsure[1:] & ~lines.understood[1:]
        lines.understood &= ~lines.slow
        return answers

    def _told(self, lines: Lines, fast: Flags, first: Words) -> At:
        """Make rows of sessions and calls, which need no search; return the lines that name a session."""
        block, sources = lines.block, self._prefixes.sources
        opening = first == FIRST_WORDS[0]
        for word_ in FIRST_WORDS[1:]:
            opening |= first == word_
        told = where(fast & opening)
        if len(told):
            self._add(lines, self._opened.read(lines, told, sources))
        called = where(fast & (first == _CALL))
        called = called[holds(block.words, lines.message[called], CALL_START, known=8)]
        if len(called):
            self._add(lines, self._calls.read(lines, called, self._prefixes.loggers, sources))
        return told

    def _rest_of_rows(self, lines: Lines, hits: Hits, fast: Flags, first: Words) -> waiting.Answers:
        block = lines.block
        if len(hits.access):
            self._access_rows(lines, hits)
        connects = where(fast & (first == CONNECT) & ~lines.exchanges)
        connects = connects[~np.isin(connects, hits.access_line)]
        lines.understood[connects[self._connects.known(lines, connects)]] = True
        answered = where(fast & (first == waiting.FIRST_WORD) & ~hits.calls)
        answered = answered[~np.isin(answered, hits.access_line)]
        answered = answered[holds(block.words, lines.message[answered], waiting.LITERAL, known=8)]
        return waiting.answers(lines, answered, hits.places)

    def _access_rows(self, lines: Lines, hits: Hits) -> None:
        rows, at = hits.access_line, hits.access
        plain = ~lines.slow[rows] & ~hits.suspect[rows] & ~lines.tabs[rows]
        plain &= ~np.append(self._prefixes.loose, False)[lines.head[rows]]
        self._add(lines, self._access.served(lines, rows[plain], at[plain], self._prefixes.sources))
        if self._combined is not None:
            bare = (lines.head[rows] < 0) & ~lines.block.odd[rows] & ~lines.tabs[rows] & ~hits.suspect[rows]
            batch = self._access.proxied(lines, rows[bare], at[bare], self._combined)
            lines.slow[batch.line] = False
            lines.add(batch)
        hits.suspect[rows] = True

    def _add(self, lines: Lines, batch: Batch) -> None:
        """Add rows with their times; a line whose stamp is no time of any day is left to the line engine."""
        heads = lines.head[batch.line]
        if len(heads) and int(heads.min()) >= 0:
            self._date(lines, batch, self._prefixes.layout[heads])
        lines.add(batch)

    def _date(self, lines: Lines, batch: Batch, layouts: NDArray[np.int64]) -> None:
        for number, layout in enumerate(self._prefixes.layouts):
            rows = where(layouts == number)
            if layout.at >= 0 and len(rows):
                start = lines.base[batch.line[rows]]
                time = self._clock.times(lines.block, start, layout)
                lines.slow[batch.line[rows[time == NO_TIME]]] = True
                batch.time[rows] = time

    def _collect(self, lines: Lines, answers: waiting.Answers, used: int) -> tuple[Batch, Tally]:
        """Give the slow lines to the line engine and put all rows in order."""
        slow = where(lines.slow[:used])
        made = [self._kept(lines, batch, used) for batch in lines.batches]
        answers = answers.only((answers.line < used) & ~lines.slow[answers.line])
        calls = _calls_of(made)
        self._feeder.feed(lines, answers, calls, slow, self.line, used)
        self._connects.learn(lines, slow)
        batch, tally = self._exact.take(cut=False)
        fast = where(~lines.slow[:used])
        understood = int(np.count_nonzero(lines.understood[fast]))
        tally.read += len(fast)
        tally.understood += understood
        tally.ignored += len(fast) - understood
        self._count(lines.head[fast])
        rows = join(made)
        for row in self._shown.choose(rows):
            rows.texts[row] = lines.block.line(int(rows.line[row])).decode("utf-8", "replace")
        rows.line += self.line
        return join([rows, batch]), tally

    @staticmethod
    def _kept(lines: Lines, batch: Batch, used: int) -> Batch:
        keep = lines.understood[batch.line] & (batch.line < used)
        return batch if keep.all() else picked(batch, where(keep))

    def _count(self, heads: NDArray[np.int32]) -> None:
        counts = np.bincount(heads + 1)
        for number in where(counts).tolist():
            if number:
                self._exact.count(self._prefixes.heads[number - 1], int(counts[number]))
            else:
                self._exact.count_combined(int(counts[0]))


def _calls_of(batches: list[Batch]) -> Batch:
    return next((batch for batch in batches if len(batch) and batch.kind[0] == Kind.CALL), Batch.empty())


_DIGITS = bytes(0x30 if 0x30 <= byte < 0x3A else byte for byte in range(256))
