"""The one place that finds what to read: files, patterns, directories and standard input, opened as plain bytes."""

import difflib
import filecmp
import glob
import io
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.logs.follow import Patient
from woolly_mcpdiag.logs.inflate import readable

Kind = Literal["text", "har", "events"]

LONGEST_LINE = 1 << 20
_PEEK = 1 << 16
_LOG_NAME = re.compile(
    r"\.(?:log|txt|out|err|json|jsonl|ndjson|har)(?:[.\-_]\d[\d.\-T_]{0,30})?(?:\.(?:gz|zst))?\Z", re.IGNORECASE
)
_MAGIC = (
    (b"\x7fELF", "a program (ELF)"),
    (b"\x89PNG", "a PNG picture"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"%PDF-", "a PDF"),
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"7z\xbc\xaf", "a 7z archive"),
)
_HAR = re.compile(rb'\s*\{\s*"log"\s*:\s*\{(?=[^\n]*\n?.{0,4096}"(?:version|creator|entries|pages)"\s*:)', re.DOTALL)
_EVENTS = re.compile(rb'\s*\{[^\n]{0,4096}?"schema"\s*:\s*"mcpdiag\.(?:event|run)/')
_HAR_NAME = re.compile(r"\.har(?:\.(?:gz|zst))?\Z", re.IGNORECASE)
_BLANK = b"\0 \t\r\n\f\v"
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b"))
_MOST_CONTROL = 0.05
_MOST_UNDECODABLE = 0.4
_HINT_TEXT = "give it a text log, HAR or event file"


class _NoLogError(InputError):
    """A file that was read and is empty or no text."""


class Input:
    """One file or stream to read."""

    def __init__(self, name: str, path: Path | None = None, stopped: Callable[[], bool] = lambda: False) -> None:
        """``path`` is ``None`` for standard input; a stream ends once ``stopped()`` says True.

        Raises ``InputError`` where it cannot be opened.
        """
        self.name = name
        """As the user gave it."""
        self.path = path
        self.size: int | None = None
        """Bytes on disk (compressed ones for a compressed file), ``None`` for a stream."""
        self.modified: float | None = None
        """Seconds since the epoch when it was last written to; ``None`` for a stream."""
        self.damage = ""
        """What is wrong with it, set while reading; "" where nothing is."""
        self.plain = False
        """True for a regular file whose bytes are the text itself: not compressed, not UTF-16, no byte order mark."""
        self.kind: Kind = "text"
        self._source: io.BufferedReader | None = None
        self._reuse = path is None
        self._stopped = stopped
        self._inspect()

    def open(self) -> BinaryIO:
        """Return its text as UTF-8 bytes (bytes of another 8-bit encoding as they are).

        A stream can be opened only once. Half a compressed file gives all that can be read, then sets ``damage``.
        """
        source = self._open_source()
        if not source.seekable() or self._reuse:
            return readable(source, source.peek(4)[:4], self._report)
        head = source.read(4)
        source.seek(0)
        return readable(source, head, self._report)

    @property
    def consumed(self) -> int | None:
        """Bytes of ``size`` that were read from the disk so far; ``None`` for a stream or a file not open."""
        if self.size is None or self._source is None or self._source.closed:
            return None
        return self._source.tell()

    def _report(self, damage: str) -> None:
        self.damage = damage

    def _open_source(self) -> io.BufferedReader:
        if self._reuse and self._source is not None:
            return self._source
        if self.path is None:
            self._source = _standard_input(self._stopped)
            return self._source
        try:
            stream = self._reuse and not self.path.is_dir()
            self._source = (
                io.BufferedReader(Patient(self.path, self._stopped), _PEEK) if stream else self.path.open("rb")
            )
        except OSError as error:
            raise _unreadable(self.name, self.path, error) from None
        return self._source

    def _inspect(self) -> None:
        if self.path is not None:
            try:
                status = self.path.stat()
            except (OSError, ValueError) as error:
                raise _unreadable(self.name, self.path, error) from None
            # A pipe gives its bytes once, so what was opened to look at is what will be read.
            self._reuse = not stat.S_ISREG(status.st_mode)
            if not self._reuse:
                self.size, self.modified = status.st_size, status.st_mtime
        source = self._open_source()
        try:
            head = source.peek(_PEEK)[:_PEEK] if self._reuse else self._head()
            raw = head if self._reuse else source.read(4)
        except OSError as error:
            raise _unreadable(self.name, self.path, error) from None
        finally:
            if not self._reuse:
                source.close()
        self._judge(head, raw)
        self.damage = ""

    def _head(self) -> bytes:
        with self.open() as stream:
            head = stream.read(_PEEK)
            if head and not head.strip(b"\0") and self.size and self.size > 2 * _PEEK:
                stream.seek(self.size - _PEEK)  # copytruncate leaves a hole before the text
                head = stream.read(_PEEK)
            while head and not head.strip(_BLANK) and (more := stream.read(_PEEK)):
                head = more
        return head

    def _judge(self, head: bytes, raw: bytes) -> None:
        if not head and self.damage:
            msg = f"{self.name}: {self.damage}, nothing of it can be read"
            raise _NoLogError(msg, hint="copy it again from where it was written")
        if not head.strip() or not (self._reuse or head.strip(_BLANK)):
            msg = f"{self.name}: is empty" if not head else f"{self.name}: has no text"
            raise _NoLogError(msg, hint="check that the program writes its log there")
        compressed = self._reuse and raw[:2] in {b"\x1f\x8b", b"\x28\xb5"}
        if not compressed and not (self._reuse and raw[:2] in {b"\xff\xfe", b"\xfe\xff"}):
            _refuse_binary(self.name, head)
        self.plain = not self._reuse and head[:4] == raw[:4]
        if is_events(head):
            self.kind = "events"
        elif _HAR.match(head) or (_HAR_NAME.search(self.name) and head.lstrip()[:1] in {b"{", b"["}):
            self.kind = "har"


