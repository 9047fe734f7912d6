"""The three ways in which calls come about: users that wait for each answer, arrivals, and waves of births."""

from collections.abc import Callable, Iterator
from time import monotonic

from woolly_mcpdiag.load import schedule
from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.engine.calls import Call
from woolly_mcpdiag.load.engine.desk import Desk, desk
from woolly_mcpdiag.load.engine.failure import Failure
from woolly_mcpdiag.load.engine.line import Line, Setting
from woolly_mcpdiag.load.engine.user import Life, User

_ENDLESS = 1 << 62
"""Calls."""


class Crew:
    """Users and what they are to do."""

    def __init__(self, setting: Setting, share: Share) -> None:
        self.setting = setting
        self.share = share
        self.desks: dict[str, Desk] = {call.kind: desk(setting, call.kind, share) for call in setting.calls}
        self.stopping = False
        self.users: dict[int, User] = {}
        """Those who have not left, by number within this share."""
        self._only = setting.calls[0] if len(setting.calls) == 1 else None
        self._picks = schedule.picks(setting.plan, share)
        self._count = 0
        self._start = 0.0
        self._over: Callable[[], None] = _nothing

    def begin(self, start: float, over: Callable[[], None]) -> None:
        """Start; ``over`` is called once everybody has left and everything is closed."""
        self._start, self._over = start, over
        self.setting.loop.at(start, self.work)

    def work(self) -> None:
        """Bring the users to work."""

    def tick(self) -> None:
        """Look after the users, ten times a second."""

    def stop(self) -> None:
        """Start nothing more."""
        if not self.stopping:
            self.stopping = True
            for user in list(self.users.values()):
                if user.asleep is not None:
                    user.asleep()
            self.settle()

    def pick(self) -> tuple[Call, int]:
        """Return the next call and its number."""
        count = self._count
        self._count = count + 1
        return self._only or self.setting.calls[next(self._picks)], count

    def left(self, user: User) -> None:
        """A user has left."""
        number = (user.whose.number - self.share.number) // self.share.of
        self.users.pop(number, None)
        self.settle()

    def settle(self) -> None:
        """Close down where nobody is left and nobody will come."""
        if not self.users and self.finished():
            over, self._over = self._over, _nothing
            if over is not _nothing:
                janitor = User(self, self.share.number)
                self.setting.loop.soon(lambda: janitor.live(self._clean(janitor, over)))

    def finished(self) -> bool:
        """Nobody will come any more."""
        return self.stopping

    def add(self, number: int, wave: int = -1) -> User:
        """Return a new user, the ``number``-th of this share."""
        user = self.users[number] = User(self, number * self.share.of + self.share.number, wave)
        return user

    def _clean(self, janitor: User, over: Callable[[], None]) -> Life:
        for each in self.desks.values():
            yield from each.close(janitor)
        over()
        yield


class Closed(Crew):
    """Users who wait for each answer before they ask again."""

    def __init__(self, setting: Setting, share: Share) -> None:
        super().__init__(setting, share)
        budget = schedule.budget(setting.plan.model, share)
        self._most = _ENDLESS if budget is None else budget
        """Calls in all."""
        self._wanted = 0
        self._drawn = schedule.chance(setting.plan.model, share, "think")

    def work(self) -> None:
        """Bring as many users to work as are wanted now."""
        # While stages change how many they are, each is to ask each time whether he is still wanted.
        self.setting.ledger.limit(0 if self.setting.plan.model.stages or self.stopping else self._most)
        self._wanted = schedule.users(self.setting.plan.model, self.share, monotonic() - self._start)
        for number in range(self._wanted):
            if number not in self.users and not self.finished():
                user = self.add(number)
                more = self._more(number)
                pauses = max(self.setting.plan.model.think) > 0
                user.live(self._life(user, more) if pauses else user.work(more))
        self.settle()

    def tick(self) -> None:
        """Follow the stages."""
        if self.setting.plan.model.stages and not self.stopping:
            self.work()

    def stop(self) -> None:
        """Start nothing more."""
        self.setting.ledger.limit(0)
        super().stop()

    def finished(self) -> bool:
        """Nobody will come any more."""
        return self.stopping or self.setting.ledger.started >= self._most

    def _more(self, number: int) -> Callable[[], bool]:
        ledger = self.setting.ledger

        def more() -> bool:
            return not self.stopping and number < self._wanted and ledger.started < self._most

        return more

    def _life(self, user: User, more: Callable[[], bool]) -> Life:
        while more():
            yield from user.call()
            if not self.stopping:
                yield from user.pause(schedule.think(self.setting.plan.model, self._drawn))
        yield from user.leave()


