"""The line engine: reads a text log line by line in Python; the truth that the fast scanner must agree with."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from woolly_mcpdiag.logs.batch import NO_TIME, Batch, BatchBuilder, Tally, Vocabulary
from woolly_mcpdiag.logs.reader import TRACEBACK, Reader
from woolly_mcpdiag.logs.recognise import Recogniser
from woolly_mcpdiag.logs.record import Record

BATCH_LINES = 20_000
"""Lines after which a batch is handed on."""


class LineEngine:
    """Reads the lines of one input; rows and counts are taken away in batches."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        name: str,
        *,
        patterns: Sequence[re.Pattern[str]] = (),
        since: int | None = None,
        until: int | None = None,
        day: date | None = None,
    ) -> None:
        """``since`` and ``until`` are µs since the epoch, UTC; records without a time share the fate of the one before.

        ``day`` dates stamps without a year.
        """
        self._reader = Reader(day=day)
        self._recogniser = Recogniser(vocabulary, name, patterns)
        self._out = BatchBuilder()
        self._tally = Tally()
        self._since, self._until = since, until
        self._outside = False
        self.zones: Counter[bool] = Counter()
        """Records with a time: how many named their zone."""

    def feed(self, raw: bytes, line: int) -> None:
        """Read one physical line; ``line`` is its 1-based number."""
        for record in self._reader.read(raw, line):
            self.take_record(record)

    def go_on(self, text: str) -> bool:
        """Read a line as a part of the traceback being read; False (and nothing done) where it might be anything else.

        Does what ``feed`` does, for the lines that make up most of a traceback and say nothing.
        """
        failure, known = self._recogniser.failure(), self._reader.unframed()
        if failure is None or known is None or " " in known.starts or self._outside:
            return False
        if text != TRACEBACK:
            if text[:1] != " " or not text.strip() or not self._reader.continues(text):
                return False
            failure.line(text)
        self._reader.skip()
        self._tally.read += 1
        self._tally.understood += 1
        return True

    def take(self, *, end: bool = False, cut: bool = True) -> tuple[Batch, Tally]:
        """Return what was read since the last call; ``end`` also gives what waited for more lines.

        Without ``cut`` those still wait which their framing cut.
        """
        if end:
            for record in self._reader.flush(cut=cut):
                self.take_record(record)
            self._recogniser.flush(self._out)
        tally, self._tally = self._tally, Tally()
        return self._out.take(), tally

    def formats(self) -> list[str]:
        """Return the framings and record formats seen, most frequent first."""
        return [*self._reader.framings_seen(), *self._reader.formats_seen()]

    def take_record(self, record: Record) -> None:
        """Take a record, or a line that continues one, as the reader would have given it."""
        tally = self._tally
        tally.read += record.span
        if record.time != NO_TIME:
            self.zones[record.zoned] += 1
            self._outside = (self._since is not None and record.time < self._since) or (
                self._until is not None and record.time > self._until
            )
        if self._outside or not record.message.strip():
            tally.ignored += record.span
            tally.outside += record.span if self._outside else 0
            if record.fresh and record.format:
                self._recogniser.flush(self._out)
        elif self._recogniser.feed(record, self._out):
            tally.understood += record.span
        elif record.format or not record.fresh:
            tally.ignored += record.span
        else:
            tally.not_understood += record.span
            tally.first_not_understood = tally.first_not_understood or record.line


def read_lines(engine: LineEngine, lines: Iterable[bytes], *, first: int = 1) -> Iterator[tuple[Batch, Tally]]:
    """Feed all lines and yield batches in order."""
    number = first
    for number, raw in enumerate(lines, first):
        engine.feed(raw, number)
        if number % BATCH_LINES == 0:
            yield engine.take()
    yield engine.take(end=True)
