"""The one writer of run logs: checked before anything is sent, each row flushed as it happens."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TextIO

from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.core.runs import Row, to_line

_ROOM = 1 << 20
"""Bytes that must be free at least."""


class RunLog:
    """A run log that is being written."""

    def __init__(self, path: Path | None) -> None:
        """``None`` writes to a temporary file that goes away. Raises ``InputError`` where it cannot be written."""
        self.name = "this run" if path is None else str(path)
        """As evidence names it."""
        self.lines = 0
        """Lines written so far."""
        self.broken = ""
        """Why it could not be written to its end; what comes after is left out."""
        self._path = path
        self._fresh = path is not None and not path.exists()
        self._file = _opened(path, self.name)

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        if self._fresh and self._path is not None and not self.lines:
            self._path.unlink(missing_ok=True)

    def row(self, row: Row) -> None:
        """Write a row and pass it on to the system."""
        self.line(to_line(row))
        self.flush()

    def line(self, text: str) -> int:
        """Write a line of JSON; return its 1-based number."""
        self.lines += 1
        if not self.broken:
            try:
                self._file.write(text + "\n")
            except OSError as error:
                self.broken = _why(error)
        return self.lines

    def flush(self) -> None:
        """Pass on to the system what was written."""
        if not self.broken:
            try:
                self._file.flush()
            except OSError as error:
                self.broken = _why(error)


def _opened(path: Path | None, name: str) -> TextIO:
    if path is None:
        return tempfile.TemporaryFile("w", encoding="utf-8", errors="replace")
    try:
        file = path.open("w", encoding="utf-8", errors="replace")
    except OSError as error:
        message = f"{name}: cannot be written ({_why(error)})"
        raise InputError(message, _hint(path)) from error
    try:
        _try_out(file, path, name)
    except OSError as error:
        with contextlib.suppress(OSError):
            file.close()
        message = f"{name}: cannot be written ({_why(error)})"
        raise InputError(message, "free some space there, or name a file on another disk") from error
    return file


def _try_out(file: TextIO, path: Path, name: str) -> None:
    """Write and take back a page: a full disk opens files and refuses their first byte."""
    regular = path.is_file()
    if regular:
        free = shutil.disk_usage(path.resolve().parent).free
        if free < _ROOM:
            file.close()
            message = f"{name}: its disk has {free:,} bytes left"
            raise InputError(message, "free some space there, or name a file on another disk")
        file.write(" " * 4096)
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        file.truncate()
    else:
        # A pipe or a device gets nothing but the log; an empty line is no row.
        file.write("\n")
        file.flush()


def _hint(path: Path) -> str:
    if path.is_dir():
        return f"it is a directory: name a file in it, such as {path / 'run.jsonl'}"
    if not path.parent.exists():
        return f"make its directory first: mkdir -p {path.parent}"
    return "name a file that this user may write"


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
