"""The one set of rules of the pool: who gets which session, and when one is opened or closed.

It does no I/O and takes ``now``. Every method returns the steps that whoever owns it must carry out; it never waits.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from woolly_mcpdiag.client.policy import PoolLimits, Reuse

EntryState = Literal["opening", "idle", "leased", "gone"]


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """A place in the pool, and the session in it once that is open."""

    number: int
    group: str | None
    """The key that it belongs to; ``None`` for anybody."""
    state: EntryState = "opening"
    reason: str = "demand"
    """Why it was opened; then why it is to be closed."""
    since: float
    """When it took its state."""
    ready_at: float = 0.0
    retire_at: float = float("inf")
    uses: int = 0
    doomed: bool = False
    """Close it on return."""
    leaked: bool = False
    holder: str = ""
    """Name of the task that has it on loan."""
    borrowed_at: tuple[str, ...] = ()
    """Where in that task's code, where it was asked to be kept."""
    rested: float = 0.0
    """Seconds unused before this loan."""
    ticket: "Ticket | None" = None
    """Who has it on loan, or whom it is opened for."""


@dataclass(slots=True, kw_only=True, eq=False)
class Ticket:
    """Somebody who wants a session."""

    group: str | None
    fresh: bool
    """Only a session that nobody has used; used ones never become idle."""
    not_before: float
    """Only a session that became ready since then."""
    since: float
    entry: Entry | None = None
    error: BaseException | None = None
    """Why there is none."""

    @property
    def settled(self) -> bool:
        """True once the wait is over."""
        return self.entry is not None or self.error is not None


@dataclass(frozen=True, slots=True)
class Open:
    """Open a session; then call ``opened`` or ``failed``."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Close:
    """Close the session; the pool has forgotten it."""

    entry: Entry
    reason: str


@dataclass(frozen=True, slots=True)
class Settled:
    """Wake who waits."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Leak:
    """Tell that a session is on loan for too long; told once."""

    entry: Entry
    held: float


Step = Open | Close | Settled | Leak


class TooManyError(Exception):
    """More are waiting than may."""


@dataclass(slots=True)
class Counts:
    """What has happened since the start."""

    opened: int = 0
    failed: int = 0
    closed: dict[str, int] = field(default_factory=dict)
    """By reason."""
    granted: int = 0
    waited: int = 0
    """Grants that were waited for."""
    wait_total: float = 0.0
    """Seconds."""
    refused: int = 0


