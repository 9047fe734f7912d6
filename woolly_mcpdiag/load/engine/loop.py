"""The one event loop of the engine: who is ready, whose time has come; no tasks, no futures, no transports."""

import select
import selectors
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from time import monotonic
from typing import Protocol

from woolly_mcpdiag.load.engine import alarm

READ, WRITE = 1, 4
"""As ``select.EPOLLIN`` and ``EPOLLOUT``."""
_MOST_READY = 256
_SWEEP = 0.1
"""Seconds between two looks for what is overdue."""
NEVER = float("inf")


class Watched(Protocol):
    """What can be overdue."""

    @property
    def deadline(self) -> float:
        """Instant; ``NEVER`` where it cannot."""
        ...

    def expire(self, now: float) -> None:
        """Its deadline is over."""


class Timer:
    """A call to come; ``cancel`` it or let it be."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None] | None) -> None:
        self.call = call

    def cancel(self) -> None:
        """Do not call."""
        self.call = None


class _Polled:
    """``epoll``'s interface over ``selectors``."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def register(self, fd: int, mask: int) -> None:
        self._selector.register(fd, self._events(mask))

    def modify(self, fd: int, mask: int) -> None:
        self._selector.modify(fd, self._events(mask))

    def unregister(self, fd: int) -> None:
        self._selector.unregister(fd)

    def poll(self, timeout: float = -1, maxevents: int = 0) -> list[tuple[int, int]]:
        del maxevents
        ready = self._selector.select(None if timeout < 0 else timeout)
        return [(key.fd, (READ if mask & 1 else 0) | (WRITE if mask & 2 else 0)) for key, mask in ready]

    def close(self) -> None:
        self._selector.close()

    @staticmethod
    def _events(mask: int) -> int:
        return (selectors.EVENT_READ if mask & READ else 0) | (selectors.EVENT_WRITE if mask & WRITE else 0)


class Loop:
    """Runs until ``stop``. Callbacks must not block and must not raise."""

    def __init__(self, *, portable: bool = False) -> None:
        """``portable`` does without epoll and timerfd."""
        own = hasattr(select, "epoll") and not portable
        self._poller: select.epoll | _Polled = select.epoll() if own else _Polled()
        self.ready: dict[int, Callable[[int], None]] = {}
        """File descriptor → what is called with the mask of what it is ready for."""
        self.watched: dict[Watched, None] = {}
        """Looked at every 100 ms, in the order they came."""
        self._timers: list[tuple[float, int, Timer]] = []
        self._number = count()
        self._soon: deque[Callable[[], None]] = deque()
        self._stopped = False
        self._alarm = alarm.make() if own else None
        self._set = NEVER
        if self._alarm is not None:
            # Edge-triggered: it need not be read, and a new setting makes it silent again.
            self._poller.register(self._alarm.fd, READ | select.EPOLLET)
            self.ready[self._alarm.fd] = _ignore
        self.at(monotonic() + _SWEEP, self._sweep)

    def add(self, fd: int, call: Callable[[int], None], mask: int = READ) -> None:
        """Call whenever the descriptor is ready."""
        self.ready[fd] = call
        self._poller.register(fd, mask)

    def change(self, fd: int, mask: int) -> None:
        """Wait for something else of a descriptor."""
        self._poller.modify(fd, mask)

    def remove(self, fd: int) -> None:
        """Forget a descriptor; before it is closed."""
        if self.ready.pop(fd, None) is not None:
            self._poller.unregister(fd)

    def soon(self, call: Callable[[], None]) -> None:
        """Call after what is ready now."""
        self._soon.append(call)

    def at(self, instant: float, call: Callable[[], None]) -> Timer:
        """Call at an instant of the monotonic clock."""
        timer = Timer(call)
        heappush(self._timers, (instant, next(self._number), timer))
        return timer

    def stop(self) -> None:
        """Leave ``run`` after what is ready now."""
        self._stopped = True

    def run(self) -> None:
        """Wait and call until ``stop``."""
        self._stopped = False
        poll, ready, timers, soon = self._poller.poll, self.ready.get, self._timers, self._soon
        while not self._stopped:
            idle = -1.0 if timers and timers[0][0] == self._set and not soon else self._wait()
            for fd, mask in poll(idle, _MOST_READY):
                call = ready(fd)
                if call is not None:
                    call(mask)
            while soon:
                soon.popleft()()
            if timers and timers[0][0] <= monotonic():
                self._due()

    def _wait(self) -> float:
        """Return the seconds to wait at most; -1 where the alarm will wake us."""
        if self._soon or self._stopped:
            return 0
        if not self._timers:
            return -1
        first = self._timers[0][0]
        if self._alarm is None:
            return max(0.0, first - monotonic())
        if first != self._set:
            self._set = first
            self._alarm.set(first)
        return -1

    def _due(self) -> None:
        timers, now = self._timers, monotonic()
        while timers and timers[0][0] <= now:
            call = heappop(timers)[2].call
            if call is not None:
                call()

    def _sweep(self) -> None:
        now = monotonic()
        self.at(now + _SWEEP, self._sweep)
        for each in [one for one in self.watched if one.deadline < now]:
            if each.deadline < now:
                each.expire(now)

    def close(self) -> None:
        """Give everything back."""
        if self._alarm is not None:
            self.remove(self._alarm.fd)
            self._alarm.close()
        self._poller.close()


def _ignore(_mask: int) -> None:
    return
