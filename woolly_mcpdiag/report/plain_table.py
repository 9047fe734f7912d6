"""The one place for tables in a terminal: aligned columns, and fewer of them where the terminal is narrow."""

from collections.abc import Iterator, Sequence

from woolly_mcpdiag.report.escape import printable
from woolly_mcpdiag.report.plain import Line, Span, cells, pad

_LEAST_NAME = 28
"""Cells of a name that figures give way to: rows that cannot be told apart say nothing."""
_GAP = 2


def table(
    head: Sequence[str], rows: Sequence[Sequence[Span]], width: int, *, spare: Sequence[str] = (), indent: int = 2
) -> Iterator[Line]:
    """Yield a head and rows: the first column is text on the left, the others are figures on the right.

    Columns named in ``spare`` are left out, the first one first, until the rest fits; the first column is then cut.
    """
    shown = _fitting(head, rows, width - indent, spare)
    sizes = [max(cells(head[n]), *(cells(_text(row[n])) for row in rows)) if rows else cells(head[n]) for n in shown]
    sizes[0] = max(min(sizes[0], width - indent - sum(size + _GAP for size in sizes[1:])), 1)
    yield _line([(head[n], "dim") for n in shown], sizes, indent)
    for row in rows:
        yield _line([(_text(row[n]), row[n][1]) for n in shown], sizes, indent)


def _text(span: Span) -> str:
    return printable(span[0])


def _fitting(head: Sequence[str], rows: Sequence[Sequence[Span]], room: int, spare: Sequence[str]) -> list[int]:
    shown = list(range(len(head)))
    widths = [max([cells(head[n]), *(cells(_text(row[n])) for row in rows)]) for n in shown]
    for name in (*spare, None):
        name_width = min(widths[0], _LEAST_NAME)
        if name is None or name_width + sum(widths[n] + _GAP for n in shown[1:]) <= room:
            break
        shown.remove(head.index(name))
    return shown


def _line(row: Sequence[Span], sizes: Sequence[int], indent: int) -> Line:
    spans: list[Span] = [(" " * indent, ""), (pad(row[0][0], sizes[0]), row[0][1])]
    for (text, style), size in zip(row[1:], sizes[1:], strict=True):
        spans += [(" " * (_GAP + size - cells(text)), ""), (text, style)]
    return tuple(spans)