class Pool:
    """First come, first served, as far as the keys allow; never more than ``max_sessions`` opening, idle and leased."""

    def __init__(self, limits: PoolLimits, reuse: Reuse, rng: random.Random) -> None:
        self.limits = limits
        self.reuse: Reuse = reuse
        self.rng = rng
        self.max_opening = limits.max_opening
        self.entries: dict[int, Entry] = {}
        self.waiting: deque[Ticket] = deque()
        self.counts = Counts()
        self.draining = False
        self._idle: deque[Entry] = deque()
        self._next = 1

    @property
    def size(self) -> int:
        """Places taken: opening, idle and leased."""
        return len(self.entries)

    def number(self, state: EntryState) -> int:
        """Return how many places are in a state."""
        return sum(entry.state == state for entry in self.entries.values())

    def ask(
        self, now: float, key: str | None = None, *, not_before: float = float("-inf")
    ) -> tuple[Ticket, list[Step]]:
        """Ask for a session, one that became ready since ``not_before``.

        Raises ``TooManyError`` where it would wait as one too many.
        """
        group = key if self.reuse == "affine" else None
        ticket = Ticket(group=group, fresh=self.reuse == "fresh", not_before=not_before, since=now)
        if entry := self._take_idle(ticket, now):
            self._grant(ticket, entry, now)
            return ticket, []
        if len(self.waiting) >= self.limits.max_waiting and not (
            self.size < self.limits.max_sessions and self._may_open(ticket)
        ):
            self.counts.refused += 1
            raise TooManyError
        self.waiting.append(ticket)
        return ticket, self.pump(now)

    def cancel(self, ticket: Ticket, now: float) -> list[Step]:
        """Take back a request; a session that was already handed over goes on to the next."""
        if ticket.entry is not None:
            entry, ticket.entry = ticket.entry, None
            return self.release(entry, now)
        if ticket in self.waiting:
            self.waiting.remove(ticket)
        return self.pump(now)

    def release(self, entry: Entry, now: float, evict: str = "") -> list[Step]:
        """Take a session back; ``evict`` says why it must not be used again."""
        if entry.state != "leased":
            return []
        entry.ticket = None
        reason = evict or self._retirement(entry, now)
        if reason:
            return [*self._drop(entry, reason), *self.pump(now)]
        entry.state, entry.since = "idle", now
        self._idle.append(entry)
        return self.pump(now)

    def opened(self, entry: Entry, now: float) -> list[Step]:
        """Take in a session that is ready."""
        if entry.state != "opening":
            return []
        self.counts.opened += 1
        life = self.limits.max_lifetime
        entry.ready_at = now
        entry.retire_at = now + life * (1.0 - 0.05 * self.rng.random())
        if entry.doomed or self.draining:
            return [*self._drop(entry, entry.reason if entry.doomed else "drain"), *self.pump(now)]
        entry.state, entry.since = "idle", now
        self._idle.append(entry)
        return self.pump(now)

    def failed(self, entry: Entry, error: BaseException, now: float) -> list[Step]:
        """Take note that a session could not be opened; exactly one who waits is told."""
        if entry.state != "opening":
            return []
        self.counts.failed += 1
        self._forget(entry)
        steps: list[Step] = []
        ticket = next((one for one in self.waiting if one.group == entry.group), None)
        if ticket is not None:
            self.waiting.remove(ticket)
            ticket.error = error
            steps.append(Settled(ticket))
        return [*steps, *self.pump(now)]

    def died(self, entry: Entry, now: float) -> list[Step]:
        """Take note that a session has ended by itself; who has it on loan gives it back later, to no effect."""
        if entry.state == "gone":
            return []
        self.counts.closed["died"] = self.counts.closed.get("died", 0) + 1
        self._forget(entry)
        return self.pump(now)

    def evict(self, entry: Entry, reason: str, now: float) -> list[Step]:
        """Close a session that nobody uses at once, any other on return."""
        if entry.state == "idle":
            return [*self._drop(entry, reason), *self.pump(now)]
        entry.doomed, entry.reason = True, reason
        return []

    def warm(self, count: int, now: float) -> list[Step]:
        """Open sessions until there are ``count``, as many at once as may be opened."""
        missing = min(count, self.limits.max_sessions) - self.size
        room = self.max_opening - self.number("opening")
        return [self._open(None, "warm", now) for _ in range(min(missing, room))] if not self.draining else []

    def drain(self, error: Callable[[], BaseException]) -> list[Step]:
        """Refuse who waits, close what is idle, and take nothing more in."""
        self.draining = True
        steps: list[Step] = self.refuse_waiting(error)
        for entry in list(self._idle):
            steps += self._drop(entry, "drain")
        return steps

    def refuse_waiting(self, error: Callable[[], BaseException]) -> list[Step]:
        """End every wait with an error of its own."""
        told = list(self.waiting)
        self.waiting.clear()
        for ticket in told:
            ticket.error = error()
        return [Settled(ticket) for ticket in told]

    def tick(self, now: float) -> list[Step]:
        """Close what has been idle or has lived for too long; report what is on loan for too long."""
        steps: list[Step] = []
        for entry in list(self.entries.values()):
            if entry.state == "idle":
                idle = now - entry.since >= self.limits.max_idle and self.size > self.limits.min_idle
                if reason := "idle" if idle else self._retirement(entry, now):
                    steps += self._drop(entry, reason)
            elif entry.state == "leased" and not entry.leaked and now - entry.since >= self.limits.leak_after:
                entry.leaked = True
                steps.append(Leak(entry, now - entry.since))
        return [*steps, *self.pump(now)]

    def pump(self, now: float) -> list[Step]:
        """Give idle sessions to who waits, first come first, and open what is missing."""
        steps: list[Step] = []
        coming: dict[str | None, int] = {}
        for entry in self.entries.values():
            if entry.state == "opening" and not entry.doomed:
                coming[entry.group] = coming.get(entry.group, 0) + 1
        for ticket in list(self.waiting):
            if idle := self._take_idle(ticket, now, steps):
                self.waiting.remove(ticket)
                self.counts.waited += 1
                self.counts.wait_total += now - ticket.since
                self._grant(ticket, idle, now)
                steps.append(Settled(ticket))
            elif coming.get(ticket.group, 0) > 0:
                coming[ticket.group] -= 1
            elif self._may_open(ticket) and self._make_room(ticket, steps):
                steps.append(
                    self._open(ticket.group, "replace" if ticket.not_before > float("-inf") else "demand", now)
                )
        return steps

    def _take_idle(self, ticket: Ticket, now: float, steps: list[Step] | None = None) -> Entry | None:
        """Take the session that was used last; those whose time is over are closed on the way."""
        for entry in reversed(self._idle):
            if not _fits(entry, ticket):
                continue
            stale = now - entry.since >= self.limits.max_idle or now >= entry.retire_at
            if stale and steps is not None:
                steps += self._drop(entry, "idle" if now < entry.retire_at else "lifetime")
                return self._take_idle(ticket, now, steps)
            if not stale:
                self._idle.remove(entry)
                return entry
        return None

    def _grant(self, ticket: Ticket, entry: Entry, now: float) -> None:
        entry.rested = now - entry.since
        entry.state, entry.since, entry.leaked, entry.borrowed_at = "leased", now, False, ()
        entry.uses += 1
        entry.ticket, ticket.entry = ticket, entry
        self.counts.granted += 1

    def _is_held(self, group: str | None) -> bool:
        """Say whether a key's own session is on loan; its next user waits for it."""
        return group is not None and any(
            entry.group == group and entry.state == "leased" and not entry.doomed for entry in self.entries.values()
        )

    def _may_open(self, ticket: Ticket) -> bool:
        return self.number("opening") < self.max_opening and (ticket.fresh or not self._is_held(ticket.group))

    def _make_room(self, ticket: Ticket, steps: list[Step]) -> bool:
        """Say whether one more fits; a session that this one cannot use makes room."""
        if self.draining:
            return False
        if self.size < self.limits.max_sessions:
            return True
        for entry in self._idle:
            if not _fits(entry, ticket):
                steps += self._drop(entry, "displaced")
                return True
        return False

    def _open(self, group: str | None, reason: str, now: float) -> Open:
        entry = Entry(number=self._next, group=group, since=now, reason=reason)
        self._next += 1
        self.entries[entry.number] = entry
        return Open(entry)

    def _retirement(self, entry: Entry, now: float) -> str:
        """Return why a session that comes back is closed, empty where it is kept."""
        if self.draining:
            return "drain"
        if entry.doomed:
            return entry.reason
        if self.reuse == "fresh" and entry.uses:
            return "fresh"
        return "lifetime" if now >= entry.retire_at else ""

    def _drop(self, entry: Entry, reason: str) -> list[Step]:
        self._forget(entry)
        self.counts.closed[reason] = self.counts.closed.get(reason, 0) + 1
        return [Close(entry, reason)]

    def _forget(self, entry: Entry) -> None:
        if entry.state == "idle":
            self._idle.remove(entry)
        entry.state = "gone"
        self.entries.pop(entry.number, None)


def _fits(entry: Entry, ticket: Ticket) -> bool:
    return entry.group == ticket.group and entry.ready_at >= ticket.not_before