def is_events(head: bytes) -> bool:
    """Say whether text that begins so is our own event JSON lines, or a run log, which holds them too."""
    return _EVENTS.match(head) is not None


def _standard_input(stopped: Callable[[], bool]) -> io.BufferedReader:
    if sys.stdin is None or sys.stdin.closed:
        msg = "standard input: is closed"
        raise InputError(msg, hint="pipe a log into it, or name a file instead of -")
    if sys.stdin.isatty():
        msg = "standard input: is a terminal, not a log"
        raise InputError(msg, hint="pipe a log into it: docker compose logs | mcpdiag analyze-logs -")
    buffer = sys.stdin.buffer
    if not isinstance(buffer, io.BufferedReader):
        return io.BufferedReader(io.BytesIO(buffer.read()))
    try:
        return io.BufferedReader(Patient(buffer.fileno(), stopped), _PEEK)
    except OSError:
        return buffer


def _refuse_binary(name: str, head: bytes) -> None:
    for magic, what in _MAGIC:
        if head.startswith(magic):
            msg = f"{name}: is {what}, not text"
            raise _NoLogError(
                msg, hint="decompress it first" if "compressed" in what or "archive" in what else _HINT_TEXT
            )
    sample = head.lstrip(b"\0")[:8192]
    control = len(sample) - len(sample.translate(None, _CONTROL))
    undecodable = sample.decode("utf-8", "replace").count("\ufffd")
    if control > _MOST_CONTROL * len(sample) or undecodable > _MOST_UNDECODABLE * len(sample):
        msg = f"{name}: is binary ({control} control bytes in the first {len(sample)})"
        raise _NoLogError(msg, hint=_HINT_TEXT)


def _unreadable(name: str, path: Path | None, error: Exception) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"{name}: does not exist", hint=_similar(path))
    if isinstance(error, PermissionError):
        return InputError(
            f"{name}: may not be read by this user", hint=f"run as its owner, or: sudo cat {name} | mcpdiag … -"
        )
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(f"{name}: cannot be read ({reason})", hint="check the path")


def _similar(path: Path | None) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir()] if path else []
    except OSError:
        return f"check the directory {path.parent}" if path else ""
    close = difflib.get_close_matches(path.name, names, n=1) if path else []
    return f"did you mean {close[0]}?" if close else "check the path; - reads standard input"


