"""The one way from a physical line to records: framing, colours, format, rich's wrapping, JSON."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from woolly_mcpdiag.core.json_text import has_halves, whole
from woolly_mcpdiag.logs.batch import NO_TIME
from woolly_mcpdiag.logs.formats import possible
from woolly_mcpdiag.logs.formats.format import LEVELS, NO_FIELDS, Format, start_of
from woolly_mcpdiag.logs.formats.pairs import pairs
from woolly_mcpdiag.logs.formats.rows import Row, Rows
from woolly_mcpdiag.logs.framing import Framing, framings_of, label
from woolly_mcpdiag.logs.record import Record
from woolly_mcpdiag.logs.stamps import Stamps, number
from woolly_mcpdiag.logs.unwrap import Unwrapper, may_open

_COLOUR = re.compile(r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,2048}(?:\x07|\x1b\\)|[@-Z\\^_])")
_decode = json.JSONDecoder().raw_decode
_DEEPEST = 2
_INDENT = frozenset(" \t")
"""First characters of lines that continue a record, where rich does not write the log."""
_LEVEL_HEADS = frozenset({"INFO", "WARN", "ERRO", "DEBU", "CRIT", "FATA", "TRAC"})
"""Beginnings of an indented line that may be a record all the same (fastapi-cli)."""
DOCKER_CUT = 16 * 1024
"""Docker's json-file driver cuts longer lines into entries of this many bytes without a newline at their end."""
_LONGEST = 1 << 20
TRACEBACK = "Traceback (most recent call last):"
"""A line that no format reads."""
_PRIORITIES = ("CRITICAL", "CRITICAL", "CRITICAL", "ERROR", "WARNING", "INFO", "INFO", "DEBUG")


@dataclass(slots=True)
class _Stream:
    """What is remembered of one service's lines."""

    service: str
    rich: Unwrapper
    recent: list[Format] = field(default_factory=list)
    """Formats that matched, the last one first."""
    framing: Framing | None = None
    """The framing inside this one that matched last."""
    begun: bool = False
    """True once a record was seen, so that a line without prefix continues it."""
    partial: list[str] = field(default_factory=list)
    """Pieces of a line that its framing cut."""
    outer: "_Outer | None" = None
    """The framing of the line that is held back (a cut line, or a record of rich's)."""


@dataclass(slots=True)
class _Outer:
    """What is known of a line before its own format is read."""

    line: int
    raw: str
    time: int = NO_TIME
    zoned: bool = False
    stamp: str = ""
    """A time not yet read: most lines have one of their own, which is preferred."""
    framing: str = ""
    span: int = 1
    level: str = ""


