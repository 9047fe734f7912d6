"""The one clock that wakes the loop at an absolute instant: ``timerfd`` where there is one."""

import ctypes
import os
from typing import Protocol

_MONOTONIC = 1
_FLAGS = 0o4000 | 0o2000000
"""TFD_NONBLOCK and TFD_CLOEXEC."""
_ABSOLUTE = 1
_NS = 1_000_000_000


class Alarm(Protocol):
    """Becomes readable, once each time, at the instant it was set to."""

    fd: int

    def set(self, instant: float) -> None:
        """Set it to an instant of the monotonic clock; an earlier setting is forgotten."""

    def close(self) -> None:
        """Give it back."""


class _TimerFd:
    """``timerfd`` by the C library: ``os`` has it from Python 3.13 on only."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._settime = library.timerfd_settime
        self._when = (ctypes.c_long * 4)()
        self.fd = int(library.timerfd_create(_MONOTONIC, _FLAGS))
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def set(self, instant: float) -> None:
        seconds = int(instant)
        self._when[2] = seconds
        self._when[3] = max(1, int((instant - seconds) * _NS))
        self._settime(self.fd, _ABSOLUTE, self._when, None)

    def close(self) -> None:
        os.close(self.fd)


def make() -> Alarm | None:
    """Return an alarm; ``None`` where the system has none, and waits are as exact as its poll (1 ms)."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        return _TimerFd(library)
    except (OSError, AttributeError, TypeError):
        return None
