"""The one place that reads httpcore's answers, whose sizes and sessions belong to the httpx lines that follow them.

The rule is the line engine's (``recognise.httpcore.Headers``): a call takes the youngest waiting answer of its status.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import UNKNOWN_SIZE, Batch
from woolly_mcpdiag.logs.recognise.httpcore import _WAITING, HEADERS_LITERAL, Headers
from woolly_mcpdiag.logs.scan.hexes import packed
from woolly_mcpdiag.logs.scan.lines import Lines
from woolly_mcpdiag.logs.scan.words import At, Words, holds, where, word

LITERAL = HEADERS_LITERAL.encode()
FIRST_WORD = word(LITERAL)
LENGTHS = (b"ontent-length', b'", b"ontent-Length', b'")
SESSIONS = (b"mcp-session-id', b'", b"Mcp-Session-Id', b'")
ODD = (b"CONTENT-LENGTH", b"MCP-SESSION-ID")
_STATUS = len("receive_response_headers.complete return_value=(b'HTTP/1.1', ")
_VERSION = LITERAL + b" return_value=(b'HTTP/"
_ZERO = np.uint8(0x30)
_DIGITS = 15
_STATUSES = 256
_QUOTE, _DASH, _COMMA = ord("'"), ord("-"), ord(",")


@dataclass(slots=True)
class Answers:
    """``receive_response_headers.complete`` lines, in order."""

    line: At
    status: NDArray[np.int64]
    size: NDArray[np.int64]
    high: Words
    low: Words

    def only(self, keep: NDArray[np.bool_]) -> "Answers":
        """Return some of them."""
        return Answers(self.line[keep], self.status[keep], self.size[keep], self.high[keep], self.low[keep])

    def columns(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Words, Words]:
        """Return all but their lines."""
        return self.status, self.size, self.high, self.low

    def __len__(self) -> int:
        return len(self.line)


def answers(lines: Lines, rows: At, places: dict[bytes, tuple[At, At]]) -> Answers:
    """Return what answer lines tell; those not written as httpcore does are marked slow.

    ``places`` has, by text of ``LENGTHS`` and ``SESSIONS``, (line, place) wherever it stands.
    """
    block = lines.block
    data, words, start = block.data, block.words, lines.message[rows]
    good = holds(words, start, _VERSION, known=len(LITERAL)) & (lines.until[rows] > start + _STATUS + 4)
    version = start + len(_VERSION)
    good &= (data[version] - _ZERO < 10) & (data[version + 1] == ord(".")) & (data[version + 2] - _ZERO < 10)
    status = np.zeros(len(rows), np.int64)
    for place in range(3):
        digit = data[start + _STATUS + place] - _ZERO
        good &= digit < 10
        status = status * 10 + digit
    good &= (data[start + _STATUS + 3] == _COMMA) & (data[start + _STATUS - 2] == _COMMA)
    size = np.full(len(rows), UNKNOWN_SIZE, np.int64)
    high, low = np.zeros(len(rows), np.uint64), np.zeros(len(rows), np.uint64)
    for text in LENGTHS:
        row, at = _of(rows, *places.get(text, (_NONE, _NONE)))
        size[row], fine = _number(data, at + len(text))
        good[row] &= fine
    for text in SESSIONS:
        row, at = _of(rows, *places.get(text, (_NONE, _NONE)))
        at = at + len(text)
        dashed = data[at + 8] == _DASH
        high[row], low[row], fine = packed(data, words, at, dashed=dashed)
        good[row] &= fine & (data[at + np.where(dashed, 36, 32)] == _QUOTE)
    lines.slow[rows[~good]] = True
    lines.understood[rows[good]] = True
    return Answers(rows[good], status[good], size[good], high[good], low[good])


_NONE = np.empty(0, np.int64)


def _of(rows: At, line: At, at: At) -> tuple[At, At]:
    """Return (index into ``rows``, place) of the first place in each of those lines."""
    if not len(line) or not len(rows):
        return _NONE, _NONE
    first = np.append(True, line[1:] != line[:-1])
    line, at = line[first], at[first]
    place = np.minimum(np.searchsorted(rows, line), len(rows) - 1)
    known = rows[place] == line
    return place[known], at[known]


def _number(data: NDArray[np.uint8], at: At) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return (number, good) of digits up to a quote."""
    value = np.zeros(len(at), np.int64)
    place = at.copy()
    live = np.arange(len(at))
    for _ in range(_DIGITS):
        digit = data[place[live]] - _ZERO
        more = digit < 10
        live = live[more]
        if not len(live):
            break
        value[live] = value[live] * 10 + digit[more]
        place[live] += 1
    return value, (place > at) & (data[place] == _QUOTE)


