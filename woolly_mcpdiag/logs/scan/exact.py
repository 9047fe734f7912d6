"""The one door from the fast scanner to the line engine: what a line's prefix means, and lines read one by one."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from woolly_mcpdiag.logs.batch import NO_TIME, Batch, Logger, Tally
from woolly_mcpdiag.logs.lines import LineEngine
from woolly_mcpdiag.logs.reader import Reader
from woolly_mcpdiag.logs.record import Record
from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.words import At
from woolly_mcpdiag.logs.stamps import Stamps

STAMP = re.compile(
    rb"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,](?P<fraction>\d{1,9})(?:\.\d{3})?)?(?P<zone>Z| ?[+-]\d\d:?\d\d)?"
)
_HALF = re.compile(rb" ?[AaPp]\.?[Mm]")
LONGEST_PREFIX = 192
"""Bytes; a record whose message begins later is read by the line engine."""
_JSON_MESSAGE = re.compile(rb'"(?:message|msg|event|text|log|body)": ?"')
_SERIOUS = frozenset({"WARNING", "ERROR", "CRITICAL", "FATAL"})
_LONGEST_TAIL = 64
COMBINED = "combined"
_GOES_ON = frozenset({b" ", b"T"})
"""How most lines of a traceback begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The part of a prefix up to the end of its last time stamp: fixed bytes, and places where digits stand."""

    text: bytes
    """As it stood in the line it was learned from."""
    digits: frozenset[int]
    """Places in ``text`` where any digit may stand."""
    at: int = -1
    """Where the stamp that gives the time begins, -1 where there is none."""
    fraction: int = 0
    """Digits of its fraction of a second."""
    shift: int = 0
    """Microseconds to add for its zone."""
    zoned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The prefix of a record, as the line engine read it once."""

    layout: Layout
    text: bytes
    """From the end of the layout to the message, fixed."""
    tail: bytes
    """What follows the message (JSON), fixed."""
    structured: bool
    serious: bool
    logger: int
    """``Logger.HTTPX`` or ``HTTPX2`` for client lines under this head."""
    source: int
    format: str
    framing: str
    sample: bytes
    """The line it was learned from."""


class Exact:
    """A line engine, and what the scanner must know of it."""

    def __init__(self, engine: LineEngine) -> None:
        self.engine = engine
        self._reader = engine._reader
        self._recogniser = engine._recogniser
        self.headers = engine._recogniser._headers
        self.urls = engine._recogniser._urls
        # With a day every stamp gives a time: a prefix is taken for one without a time only where it has none.
        self._teacher = Reader(day=date(2000, 1, 1))
        self._stamps = Stamps()
        self.plain = engine._since is None and engine._until is None and not engine._recogniser._patterns
        """False where every line must be read: a time range, or patterns that may match anything."""

    def feed(self, lines: Iterable[tuple[int, bytes]]) -> None:
        """Read (number, line) pairs, the first of which begins a record."""
        for number, line in lines:
            self.engine.feed(line, number)

    def feed_rows(self, block: Block, rows: At, first: int) -> None:
        """Read some lines of a block whose first line has the number ``first``."""
        feed, go_on, data = self.engine.feed, self.engine.go_on, memoryview(block.data)  # type: ignore[arg-type]
        for row, start, end in zip(rows.tolist(), block.start[rows].tolist(), block.end[rows].tolist(), strict=True):
            raw = bytes(data[start:end])
            if raw[:1] in _GOES_ON and raw.isascii() and (text := raw.decode()).isprintable() and go_on(text):
                continue
            feed(raw, first + row)

    def take(self, *, end: bool = True) -> tuple[Batch, Tally]:
        """Return what was read since the last call."""
        return self.engine.take(end=end)

    def begin(self, head: Head) -> None:
        """Tell the line engine that records under a head have been read: lines without a prefix go on with them."""
        self._reader.read(head.sample, 0)
        self._reader._formats[head.format] -= 1
        if head.framing:
            self._reader._framings[head.framing] -= 1

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

    def learn(self, raw: bytes, line: int) -> "tuple[Head | None, int | None]":
        """Return what the line engine makes of a line's prefix, or the source of a line in combined format.

        Both are ``None`` where such lines cannot be read fast.
        """
        if raw[:1] == b"[" and raw[3:4] == b"/":
            return None, None  # rich: it joins lines
        records = self._teacher.read(raw, line)
        if len(records) != 1 or not records[0].fresh or records[0].span != 1:
            return None, None
        record = records[0]
        if record.format == COMBINED and not record.framing:
            return None, self._recogniser._source(record)
        return (self._head(raw, record) if record.format and record.level and record.message.strip() else None), None

    def _head(self, raw: bytes, record: Record) -> Head | None:
        parts = _split(raw.rstrip(b"\r\n"), record)
        if parts is None or len(parts[0]) > LONGEST_PREFIX or len(parts[1]) > _LONGEST_TAIL:
            return None
        prefix, tail, structured = parts
        layout = self._layout(prefix, record)
        if layout is None:
            return None
        return Head(
            layout=layout,
            text=prefix[len(layout.text) :],
            tail=tail,
            structured=structured,
            serious=record.level in _SERIOUS,
            logger=Logger.HTTPX2 if record.logger.startswith("httpx2") else Logger.HTTPX,
            source=self._recogniser._source(record),
            format=record.format,
            framing=record.framing,
            sample=raw,
        )

    def _layout(self, prefix: bytes, record: Record) -> Layout | None:
        stamps = list(STAMP.finditer(prefix))
        if any(_HALF.match(prefix, stamp.end()) for stamp in stamps):
            return None
        if not stamps:
            return Layout(text=b"", digits=frozenset()) if record.time == NO_TIME else None
        for stamp in stamps:
            time, zoned = self._stamps.text(stamp[0].decode())
            if time == record.time and stamp.start() + 32 <= LONGEST_PREFIX:
                break
        else:
            return None
        end = stamps[-1].end()
        digits: set[int] = set()
        for each in stamps:
            stop = each.start("zone") if each["zone"] else each.end()
            digits.update(at for at in range(each.start(), stop) if prefix[at : at + 1].isdigit())
        plain = self._stamps.text(
            stamp[0][: stamp.start("zone") - stamp.start()].decode() if stamp["zone"] else stamp[0].decode()
        )
        return Layout(
            text=prefix[:end],
            digits=frozenset(digits),
            at=stamp.start(),
            fraction=len(stamp["fraction"] or b""),
            shift=time - plain[0],
            zoned=zoned,
        )


def _split(raw: bytes, record: Record) -> tuple[bytes, bytes, bool] | None:
    """Return (prefix, tail, structured) of a line around its message."""
    message = record.message.encode("utf-8", "replace")
    if raw.endswith(message):
        return raw[: len(raw) - len(message)], b"", False
    for found in _JSON_MESSAGE.finditer(raw):
        end = _end_of_string(raw, found.end())
        if end > 0 and _said(raw[found.end() : end]) == record.message:
            return raw[: found.end()], raw[end:], True
    return None


def _end_of_string(raw: bytes, start: int) -> int:
    at = raw.find(b'"', start)
    while at > 0:
        escapes = len(raw[start:at]) - len(raw[start:at].rstrip(b"\\"))
        if escapes % 2 == 0:
            return at
        at = raw.find(b'"', at + 1)
    return -1


def _said(escaped: bytes) -> str | None:
    try:
        said = json.loads(b'"' + escaped + b'"')
    except ValueError:
        return None
    return said if isinstance(said, str) else None
