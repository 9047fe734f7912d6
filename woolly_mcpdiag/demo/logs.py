"""The one place for the demo's logs: which service a record belongs to, and in which format it is written."""

import contextlib
import copy
import json
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from http.client import responses
from pathlib import Path
from typing import Literal, TextIO

from woolly_mcpdiag.core.errors import InputError

Format = Literal["basic", "asctime", "json", "debug"]
FORMATS: tuple[Format, ...] = ("basic", "asctime", "json", "debug")
"""basic: the standard library's default, as the reported backend logs (no time); asctime: with milliseconds;
json: one object a line; debug: asctime with the DEBUG lines of the HTTP and MCP libraries; started with
``backend_options={"debug": True}``, asyncio then also tells which step blocked its loop."""

SERVICE: ContextVar[str] = ContextVar("service", default="")
"""The service that runs in this context; contexts are inherited by the tasks and threads that it starts."""

HUSH: ContextVar[bool] = ContextVar("hush", default=False)
"""True while a shim keeps a session alive that the real server has just ended: its word about that is left out."""

_NOISE = ("Cancel %s running task(s)", "Exception in ASGI application", "ASGI callable returned without")


class _OfService(logging.Filter):
    """Lets through what one service logs; what happens while it is being ended is nobody's fault."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service
        self.ending = False

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "asyncio":  # about the event loop, which all services of a process share
            return True
        if SERVICE.get() != self.service or (HUSH.get() and str(record.msg).startswith("Terminating session")):
            return False
        return not (self.ending and record.name == "uvicorn.error" and str(record.msg).startswith(_NOISE))


class _Plain(logging.Formatter):
    """A line as its format says; uvicorn's access lines with the status phrase that uvicorn itself adds."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(_with_phrase(record))


class _Basic(_Plain):
    """``INFO:name:text``, with uvicorn's own lines as uvicorn writes them."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if record.name.startswith("uvicorn"):
            return f"{record.levelname + ':':<9} " + text.removeprefix(f"{record.levelname}:{record.name}:")
        return text


class _Json(logging.Formatter):
    """One object a line, with the field names of the common JSON formatters."""

    def format(self, record: logging.LogRecord) -> str:
        row = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _with_phrase(record).getMessage(),
        }
        if record.exc_info:
            row["exc_info"] = self.formatException(record.exc_info)
        return json.dumps(row)


def _with_phrase(record: logging.LogRecord) -> logging.LogRecord:
    args = record.args
    if record.name != "uvicorn.access" or not isinstance(args, tuple) or len(args) != 5:
        return record
    changed = copy.copy(record)
    changed.msg = '%s - "%s %s HTTP/%s" %s'
    changed.args = (*args[:4], f"{args[4]} {responses.get(int(str(args[4])), '')}".rstrip())
    return changed


def formatter(name: Format) -> logging.Formatter:
    """Return the formatter of a format."""
    if name == "json":
        return _Json()
    if name == "basic":
        return _Basic("%(levelname)s:%(name)s:%(message)s")
    return _Plain("%(asctime)s %(levelname)s %(name)s: %(message)s")


def _open(path: Path) -> TextIO:
    try:
        return path.open("a", encoding="utf-8", buffering=1)
    except OSError as problem:
        msg = f"{path}: {problem.strerror}"
        raise InputError(msg, hint="name a file in a directory that can be written") from None


class Journal:
    """Writes the records of one service to a stream and, where asked, to a file as well."""

    def __init__(self, service: str, style: Format, *, stream: TextIO | None = None, path: Path | None = None) -> None:
        self._filter = _OfService(service)
        self._file = _open(path) if path else None
        self.handlers: list[logging.Handler] = []
        for target in (stream, self._file):
            if target is not None:
                handler = logging.StreamHandler(target)
                handler.setFormatter(formatter(style))
                handler.addFilter(self._filter)
                self.handlers.append(handler)

    def ending(self, yes: bool = True) -> None:
        """Leave out the noise of being ended, from here on or no longer."""
        self._filter.ending = yes

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


@contextlib.contextmanager
def journals(style: Format, *journal: Journal) -> Iterator[None]:
    """Attach the journals to the root logger while the block runs; everything is put back after it."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG if style == "debug" else logging.INFO)
    quiet = logging.getLogger("asyncio")
    quiet_level = quiet.level
    quiet.setLevel(logging.WARNING)
    handlers = [handler for one in journal for handler in one.handlers]
    handlers.append(logging.NullHandler())  # a root without any handler would get mcp's own rich one
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
        root.setLevel(level)
        quiet.setLevel(quiet_level)
        for one in journal:
            one.close()
