"""The one place where a share of a load is counted: tallies, events within their ration, samples of what failed."""

from array import array
from collections import defaultdict, deque
from collections.abc import Sequence

from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.ids import normalise
from woolly_mcpdiag.core.measures import COUNTERS, Answer, Calls, Kind, Outcome, Series, Step, Tally
from woolly_mcpdiag.core.runs import Sample
from woolly_mcpdiag.load.contract import Done, Exchanged, Share, Success
from woolly_mcpdiag.load.counting import add_all
from woolly_mcpdiag.load.fingerprint import fingerprint
from woolly_mcpdiag.load.masking import Masking
from woolly_mcpdiag.load.plan import Plan
from woolly_mcpdiag.load.ration import Ration
from woolly_mcpdiag.load.telling import call_events, exchange_event, operation_of, success_lines
from woolly_mcpdiag.load.witness import NEAR, Witness
from woolly_mcpdiag.load.writing import Line, line_of, text_of

WARMUP = "warmup"
LATE = 0.010
"""Seconds after its instant from which an arrival is late."""
_BAD = frozenset({"stream.lost", "session.refused", "call.failed", "call.rejected", "agent.failed", "breaker.changed"})
"""Kinds of events that have the ration of failures."""
_COVERED = 5000
"""Sorts of failing exchanges that are remembered as told by a call's sample."""
_OK = Outcome()
_UNCLAIMED = 256
"""Failing exchanges that wait for the call that they belong to."""


