"""The fast engine: one block of whole lines to rows and counts, with the line engine for all it cannot be sure of."""

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import NO_TIME, Batch, Kind, Tally, Vocabulary
from woolly_mcpdiag.logs.recognise.httpcore import CONNECT_LITERAL
from woolly_mcpdiag.logs.scan import structured, waiting
from woolly_mcpdiag.logs.scan.access import Access
from woolly_mcpdiag.logs.scan.addresses import Addresses
from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.calls import START as CALL_START
from woolly_mcpdiag.logs.scan.calls import Calls
from woolly_mcpdiag.logs.scan.clock import Clock
from woolly_mcpdiag.logs.scan.exact import Exact
from woolly_mcpdiag.logs.scan.hits import Hits, Search
from woolly_mcpdiag.logs.scan.join import Shown, join, picked
from woolly_mcpdiag.logs.scan.lines import Lines
from woolly_mcpdiag.logs.scan.opened import FIRST_WORDS, Opened
from woolly_mcpdiag.logs.scan.prefixes import Prefixes
from woolly_mcpdiag.logs.scan.words import At, Bytes, Flags, U, Words, holds, where, word

_SAMPLE = 1 << 16
_LEARN = 96
"""Lines given to the line engine in one block to learn their prefix; half as many after a block that taught none."""
_LEAST = 6
_LOOKED_AT = 512
"""Lines of a block, evenly spread, whose prefix may be new."""
_SHAPES = 1 << 16
_TOO_SLOW = 0.5
"""Share of lines beyond which the line engine reads the whole block."""
_REST = 15
"""Blocks read without trying after one that was too slow."""
_LONGEST_LINE = 1 << 16
_CALL, _CONNECT = word(CALL_START), word(CONNECT_LITERAL.encode())
_CONNECTS = 4096
_UNKNOWN, _GOOD, _BAD = range(3)