class Waiting:
    """Gives answers to calls; answers still waiting are kept in the line engine's own memory."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def busy(self) -> bool:
        """Return whether an answer waits for its call."""
        return bool(self._headers._waiting)

    def put(self, answers: Answers, index: int) -> None:
        """Remember one answer."""
        waiting = self._headers._waiting
        waiting.append(
            (int(answers.status[index]), int(answers.size[index]), int(answers.high[index]), int(answers.low[index]))
        )
        del waiting[:-_WAITING]

    def give(self, batch: Batch, row: int) -> None:
        """Complete the row of one call."""
        size, high, low = self._headers.give(int(batch.status[row]))
        batch.size[row] = size
        if not (batch.high[row] or batch.low[row]):
            batch.high[row], batch.low[row] = high, low

    def give_all(self, answers: Answers, calls: Batch) -> None:
        """Complete the rows of all calls of a block; both are in the order of their lines."""
        if not self._give_next(answers, calls) and not self._give_at_once(answers, calls):
            self._give_in_turn(answers, calls)

    def _give_next(self, answers: Answers, calls: Batch) -> bool:
        """Do it where each answer has a call of its own, the next of its status; False (and nothing done) elsewhere."""
        old = self._headers._waiting
        status, size, high, low = answers.columns()
        line = answers.line
        if old:
            line = np.concatenate((np.arange(-len(old), 0), line))
            status, size = (np.append([one[at] for one in old], x) for at, x in ((0, status), (1, size)))
            high, low = (np.append(np.array([one[at] for one in old], np.uint64), x) for at, x in ((2, high), (3, low)))
        kinds = where(np.bincount(status)).tolist()
        if len(kinds) > _WAITING:
            return False
        pairs: list[tuple[At, At]] = []
        for kind in kinds:
            mine, theirs = where(status == kind), where(calls.status == kind)
            place = calls.line[theirs].searchsorted(line[mine])
            if not (place[1:] > place[:-1]).all():
                return False
            served = len(place) - int(len(place) > 0 and place[-1] == len(theirs))
            pairs.append((mine[:served], theirs[place[:served]]))
        if not pairs:
            return True
        taken, takers = (np.concatenate(side) for side in zip(*pairs, strict=True))
        calls.size[takers] = size[taken]
        bare = (calls.high[takers] == 0) & (calls.low[takers] == 0)
        calls.high[takers[bare]], calls.low[takers[bare]] = high[taken[bare]], low[taken[bare]]
        stays = np.ones(len(status), np.bool_)
        stays[taken] = False
        old[:] = [(int(status[n]), int(size[n]), int(high[n]), int(low[n])) for n in where(stays).tolist()]
        return True

    def _give_in_turn(self, answers: Answers, calls: Batch) -> None:
        """Put and give one by one: where more answers wait than are kept, the oldest is forgotten."""
        old = self._headers._waiting
        known = [*old, *zip(*(column.tolist() for column in answers.columns()), strict=True)]
        before, puts = len(old), len(known)
        line = np.concatenate((answers.line, calls.line))
        turns = (np.argsort(line, kind="stable") + before).tolist()
        wanted = calls.status.tolist()
        stacks: dict[int, deque[int]] = {}
        for number, one in enumerate(old):
            stacks.setdefault(one[0], deque()).append(number)
        waits, oldest = before, 0
        gone = bytearray(puts)
        takers, taken = [], []
        for turn in turns:
            if turn < puts:
                stacks.setdefault(known[turn][0], deque()).append(turn)
                waits += 1
                if waits > _WAITING:
                    while gone[oldest]:
                        oldest += 1
                    gone[oldest] = 1
                    stacks[known[oldest][0]].popleft()
                    waits -= 1
            elif stack := stacks.get(wanted[turn - puts]):
                number = stack.pop()
                gone[number] = 1
                waits -= 1
                takers.append(turn - puts)
                taken.append(number)
        _complete(calls, np.array(takers, np.int64), [known[number] for number in taken])
        old[:] = [one for number, one in enumerate(known) if not gone[number]]

    def _give_at_once(self, answers: Answers, calls: Batch) -> bool:
        """Do it for all of them together; False (and nothing done) where too many answers wait."""
        old = self._headers._waiting
        before = len(old)
        puts, count = before + len(answers), before + len(answers) + len(calls)
        if not count:
            return True
        line = np.concatenate((np.arange(-before, 0), answers.line, calls.line))
        status = np.concatenate(([one[0] for one in old], answers.status, calls.status)).astype(np.int64)
        step = np.concatenate((np.ones(puts, np.int64), np.full(len(calls), -1)))
        in_time = np.argsort(line, kind="stable")
        order = in_time[np.argsort(status[in_time].astype(np.uint16), kind="stable")]  # a radix sort
        level = _levels(status[order], step[order])
        if _deepest(level, step[order], order, in_time, count) > _WAITING:
            return False
        ordered = status[order]
        rank = np.cumsum(np.append(False, ordered[1:] != ordered[:-1]))
        if rank[-1] >= _STATUSES:
            return False
        key = (rank << 8 | level).astype(np.uint16)
        in_key = np.argsort(key, kind="stable")
        nested, by_level = order[in_key], key[in_key]
        pair = (step[nested][:-1] > 0) & (step[nested][1:] < 0) & (by_level[:-1] == by_level[1:])
        taken, takers = nested[:-1][pair], nested[1:][pair] - puts
        size = np.concatenate(([one[1] for one in old], answers.size)).astype(np.int64)
        high = np.concatenate((np.array([one[2] for one in old], np.uint64), answers.high))
        low = np.concatenate((np.array([one[3] for one in old], np.uint64), answers.low))
        calls.size[takers] = size[taken]
        bare = (calls.high[takers] == 0) & (calls.low[takers] == 0)
        calls.high[takers[bare]], calls.low[takers[bare]] = high[taken[bare]], low[taken[bare]]
        stays = np.ones(puts, np.bool_)
        stays[taken] = False
        self._headers._waiting[:] = [
            (int(status[n]), int(size[n]), int(high[n]), int(low[n])) for n in where(stays).tolist()
        ]
        return True


def _complete(calls: Batch, takers: At, answers: list[tuple[int, int, int, int]]) -> None:
    """Give each of some calls the size and, where it names none, the session of its answer."""
    if not len(takers):
        return
    calls.size[takers] = [one[1] for one in answers]
    high, low = np.array([one[2] for one in answers], np.uint64), np.array([one[3] for one in answers], np.uint64)
    bare = (calls.high[takers] == 0) & (calls.low[takers] == 0)
    calls.high[takers[bare]], calls.low[takers[bare]] = high[bare], low[bare]


def _levels(status: NDArray[np.int64], step: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for steps sorted by status and time, how many answers of that status wait: after a put, before a take.

    A take where nothing waits has level 0.
    """
    if not len(status):
        return status
    total = np.cumsum(step)
    begins = np.append(True, status[1:] != status[:-1])
    first = where(begins)
    base = np.repeat((total - step)[first], np.diff(np.append(first, len(status))))
    within = total - base
    number = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(status))))
    # The floor at nothing waiting: subtract the lowest point so far (below 0) within the same status.
    far = np.int64(1) << 40
    lowest = np.minimum.accumulate(within - number * far) + number * far
    depth = within - np.minimum(lowest, 0)
    return np.where(
        step > 0, depth, np.where((within == lowest) & (within < 0) & _new_low(lowest, begins), 0, depth + 1)
    )


def _new_low(lowest: NDArray[np.int64], begins: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where the lowest point was just reached."""
    before = np.append(np.int64(0), lowest[:-1])
    before[begins] = 0
    return np.minimum(before, 0) > lowest


def _deepest(level: NDArray[np.int64], step: NDArray[np.int64], order: At, in_time: At, count: int) -> int:
    """Return the most answers that wait at any time, over all statuses."""
    change = np.zeros(count, np.int64)
    change[order] = np.where(step > 0, 1, np.where(level > 0, -1, 0))
    return int(np.cumsum(change[in_time]).max(initial=0))
