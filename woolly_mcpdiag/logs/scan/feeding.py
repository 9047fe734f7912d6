"""The one place that feeds a block's slow lines to the line engine, in order with the answers that wait for calls."""

from bisect import bisect_right
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import NO_TIME, Batch
from woolly_mcpdiag.logs.scan.calls import START
from woolly_mcpdiag.logs.scan.clock import Clock
from woolly_mcpdiag.logs.scan.exact import Exact
from woolly_mcpdiag.logs.scan.lines import Lines
from woolly_mcpdiag.logs.scan.prefixes import Prefixes
from woolly_mcpdiag.logs.scan.records import Records, Slow
from woolly_mcpdiag.logs.scan.waiting import Answers, Waiting
from woolly_mcpdiag.logs.scan.words import At, where, word

_CALL = word(START)


class Feeder:
    """Feeds the line engine of one input."""

    def __init__(self, exact: Exact, prefixes: Prefixes, clock: Clock) -> None:
        self._prefixes = prefixes
        self._clock = clock
        self._waiting = Waiting(exact.headers)
        self._records = Records(exact, prefixes)
        self._begun: list[bool] = []
        """By head: whether the line engine knows that there are such records."""

    def feed(self, lines: Lines, answers: Answers, calls: Batch, slow: At, first: int, used: int) -> None:
        """Feed the slow lines among the first ``used`` of a block, whose first line has the number ``first``.

        Gives calls their answers.
        """
        unseen = self._new_heads(lines.head[:used])
        some = Slow.of(lines, slow, self._times(lines, slow), first)
        if self._mingled(lines, answers, slow):
            self._in_order(some, answers, calls, unseen)
        else:
            if len(answers) or self._waiting.busy():
                self._waiting.give_all(answers, calls)
            self._rows(some, 0, len(slow), unseen)
        self._begin(unseen, used)

    def _mingled(self, lines: Lines, answers: Answers, slow: At) -> bool:
        """Say whether slow lines take or give answers that lines read fast give or take."""
        rows = slow[lines.exchanges[slow]]
        if not len(rows):
            return False
        calls = (lines.head[rows] >= 0) & (lines.first[rows] == _CALL)
        return len(answers) > 0 or self._waiting.busy() or not bool(calls.all())

    def _rows(self, slow: Slow, index: int, count: int, unseen: list[tuple[int, int]]) -> None:
        """Feed lines from one index up to another, each head's first record told before them."""
        while index < count:
            self._begin(unseen, slow.place[index])
            stop = bisect_right(slow.place, unseen[-1][0], index, count) if unseen else count
            self._records.feed(slow, index, stop)
            index = stop

    def _in_order(self, slow: Slow, answers: Answers, calls: Batch, unseen: list[tuple[int, int]]) -> None:
        """Feed lines, answers and the calls they belong to each in its place."""
        steps = [(row, 0, index) for index, row in enumerate(slow.place)]
        steps += [(line, 1, index) for index, line in enumerate(answers.line.tolist())]
        steps += [(line, 2, row) for row, line in enumerate(calls.line.tolist())]
        steps.sort(key=lambda step: step[0])
        for what, group in groupby(steps, key=lambda step: step[1]):
            indices = [index for _, _, index in group]
            if what == 1:
                for index in indices:
                    self._waiting.put(answers, index)
            elif what:
                for index in indices:
                    self._waiting.give(calls, index)
            else:
                self._rows(slow, indices[0], indices[-1] + 1, unseen)

    def _times(self, lines: Lines, rows: At) -> NDArray[np.int64]:
        """Return the times of lines under a head, ``NO_TIME`` for others."""
        out = np.full(len(rows), NO_TIME, np.int64)
        heads = lines.head[rows]
        layouts = np.append(self._prefixes.layout, -1)[heads]
        for number, layout in enumerate(self._prefixes.layouts):
            same = where(layouts == number)
            if layout.at >= 0 and len(same):
                out[same] = self._clock.times(lines.block, lines.base[rows[same]], layout)
        return out

    def _new_heads(self, heads: NDArray[np.int32]) -> list[tuple[int, int]]:
        """Return (first line, number), first line last, of heads of which the line engine has seen no record."""
        seen = len(self._begun)
        self._begun += [False] * (len(self._prefixes.heads) - seen)
        if all(self._begun):
            return []
        numbers, first = np.unique(heads, return_index=True)
        pairs = zip(first.tolist(), numbers.tolist(), strict=True)
        return sorted(((row, number) for row, number in pairs if number >= 0 and not self._begun[number]), reverse=True)

    def _begin(self, unseen: list[tuple[int, int]], until: int) -> None:
        while unseen and unseen[-1][0] < until:
            _, number = unseen.pop()
            self._begun[number] = True
            self._records.begin(number)
