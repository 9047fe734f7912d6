"""The one place for lines of styled text: their width, wrapping and cutting, and their form without Unicode."""

import re
import unicodedata
from collections.abc import Iterable

from woolly_mcpdiag.report.escape import glued, printable

Span = tuple[str, str]
"""Text and the name of its style."""
Line = tuple[Span, ...]
BLANK: Line = ()

_INFORMATIVE = re.compile(r"\"?HTTP/[\d.]+\"? [1-5]\d\d|\" [45]\d\d\b|\b[A-Z]\w*(?:Error|Timeout|Exception)\b")
_MARGIN = 8
_ASCII = str.maketrans(
    {
        **dict(zip("✗✓█·○◇≈┤│▁▂▃▄▅▆▇…–—×→≥≤µ\u00a0’“”", 'xv#.or~||_.-:=+*~--x>><u \'""', strict=True)),  # noqa: RUF001
        "\u2060": "",
        "∷": ": :",
    }
)


def cells(text: str) -> int:
    """Return how many terminal cells the text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def take(text: str, width: int, *, end: bool = False) -> str:
    """Return the first (or last) characters that fit into that many cells."""
    if text.isascii():
        return text[len(text) - width :] if end and width < len(text) else text[: max(width, 0)]
    chars = list(reversed(text)) if end else list(text)
    used = 0
    for index, char in enumerate(chars):
        used += _cells(char)
        if used > width:
            chars = chars[:index]
            break
    return "".join(reversed(chars) if end else chars)


def pad(text: str, width: int) -> str:
    """Return the text cut at its end or filled with spaces to exactly that many cells."""
    shown = text if cells(text) <= width else take(text, width - 1) + "…"
    return shown + " " * (width - cells(shown))


def cut(text: str, width: int) -> str:
    """Return a line shortened in its middle with "…"; what names a status or an exception stays."""
    if cells(text) <= width:
        return text
    head, tail = take(text, (width - 1) * 2 // 5), take(text, width - 1 - (width - 1) * 2 // 5, end=True)
    found = next(
        (m for m in _INFORMATIVE.finditer(text) if m.start() > len(head) - 4 and m.end() < len(text) - len(tail) + 4),
        None,
    )
    if found is None or width < 40:
        return f"{head}…{tail}"
    middle = text[max(0, found.start() - _MARGIN) : found.end() + _MARGIN]
    rest = max(width - 2 - cells(middle), 2)
    head, tail = take(text, rest * 3 // 5), take(text, rest - rest * 3 // 5, end=True)
    return take(f"{head}…{middle}…{tail}", width)


def wrap(text: str, width: int) -> list[str]:
    """Return the text in lines of at most that many cells, broken at spaces; a longer word is broken anywhere."""
    lines, line, used = [], "", 0
    for word in _words(printable(glued(text)).split(" "), max(width, 8)):
        size = cells(word)
        if line and used + 1 + size > width:
            lines.append(line)
            line, used = word, size
        else:
            line, used = (f"{line} {word}", used + 1 + size) if line else (word, size)
    return [piece.replace("\u00a0", " ") for piece in (*lines, line) if piece]


def _words(words: Iterable[str], width: int) -> Iterable[str]:
    for word in words:
        left = word
        while cells(left) > width:
            part = take(left, width) or left[:1]
            yield part
            left = left[len(part) :]
        if left:
            yield left


def paragraph(text: str, width: int, *, lead: str = "", indent: int | None = None, style: str = "") -> list[Line]:
    """Return wrapped lines: the first begins with the lead, the others are indented (by the lead's width)."""
    hang = cells(lead) if indent is None else indent
    lines = wrap(text, width - max(hang, cells(lead)))
    return [((lead if n == 0 else " " * hang, "dim"), (line, style)) for n, line in enumerate(lines)]


def guarded(line: Line) -> Line:
    """Return the line so that it does not begin with "::", which a CI runner that shows it would obey."""
    for n, (text, style) in enumerate(line):
        bare = text.lstrip()
        if bare:
            if not bare.startswith("::"):
                return line
            return (*line[:n], (text.replace("::", "∷", 1), style), *line[n + 1 :])
    return line


def plain(lines: Iterable[Line]) -> str:
    """Return the lines as text without styles or trailing spaces."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def to_ascii(text: str) -> str:
    """Return the text for a terminal without Unicode: our marks become ASCII ones, anything else an escape."""
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")
