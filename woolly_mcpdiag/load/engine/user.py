"""The one life of a user: takes a session, makes calls, pauses, and leaves in an orderly way."""

from collections.abc import Callable, Generator
from time import monotonic
from typing import Protocol

from woolly_mcpdiag.load.engine.calls import Call
from woolly_mcpdiag.load.engine.desk import Desk
from woolly_mcpdiag.load.engine.exchange import Exchange
from woolly_mcpdiag.load.engine.failure import Failure
from woolly_mcpdiag.load.engine.ledger import Whose
from woolly_mcpdiag.load.engine.line import Line, Setting

Life = Generator[None, Exchange, None]


class Crew(Protocol):
    """What users ask of whoever runs them."""

    setting: Setting
    desks: dict[str, Desk]
    stopping: bool

    def pick(self) -> tuple[Call, int]:
        """Return the next call, and the how manieth of this share it is."""

    def left(self, user: "User") -> None:
        """A user has ended; his generator is not to be continued."""


class User:
    """A virtual user. What he does next is said by ``life``, a generator that his exchanges continue."""

    def __init__(self, crew: Crew, number: int, wave: int = -1) -> None:
        self.crew = crew
        self.whose = Whose(number, wave)
        self.lines: dict[str, Line] = {}
        self.asleep: Callable[[], None] | None = None
        """Wakes him early, while he pauses."""
        self.resume: Callable[[Exchange | None], object] = _unborn

    def live(self, life: Life) -> None:
        """Begin; the life must end in ``leave``."""
        self.resume = life.send  # type: ignore[assignment]
        self.resume(None)

    def work(self, more: Callable[[], bool]) -> Life:
        """Make calls, one after the other, while there are more, and leave.

        What goes well on a line that needs no handing over costs least.
        """
        crew, resume, whose = self.crew, self.resume, self.whose
        ledger = crew.setting.ledger
        times, desks, pick = ledger.times, crew.desks, crew.pick
        alone = len(crew.setting.calls) == 1
        while more():
            call, count = pick()
            desk = desks[call.kind]
            line = desk.at_once(self) if desk.lasting else None
            if line is None or not line.used:
                yield from self._call(call, count, None)
                continue
            ledger.started += 1
            begun = monotonic()
            exchange = line.start(call, count, whose.number, resume, begun)
            if alone and desk.mine:
                line.hurry(call, exchange, more, whose)
                yield
                # The short cut may have begun anew in between.
                begun = exchange.begun
            else:
                yield
            if ledger.skip and line.judge(exchange) is None:
                ledger.skip -= 1
                mine = times[call.index]
                mine.latencies.append(exchange.ended - begun)
                mine.firsts.append(exchange.first - begun)
                mine.answers += line.single
                line.spare = exchange
            else:
                self._account(call, line, exchange, (begun, begun))
        yield from self.leave()

    def call(self, scheduled: float | None = None) -> Life:
        """Make one call; ``scheduled`` is its instant where arrivals are scheduled."""
        call, count = self.crew.pick()
        return self._call(call, count, scheduled)

    def _call(self, call: Call, count: int, scheduled: float | None) -> Life:
        crew = self.crew
        ledger, limits = crew.setting.ledger, crew.setting.limits
        desk = crew.desks[call.kind]
        ledger.started += 1
        begun = monotonic()
        line = desk.at_once(self)
        if line is None:
            given = yield from desk.get(self, begun + limits.call)
            if isinstance(given, Failure):
                self.whose.session = ""
                due = begun if scheduled is None else scheduled
                ledger.lost(call.index, None, (due, begun, monotonic()), self.whose, given)
                return
            line = given
            if desk.keeps:
                begun = monotonic()
        exchange = line.start(call, count, self.whose.number, self.resume, monotonic())
        exchange = yield
        self._account(call, line, exchange, (begun if scheduled is None else scheduled, begun))
        if not desk.lasting:
            yield from desk.give_back(self, line)

    def _account(self, call: Call, line: Line, exchange: Exchange, times: tuple[float, float]) -> None:
        setting = self.crew.setting
        ledger = setting.ledger
        why = line.judge(exchange)
        self.whose.session = line.session
        if why is not None:
            if line.single:
                ledger.answered(exchange)
            ledger.lost(call.index, exchange, (*times, exchange.ended), self.whose, why)
            return
        ledger.succeeded(call.index, exchange, times, self.whose, single=bool(line.single))
        line.spare = exchange
        if not line.used:
            line.used = True
            if call.kind == "mcp":
                setting.recorder.phase("first-call", exchange.ended - exchange.begun)

    def pause(self, seconds: float) -> Life:
        """Do nothing for a while, or until somebody wakes him."""
        loop = self.crew.setting.loop

        def wake() -> None:
            if self.asleep is wake:
                self.asleep = None
                timer.cancel()
                self.resume(None)

        self.asleep = wake
        timer = loop.at(monotonic() + seconds, wake)
        yield

    def leave(self) -> Life:
        """Close what is his, and be no more."""
        for kind, line in list(self.lines.items()):
            if self.crew.desks[kind].mine:
                yield from line.close(self.resume)
        self.lines.clear()
        self.crew.left(self)
        yield


def _unborn(_exchange: Exchange | None) -> object:
    raise RuntimeError
