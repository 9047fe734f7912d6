"""The one place that makes a head of a line: the prefix that the line engine reads in it, and what in that may vary."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date

from woolly_mcpdiag.logs.batch import NO_TIME, Logger
from woolly_mcpdiag.logs.formats import format as formats
from woolly_mcpdiag.logs.reader import Reader
from woolly_mcpdiag.logs.record import Record

STAMP = re.compile(
    rb"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,](?P<fraction>\d{1,9})(?:\.\d{3})?)?(?P<zone>Z| ?[+-]\d\d:?\d\d)?"
)
"""A stamp that the clock reads fastest."""
_STAMPS = re.compile(
    rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7,9}(?:Z|[+-]\d\d:?\d\d)?"
    rb"|(?<=[IWEF])\d{4} {1,2}\d\d:\d\d:\d\d\.\d{1,6}"
    rb"|" + formats.STAMP.encode() + rb"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,6})?"
    rb'|(?<![\d.])1[5-9]\d{8}(?:[.,]\d{1,6}|\d{3})?(?=[}"])'
)
_CLOCK = re.compile(rb"\d\d:\d\d(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?")
_EPOCH = re.compile(rb"(?P<seconds>\d{10})(?:[.,]?(?P<fraction>\d{1,6}))?")
_SURE_OF_EPOCH = 2
"""First digits of an epoch that tell it from another number."""
LONGEST_PREFIX = 192
"""Bytes; a record whose message begins later is read by the line engine."""
_JSON_MESSAGE = re.compile(rb'"(?:message|msg|event|text|log|body)": ?"')
_SERIOUS = frozenset({"WARNING", "ERROR", "CRITICAL", "FATAL", ""})
"""A record without a level may tell of a failure, too."""
_LONGEST_TAIL = 192
_END = b'"}'
BARE = "asctime-only"
"""The format of a time and nothing else: among lines of other formats its prefix tells nothing."""
_LOOSE = frozenset({"structlog", "structlog-untimed"})
COMBINED = "combined"
_NUMBER = re.compile(rb"(?<![\w-])(?=[\w-]*\d)[0-9a-f-]{16,64}(?![\w-])|(?<![A-Za-z\d])\d{1,18}(?![A-Za-z\d])")
"""What may vary; digits in a name (``http11``) belong to it."""
_MOST_FIELDS = 4
_SHORT = 9
_OTHER_NUMBERS = (b"7", b"902175501")
_OTHER_LONG = (b"7", b"902175501412345678")
_OTHER_HEX = b"7e3a-90217fd50c4be1268" * 4
DIGITS, PADDED, LONG = -1, -2, -3
"""Kinds of fields: up to nine digits, also with spaces before them, up to 18. Others are the size of an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The part of a prefix up to the end of its last time stamp: fixed bytes, and places where digits stand."""

    text: bytes
    """As it stood in the line it was learned from."""
    digits: frozenset[int]
    """Places in ``text`` where any digit may stand."""
    at: int = -1
    """Where the stamp that gives the time begins, -1 where there is none."""
    size: int = 0
    """Bytes of the stamp, 0 where it is one of the layout of ``STAMP``; the next two are of others only."""
    second: int = -1
    """Where in the stamp its seconds stand, or those since the epoch; -1 where it has none."""
    epoch: bool = False
    fraction: int = 0
    """Digits of its fraction of a second."""
    shift: int = 0
    """Microseconds to add for its zone."""
    zoned: bool = False
    behind: bool = False
    """True where it is of what follows the message: places are counted from the message's end."""


