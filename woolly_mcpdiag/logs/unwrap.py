"""The one place for rich's columns: joins the lines of a record that its handler wrapped at the width of a terminal."""

import re
from dataclasses import dataclass, field

from woolly_mcpdiag.logs.batch import NO_TIME
from woolly_mcpdiag.logs.formats.format import LEVELS, NO_FIELDS, STAMP
from woolly_mcpdiag.logs.record import Record
from woolly_mcpdiag.logs.stamps import Stamps

_US_DATE = r"\d\d/\d\d/(?:\d\d|\d{4})"
_FIRST = re.compile(
    rf"(?:(?:\[(?P<time>(?P<us>{_US_DATE}) \d\d:\d\d:\d\d(?: [AP]M)?|{STAMP})\]"
    r"|(?P<plain>[^ \[]\S{0,40}(?: \S{1,40}){0,5}?|\[[^\]]{4,40}\])| {4,42}) "
    r"|)(?P<level>(?:TRACE|DEBUG|ERROR)   |(?:INFO|TRACE)    |WARNING |NOTSET  |SUCCESS |CRITICAL) (?=\S)"
)
_PATH = re.compile(r"[\w.\-<>]{1,120}\.py:\d{1,7}\Z")
_BOX = "╭╰│┌└├❱"
_DEFAULT_WIDTH = 80
_MOST_LINES = 500


def may_open(text: str) -> bool:
    """Tell cheaply whether ``Unwrapper.open`` could take a line that begins with neither a bracket nor a space."""
    return ".py:" in text or _is_padded(text)


def _is_padded(text: str) -> bool:
    return len(text) == _DEFAULT_WIDTH and text.endswith(" ")


@dataclass(slots=True)
class _Line:
    """One logical line: the pieces it was wrapped into."""

    number: int
    text: str
    last: str
    """The piece that ``text`` ends with."""
    span: int = 1


@dataclass(slots=True)
class Unwrapper:
    """Joins the wrapped lines of one stream. A record is held back until a line comes that is not its own.

    The handler prints four columns: time (blank while it stays the same), level, message, and the path at the right
    edge of its record's first line. The message column is as wide as that path leaves it, so it differs by record.
    """

    stamps: Stamps
    pending: bool = False
    _first: Record | None = None
    _lines: list[_Line] = field(default_factory=list)
    _column: int = 0
    _width: int = 0
    _time: int = NO_TIME
    _stamp: str = ""
    _time_column: int = 0
    _screen: int = _DEFAULT_WIDTH

    def open(self, text: str, number: int, raw: str, span: int = 1) -> bool:
        """Begin a record if this is the first line of one; the record before must have been taken."""
        match = _FIRST.match(text)
        if match is None:
            return False
        column = match.end()
        stripped = text.rstrip()
        edge = stripped.rfind(" ")
        path = stripped[edge + 1 :]
        at_edge = edge >= column and _PATH.match(path) is not None
        stamp = match["time"] or match["plain"]
        known = column == self._time_column and (stamp is None or match["plain"] is not None)
        if not (at_edge or match["us"] or known or (match["plain"] and _is_padded(text))):
            return False
        if stamp:
            self._time_column = column
            self._read_stamp(stamp.strip("[]"))
        elif column != self._time_column:
            self._time = NO_TIME
        if at_edge:
            self._screen = len(stripped)
        elif len(text) > len(stripped):
            self._screen = len(text)
        self._column = column
        self._width = max((edge if at_edge else self._screen) - column, 1)
        message = stripped[column:edge].rstrip() if at_edge else stripped[column:]
        level = match["level"].rstrip()
        self._first = Record(
            number, message, self._time, LEVELS.get(level, level), "", "", "rich", "", True, 1, NO_FIELDS, False, raw
        )
        self._lines = [_Line(number, message, message, span)]
        self.pending = True
        return True

    def _read_stamp(self, stamp: str) -> None:
        if stamp != self._stamp:
            self._stamp, (self._time, _) = stamp, self.stamps.text(stamp)

    def extend(self, text: str, number: int, span: int = 1) -> bool:
        """Take a line into the record that is held back; ``False`` where it is not part of it."""
        column, end = self._column, self._column + self._width
        if text[:column].strip(" ") or len(text) <= column or len(self._lines) >= _MOST_LINES or text[end:].strip():
            return False
        if _FIRST.match(text) is not None:
            return False
        piece = text[column:end].rstrip()
        last = self._lines[-1]
        if self._is_new(last, piece):
            self._lines.append(_Line(number, piece, piece, span))
        else:
            glue = "" if self._is_cut(last.last, piece) else " "
            last.text = f"{last.text}{glue}{piece}"
            last.last = piece
            last.span += span
        return True

    def _is_new(self, last: _Line, piece: str) -> bool:
        """Tell a line break of the message from one of the wrapping, made only where the next word did not fit."""
        if not piece or not last.last or piece[0] in _BOX or piece[0] == " " or last.last[0] in _BOX:
            return True
        word = piece.partition(" ")[0]
        return len(last.last) + 1 + len(word) <= self._width

    def _is_cut(self, last: str, piece: str) -> bool:
        """Tell a word cut in two (longer than the column) from two words."""
        if len(last) < self._width or piece[0] == '"':
            return False
        return " " not in last.lstrip() or "://" in last.rpartition(" ")[2]

    def take(self) -> list[Record]:
        """Return the record that was held back and its further lines, and hold nothing."""
        first, self._first, self.pending = self._first, None, False
        if first is None:
            return []
        head, *rest = self._lines
        self._lines = []
        first.message, first.span = head.text, head.span
        continued = [
            Record(
                line.number,
                line.text,
                first.time,
                first.level,
                "",
                "",
                "rich",
                "",
                False,
                line.span,
                NO_FIELDS,
                False,
                line.text,
            )
            for line in rest
        ]
        return [first, *continued]