class Open(Crew):
    """Arrivals at their instants, whatever the answers do; each is taken by a user who has nothing to do."""

    def __init__(self, setting: Setting, share: Share) -> None:
        super().__init__(setting, share)
        model = setting.plan.model
        self._arrivals: Iterator[float] = schedule.arrivals(model, share)
        self._next: float | None = next(self._arrivals, None)
        most = (model.max_in_flight - share.number + share.of - 1) // share.of
        self._most = max(1, most)
        self._idle: list[User] = []
        self._due: float | None = None
        """Instant of the arrival that is being started."""

    def work(self) -> None:
        """Start everything that is due, and set the alarm for what is next."""
        recorder = self.setting.recorder
        while self._next is not None and not self.stopping:
            due = self._start + self._next
            now = monotonic()
            if due > now:
                self.setting.loop.at(due, self.work)
                return
            self._next = next(self._arrivals, None)
            recorder.late(now - due)
            self._arrive(due)
        self._dismiss()

    def stop(self) -> None:
        """Start nothing more."""
        super().stop()
        self._dismiss()

    def finished(self) -> bool:
        """Nobody will come any more."""
        return self.stopping or self._next is None

    def _arrive(self, due: float) -> None:
        self._due = due
        if self._idle:
            self._idle.pop().resume(None)
        elif len(self.users) < self._most:
            user = self.add(len(self.users))
            user.live(self._life(user))
        else:
            self.setting.recorder.count("dropped")

    def _dismiss(self) -> None:
        idle, self._idle = self._idle, []
        self._due = None
        for user in idle:
            user.resume(None)
        self.settle()

    def _life(self, user: User) -> Life:
        while True:
            yield from user.call(self._due)
            if self.finished():
                break
            self._idle.append(user)
            yield
            if self._due is None:
                break
        yield from user.leave()


class Waves(Crew):
    """Sessions that are all born at the same instant; the next wave begins when the last one has left."""

    def __init__(self, setting: Setting, share: Share) -> None:
        super().__init__(setting, share)
        self._numbers = schedule.waves(setting.plan.model, share)
        self._next: int | None = next(self._numbers, None)
        self._number = -1
        self._before = (0, 0)
        self._ready: list[User] = []
        self._expected = 0

    def work(self) -> None:
        """Open the connections of the next wave."""
        if self._next is None or self.stopping:
            self.settle()
            return
        self._number = self._next
        self._next = next(self._numbers, None)
        ledger = self.setting.ledger
        self._before = (ledger.failed, ledger.refused)
        self._expected = self.setting.plan.model.concurrency
        for number in range(self._expected):
            user = self.add(number, self._number)
            user.live(self._life(user))

    def left(self, user: User) -> None:
        """A user has left; with the last one the wave has ended."""
        self.users.pop((user.whose.number - self.share.number) // self.share.of, None)
        if self.users:
            return
        ledger = self.setting.ledger
        failed, refused = self._before
        ledger.flush()
        self.setting.recorder.wave(self._number, failed=ledger.failed > failed, refused=ledger.refused > refused)
        self.setting.loop.soon(self.work)

    def finished(self) -> bool:
        """Nobody will come any more."""
        return self.stopping or self._next is None

    def _arrived(self, user: User | None) -> None:
        """A user's connection is open (or cannot be); with the last one all begin at once."""
        self._expected -= 1
        if user is not None:
            self._ready.append(user)
        if not self._expected:
            ready, self._ready = self._ready, []
            self.setting.loop.soon(lambda: _together(ready))

    def _life(self, user: User) -> Life:
        call = self.setting.calls[0]
        line: Line = self.desks[call.kind].new()
        user.lines[call.kind] = line
        why: list[Failure | None] = []

        def connected(problem: Failure | None) -> None:
            why.append(problem)
            self._arrived(user)

        line.connect(connected)
        yield
        for _ in range(self.setting.plan.model.calls_per_session):
            if self.stopping:
                break
            yield from user.call()
        yield from user.leave()


def _together(users: list[User]) -> None:
    for user in users:
        user.resume(None)


def _nothing() -> None:
    return


def crew(setting: Setting, share: Share) -> Crew:
    """Return the crew that the plan's model asks for."""
    kinds: dict[str, type[Crew]] = {"closed": Closed, "open": Open, "waves": Waves}
    return kinds[setting.plan.model.kind](setting, share)
