"""The one place that reads a feed: a CSV file whose rows are used in turn for {feed.COLUMN}."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from woolly_mcpdiag.core.errors import InputError, UsageError

MOST = 1_000_000
"""Rows; they are held in memory and sent to every process."""


def read_feed(path: str | Path) -> tuple[dict[str, str], ...]:
    """Return the rows of a CSV file in UTF-8, each by the names of its header line; empty lines are left out.

    Raises ``InputError`` for a file that cannot be read, has no rows, or has a row that does not fit its header.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as lines:
            return _rows(csv.reader(lines, strict=True), path)
    except OSError as error:
        message = f"--feed {path}: cannot be read: {(error.strerror or str(error)).lower()}"
        raise InputError(message, "name a CSV file with a header line") from None
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"--feed {path}: is no CSV in UTF-8: {error}"
        raise InputError(message, "save it as comma-separated UTF-8 with a header line") from None


def _rows(lines: "Iterable[list[str]]", path: str | Path) -> tuple[dict[str, str], ...]:
    names: list[str] = []
    rows: list[dict[str, str]] = []
    for number, cells in enumerate(lines, start=1):
        if not cells:
            continue
        if not names:
            names = [name.strip() for name in cells]
            continue
        if len(cells) != len(names):
            message = f"--feed {path}: row {number} has {len(cells)} cells, its header {len(names)}"
            raise InputError(message, "quote a cell that holds a comma")
        if len(rows) == MOST:
            message = f"--feed {path}: has more than {MOST:,} rows"
            raise InputError(message, "cut it: rows are used in turn and begin again at the first")
        rows.append(dict(zip(names, cells, strict=True)))
    if not rows:
        message = f"--feed {path}: has no rows{' but its header' if names else ''}"
        raise InputError(message, "give it a header line and at least one row")
    return tuple(rows)


def check_columns(wanted: Iterable[str], rows: tuple[Mapping[str, str], ...]) -> None:
    """Raise ``UsageError`` for the first column that texts ask for and the feed does not have."""
    has = list(rows[0]) if rows else []
    for name in sorted(wanted):
        if not rows:
            message = f"{{feed.{name}}}: there is no feed"
            raise UsageError(message, hint="add --feed file.csv, a file with that column")
        if name not in has:
            message = f"{{feed.{name}}}: the feed has no column {name}"
            raise UsageError(message, hint=f"its columns are {', '.join(has)}")