class Scanner:
    """Reads the blocks of one input, in order."""

    def __init__(self, exact: Exact, vocabulary: Vocabulary) -> None:
        self._exact = exact
        self._prefixes = Prefixes()
        self._clock = Clock()
        addresses = Addresses(exact.urls)
        self._calls = Calls(addresses)
        self._access = Access(addresses, self._clock)
        self._opened = Opened(vocabulary)
        self._waiting = waiting.Waiting(exact.headers)
        self._search: Search | None = None
        self._shown = Shown()
        self._lessons = _LEARN
        self._scratch = (np.empty(0, np.bool_), np.empty(0, np.bool_))
        self._hopeless: set[bytes] = set()
        self._connects: set[bytes] = set()
        self._combined: int | None = None
        self._first_bytes = np.empty(0, np.uint8)
        """By head and first byte of the message: whether the line engine reads such a line under that head."""
        self._begun: list[bool] = []
        """By head: whether the line engine knows that there are such records."""
        self._unseen: list[tuple[int, int]] = []
        self._rest = 0
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
        lines = self._lines(block)
        answers = self._judge(lines)
        used = len(block)
        if not last:
            fresh = where((lines.head >= 0) | lines.understood)
            used = int(fresh[-1]) if len(fresh) else 0
        if not used or np.count_nonzero(lines.slow) > _TOO_SLOW * len(block):
            self._rest = _REST
            return (*self._line_by_line(block, last=last), size)
        batch, tally = self._collect(lines, answers, used)
        self.line += used
        return batch, tally, size if used == len(block) else int(block.start[used])

    def _line_by_line(self, block: Block, *, last: bool) -> tuple[Batch, Tally]:
        first = self.line
        self.line += len(block)
        self._exact.feed((first + index, block.line(index)) for index in range(len(block)))
        return self._exact.take(end=last)

    def _lines(self, block: Block) -> Lines:
        head = self._prefixes.match(block.data, block.start)
        rows = where(head < 0)
        left = self._lessons
        while len(rows) and left > 0:
            learned, left = self._learn(block, rows, left)
            if not learned:
                self._lessons = max(self._lessons // 2, _LEAST) if left <= 0 else self._lessons
                break
            self._lessons = _LEARN
            head[rows] = self._prefixes.match(block.data, block.start[rows])
            rows = rows[head[rows] < 0]
        message = block.start + np.append(self._prefixes.size, 0)[head]
        first = block.words[message]
        if self._check_first_bytes(block, head, first):
            message = block.start + np.append(self._prefixes.size, 0)[head]
            first = block.words[message]
        until = block.end - np.append(self._prefixes.tail, 0)[head] if self._prefixes.tail.any() else block.end
        slow = (head < 0) | block.odd | (message > until) | (block.end - block.start > _LONGEST_LINE)
        nothing = np.zeros(len(head), np.bool_)
        return Lines(block, head, message, first, until, slow, nothing, nothing.copy())

    def _check_first_bytes(self, block: Block, head: NDArray[np.int32], first: Words) -> bool:
        """Take the head from lines whose message begins with a byte that makes the line engine read another prefix.

        Return whether there are such lines.
        """
        missing = len(self._prefixes.heads) * 256 - len(self._first_bytes)
        if missing:
            self._first_bytes = np.append(self._first_bytes, np.full(missing, _UNKNOWN, np.uint8))
        pair = head * 256 + (first & U(0xFF)).astype(np.int32)
        verdict = np.append(self._first_bytes, np.full(256, _GOOD, np.uint8))[pair]
        wrong = where(verdict != _GOOD)
        if not len(wrong):
            return False
        unknown = wrong[verdict[wrong] == _UNKNOWN]
        for row in unknown[np.unique(pair[unknown], return_index=True)[1]].tolist():
            if block.odd[row]:
                continue
            known = self._prefixes.heads[head[row]]
            read, _ = self._exact.learn(block.line(row), self.line + row)
            same = read is not None and (read.text, read.format) == (known.text, known.format)
            self._first_bytes[pair[row]] = _GOOD if same else _BAD
        bad = wrong[self._first_bytes[pair[wrong]] != _GOOD]
        head[bad] = -1
        return len(bad) > 0

    def _learn(self, block: Block, rows: At, left: int) -> tuple[bool, int]:
        """Show lines to the line engine until it has taught a new prefix."""
        rows = rows[block.data[block.start[rows]] > ord(" ")]
        for row in rows[:: len(rows) // _LOOKED_AT + 1].tolist():
            raw = block.line(row)
            shape = raw[:24].translate(_DIGITS)
            if block.odd[row] or not raw or raw[:1] == b" " or shape in self._hopeless:
                continue
            left -= 1
            head, combined = self._exact.learn(raw, self.line + row)
            if head is not None and self._prefixes.add(head):
                return True, left
            if combined is not None:
                self._combined = combined
            if len(self._hopeless) < _SHAPES:
                self._hopeless.add(shape)
            if left <= 0:
                break
        return False, left

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
        fast = ~lines.slow & ~block.tabs
        first = lines.first
        told = self._told(lines, fast, first)
        hits = self._search.read(lines, first, np.append(prefixes.serious, False)[lines.head])
        # Calls were not searched; one may yet be left to the line engine for what follows it.
        lines.exchanges = hits.exchanges | (first == _CALL)
        lines.slow[told[hits.agents[told]]] = True
        answers = self._rest_of_rows(lines, hits, fast & ~lines.slow, first)
        lines.slow |= hits.suspect & ~lines.understood
        # A line without a head of its own goes on with the record before it, so that one is read with it.
        lines.slow[:-1] |= (lines.head < 0)[1:] & ~lines.understood[1:]
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
        for row in where(fast & (first == _CONNECT)).tolist():
            lines.understood[row] = block.text(int(lines.message[row]), int(lines.until[row])) in self._connects
        answered = where(fast & (first == waiting.FIRST_WORD))
        answered = answered[holds(block.words, lines.message[answered], waiting.LITERAL, known=8)]
        return waiting.answers(lines, answered, hits.places)

    def _access_rows(self, lines: Lines, hits: Hits) -> None:
        rows, at = hits.access_line, hits.access
        plain = ~lines.slow[rows] & ~hits.suspect[rows] & ~lines.block.tabs[rows]
        self._add(lines, self._access.served(lines, rows[plain], at[plain], self._prefixes.sources))
        if self._combined is not None:
            bare = (lines.head[rows] < 0) & ~lines.block.odd[rows] & ~lines.block.tabs[rows] & ~hits.suspect[rows]
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
                start = lines.block.start[batch.line[rows]]
                time = self._clock.iso(lines.block, start + layout.at, layout.fraction)
                lines.slow[batch.line[rows[time == NO_TIME]]] = True
                batch.time[rows] = time + layout.shift

    def _collect(self, lines: Lines, answers: waiting.Answers, used: int) -> tuple[Batch, Tally]:
        """Give the slow lines to the line engine and put all rows in order."""
        slow = where(lines.slow[:used])
        self._unseen = self._new_heads(lines.head[:used])
        made = [self._kept(lines, batch, used) for batch in lines.batches]
        answers = answers.only((answers.line < used) & ~lines.slow[answers.line])
        calls = _calls_of(made)
        waits = len(answers) > 0 or self._waiting.busy()
        if lines.exchanges[slow].any():
            self._feed_in_order(lines, answers, calls, slow)
        else:
            if waits:
                self._waiting.give_all(answers, calls)
            self._feed(lines, slow)
        self._begin(used)
        batch, tally = self._exact.take()
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

    def _feed(self, lines: Lines, slow: At) -> None:
        connects = (lines.head[slow] >= 0) & (lines.first[slow] == _CONNECT)
        if self._unseen or connects.any():
            for row in slow.tolist():
                self._feed_one(lines, row)
        elif len(slow):
            self._exact.feed_rows(lines.block, slow, self.line)

    def _new_heads(self, heads: NDArray[np.int32]) -> list[tuple[int, int]]:
        """Return (first line, number), first line last, of heads of which the line engine has seen no record."""
        seen = len(self._begun)
        self._begun += [False] * (len(self._prefixes.heads) - seen)
        if all(self._begun):
            return []
        numbers, first = np.unique(heads, return_index=True)
        pairs = zip(first.tolist(), numbers.tolist(), strict=True)
        return sorted(((row, number) for row, number in pairs if number >= 0 and not self._begun[number]), reverse=True)

    def _begin(self, until: int) -> None:
        while self._unseen and self._unseen[-1][0] < until:
            _, number = self._unseen.pop()
            self._begun[number] = True
            self._exact.begin(self._prefixes.heads[number])

    def _feed_one(self, lines: Lines, row: int) -> None:
        block = lines.block
        if self._unseen:
            self._begin(row)
        self._exact.feed(((self.line + row, block.line(row)),))
        if lines.head[row] >= 0 and lines.first[row] == _CONNECT and len(self._connects) < _CONNECTS:
            self._connects.add(block.text(int(lines.message[row]), int(lines.until[row])))

    def _feed_in_order(self, lines: Lines, answers: waiting.Answers, calls: Batch, slow: At) -> None:
        """As ``_feed``, with httpcore's answers and the calls they belong to each in its place."""
        steps: list[tuple[int, int, Batch | None]] = [(row, -1, None) for row in slow.tolist()]
        steps += [(line, index, None) for index, line in enumerate(answers.line.tolist())]
        steps += [(line, row, calls) for row, line in enumerate(calls.line.tolist())]
        for line, index, calls_or_none in sorted(steps, key=lambda step: step[0]):
            if calls_or_none is not None:
                self._waiting.give(calls_or_none, index)
            elif index < 0:
                self._feed_one(lines, line)
            else:
                self._waiting.put(answers, index)


def _calls_of(batches: list[Batch]) -> Batch:
    return next((batch for batch in batches if len(batch) and batch.kind[0] == Kind.CALL), Batch.empty())


_DIGITS = bytes(0x30 if 0x30 <= byte < 0x3A else byte for byte in range(256))