class Reader:
    """Reads the lines of one file in order; it learns the file's framing and formats on the way.

    ``day`` is the (UTC) day the file was last written to: it dates stamps without a year or without a date.
    ``year`` does so for stamps without a year where the day is not known.

    The spans of all records returned, ``flush`` included, add up to the number of lines given.
    """

    def __init__(self, *, year: int | None = None, day: date | None = None) -> None:
        self._stamps = Stamps(year=year, day=day)
        self._rows = Rows(self._stamps)
        self._plain = self._last = _Stream("", Unwrapper(self._stamps))
        self._streams: dict[tuple[int, str], _Stream] = {(0, ""): self._plain}
        self._formats: Counter[str] = Counter()
        self._framings: Counter[str] = Counter()

    def formats_seen(self) -> list[str]:
        """Return the names of the record formats seen, the most frequent first."""
        return [name for name, _ in self._formats.most_common() if name]

    def framings_seen(self) -> list[str]:
        """Return the names of the framings seen, the most frequent first; ``compose/cri`` where one is in another."""
        return [name for name, _ in self._framings.most_common() if name]

    def read(self, raw: bytes | str, line: int) -> list[Record]:
        """Return the records that a line completes: none while one is being joined, several for a JSON traceback.

        ``line`` is the line's 1-based number. Nothing raises: a line that fits no format is a record without one.
        """
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
        shown = text = text.rstrip("\r\n")
        if "\x1b" in text:
            text = _COLOUR.sub("", text)
        plain = self._plain
        if plain.recent and plain.framing is None and not plain.rich.pending and text[:1] != "{":
            one = plain.recent[0]
            match = one.match(text)
            if match is not None and one.name != "logfmt":
                self._last = plain
                return [self._record(match, one, plain, line, shown)]
            if text == TRACEBACK or (text[:1] in _INDENT and self.continues(text)):
                # Tracebacks: trying every format on each of their lines costs ten times as much.
                self.skip()
                return [Record(line, text, NO_TIME, "", "", "", "", "", False, 1, NO_FIELDS, False, shown)]
        if text[:1] == "\0":
            text = text.lstrip("\0")  # a hole that copytruncate leaves at the start of a file
        return self._any(text[:_LONGEST], plain, _Outer(line, shown), 0)

    def cut(self) -> list[str]:
        """Return the first lines of those that were cut and whose last piece has not come."""
        return [one.outer.raw for one in self._streams.values() if one.partial and one.outer is not None]

    def continues(self, text: str) -> bool:
        """Say whether an indented line can only go on with the record before it."""
        return text.lstrip()[:4] not in _LEVEL_HEADS and not self._formats["rich"]

    def unframed(self) -> Format | None:
        """Return the format of the record read last where its line stands bare in the log and is read to its end."""
        plain = self._plain
        return plain.recent[0] if plain.recent and plain.framing is None and not plain.rich.pending else None

    def skip(self) -> None:
        """Take note of a bare line that goes on with the record before it."""
        self._last = self._plain
        self._formats[""] += 1

    def flush(self, *, cut: bool = True) -> list[Record]:
        """Return what is still held back at the end of the input; without ``cut``, pieces of cut lines stay."""
        out: list[Record] = []
        for stream in list(self._streams.values()):
            if cut and stream.partial and stream.outer is not None:
                text, stream.partial = "".join(stream.partial), []
                out += self._inner(text, stream, stream.outer)
            out += self._release(stream)
        return sorted(out, key=lambda record: record.line)

    def _any(self, text: str, stream: _Stream, outer: _Outer, depth: int) -> list[Record]:
        """Read a line that may be framed, as JSON or otherwise."""
        if text[:1] == "{" and (row := _object(text)) is not None:
            return self._object(row, text, stream, outer, depth)
        if depth < _DEEPEST:
            if (
                depth
                and stream.framing is None
                and stream.recent
                and (match := stream.recent[0].match(text)) is not None
            ):
                return self._read_as(match, stream.recent[0], text, stream, outer)
            if (framed := self._unframe(text, stream)) is not None:
                return self._framed(*framed, stream, outer, depth)
            if stream.framing is not None and text[:1].isspace():
                stream = self._last  # journald indents the further lines of a message without framing them
        return self._inner(text, stream, outer)

    def _unframe(self, text: str, stream: _Stream) -> tuple[Framing, re.Match[str]] | None:
        known = stream.framing
        if known is not None and (match := known.match(text)) is not None:
            return known, match
        first = "<" if text[:1] == "<" else start_of(text)
        for framing in framings_of(first):
            if framing is known or (match := framing.match(text)) is None:
                continue
            if not framing.weak or self._is_record(match["text"]):
                stream.framing = framing
                return framing, match
        return None

    @staticmethod
    def _is_record(text: str) -> bool:
        return text[:1] == "{" or any(one.match(text) for one in possible(text))

    def _framed(
        self, framing: Framing, match: re.Match[str], stream: _Stream, outer: _Outer, depth: int
    ) -> list[Record]:
        service, stamp, part, text = match.group(*framing.order)
        _frame(outer, framing.name, stamp or "")
        inner = self._inside(stream, service, depth)
        if part == "P":
            _hold(inner, text or "", outer)
            return []
        return self._any(_joined(inner, text or "", outer), inner, outer, depth + 1)

    def _inside(self, stream: _Stream, service: str, depth: int) -> _Stream:
        key = (depth + 1, service or stream.service)
        found = self._streams.get(key)
        if found is None:
            if len(self._streams) >= _MOST_STREAMS:
                return stream
            found = self._streams[key] = _Stream(label(service) or stream.service, Unwrapper(self._stamps))
        return found

    def _object(self, row: dict[str, Any], text: str, stream: _Stream, outer: _Outer, depth: int) -> list[Record]:
        """Read a JSON object: a framing (docker, journald), a record, or neither."""
        log = row.get("log")
        if depth < _DEEPEST and isinstance(log, str) and "level" not in row and ("time" in row or "stream" in row):
            return self._docker(row, log, stream, outer, depth)
        if depth < _DEEPEST and "MESSAGE" in row and "__REALTIME_TIMESTAMP" in row:
            return self._journal(row, stream, outer, depth)
        read = self._rows.read(row)
        if read is None:
            return self._inner(text, stream, outer)
        if read.bare and depth < _DEEPEST:
            return self._wrapped(read, stream, outer, depth)
        return self._row(read, "json", stream, outer)

    def _docker(self, row: dict[str, Any], log: str, stream: _Stream, outer: _Outer, depth: int) -> list[Record]:
        stamp = row.get("time")
        _frame(outer, "docker-json", stamp if isinstance(stamp, str) else "")
        inner = self._inside(stream, "", depth)
        if not log.endswith("\n") and len(log) * 4 >= DOCKER_CUT and len(log.encode("utf-8", "replace")) >= DOCKER_CUT:
            _hold(inner, log, outer)
            return []
        return self._any(_joined(inner, log.rstrip("\r\n"), outer), inner, outer, depth + 1)

    def _journal(self, row: dict[str, Any], stream: _Stream, outer: _Outer, depth: int) -> list[Record]:
        _frame(outer, "journald-json", "")
        stamp = row["__REALTIME_TIMESTAMP"]
        if isinstance(stamp, str | int) and str(stamp)[:20].isdecimal():
            outer.time, outer.zoned, outer.stamp = number(int(str(stamp)[:20])), True, ""
        unit = row.get("_SYSTEMD_UNIT") or row.get("SYSLOG_IDENTIFIER") or ""
        priority = str(row.get("PRIORITY", ""))
        outer.level = _PRIORITIES[int(priority)] if priority in _PRIORITY_DIGITS else ""
        inner = self._inside(stream, str(unit).removesuffix(".service"), depth)
        return self._lines_inside(_journal_text(row["MESSAGE"]), inner, outer, depth)

    def _lines_inside(self, text: str, inner: _Stream, outer: _Outer, depth: int) -> list[Record]:
        out: list[Record] = []
        for each in text.rstrip("\r\n").split("\n"):
            out += self._any(each, inner, outer, depth + 1)
            outer = replace(outer, span=0)
        return out

    def _wrapped(self, row: Row, stream: _Stream, outer: _Outer, depth: int) -> list[Record]:
        """Read an object that only carries a line (filebeat, GCP textPayload) as a framing of that line."""
        if not self._is_record(row.message):
            return self._row(row, "json", stream, outer)
        if row.time != NO_TIME:
            outer.time, outer.zoned, outer.stamp = row.time, row.zoned, ""
        _frame(outer, "json", "")
        return self._lines_inside(row.message, self._inside(stream, "", depth), outer, depth)

    def _row(self, row: Row, name: str, stream: _Stream, outer: _Outer) -> list[Record]:
        out = self._release(stream)
        stream.begun = True
        self._formats[name] += 1
        message, *more = row.message.rstrip("\r\n").split("\n") if "\n" in row.message else (row.message,)
        first = Record(
            outer.line,
            message,
            row.time,
            row.level,
            row.logger,
            "",
            name,
            "",
            True,
            1,
            row.fields,
            row.zoned,
            outer.raw,
        )
        out.append(self._under(first, stream, outer))
        for text in (*more, *row.stack):
            out.append(
                Record(
                    outer.line, text, first.time, first.level, first.logger, first.service, name, first.framing,
                    False, 0, NO_FIELDS, first.zoned, outer.raw,
                )
            )  # fmt: skip
        return out

    def _inner(self, text: str, stream: _Stream, outer: _Outer) -> list[Record]:
        """Read a line that has no framing (any more)."""
        self._last = stream
        rich = stream.rich
        if rich.pending and rich.extend(text, outer.line, outer.span):
            return []
        out = self._release(stream)
        start = start_of(text)
        if (start in {"[", " "} or may_open(text)) and rich.open(text, outer.line, outer.raw, outer.span):
            stream.begun, stream.outer = True, outer
            self._formats["rich"] += 1
            return out
        for one in stream.recent:
            if start in one.starts and (match := one.match(text)) is not None:
                return out + self._read_as(match, one, text, stream, outer)
        for one in possible(text):
            if one not in stream.recent and (match := one.match(text)) is not None:
                return out + self._read_as(match, one, text, stream, outer)
        self._formats[""] += 1
        bare = Record(outer.line, text, NO_TIME, "", "", "", "", "", not stream.begun, 1, NO_FIELDS, False, outer.raw)
        out.append(self._under(bare, stream, outer))
        return out

    def _read_as(self, match: re.Match[str], one: Format, text: str, stream: _Stream, outer: _Outer) -> list[Record]:
        self._last = stream
        out = self._release(stream)
        recent = stream.recent
        if not recent or recent[0] is not one:
            if one in recent:
                recent.remove(one)
            recent.insert(0, one)
        if one.name == "logfmt" and (row := self._rows.read(pairs(text))) is not None:
            return out + self._row(row, one.name, stream, outer)
        record = self._record(match, one, stream, outer.line, outer.raw)
        out.append(self._under(record, stream, outer))
        return out

    def _record(self, match: re.Match[str], one: Format, stream: _Stream, line: int, raw: str) -> Record:
        stamp, level, logger, message = match.group(*one.order)
        fields: Mapping[str, object] = NO_FIELDS
        if one.refine is not None:
            message, logger, fields = one.refine(message, logger)
        time, zoned = self._stamps.text(stamp) if stamp else (NO_TIME, False)
        if level:
            level = LEVELS.get(level) or LEVELS.get(level.lower(), level.upper())
        stream.begun = True
        self._formats[one.name] += 1
        return Record(line, message, time, level, logger or "", "", one.name, "", True, 1, fields, zoned, raw)

    def _under(self, record: Record, stream: _Stream, outer: _Outer) -> Record:
        """Add to a record what its framing says and it does not say itself."""
        record.service = stream.service
        record.span = outer.span
        if outer.framing:
            record.framing = outer.framing
            self._framings[outer.framing] += 1
            if not record.level:
                record.level = outer.level
            if record.time == NO_TIME:
                record.time, record.zoned = self._stamps.text(outer.stamp) if outer.stamp else (outer.time, outer.zoned)
        return record

    def _release(self, stream: _Stream) -> list[Record]:
        if not stream.rich.pending:
            return []
        out = stream.rich.take()
        if stream.outer is not None:
            for record in out:
                self._under(record, stream, replace(stream.outer, span=record.span))
        return out