class ShardRecorder:
    """The ``Recorder`` of a process (see ``load.contract``). Nothing waits here: ``flush`` is called at each tick."""

    def __init__(self, plan: Plan, share: Share, *, wall: float, source: str = "") -> None:
        """``wall`` is what makes an instant seconds since the epoch; ``source`` is named in all events."""
        self._plan, self._wall, self._source = plan, wall, source
        self.tally = Tally()
        self.in_flight = 0
        self.events: list[str] = []
        """Lines of JSON that are still to be written."""
        self._steps: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
        """Of the part of the run in which the last tick fell."""
        self._waiting: list[tuple[Success, bool]] = []
        self.samples: list[Sample] = []
        """Samples that are complete and still to be written."""
        self._operations = [operation_of(plan, spec) for spec in plan.calls]
        self._columns = [(array("d"), array("d"), array("d")) for _ in plan.calls]
        self._alike = [array("d") for _ in plan.calls]
        """Of calls whose latency, service and first byte are the same."""
        self._ration = Ration(plan.events_per_second, share.of, plan.model.seed + share.number)
        self._masking = Masking(plan)
        self._witness = Witness()
        self._unclaimed: deque[tuple[Exchanged, str]] = deque(maxlen=_UNCLAIMED)
        self._covered: set[str] = set()
        self._start, self._warm, self._now = 0.0, float("-inf"), 0.0
        self._good = 0
        self._enter(WARMUP if plan.model.warmup > 0 else plan.scene)

    def start(self, instant: float) -> None:
        """Say when the run starts; before that everything counts as its first part."""
        self._start, self._now = instant, instant
        self._ration.start(instant)
        if self._plan.model.warmup > 0:
            self._warm = instant + self._plan.model.warmup

    # What engines tell

    @property
    def detailed(self) -> bool:
        """True where the next success is to be told in full."""
        return self._ration.draw()

    def gap(self) -> int:
        """Return how many successes are not to be told in full before the next."""
        return self._ration.gap()

    def started(self, n: int = 1) -> None:
        """Calls were started."""
        self.in_flight += n
        self.count("started", n)

    def quick(self, spec: int, latency: float, service: float, first: float) -> None:
        """Count a call that has succeeded; it belongs to the part of the run in which the last tick fell."""
        latencies, services, firsts = self._columns[spec]
        latencies.append(latency)
        services.append(service)
        if first > 0:
            firsts.append(first)

    def quick_many(
        self, spec: int, latencies: Sequence[float], services: Sequence[float], firsts: Sequence[float]
    ) -> None:
        """``quick`` for many calls."""
        if services is latencies and firsts is latencies:
            self._alike[spec].extend(latencies)
            return
        columns = self._columns[spec]
        columns[0].extend(latencies)
        columns[1].extend(services)
        columns[2].extend([first for first in firsts if first > 0])

    def succeeded(self, success: Success) -> None:
        """Count a call that has succeeded in one exchange and tell of both: at the next tick, or before all else."""
        self._ration.at(success.ended)
        # One by one they would push what an engine needs for its calls out of the processor's caches.
        events = 1 + (success.asked is not None) + (self._plan.calls[success.spec].kind == "agent")
        self._waiting.append((success, self._ration.take_success(events)))

    def _settle_success(self, success: Success, *, told: bool) -> None:
        spec = self._plan.calls[success.spec]
        if success.asked is not None:
            self._answer(success.asked.kind, success.status, 1, benign=False)
        latency, service = max(success.ended - success.scheduled, 0.0), max(success.ended - success.sent, 0.0)
        first = max(success.first - success.sent, 0.0) if success.first else 0.0
        if (success.scheduled < self._warm) == (self._scene == WARMUP):
            self.quick(success.spec, latency, service, first)
        else:
            # It began in another part of the run than that in which the last tick fell.
            scene = WARMUP if success.scheduled < self._warm else self._plan.scene
            calls = self.tally.of(self._series(success.spec, scene))
            self._ended(calls, 1)
            self._count(calls, latency, service, first if success.first else None)
        operation = self._operations[success.spec]
        lines = success_lines(success, spec, operation, self.wall, self._masking)
        if not told:
            self.count("events_left_out", len(lines))
            return
        for at, line in lines:
            line.source = self._source
            self._put(line, at)

    def _catch_up(self) -> None:
        waiting, self._waiting = self._waiting, []
        for success, told in waiting:
            self._settle_success(success, told=told)

    def done(self, done: Done) -> None:
        """Count a call that has ended and tell of it."""
        self.in_flight -= 1
        scene = WARMUP if done.scheduled < self._warm else self._plan.scene
        calls = self.tally.of(self._series(done.spec, scene))
        good = done.outcome.kind == "ok"
        calls.outcomes[done.outcome] += 1
        calls.retried += done.attempts > 1
        calls.degraded += done.degraded
        latency = max(done.ended - done.scheduled, 0.0)
        if good:
            first = max(done.first - done.sent, 0.0) if done.first else None
            self._count(calls, latency, max(done.ended - done.sent, 0.0), first)
            calls.ok += 1
            self._good += 1
        else:
            calls.failed += 1
            calls.failing.add(latency)
        operation, at = self._operations[done.spec], done.ended
        for event in call_events(done, self._plan.calls[done.spec], operation, self.wall(at), self._masking):
            self._write(line_of(event, self._source), at, failure=not good)
        if not good:
            self._witness_call(done, operation, scene)

    def exchanged(self, exchange: Exchanged) -> None:
        """Count an HTTP exchange and tell of it."""
        strict = self._plan.strict_probes and exchange.method == "POST"
        benign = exchange.benign and not strict
        self._answer(exchange.kind, exchange.status, 1, benign=benign)
        bad = exchange.status >= 400 or not exchange.status
        at = exchange.at + exchange.took
        event = exchange_event(exchange, self.wall(at), self._masking, benign=benign, in_flight=self.in_flight)
        self._write(line_of(event, self._source), at, failure=bad)
        if bad and not benign:
            self._unclaimed.append((exchange, self._told_by(exchange)))

    def answered(self, kind: Kind, status: int, n: int = 1) -> None:
        """Count answers."""
        self._answer(kind, status, n, benign=False)

    def phase(self, name: str, took: float, *, failed: bool = False) -> None:
        """Count a step of a session's birth or of a connection; seconds."""
        if failed:
            self.tally.step(Step(self._scene, self._plan.client, name)).failed += 1
        else:
            self._steps[name].append(took)

    def event(self, event: Event) -> None:
        """Tell of anything else."""
        at = self._now if event.time is None else event.time - self._wall
        told = line_of(event, self._source)
        told.time, told.session = self.wall(at), normalise(event.session)
        told.url, told.message = self._masking.url(event.url), self._masking.text(event.message)
        told.extra = self._masking.facts(event.extra) or None
        self._write(told, at, failure=event.kind in _BAD or bool(event.error))

    def count(self, counter: str, n: int = 1) -> None:
        """Add to a counter. Raises ``KeyError`` for one that ``COUNTERS`` does not name."""
        self.tally.counters[self._names[counter]] += n

    def wave(self, index: int, *, failed: bool, refused: bool) -> None:
        """Count a wave that has ended."""
        del index
        self.count("waves")
        self.count("waves_failed", int(failed))
        self.count("waves_400", int(refused))

    def late(self, by: float) -> None:
        """Count an arrival that was started so many seconds after its instant, where that is late."""
        if by > LATE:
            self.count("late")

    def wall(self, instant: float) -> float:
        """Return an instant as seconds since the epoch, to the microsecond."""
        return round(instant + self._wall, 6)

    # What the kernel asks

    def flush(self, now: float, *, end: bool = False) -> None:
        """Count what was told by ``quick`` and finish the samples whose time is over."""
        self._catch_up()
        for name, steps in self._steps.items():
            add_all(self.tally.step(Step(self._scene, self._plan.client, name)).took, steps)
        self._steps.clear()
        for spec, columns in enumerate(self._columns):
            alike = self._alike[spec]
            if alike:
                calls = self.tally.of(self._quick[spec])
                add_all(calls.latency, alike, calls.service, calls.first)
                self._ended(calls, len(alike))
                self._alike[spec] = array("d")
            if columns[0]:
                self._settle(spec, *columns)
                self._columns[spec] = (array("d"), array("d"), array("d"))
        self._ration.at(now)
        self._ration.seen(self._good, now)
        self._now, self._good = now, 0
        self._witness_rest(now, end=end)
        self.samples += self._witness.ready(now, end=end)
        if self._scene == WARMUP and now >= self._warm:
            self._enter(self._plan.scene)

    # Within

    def _enter(self, scene: str) -> None:
        self._scene = scene
        self._names = {name: f"{scene}/{name}" if scene else name for name in COUNTERS}
        # They exist at 0 from the start, so that none is not the same as not looked at.
        for name in self._names.values():
            self.tally.counters.setdefault(name, 0)
        self._quick = [self._series(spec, scene) for spec in range(len(self._plan.calls))]

    def _series(self, spec: int, scene: str) -> Series:
        call = self._plan.calls[spec]
        return Series(scene, call.kind, self._plan.client, call.agent, self._operations[spec])

    def _settle(self, spec: int, latencies: "array[float]", services: "array[float]", firsts: "array[float]") -> None:
        calls: Calls = self.tally.of(self._quick[spec])
        add_all(calls.latency, latencies)
        add_all(calls.service, services)
        add_all(calls.first, firsts)
        self._ended(calls, len(latencies))

    def _ended(self, calls: Calls, n: int) -> None:
        calls.ok += n
        calls.outcomes[_OK] += n
        self._good += n
        self.in_flight -= n

    def _count(self, calls: Calls, latency: float, service: float, first: float | None) -> None:
        calls.latency.add(latency)
        calls.service.add(service)
        if first is not None:
            calls.first.add(first)

    def _answer(self, kind: Kind, status: int, n: int, *, benign: bool) -> None:
        self.tally.answers[Answer(self._scene, kind, status, benign)] += n

    def _write(self, line: Line, at: float, *, failure: bool) -> None:
        if self._waiting:
            self._catch_up()
        self._ration.at(at)
        if self._ration.take(failure=failure):
            self._put(line, at)
        else:
            self.count("events_left_out")

    def _put(self, line: Line, at: float) -> None:
        self._witness.saw(at, line)
        self.events.append(text_of(line))

    # Samples

    def _told_by(self, exchange: Exchanged) -> str:
        said = exchange.body or exchange.error
        return fingerprint(exchange.kind, f"{exchange.method} {exchange.rpc}", "http", exchange.status, 0, said)

    def _witness_call(self, done: Done, operation: str, scene: str) -> None:
        outcome, spec = done.outcome, self._plan.calls[done.spec]
        mine = self._claimed(done, spec.kind)
        said = mine.body if mine is not None and mine.body else done.error
        sort = fingerprint(spec.kind, operation, outcome.kind, outcome.status, outcome.code, said)
        if not self._witness.wants(sort):
            return
        sample = Sample(
            fingerprint=sort,
            at=max(done.ended - self._start, 0.0),
            scene=scene,
            kind=spec.kind,
            client=self._plan.client,
            agent=spec.agent,
            operation=operation,
            phase=done.phase,
            outcome=outcome.kind,
            status=outcome.status,
            code=outcome.code,
            session=normalise(done.session),
            took=max(done.ended - done.sent, 0.0),
            error=self._masking.text(done.error),
            request=self._masking.text(mine.request) if mine else "",
            response=self._masking.text(mine.response or mine.body) if mine else "",
        )
        self._witness.take(sample, done.ended)

    def _claimed(self, done: Done, kind: Kind) -> Exchanged | None:
        """Return the newest failing exchange that this call can have made."""
        session = normalise(done.session)
        for exchange, sort in reversed(self._unclaimed):
            if exchange.at + exchange.took < done.sent:
                break
            alike = exchange.kind == kind and exchange.status in {0, done.outcome.status or exchange.status}
            ours = not session or not exchange.session or normalise(exchange.session) == session
            keyed = not done.key or not exchange.key or exchange.key == done.key
            if alike and ours and keyed and exchange.at <= done.ended:
                if len(self._covered) < _COVERED:
                    self._covered.add(sort)
                return exchange
        return None

    def _witness_rest(self, now: float, *, end: bool) -> None:
        """Make samples of failing exchanges that belong to no failed call: a retry hid them, or they were no call."""
        while self._unclaimed and (end or now - self._unclaimed[0][0].at - self._unclaimed[0][0].took > NEAR / 2):
            exchange, sort = self._unclaimed.popleft()
            if sort in self._covered or not self._witness.wants(sort):
                continue
            at = exchange.at + exchange.took
            self._witness.take(
                Sample(
                    fingerprint=sort,
                    at=max(at - self._start, 0.0),
                    scene=self._scene,
                    kind=exchange.kind,
                    client=self._plan.client,
                    agent=exchange.agent,
                    operation=f"{exchange.method} {exchange.rpc}".strip(),
                    outcome="http" if exchange.status else "disconnect",
                    status=exchange.status,
                    session=normalise(exchange.session),
                    took=exchange.took,
                    error=exchange.error,
                    request=self._masking.text(exchange.request),
                    response=self._masking.text(exchange.response or exchange.body),
                ),
                at,
            )
