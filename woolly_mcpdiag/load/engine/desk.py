"""The one place for whose session a call uses: each call its own, each user's, one for all, or one of a pool."""

from collections import deque
from collections.abc import Callable, Generator
from time import monotonic
from typing import Protocol

from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.engine.agent import AgentLine
from woolly_mcpdiag.load.engine.exchange import Exchange
from woolly_mcpdiag.load.engine.failure import Failure
from woolly_mcpdiag.load.engine.legacy_sse import LegacyLine
from woolly_mcpdiag.load.engine.line import Line, Setting
from woolly_mcpdiag.load.engine.modern import ModernLine
from woolly_mcpdiag.load.engine.streamable import StreamableLine

Given = Generator[None, Exchange, "Line | Failure"]
Kept = Generator[None, Exchange, None]


class Holder(Protocol):
    """A user, as far as its sessions go."""

    lines: dict[str, Line]
    """By kind."""

    def resume(self, exchange: Exchange | None) -> object:
        """Continue it."""


class Desk:
    """Each user has a session of its own and keeps it: ``per-worker``."""

    keeps = True
    """A session outlives the call; False has ``give_back`` close it."""
    mine = True
    """It is the user's to close when he leaves."""
    lasting = True
    """Nothing is to be done between one call and the next."""

    def __init__(self, setting: Setting, kind: str) -> None:
        self.setting = setting
        self.kind = kind

    def new(self) -> Line:
        """Return a line that is not open yet."""
        mcp = self.setting.plan.mcp
        if self.kind == "agent" or mcp is None:
            return AgentLine(self.setting)
        if mcp.modern:
            return ModernLine(self.setting)
        return LegacyLine(self.setting) if mcp.transport == "sse" else StreamableLine(self.setting)

    def at_once(self, user: Holder) -> Line | None:
        """Return the line to be used, where there is one without waiting."""
        line = user.lines.get(self.kind)
        return line if line is not None and line.ready else None

    def get(self, user: Holder, deadline: float) -> Given:
        """Wait for a line, or for why there is none."""
        del deadline
        line = user.lines.get(self.kind)
        if line is None or line.tried:
            if line is not None:
                line.drop()
            line = user.lines[self.kind] = self.new()
        line.tried = True
        why = yield from line.open(user.resume)
        return line if why is None else why

    def give_back(self, user: Holder, line: Line) -> Kept:
        """The call is over."""
        del user, line
        return
        yield

    def close(self, user: Holder) -> Kept:
        """Everybody has left; close what is still open."""
        del user
        return
        yield


class PerCall(Desk):
    """Each call has a session of its own."""

    keeps = False
    lasting = False

    def at_once(self, user: Holder) -> Line | None:
        """There is never one."""
        del user
        return None

    def give_back(self, user: Holder, line: Line) -> Kept:
        """Close it."""
        user.lines.pop(self.kind, None)
        yield from line.close(user.resume)


class Shared(Desk):
    """One session for all."""

    mine = False

    def __init__(self, setting: Setting, kind: str) -> None:
        super().__init__(setting, kind)
        self._line: Line | None = None
        self._opening = False
        self._waiting: list[Holder] = []
        self._why: Failure | None = None

    def at_once(self, user: Holder) -> Line | None:
        """Return it while it is ready."""
        del user
        return self._line if self._line is not None and self._line.ready else None

    def get(self, user: Holder, deadline: float) -> Given:
        """The first who needs it opens it; the others wait for him."""
        del deadline
        if self._opening:
            self._waiting.append(user)
            yield
            line = self._line
            return line if line is not None and line.ready else self._why or Failure(kind="session")
        self._opening = True
        if self._line is not None:
            self._line.drop()
        line = self.new()
        self._why = yield from line.open(user.resume)
        self._opening = False
        self._line = line
        waiting, self._waiting = self._waiting, []
        for other in waiting:
            self.setting.loop.soon(_continue(other))
        return line if self._why is None else self._why

    def close(self, user: Holder) -> Kept:
        """Close it."""
        if self._line is not None:
            yield from self._line.close(user.resume)


class Pooled(Desk):
    """Some sessions, each lent to one call at a time."""

    mine = False
    lasting = False

    def __init__(self, setting: Setting, kind: str, size: int) -> None:
        super().__init__(setting, kind)
        self._unmade = size
        self._free: list[Line] = []
        self._waiting: deque[tuple[Holder, float]] = deque()
        self._given: dict[int, Line] = {}
        self._late: set[int] = set()
        setting.loop.watched[self] = None

    @property
    def deadline(self) -> float:
        """See ``Loop.watched``."""
        return self._waiting[0][1] if self._waiting else float("inf")

    def expire(self, now: float) -> None:
        """Who has waited too long gets none."""
        while self._waiting and self._waiting[0][1] < now:
            user = self._waiting.popleft()[0]
            self._late.add(id(user))
            user.resume(None)

    def at_once(self, user: Holder) -> Line | None:
        """Return the one used last, while any is free."""
        if not self._free or not self._free[-1].ready:
            return None
        del user
        self.setting.recorder.phase("pool", 0.0)
        return self._free.pop()

    def get(self, user: Holder, deadline: float) -> Given:
        """Open one while there may be more, else wait until one comes back."""
        begun = monotonic()
        line: Line | None = None
        if self._free:
            line = self._free.pop()
        elif self._unmade:
            self._unmade -= 1
            line = self.new()
        else:
            self._waiting.append((user, deadline))
            yield
            if id(user) in self._late:
                self._late.discard(id(user))
                self.setting.recorder.phase("pool", monotonic() - begun, failed=True)
                text = f"no session was free within {deadline - begun:g} s"
                return Failure(kind="pool", error="PoolTimeout", text=text, phase="pool")
            line = self._given.pop(id(user))
        self.setting.recorder.phase("pool", monotonic() - begun)
        if line.ready:
            return line
        if line.tried:
            line.drop()
            line = self.new()
        line.tried = True
        why = yield from line.open(user.resume)
        if why is None:
            return line
        self._back(self.new())
        return why

    def give_back(self, user: Holder, line: Line) -> Kept:
        """Lend it to the next."""
        del user
        self._back(line)
        return
        yield

    def _back(self, line: Line) -> None:
        if self._waiting:
            other = self._waiting.popleft()[0]
            self._given[id(other)] = line
            self.setting.loop.soon(_continue(other))
        else:
            self._free.append(line)

    def close(self, user: Holder) -> Kept:
        """Close all of them."""
        while self._free:
            yield from self._free.pop().close(user.resume)


def _continue(user: Holder) -> Callable[[], None]:
    def call() -> None:
        user.resume(None)

    return call


def desk(setting: Setting, kind: str, share: Share) -> Desk:
    """Return the desk that the plan asks for. Waves and agents have a line for each user."""
    sessions, model = setting.plan.sessions, setting.plan.model
    if kind == "agent" or model.kind == "waves" or sessions.policy == "per-worker":
        return Desk(setting, kind)
    if sessions.policy == "per-call":
        return PerCall(setting, kind)
    if sessions.policy == "shared":
        return Shared(setting, kind)
    return Pooled(setting, kind, max(1, (sessions.size - share.number + share.of - 1) // share.of))