NOTHING = Layout(text=b"", digits=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """What follows the message of a JSON record, where that is more than the end of the object."""

    layout: Layout
    parts: tuple[bytes, ...]
    fields: tuple[int, ...]
    newline: bool
    """True where the message ends with an escaped newline that is no part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The prefix of a record, as the line engine read it once."""

    layout: Layout
    text: bytes
    """From the end of the layout to the message."""
    parts: tuple[bytes, ...]
    """The fixed parts of it, between which numbers vary."""
    fields: tuple[int, ...]
    """What varies between the parts: ``DIGITS``, ``PADDED`` with spaces, or the size of an id."""
    tail: bytes
    """What follows the message (JSON); fixed where there is no ``rest``."""
    rest: Tail | None
    quotes: int
    """How many stand around the message."""
    structured: bool
    loose: bool
    """True where padding, logger and pairs may follow the message, which is taken to go on to the line's end."""
    serious: bool
    logger: int
    """``Logger.HTTPX`` or ``HTTPX2`` for client lines under this head; ``HTTPX`` where it stands behind the message."""
    format: str
    framing: str
    sample: bytes
    """The line it was learned from."""
    record: Record
    """What the line engine read in it."""

    def test(self) -> Callable[[bytes], object]:
        """Return what says of a line whether it is under this head."""
        if not self.fields and self.rest is None:
            size, text = len(self.layout.text), self.text
            shape = self.layout.text.translate(_NOUGHTS)
            return lambda raw: raw.startswith(text, size) and raw[:size].translate(_NOUGHTS) == shape
        return self._pattern().match

    def _pattern(self) -> re.Pattern[bytes]:
        out = _pattern(self.layout, self.parts, self.fields)
        if self.rest is not None:
            out += rb'(?:[^"\\]|\\.)*' + _pattern(self.rest.layout, self.rest.parts, self.rest.fields) + rb"\Z"
        return re.compile(out)


def _pattern(layout: Layout, parts: tuple[bytes, ...], fields: tuple[int, ...]) -> bytes:
    text = layout.text
    out = [b"\\d" if at in layout.digits else re.escape(text[at : at + 1]) for at in range(len(text))]
    for part, field in zip(parts, (*fields, 0), strict=True):
        out += [re.escape(part), _FIELDS.get(field, b"[0-9a-f-]{%d}" % max(field, 0))]
    return b"".join(out)


_NOUGHTS = bytes(0x30 if 0x30 <= byte < 0x3A else byte for byte in range(256))
_FIELDS = {DIGITS: rb"\d{1,9}", PADDED: rb" *\d{1,9}", LONG: rb"\d{1,18}"}


class Teacher:
    """A line engine's reader of its own, that is asked what lines mean."""

    def __init__(self, *, day: date | None = date(2000, 1, 1)) -> None:
        """With a ``day`` every stamp gives a time: a prefix is taken for one without a time only where it has none."""
        self._reader = Reader(day=day)

    def learn(self, raw: bytes, line: int) -> tuple[Head | None, Record | None]:
        """Return what the line engine makes of a line's prefix, or a record in combined format.

        Both are ``None`` where such lines cannot be read fast.
        """
        if raw[:1] == b"[" and raw[3:4] == b"/":
            return None, None  # rich: it joins lines
        record = self._read(raw, line)
        if record is None:
            return None, None
        if record.format == COMBINED and not record.framing:
            return None, record
        if not record.format or not record.message.strip() or (record.format == "json" and not record.level):
            return None, None
        return self._head(raw, record), None

    def _read(self, raw: bytes, line: int) -> Record | None:
        """Return the record of a line that is one for itself; its message may have more lines if it is JSON."""
        records = self._reader.read(raw, line)
        if not records or not records[0].fresh or records[0].span != 1:
            return None
        if any(more.fresh or more.span for more in records[1:]):
            return None
        record = records[0]
        if len(records) > 1:
            if record.format != "json":
                return None
            record.message = "\n".join(more.message for more in records)
        return record

    def _head(self, raw: bytes, record: Record) -> Head | None:
        raw = raw.rstrip(b"\r\n")
        around = _split(raw, record)
        if around is None:
            return None
        begin, end, newline = around
        tail = raw[end:]
        if begin > LONGEST_PREFIX or len(tail) > _LONGEST_TAIL:
            return None
        layout = self._layout(raw[:begin], record)
        rest = None
        if tail not in {b"", _END} or newline:
            behind = self._layout(tail, record, sure=layout is not None)
            if behind is None:
                return None
            layout = layout or self._layout(raw[:begin], record, sure=True)
            parts, kinds = self._fields(raw, record, end + len(behind.text), len(raw))
            rest = Tail(layout=replace(behind, behind=True), parts=parts, fields=kinds, newline=newline)
        if layout is None:
            return None
        pieces, fields = self._fields(raw, record, len(layout.text), begin)
        loose = record.format in _LOOSE
        return Head(
            layout=layout,
            text=raw[len(layout.text) : begin],
            parts=pieces,
            fields=fields,
            tail=tail,
            rest=rest,
            quotes=raw[:begin].count(b'"') + tail.count(b'"'),
            structured=tail != b"",
            loose=loose,
            serious=record.level in _SERIOUS,
            logger=Logger.HTTPX2 if record.logger.startswith("httpx2") and not loose else Logger.HTTPX,
            format=record.format,
            framing=record.framing,
            sample=raw,
            record=record,
        )

    def _layout(self, prefix: bytes, record: Record, *, sure: bool = False) -> Layout | None:
        """Return the layout of a text; ``sure`` says that the time stands elsewhere."""
        stamps = list(_STAMPS.finditer(prefix))
        if not stamps:
            return NOTHING if sure or record.time == NO_TIME else None
        if record.time == NO_TIME:
            return None  # a stamp of no day
        end, digits = stamps[-1].end(), frozenset(_digits_of(prefix, stamps))
        if sure:
            return Layout(text=prefix[:end], digits=digits)
        told = self._reader._stamps
        # Where two stamps tell the same, the inner one counts.
        for stamp in reversed(stamps):
            time, zoned = told.text(stamp[0].decode())
            if time == record.time and stamp.start() + 32 <= LONGEST_PREFIX:
                break
        else:
            return None
        iso = STAMP.fullmatch(stamp[0])
        if iso is None:
            return self._other(prefix[:end], digits, stamp, time, zoned=zoned)
        plain = told.text(stamp[0][: iso.start("zone")].decode() if iso["zone"] else stamp[0].decode())
        return Layout(
            text=prefix[:end],
            digits=digits,
            at=stamp.start(),
            fraction=len(iso["fraction"] or b""),
            shift=time - plain[0],
            zoned=zoned,
        )

    def _other(
        self, text: bytes, digits: frozenset[int], stamp: re.Match[bytes], time: int, *, zoned: bool
    ) -> Layout | None:
        """Return the layout of a stamp that the clock must take to ``Stamps``, minute by minute."""
        epoch = _EPOCH.fullmatch(stamp[0])
        found = epoch or _CLOCK.search(stamp[0])
        if found is None or (epoch is None and not found.start()):
            return None  # a time without a date is of the day that the log has come to
        second, fraction = found.start(1), len(found["fraction"] or b"")
        layout = Layout(
            text=text,
            digits=digits,
            at=stamp.start(),
            size=len(stamp[0]),
            second=second,
            epoch=epoch is not None,
            fraction=fraction,
            zoned=zoned,
        )
        if epoch is None and second >= 0:
            base = self._reader._stamps.text(minute_of(stamp[0], layout).decode())[0]
            micros = int(found["second"]) * 1_000_000 + int((found["fraction"] or b"0").ljust(6, b"0")[:6])
            return layout if base + micros == time else None
        return layout

    def _fields(self, raw: bytes, record: Record, begin: int, end: int) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
        """Return (fixed parts, what varies between them) of a prefix from ``begin`` to ``end``.

        A number varies if the line engine reads the same record whatever the number is.
        """
        pieces: list[bytes] = []
        fields: list[int] = []
        last = begin
        for found in _NUMBER.finditer(raw, begin, end):
            if len(fields) == _MOST_FIELDS or found.end() == end:
                break
            kind = self._kind(raw, record, found)
            if kind:
                piece = raw[last : found.start()]
                pieces.append(piece.rstrip(b" ") + b" " if kind == PADDED else piece)
                fields.append(kind)
                last = found.end()
        return (*pieces, raw[last:end]), tuple(fields)

    def _kind(self, raw: bytes, record: Record, found: re.Match[bytes]) -> int:
        start, end = found.span()
        if not found[0].isdigit():
            return len(found[0]) if self._same(raw, record, start, end, (_OTHER_HEX[: end - start],)) else 0
        if end - start > _SHORT:
            return LONG if self._same(raw, record, start, end, _OTHER_LONG) else 0
        if not self._same(raw, record, start, end, _OTHER_NUMBERS):
            return 0
        padded = raw[start - 1 : start] == b" " and self._same(raw, record, start, end, (b"     7", b"  4107"))
        return PADDED if padded else DIGITS

    def _same(self, raw: bytes, record: Record, start: int, end: int, others: Iterable[bytes]) -> bool:
        """Say whether the line engine reads the same with other texts in a place."""
        for other in others:
            read = self._read(raw[:start] + other + raw[end:], record.line)
            if read is None or _facts(read) != _facts(record):
                return False
        return True


def _facts(record: Record) -> tuple[object, ...]:
    return (
        *(record.format, record.framing, record.level, record.service, record.time, record.message),
        record.logger.startswith("httpx2"),
    )


def minute_of(stamp: bytes, layout: Layout) -> bytes:
    """Return a stamp with noughts for its seconds and their fraction."""
    end = layout.second + 2
    out = stamp[: layout.second] + b"00" + stamp[end:]
    return out[: end + 1] + b"0" * layout.fraction + out[end + 1 + layout.fraction :] if layout.fraction else out


def _digits_of(prefix: bytes, stamps: list[re.Match[bytes]]) -> Iterable[int]:
    """Return where the digits of stamps stand that may be others in the next line."""
    for stamp in stamps:
        iso = STAMP.fullmatch(stamp[0])
        begin, stop = stamp.span()
        if iso is not None and iso["zone"]:
            stop = begin + iso.start("zone")
        elif iso is None and _EPOCH.fullmatch(stamp[0]):
            begin += _SURE_OF_EPOCH
        yield from (at for at in range(begin, stop) if prefix[at : at + 1].isdigit())


def _split(raw: bytes, record: Record) -> tuple[int, int, bool] | None:
    """Return (where the message begins, where it ends, whether an escaped newline ends it) in a line."""
    message = record.message.encode("utf-8", "replace")
    if record.format in _LOOSE:
        begin = raw.find(b"] ") + 2
        return (begin, len(raw), False) if raw.startswith(message, begin) else None
    if record.format != "json" and raw.endswith(message):
        return len(raw) - len(message), len(raw), False
    for found in _JSON_MESSAGE.finditer(raw):
        begin, end = found.end(), _end_of_string(raw, found.end())
        said = _said(raw[begin:end]) if end > 0 else None
        if said is None:
            continue
        # A record with a traceback in a field of its own has more lines than its message: what follows is no end.
        if said.rstrip("\r\n") == record.message.rstrip("\r\n"):
            return begin, end, False
        line = said.removesuffix("\n")
        if "\n" not in line and line.endswith(record.message):  # a whole line of another format
            before = line[: len(line) - len(record.message)].encode()
            if b"\\" not in before and raw.startswith(before, begin):
                return begin + len(before), end, said.endswith("\n")
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
