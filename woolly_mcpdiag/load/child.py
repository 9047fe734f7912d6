"""The one place for the life of a load process: a task comes in, words go out, and its parent's end is its own."""

import importlib
import os
import signal
import threading

from woolly_mcpdiag.core.errors import McpdiagError
from woolly_mcpdiag.load.contract import EngineFactory
from woolly_mcpdiag.load.kernel import run_shard
from woolly_mcpdiag.load.travel import Word, error_line, read_task

_CHUNK = 1 << 16
_FULL = 16 << 20
"""Bytes that wait for the parent, from which events are left out."""
_ORPHAN = 3
"""Exit code of a process whose parent has gone; nobody is there to read it."""


def main() -> None:
    """Do the task that standard input tells, until it is done or the parent ends."""
    # A Ctrl-C in the terminal is the parent's business: it says "stop".
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe = Pipe()
    task = read_task(pipe.line())
    try:
        run_shard(task.plan, task.share, pipe, _factory(task.engine), wall=task.wall, source=task.source)
    except McpdiagError as error:
        pipe.send(Word.ERROR, error_line(error))
        pipe.flush(end=True)
    # All is said; taking down what libraries have built up would only take time.
    os._exit(0)


def _factory(name: str) -> EngineFactory:
    module, _, attribute = name.partition(":")
    found: EngineFactory = getattr(importlib.import_module(module), attribute)
    return found


class Pipe:
    """The channel of a child (see ``load.kernel.Channel``) over its standard input and output."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        # What a library prints must not get between the messages.
        os.dup2(2, 1)
        self._read = bytearray()
        self._unsent = bytearray()
        self._begin: float | None = None
        self._told = threading.Event()
        self.stopped = False
        """The parent has asked to stop."""

    def line(self) -> str:
        """Wait for the next line of the parent; where it has gone, so does this process."""
        while (end := self._read.find(b"\n")) < 0:
            chunk = os.read(0, _CHUNK)
            if not chunk:
                os._exit(_ORPHAN)
            self._read += chunk
        found = self._read[:end].decode()
        del self._read[: end + 1]
        return found

    def start(self) -> float:
        """Wait for the common instant; a thread goes on listening, so that even a stuck engine ends with its parent."""
        threading.Thread(target=self._listen, daemon=True).start()
        self._told.wait()
        return self._begin or 0.0

    def _listen(self) -> None:
        while True:
            word, _, said = self.line().partition(" ")
            if word == "go":
                self._begin = float(said)
            self.stopped = self.stopped or word == "stop"
            self._told.set()

    def send(self, word: Word, said: str) -> None:
        """Put a message among those that wait."""
        self._unsent += f"{word} {said}\n".encode("utf-8", "replace")

    @property
    def full(self) -> bool:
        """True where the parent does not keep up."""
        return len(self._unsent) > _FULL

    def flush(self, *, end: bool = False) -> None:
        """Write what the pipe takes; at the end all of it."""
        os.set_blocking(self._out, end)
        try:
            while self._unsent:
                del self._unsent[: os.write(self._out, self._unsent)]
        except BlockingIOError:
            return
        except BrokenPipeError:
            os._exit(_ORPHAN)
