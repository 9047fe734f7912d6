"""The one engine of ``Plan.client == "wire"``: prepares, runs until everybody has left, and cuts off what stays."""

import gc
import resource
from time import monotonic

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.load.contract import Recorder, Share, Tick
from woolly_mcpdiag.load.engine.calls import Call
from woolly_mcpdiag.load.engine.connection import Connection
from woolly_mcpdiag.load.engine.crews import Crew, crew
from woolly_mcpdiag.load.engine.ledger import Ledger
from woolly_mcpdiag.load.engine.line import Setting
from woolly_mcpdiag.load.engine.loop import Loop
from woolly_mcpdiag.load.engine.opening import Opening
from woolly_mcpdiag.load.engine.place import Place
from woolly_mcpdiag.load.plan import Plan

_TICK = 0.1
_COLLECT = (20_000, 50, 10)
"""Thresholds of the collector: a session is gone by reference counts but for a few cycles."""
_SPARE = 64
"""Open files besides the connections."""
_PER_USER = 3
"""Connections of a user at most: a call, a standing stream, and the rest of an answer that is still being read."""


class WireEngine:
    """Implements ``load.contract.Engine``."""

    def __init__(self, plan: Plan, share: Share, recorder: Recorder) -> None:
        self._plan = plan
        self._share = share
        self._recorder = recorder
        self._places: dict[str, Place] = {}
        self._calls: list[Call] = []

    def prepare(self) -> None:
        """Resolve names, build requests, raise the limit of open files.

        Raises ``UsageError`` for a URL or header that cannot be, or more users than files may be open.
        """
        plan = self._plan
        _make_room(plan, self._share)
        if plan.mcp is not None:
            self._places["mcp"] = Place(plan.mcp.at)
        if plan.agent is not None:
            self._places["agent"] = Place(plan.agent.at)
        for call in plan.calls:
            if call.kind not in self._places:
                message = f"{call.name or call.agent or call.method}: the plan has no {call.kind} target"
                raise UsageError(message, hint="name its URL")
        self._calls = [Call(plan, self._share, index) for index in range(len(plan.calls))]
        for place in self._places.values():
            try:
                place.resolve()
            except OSError:
                # Every call will say so; a name may become known later.
                continue

    def run(self, start: float, tick: Tick) -> None:
        """Make the calls; return when they have ended or the drain is over."""
        loop = Loop()
        ledger = Ledger(self._plan, self._recorder)
        setting = Setting(
            plan=self._plan,
            loop=loop,
            ledger=ledger,
            recorder=self._recorder,
            limits=self._plan.limits,
            places=self._places,
            calls=self._calls,
        )
        # What is there now stays; the collector need not walk it again and again.
        gc.freeze()
        often = gc.get_threshold()
        gc.set_threshold(*_COLLECT)
        try:
            _Run(setting, crew(setting, self._share), tick).run(start)
        finally:
            gc.set_threshold(*often)
            gc.unfreeze()
            loop.close()


class _Run:
    """A run under way."""

    def __init__(self, setting: Setting, crew: Crew, tick: Tick) -> None:
        self._setting = setting
        self._crew = crew
        self._tick = tick
        self._until: float | None = None
        """Instant at which the drain is over."""

    def run(self, start: float) -> None:
        loop = self._setting.loop
        self._crew.begin(start, loop.stop)
        loop.at(monotonic() + _TICK, self._beat)
        loop.run()
        self._cut_off()

    def _beat(self) -> None:
        setting = self._setting
        setting.ledger.flush()
        go_on = self._tick()
        setting.ledger.draw()
        now = monotonic()
        if not go_on and self._until is None:
            self._until = now + setting.limits.drain
            self._crew.stop()
        self._crew.tick()
        if self._until is not None and now >= self._until:
            setting.loop.stop()
            return
        setting.loop.at(now + _TICK, self._beat)

    def _cut_off(self) -> None:
        """Account for what did not end, and close everything."""
        setting = self._setting
        if setting.ledger.running:
            setting.recorder.count("unfinished", setting.ledger.running)
        for user in self._crew.users.values():
            for line in user.lines.values():
                line.drop()
        for watched in list(setting.loop.watched):
            if isinstance(watched, Connection):
                watched.close()
            elif isinstance(watched, Opening):
                watched.give_up()
        setting.ledger.flush()


def _make_room(plan: Plan, share: Share) -> None:
    """Raise the limit of open files to the hard one; raise ``UsageError`` where that cannot do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    model = plan.model
    users = max([model.concurrency, *(stage.target for stage in model.stages)]) / share.of
    needed = int(users * (1 if plan.mcp is None or plan.mcp.modern else _PER_USER - 1)) + _SPARE
    if model.kind != "open" and soft != resource.RLIM_INFINITY and needed > soft:
        message = f"open files: {soft} may be open in a process, {users:g} users need {needed}"
        raise UsageError(message, hint=f"run more processes, or raise the limit first: ulimit -n {needed}")


def factory(plan: Plan, share: Share, recorder: Recorder) -> WireEngine:
    """Return the engine for a share of a plan; see ``load.contract.EngineFactory``."""
    return WireEngine(plan, share, recorder)
