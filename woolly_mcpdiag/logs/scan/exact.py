"""The one door from the fast scanner to the line engine: what a line's prefix means, and lines read one by one."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from woolly_mcpdiag.logs.batch import Batch, Tally
from woolly_mcpdiag.logs.lines import LineEngine
from woolly_mcpdiag.logs.reader import _Stream
from woolly_mcpdiag.logs.scan.heads import COMBINED, STAMP, Head, Teacher

__all__ = ["STAMP", "Exact"]


class Exact:
    """A line engine, and what the scanner must know of it."""

    def __init__(self, engine: LineEngine) -> None:
        self.engine = engine
        self._reader = engine._reader
        self._recogniser = engine._recogniser
        self.headers = engine._recogniser._headers
        self.urls = engine._recogniser._urls
        self._teacher = Teacher()
        self.stamps = engine._reader._stamps
        self._undated = Teacher(day=None)
        self.plain = engine._since is None and engine._until is None and not engine._recogniser._patterns
        """False where every line must be read: a time range, or patterns that may match anything."""

    def feed(self, lines: Iterable[tuple[int, bytes]]) -> None:
        """Read (number, line) pairs, the first of which begins a record."""
        for number, line in lines:
            self.engine.feed(line, number)

    def take(self, *, end: bool = True, cut: bool = True) -> tuple[Batch, Tally]:
        """Return what was read since the last call, as ``LineEngine.take``."""
        return self.engine.take(end=end, cut=cut)

    def begin(self, head: Head) -> _Stream:
        """Tell the line engine that records under a head have been read: lines without a prefix go on with them.

        Return the stream they are in.
        """
        for record in self._reader.read(head.sample, 0):
            if record.line:  # one of rich's, which waited for the line after it
                self.engine.take_record(record)
        self._reader._formats[head.format] -= 1
        if head.framing:
            self._reader._framings[head.framing] -= 1
        return self._reader._last

    def count(self, head: Head, lines: int) -> None:
        """Tell the line engine of lines under a head that it did not see."""
        if head.layout.at >= 0:
            self.engine.zones[head.layout.zoned] += lines
        self._reader._formats[head.format] += lines
        if head.framing:
            self._reader._framings[head.framing] += lines

    def count_combined(self, lines: int) -> None:
        """Tell the line engine of lines in combined format that it did not see."""
        self.engine.zones[True] += lines
        self._reader._formats[COMBINED] += lines

    def counts(self) -> tuple[Counter[bool], Counter[str], Counter[str]]:
        """Return and forget (records with a time by zoned or not, record formats, framings)."""
        out = Counter(self.engine.zones), Counter(self._reader._formats), Counter(self._reader._framings)
        self.uncount()
        return out

    def add_counts(self, zones: Counter[bool], formats: Counter[str], framings: Counter[str]) -> None:
        """Add what another process counted."""
        self.engine.zones.update(zones)
        self._reader._formats.update(formats)
        self._reader._framings.update(framings)

    def uncount(self) -> None:
        """Forget what was counted so far."""
        self.engine.zones.clear()
        self._reader._formats.clear()
        self._reader._framings.clear()

    def forget(self) -> None:
        """Forget the answers that wait for a call: another part of the file begins."""
        self.headers._waiting.clear()

    def learn(self, raw: bytes, line: int) -> tuple[Head | None, int | None]:
        """Return what the line engine makes of a line's prefix, or the source of a line in combined format.

        Both are ``None`` where such lines cannot be read fast.
        """
        head, record = self._teacher.learn(raw, line)
        if head is not None and head.layout.size:
            layout = head.layout
            if not self.stamps.dates(layout.text[layout.at :][: layout.size].decode()):
                head = None if self.stamps.year else self._without_time(head, raw, line)
        return head, None if record is None else self._recogniser._source(record)

    def _without_time(self, head: Head, raw: bytes, line: int) -> Head:
        """Return the head of a line whose own stamp gives no time: that of its framing counts, where it has one."""
        framed = self._undated.learn(raw, line)[0] if head.framing else None
        return framed or replace(head, layout=replace(head.layout, at=-1))

    def source(self, head: Head) -> int:
        """Return the code of the source of lines under a head."""
        return self._recogniser._source(head.record)
