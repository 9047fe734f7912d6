"""The one place for making text that came from a log harmless: each format has its own escape."""

import re

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF, 0xFFFE, 0xFFFF)
_VISIBLE: dict[int, str] = {
    **{code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))},
    **{code: f"\\u{code:04x}" for code in (*_BIDI, *range(0xD800, 0xE000))},
    **{0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)},
    0x09: "  ",
    0x0A: "\\n",
    0x0D: "\\r",
}
_BROKEN = {code: _VISIBLE[code] for code in range(0xD800, 0xE000)}
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~&$])")
_MENTION = re.compile(r"(?<=[@#])(?=\w)|(?<=[Gg][Hh])(?=-\d)")
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
LONGEST = 2_000
"""Characters of one line of evidence that a page or a file shows."""
_UNIT = re.compile(r"(?<=\d) (?=(?:%|µs|ms|s|min|h|MB|kB|B)(?!\w))")
_WORD_JOINER = "\u2060"


def printable(text: str) -> str:
    """Return one line without colour codes in which every control, bidi or broken character shows as an escape.

    The characters that remain are legal in XML 1.0, and no terminal acts on them.
    """
    return _COLOUR.sub("", text).translate(_VISIBLE)


def glued(text: str) -> str:
    """Return the text with no-break spaces between a figure and its unit, so that no line break parts them."""
    return _UNIT.sub("\u00a0", text)


def clipped(text: str, longest: int = LONGEST) -> str:
    """Return the text, or its beginning and end with how much was left out between."""
    if len(text) <= longest:
        return text
    return f"{text[: longest // 2]} … {len(text) - longest:,} characters … {text[-longest // 2 :]}"


def sound(text: str) -> str:
    """Return text that UTF-8 can carry: a byte that was no text, or half a character, becomes a visible escape."""
    return text if text.isascii() else text.translate(_BROKEN)


def html(text: str) -> str:
    """Return the text for an HTML or SVG text node or a quoted attribute."""
    from html import escape  # noqa: PLC0415 - its table of entities takes 2 ms, and text has no use for it

    return escape(printable(text), quote=True)


def html_prose(text: str) -> str:
    """Return HTML in which `` `code` `` of our own texts stands in ``<code>``."""
    return _CODE.sub(r"<code>\1</code>", html(glued(text)))


def xml(text: str) -> str:
    """Return text for an XML 1.0 text node or a quoted attribute; line breaks of the text stay."""
    return "\n".join(html(line) for line in text.split("\n"))


def markdown(text: str) -> str:
    """Return one line of Markdown that shows the text: no markup, table cell, mention or issue link arises."""
    escaped = _MARKDOWN.sub(r"\\\1", printable(text))
    return _MENTION.sub(_WORD_JOINER, escaped)


def markdown_prose(text: str, *, cell: bool = False) -> str:
    """Return Markdown in which `` `code` `` of our own texts stays code and the rest is escaped."""
    parts = _CODE.split(text)
    return "".join(markdown_code(part, cell=cell) if i % 2 else markdown(part) for i, part in enumerate(parts)).strip()


def markdown_code(text: str, *, cell: bool = False) -> str:
    """Return a code span whose fence is longer than any run of backticks inside; a table cell escapes pipes."""
    shown = printable(text).replace("|", "\\|") if cell else printable(text)
    fence = "`" * (_longest_run(shown) + 1)
    pad = " " if shown[:1] in {"`", " "} or shown[-1:] in {"`", " "} else ""
    return f"{fence}{pad}{shown}{pad}{fence}" if shown else ""


def markdown_block(lines: list[str]) -> list[str]:
    """Return a fenced block of verbatim lines."""
    shown = [printable(line) for line in lines]
    fence = "`" * max(3, _longest_run("\n".join(shown)) + 1)
    return [f"{fence}text", *shown, fence]


def workflow(text: str) -> str:
    """Return the message part of a workflow command."""
    return "%0A".join(printable(line).replace("%", "%25") for line in text.split("\n"))


def workflow_property(text: str) -> str:
    """Return a property value of a workflow command."""
    return workflow(text).replace(":", "%3A").replace(",", "%2C")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
