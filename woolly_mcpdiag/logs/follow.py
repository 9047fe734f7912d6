"""The one place that waits for logs to grow: ``tail -F`` for files, pipes and standard input.

It hands on whole lines as bytes and keeps only the unfinished last one; it knows nothing of formats.
"""

import io
import os
import select
import stat
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 1 << 20
LONGEST = 1 << 20
"""Bytes kept of a line that has no end yet."""
POLL = 0.25
"""Seconds between two looks at the files."""
_HEAD = 64
_BLOCKS_A_LOOK = 16
"""Of a pipe that never runs dry, so that the other sources get their turn."""
_CLOSED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What one source grew by."""

    source: str
    """The path as it was given; "-" is standard input."""
    data: bytes
    """Whole lines, each with its newline."""
    restarted: bool = False
    """True for the first lines of a rotated or truncated file: its line numbers start at 1 again."""


class Patient(io.RawIOBase):
    """A pipe that can be given up: reading waits for its writers, but ends like the pipe's end once ``stopped()``.

    A plain read would wait through Ctrl-C for as long as the writers stay silent.
    """

    def __init__(self, source: Path | int, stopped: Callable[[], bool]) -> None:
        """``source`` is a path, or an open descriptor that stays open. Raises ``OSError`` where it cannot be opened."""
        # Without O_NONBLOCK a named pipe would hold us here until somebody writes to it.
        self._fd = source if isinstance(source, int) else os.open(source, os.O_RDONLY | os.O_NONBLOCK)
        self._ours = not isinstance(source, int)
        self._stopped = stopped

    def readable(self) -> bool:
        """Return True: that is all it is."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Wait until there is something, the writers are gone (0), or ``stopped()`` (0)."""
        while not self._stopped():
            if select.select([self._fd], [], [], POLL)[0]:
                return os.readv(self._fd, [buffer])
        return 0

    def close(self) -> None:
        """Let go of the pipe."""
        if not self.closed and self._ours:
            os.close(self._fd)
        super().close()


class Tail:
    """One growing source. It survives rotation, truncation in place, and a file that goes away and comes back."""

    def __init__(self, path: str, *, block: int = BLOCK, longest: int = LONGEST) -> None:
        self.path = path
        self.ended = False
        """True once a pipe was closed by its writers; a file never ends."""
        self.cut = 0
        """Lines of which only the first ``longest`` bytes were handed on."""
        self._block, self._longest = block, longest
        self._fd = _CLOSED
        self._stream = False
        self._offset = 0
        self._head = b""
        self._partial = b""
        self._skipping = False
        self._restarted = False

    @property
    def missing(self) -> bool:
        """True while there is nothing to read from under this path."""
        return self._fd == _CLOSED and not self.ended

    def waitable(self) -> int | None:
        """Return the descriptor that becomes readable when more comes, None where only polling helps."""
        return self._fd if self._stream and self._fd != _CLOSED else None

    def poll(self) -> Iterator[Growth]:
        """Yield what is new since the last call; never waits."""
        if self.ended or (self._fd == _CLOSED and not self._open()):
            return
        if self._stream:
            yield from self._read_stream()
            return
        if self._was_truncated():
            yield from self._restart()
        yield from self._read_file()
        while self._was_replaced():
            yield from self._read_file()
            yield from self._restart()
            self._shut()
            if not self._open():
                return
            yield from self._read_file()

    def close(self) -> Iterator[Growth]:
        """Let go of the source; yields its unfinished last line, if there is one."""
        yield from self._flush()
        self._shut()
        self.ended = True

    def _open(self) -> bool:
        try:
            # Without O_NONBLOCK a named pipe would hold us here until somebody writes to it.
            self._fd = 0 if self.path == "-" else os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
            self._stream = not stat.S_ISREG(os.fstat(self._fd).st_mode)
        except OSError:
            self._fd = _CLOSED
            return False
        self._offset, self._head = 0, b""
        return True

    def _shut(self) -> None:
        if self._fd != _CLOSED and self.path != "-":
            os.close(self._fd)
        self._fd = _CLOSED

    def _read_stream(self) -> Iterator[Growth]:
        for _ in range(_BLOCKS_A_LOOK):
            if self._fd == _CLOSED or not select.select([self._fd], [], [], 0)[0]:
                return
            data = os.read(self._fd, self._block)
            if data:
                yield from self._lines(data)
            else:
                yield from self.close()

    def _read_file(self) -> Iterator[Growth]:
        while data := os.read(self._fd, self._block):
            if len(self._head) < _HEAD:
                self._head = os.pread(self._fd, _HEAD, 0)[: self._offset + len(data)]
            self._offset += len(data)
            yield from self._lines(data)

    def _was_truncated(self) -> bool:
        """Shorter than what was read, or (copytruncate that grew again at once) another beginning."""
        if os.fstat(self._fd).st_size < self._offset:
            return True
        return os.pread(self._fd, len(self._head), 0) != self._head

    def _was_replaced(self) -> bool:
        """True where another file with content has the name; until then the writer may still use the old one."""
        if self._fd == _CLOSED or self.path == "-":
            return False
        try:
            new, old = Path(self.path).stat(), os.fstat(self._fd)
        except OSError:
            return False
        return (new.st_dev, new.st_ino) != (old.st_dev, old.st_ino) and new.st_size > 0

    def _restart(self) -> Iterator[Growth]:
        yield from self._flush()
        os.lseek(self._fd, 0, os.SEEK_SET)
        self._offset, self._head, self._restarted = 0, b"", True

    def _flush(self) -> Iterator[Growth]:
        if self._partial:
            rest, self._partial = self._partial, b""
            yield self._growth(rest + b"\n")
        self._skipping = False

    def _lines(self, data: bytes) -> Iterator[Growth]:
        if self._skipping:
            end = data.find(b"\n")
            if end < 0:
                return
            data, self._skipping = data[end + 1 :], False
        end = data.rfind(b"\n") + 1
        if end:
            yield self._growth(self._partial + data[:end])
            self._partial = data[end:]
        else:
            self._partial += data
        if len(self._partial) > self._longest:
            self.cut += 1
            line, self._partial, self._skipping = self._partial[: self._longest], b"", True
            yield self._growth(line + b"\n")

    def _growth(self, data: bytes) -> Growth:
        restarted, self._restarted = self._restarted, False
        return Growth(source=self.path, data=data, restarted=restarted)


def follow(
    paths: Sequence[str],
    *,
    stopped: Callable[[], bool],
    poll: float = POLL,
    wait: Callable[[Sequence[int], float], object] | None = None,
) -> Iterator[Growth | None]:
    """Yield what the sources grow by, and ``None`` after each look at all of them.

    Ends when ``stopped()`` says so, or when all sources were pipes and their writers are gone; unfinished
    last lines come before the end. ``wait(descriptors, seconds)`` returns when a descriptor is readable or the
    time is over; files are looked at every ``poll`` seconds.
    """
    tails = [Tail(path) for path in paths]
    pause = wait or _wait
    try:
        while not stopped():
            for tail in tails:
                for growth in tail.poll():
                    yield growth
                    if stopped():
                        break
            yield None
            if all(tail.ended for tail in tails):
                return
            pause([fd for tail in tails if (fd := tail.waitable()) is not None], poll)
        for tail in tails:
            yield from tail.close()
    finally:
        for tail in tails:
            deque(tail.close(), maxlen=0)


def _wait(descriptors: Sequence[int], seconds: float) -> None:
    select.select(descriptors, [], [], seconds)
