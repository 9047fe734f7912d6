"""The one place that takes Ctrl-C: the first asks to stop, the second ends at once."""

import contextlib
import os
import signal
from types import FrameType, TracebackType


class Interrupt:
    """While it is entered, the first Ctrl-C only sets ``stopped``; the work then ends with what it has."""

    def __init__(self) -> None:
        self.stopped = False
        self.silent = False
        """True where a picture is drawn, which a line of ours would tear; it tells by itself then."""
        self._before: signal.Handlers | int | object = signal.SIG_DFL

    def __enter__(self) -> "Interrupt":
        self._before = signal.signal(signal.SIGINT, self._first)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]  # what signal.signal gave us

    def asked(self) -> bool:
        """True once somebody has asked to stop."""
        return self.stopped

    def _first(self, signum: int, frame: FrameType | None) -> None:
        self.stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.silent:
            return
        # Not through sys.stderr: the signal may have come in the middle of a write to it.
        with contextlib.suppress(OSError):
            os.write(2, b"\nstopping; Ctrl-C again ends at once\n")