def resolve(paths: Sequence[str], stopped: Callable[[], bool] | None = None) -> list[Input]:
    """Return the inputs that paths name: files, patterns, directories (searched for logs), ``-`` for standard input.

    A file named twice is read once, and so are files with the same bytes. Of several files, those that are empty or
    no text are left in the list with ``damage`` set, so that they are told about. Streams end once ``stopped()`` says
    True. Raises ``InputError`` where a path names nothing or nothing is usable.
    """
    found: list[Input] = []
    refused: list[_NoLogError] = []
    seen: set[str] = set()
    for name, path in _expanded(paths):
        identity = os.path.realpath(path) if path and _is(path, Path.exists) else name
        if identity in seen:
            continue
        seen.add(identity)
        try:
            one = Input(name, path, stopped or (lambda: False))
            if (twin := _twin(one, found)) is not None:
                found.append(_refused(name, path, _NoLogError(f"has the same bytes as {twin.name}, which is read")))
                continue
            found.append(one)
        except _NoLogError as error:
            refused.append(error)
            found.append(_refused(name, path, error))
    if len(refused) == len(found):
        raise (
            refused[0] if refused else InputError("no input was named", hint="name a log file, or - for standard input")
        )
    return found


def _twin(one: Input, others: Iterable[Input]) -> Input | None:
    """Return an earlier file with the same bytes: a log that was copied must not count twice."""
    for other in others:
        if one.path and other.path and one.size and one.size == other.size:
            try:
                if filecmp.cmp(one.path, other.path, shallow=False):
                    return other
            except OSError:
                continue
    return None


class _Refused(Input):
    """A file that cannot be read as a log; it gives no lines."""

    def _inspect(self) -> None:
        self.size = 0

    def open(self) -> BinaryIO:
        """Return an empty stream."""
        return io.BytesIO()


def _refused(name: str, path: Path | None, error: InputError) -> Input:
    refused = _Refused(name, path)
    refused.damage = error.message.removeprefix(f"{name}: ")
    return refused


def _expanded(paths: Iterable[str]) -> Iterator[tuple[str, Path | None]]:
    for given in paths:
        if given == "-":
            yield "stdin", None
            continue
        path = Path(given).expanduser()
        if _is(path, Path.is_dir):
            yield from _in_directory(given, path)
        elif glob.has_magic(given) and not _is(path, Path.exists):
            yield from _matching(given, path)
        else:
            yield given, path


def _is(path: Path, test: Callable[[Path], bool]) -> bool:
    """Ask about a path that may be impossible (too long, with a NUL)."""
    try:
        return test(path)
    except (OSError, ValueError):
        return False


def _matching(given: str, path: Path) -> Iterator[tuple[str, Path]]:
    matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute patterns
    files = [Path(match) for match in matches if not Path(match).is_dir()]
    if not files:
        msg = f"{given}: matches no file"
        raise InputError(msg, hint=f"check the pattern, and that the directory {Path(given).parent} is meant")
    for file in files:
        yield str(file), file


def _in_directory(given: str, path: Path) -> Iterator[tuple[str, Path]]:
    files = [
        Path(directory) / name
        for directory, _, names in sorted(os.walk(path))
        for name in sorted(names)
        # Not the named pipes among them: one that nobody writes to would hold the whole search for ever.
        if _LOG_NAME.search(name) and (Path(directory) / name).is_file()
    ]
    if not files:
        msg = f"{given}: has no logs (*.log, *.txt, *.out, *.json, *.jsonl, *.ndjson, *.har, also .gz and .zst)"
        raise InputError(msg, hint=f"name the files: {Path(given) / '*'}")
    for file in files:
        yield str(file), file


def lines(stream: BinaryIO, limit: int = LONGEST_LINE) -> Iterator[bytes]:
    r"""Return the lines of a stream without ``\n`` or ``\r\n``; of a longer line only the first ``limit`` bytes."""
    readline = stream.readline
    while line := readline(limit + 2):
        if line.endswith(b"\r\n"):
            yield line[:-2][:limit]
        elif line.endswith(b"\n"):
            yield line[:-1][:limit]
        else:
            if len(line) > limit + 1:
                while (rest := readline(limit)) and not rest.endswith(b"\n"):
                    pass
            yield line[:limit]
