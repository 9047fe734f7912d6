"""The one place that hands slow lines to the line engine, which reads the prefix of a line only where it must.

A line under a known head is a record of which all but message and time is known; lines that go on with a record may be
known from before (``Continued``).
"""

import json
import re
from dataclasses import dataclass, replace

from woolly_mcpdiag.logs.batch import NO_TIME
from woolly_mcpdiag.logs.formats.format import NO_FIELDS
from woolly_mcpdiag.logs.reader import _Stream
from woolly_mcpdiag.logs.record import Record
from woolly_mcpdiag.logs.scan.continued import Continued
from woolly_mcpdiag.logs.scan.exact import Exact
from woolly_mcpdiag.logs.scan.frames import Frame
from woolly_mcpdiag.logs.scan.heads import Head
from woolly_mcpdiag.logs.scan.lines import Lines
from woolly_mcpdiag.logs.scan.pieces import is_cut
from woolly_mcpdiag.logs.scan.prefixes import Prefixes
from woolly_mcpdiag.logs.scan.prose import is_bare, prose
from woolly_mcpdiag.logs.scan.words import At

_ANY = b""
_TIMES = b"0123456789SMTWFJADON"
"""How a time begins: with a digit, a day or a month."""
SURE = {
    "asctime-dash": _ANY,
    "asctime-bracket": _ANY,
    "asctime-colon": _ANY,
    "asctime-level-in-brackets-after": _ANY,
    "asctime-dash-level-first": _ANY,
    "asctime-basic": _ANY,
    "asctime-words": b" -",
    "pipe": _ANY,
    "pipe-name-first": _ANY,
    "basic": _ANY,
    "uvicorn": b" " + _TIMES,
    "level-name": _ANY,
    "json": _ANY,
}
"""Formats whose prefix is one whatever message follows, unless the message begins with one of these bytes."""
_NOTHING_BEFORE = "\n"
"""Framing of bare lines in a log of which no format was seen."""
_HALVES = ("\\ud", "\\uD")
_DIGIT = re.compile(r"\d")
_LONGEST = 1 << 16
_GOES_ON = frozenset({b" ", b"T"})
"""How most lines of a traceback begin."""


@dataclass(slots=True)
class _Known:
    """All that records under a head have in common."""

    record: Record
    unlike: bytes
    stream: _Stream
    frame: Frame | None
    framing: str
    structured: bool


@dataclass(slots=True)
class Slow:
    """The slow lines of a block, one place a line in each list."""

    data: memoryview
    first: int
    """Number of the block's first line."""
    place: list[int]
    """Which line of the block it is."""
    head: list[int]
    time: list[int]
    odd: list[bool]
    says: list[bool]
    """Whether it may say something, for lines without a head."""
    start: list[int]
    end: list[int]
    message: list[int]
    until: list[int]

    @staticmethod
    def of(lines: Lines, rows: At, times: At, first: int) -> "Slow":
        """Return some lines of a block, with the times of those under a head."""
        block = lines.block
        odd = block.odd[rows]
        return Slow(
            memoryview(block.data),  # type: ignore[arg-type]
            first,
            rows.tolist(),
            lines.head[rows].tolist(),
            times.tolist(),
            odd.tolist(),
            (lines.open[rows] | odd).tolist(),
            *(place[rows].tolist() for place in (block.start, block.end, lines.message, lines.until)),
        )