_MOST_STREAMS = 4096
_PRIORITY_DIGITS = frozenset("01234567")


def _object(text: str) -> dict[str, Any] | None:
    try:
        row, end = _decode(text)
        if has_halves(text):
            row = whole(row)
    except (ValueError, RecursionError):
        return None
    if "\\u001" in text and isinstance(row, dict):
        row = {key: _COLOUR.sub("", value) if isinstance(value, str) else value for key, value in row.items()}
    return row if isinstance(row, dict) and row and not text[end:].strip() else None


def _frame(outer: _Outer, framing: str, stamp: str) -> None:
    outer.framing = f"{outer.framing}/{framing}" if outer.framing else framing
    if stamp and stamp != "-":
        outer.stamp = stamp


def _journal_text(message: object) -> str:
    """Return a journal field: text, or an array of bytes where it is not printable."""
    if isinstance(message, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in message):
        return _COLOUR.sub("", bytes(message).decode("utf-8", "replace"))
    return message if isinstance(message, str) else str(message)


def _hold(stream: _Stream, text: str, outer: _Outer) -> None:
    """Keep a piece of a cut line, up to the length of the longest line we read."""
    if stream.partial and stream.outer is not None:
        stream.outer.span += outer.span
        if sum(map(len, stream.partial)) < _LONGEST:
            stream.partial.append(text)
    else:
        stream.outer, stream.partial = outer, [text]


def _joined(stream: _Stream, text: str, outer: _Outer) -> str:
    """Return the whole of a cut line at its last piece; other lines are whole already."""
    if not stream.partial or stream.outer is None:
        return text
    pieces, stream.partial = stream.partial, []
    outer.line, outer.raw, outer.span = stream.outer.line, stream.outer.raw, stream.outer.span + outer.span
    return "".join((*pieces, text))[:_LONGEST]