class Records:
    """Gives lines to the line engine, each record as a whole."""

    def __init__(self, exact: Exact, prefixes: Prefixes) -> None:
        self._exact = exact
        self._engine = exact.engine
        self._reader = exact.engine._reader
        self._recogniser = exact.engine._recogniser
        self._prefixes = prefixes
        self._continued = Continued(exact.engine)
        self._known: dict[int, _Known | None] = {}

    def begin(self, number: int) -> None:
        """Tell the line engine that records under a head have been read."""
        head = self._prefixes.heads[number]
        self._known[number] = self._of(head, self._exact.begin(head))

    def _of(self, head: Head, stream: _Stream) -> _Known | None:
        unlike = SURE.get(head.format)
        prefix = head.layout.text + head.text
        if unlike is None or not prefix.isascii() or (head.fields and _DIGIT.search(head.record.logger)):
            return None
        if head.structured != (head.format == "json"):
            return None
        frame = Frame.of(head.sample, head.framing) if head.framing and not head.structured else None
        if head.framing and frame is None and (not head.structured or is_cut(head.framing)):
            return None
        return _Known(head.record, unlike, stream, frame, head.framing, head.structured)

    def feed(self, slow: Slow, index: int, count: int) -> None:
        """Read lines from one index up to another."""
        data, start, end, place, head = slow.data, slow.start, slow.end, slow.place, slow.head
        rich = self._reader._plain.rich
        while index < count:
            begin = start[index]
            raw = bytes(data[begin : end[index]])
            number = slow.first + place[index]
            known = self._known.get(head[index]) if not slow.odd[index] else None
            if known is None or not self._record(
                known, raw, slice(slow.message[index] - begin, slow.until[index] - begin), number, slow.time[index]
            ):
                self._line(raw, number)
            index += 1
            stop = index
            while stop < count and head[stop] < 0 and place[stop] == place[stop - 1] + 1:
                stop += 1
            if stop > index:
                raws = [bytes(data[start[at] : end[at]]) for at in range(index, stop)]
                self._go_on(raws, slow.says[index:stop], slow.first + place[index], known)
                index = stop
            if rich.pending and (index == len(place) or place[index] > place[index - 1] + 1):
                self._release()

    def _release(self) -> None:
        """Give the line engine a record of rich's that waits for the next line, which is read fast."""
        for record in self._reader._release(self._reader._plain):
            self._engine.take_record(record)

    def _record(self, known: _Known, raw: bytes, said: slice, number: int, time: int) -> bool:
        """Read a record whose message is known; False (and nothing done) where its prefix must be read."""
        stream, like, reader = known.stream, known.record, self._reader
        if (time == NO_TIME and like.time != NO_TIME) or len(raw) > _LONGEST or reader._formats.get("rich"):
            return False
        if stream.rich.pending or stream.partial:
            return False
        if known.structured:
            return self._object(known, raw, said, number, time)
        recent = stream.recent
        if not recent or recent[0].name != like.format or stream.framing is not None:
            return False
        if raw[said][:1] in known.unlike:
            return False
        if known.frame is None and reader._plain is not stream:
            return False
        shown = raw.decode("utf-8", "replace")
        record = Record(
            number, shown[said.start :], time, like.level, like.logger, like.service, like.format, known.framing,
            True, 1, NO_FIELDS, like.zoned, shown,
        )  # fmt: skip
        reader._last = stream
        self._count(known)
        self._engine.take_record(record)
        return True

    def _count(self, known: _Known) -> None:
        self._reader._formats[known.record.format] += 1
        if known.framing:
            self._reader._framings[known.framing] += 1

    def _object(self, known: _Known, raw: bytes, said: slice, number: int, time: int) -> bool:
        like, shown = known.record, raw.decode("utf-8", "replace")
        message = _said(raw[said].decode("utf-8", "replace")) if raw[said.stop : said.stop + 1] == b'"' else None
        if message is None:
            return False
        self._count(known)
        record = Record(
            number, message, time, like.level, like.logger, like.service, like.format, known.framing,
            True, 1, NO_FIELDS, like.zoned, shown,
        )  # fmt: skip
        if "\n" not in message and not message.endswith("\r"):
            self._engine.take_record(record)
            return True
        for text in message.rstrip("\r\n").split("\n"):
            record.message = text
            self._engine.take_record(record)
            record = replace(record, fresh=False, span=0)
        return True

    def _go_on(self, raws: list[bytes], says: list[bool], first: int, known: _Known | None) -> None:
        """Read lines that go on with the record before them; ``says`` are those that may say something."""
        texts, framing = self._unframed(raws, known)
        if not texts:
            for number, raw in enumerate(raws, first):
                self._line(raw, number)
            return
        done, most = 0, len(raws) - 1
        if most > 1:
            text = b"\n".join(texts[:most])
            if self._apply(text, raws[:most], framing, first, known):
                done = most
            elif self._continued.due(text):
                before = self._state(known)
                self._continued.learn(text, raws[:most], framing, first)
                done = len(raws) if self._changed(before, raws[most:], first + most, known) else most
        while done < len(raws):
            stop = done
            while stop < len(raws) and not says[stop] and is_bare(texts[stop]):
                stop += 1
            if stop > done + 1 and self._prose(texts[done:stop], raws[done:stop], known):
                done = stop
                continue
            line, alone = texts[done], raws[done : done + 1]
            if not self._apply(line, alone, framing, first + done, known):
                before = self._state(known)
                self._one(line, alone, framing, first + done, known, text=done < stop)
                if self._changed(before, raws[done + 1 :], first + done + 1, known):
                    return
            done += 1

    def _changed(self, before: tuple[object, ...], raws: list[bytes], first: int, known: _Known | None) -> bool:
        """Say whether a line just read opened a framing, or a record of rich's; then read the rest, which depends."""
        if self._state(known) == before:
            return False
        for number, raw in enumerate(raws, first):
            self._line(raw, number)
        return True

    def _one(
        self, line: bytes, raw: list[bytes], framing: str, number: int, known: _Known | None, *, text: bool
    ) -> None:
        """Read a line that is not known; ``text`` says whether it may be mere text."""
        if self._continued.due(line):
            self._continued.learn(line, raw, framing, number)
        elif not (text and self._prose([line], raw, known)):
            self._line(raw[0], number)

    def _prose(self, texts: list[bytes], raws: list[bytes], known: _Known | None) -> bool:
        """Pass over lines that are mere text; False (and nothing done) where they may be more."""
        reader, pending, tally = self._reader, self._recogniser._pending, self._engine._tally
        stream = self._stream(known)
        found = prose(texts, failed=pending is not None) if stream.begun else None
        if found is None:
            return False
        count = len(texts)
        tally.read += count
        if pending is None:
            tally.ignored += count
        else:
            tally.ignored += found.blank
            tally.understood += count - found.blank
            for leaf in found.leaves:
                pending[1].leaf(*leaf)
        reader._formats[""] += count
        self._passed(raws, known)
        return True

    def _stream(self, known: _Known | None) -> _Stream:
        """Return the stream of lines whose framing was taken off."""
        plain = self._reader._plain
        return plain if plain.framing is None or known is None else known.stream

    def _passed(self, raws: list[bytes], known: _Known | None) -> None:
        """Take note of lines that were not read."""
        self._reader._last = stream = self._stream(known)
        if stream is self._reader._plain or known is None or known.frame is None:
            return
        self._reader._framings[known.framing] += len(raws)
        if known.frame.timed:
            for raw in raws:
                self._engine.zones[bool(known.frame.zoned(raw))] += 1

    def _unframed(self, raws: list[bytes], known: _Known | None) -> tuple[list[bytes], str]:
        """Return the lines without their framing, and its name; nothing where the line engine must tell."""
        reader, plain = self._reader, self._reader._plain
        if reader._formats.get("rich") or plain.rich.pending:
            return [], ""
        if plain.framing is None:
            return raws, "" if plain.recent else _NOTHING_BEFORE
        if known is None or (frame := known.frame) is None:
            return [], ""
        stream = known.stream
        if stream.rich.pending or stream.partial or stream.framing is not None or not all(map(frame.holds, raws)):
            return [], ""
        return [raw[frame.size :] for raw in raws], known.framing

    def _state(self, known: _Known | None) -> tuple[object, ...]:
        """Return all on which it depends whether lines may be read without their framing."""
        plain, stream = self._reader._plain, self._stream(known)
        held = plain.rich.pending, stream.rich.pending, bool(stream.partial), bool(self._reader._formats.get("rich"))
        return plain.framing, bool(plain.recent), stream.framing, *held

    def _apply(self, text: bytes, raws: list[bytes], framing: str, first: int, known: _Known | None) -> bool:
        if not self._continued.apply(text, framing, first):
            return False
        self._passed(raws, known)
        return True

    def _line(self, raw: bytes, number: int) -> None:
        if raw[:1] in _GOES_ON and raw.isascii() and (text := raw.decode()).isprintable() and self._engine.go_on(text):
            return
        self._engine.feed(raw, number)


def _said(escaped: str) -> str | None:
    """Return the text of a JSON string, ``None`` where it is none or holds half a character."""
    if "\\" not in escaped:
        return None if '"' in escaped or "\t" in escaped else escaped
    if any(half in escaped for half in _HALVES):
        return None
    try:
        said = json.loads(f'"{escaped}"')
    except ValueError:
        return None
    return said if isinstance(said, str) else None
