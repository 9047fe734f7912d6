"""The one way to run a load from Python: plans in, a judged run and its report out."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from woolly_mcpdiag.api.explaining import Explaining
from woolly_mcpdiag.api.stage import Stagehand
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.core.measures import Tally, merged
from woolly_mcpdiag.core.runs import End, Generator, Interval, Meta, Run, Sample, Scene, from_line
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.gate.judge import judge, sure_failures
from woolly_mcpdiag.gate.thresholds import Threshold, parse_all
from woolly_mcpdiag.load.gathering import Gathering
from woolly_mcpdiag.load.kernel import now
from woolly_mcpdiag.load.plan import Plan
from woolly_mcpdiag.load.processes import Crew
from woolly_mcpdiag.load.recorder import WARMUP
from woolly_mcpdiag.load.runlog import RunLog
from woolly_mcpdiag.load.schedule import aimed, total_time
from woolly_mcpdiag.load.selfcheck import Fared, generator
from woolly_mcpdiag.load.sense import check, wanted
from woolly_mcpdiag.load.travel import Word
from woolly_mcpdiag.load.witness import SAMPLES
from woolly_mcpdiag.report.assemble_run import assemble_run
from woolly_mcpdiag.report.model import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a run must fulfil, and what happens to it."""

    thresholds: tuple[str, ...] = ()
    """As ``--threshold`` takes them."""
    confidence: float = 0.95
    abort: bool = False
    """Stop at the first threshold that has surely failed."""
    abort_delay: float = 0.0
    """Seconds before the first such look."""
    events: Path | None = None
    """The run log; ``None`` keeps it in a temporary file that is removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How a run stands, a few times a second."""

    meta: Meta
    scene: str
    """Which plan runs: its scene."""
    number: int
    """Of the plan, from 0."""
    plans: int
    elapsed: float
    """Seconds since the start of this plan."""
    total: float | None
    """Seconds it will take; ``None`` where only calls are counted."""
    done: int
    wanted: int | None
    """Calls of this plan; ``None`` where only time counts."""
    users: float
    in_flight: int
    tally: Tally
    """Of this plan so far."""
    recent: Sequence[Interval]
    """The last minute's intervals."""
    generator: Generator
    findings: Sequence[Finding] = ()
    judgements: Sequence[Judgement] = ()


@dataclass(slots=True, kw_only=True)
class Loaded:
    """What a load gives."""

    run: Run
    report: Report
    judgements: list[Judgement] = field(default_factory=list)
    interrupted: bool = False


_NAP = 0.1
"""Seconds that messages are waited for before anything else is looked at."""
_SHOWN = 0.25
"""Seconds between two states."""
_RECENT = 60.0
"""Seconds of intervals that a state has."""
_MOST_RECENT = 100
"""Intervals that can lie within them."""


def load(
    plans: Sequence[Plan],
    meta: Meta,
    demand: Demand | None = None,
    *,
    on_state: Callable[[State], None] | None = None,
    stopped: Callable[[], bool] | None = None,
    stagehand: Stagehand | None = None,
) -> Loaded:
    """Run the plans one after the other, write the run log as it happens, judge and explain what happened.

    ``stopped`` is asked ten times a second; once it says True nothing more is started and what was measured is
    reported. A ``KeyboardInterrupt`` ends all processes at once and is passed on when the log has its last row.
    The run's start is set to the instant of its first call. ``stagehand`` acts while plans run and judges the whole.

    Raises ``McpdiagError`` for a plan that cannot mean anything and for a run log that cannot be written.
    """
    asked = demand or Demand()
    check(plans, endless=stopped is not None)
    thresholds = parse_all(asked.thresholds)
    with RunLog(asked.events) as log:
        running = _Running(plans, meta, asked, thresholds, log, on_state, stopped or (lambda: False), stagehand)
        try:
            for number in range(len(plans)):
                running.play(number)
                if running.reason:
                    break
        except BaseException as error:
            if running.begun is not None:
                running.cut_off(error)
            raise
        finally:
            running.close()
        return running.conclude()


class _Running:
    """A run in the making: its record, its log and what is known of it so far."""

    def __init__(
        self,
        plans: Sequence[Plan],
        meta: Meta,
        demand: Demand,
        thresholds: Sequence[Threshold],
        log: RunLog,
        on_state: Callable[[State], None] | None,
        stopped: Callable[[], bool],
        stagehand: Stagehand | None,
    ) -> None:
        self._stagehand = stagehand
        self._plans, self._demand, self._thresholds, self._log = plans, demand, thresholds, log
        self._on_state, self._stopped = on_state, stopped
        self._wall = datetime.now(UTC).timestamp() - now()
        self._explaining = Explaining(log.name)
        self._run = Run(meta=meta)
        self._fared: list[Fared] = []
        self._sampled: Counter[str] = Counter()
        self._before = Tally()
        """Of the plans that are over."""
        self._shown = 0.0
        self._judged: tuple[Tally, Sequence[Judgement]] = self._before, ()
        self.begun: float | None = None
        """Instant of the first plan's start."""
        self._early: Crew | None = None
        """Of the next plan."""
        self.interrupted = False
        self.reason = ""
        """Why the run is not complete."""

    # One plan

    def play(self, number: int) -> None:
        """Run a plan to its end; ``reason`` is set where it was cut short."""
        plan = self._plans[number]
        early, self._early = self._early, None
        with early or self._crew(plan) as crew:
            if not crew.ready(self._stopped):
                self._interrupt()
                if self.begun is None:
                    self._begin(now())
                return
            start = crew.go()
            self._begin(start)
            gathering = Gathering(plan, start - (self.begun or start))
            stopping = False
            while not crew.over:
                self._hear(plan, crew)
                if self._stagehand is not None:
                    self._stagehand.tick(plan, now() - start)
                    self._prepare(number)
                self._gather(crew, gathering)
                if not stopping and (
                    self._ends(gathering, now() - start) or self._enough(plan, gathering, now() - start)
                ):
                    crew.stop()
                    stopping = True
                self._show(number, crew, gathering)
            self._over(number, crew, gathering)

    def _crew(self, plan: Plan) -> Crew:
        mixed = len({each.client for each in self._plans}) > 1
        return Crew(plan, wall=self._wall, source=plan.source or (plan.client if mixed else ""))

    def _prepare(self, number: int) -> None:
        """Start the processes of the next plan, which then wait, where that disturbs nothing."""
        if self._early is not None or number + 1 == len(self._plans) or self._stagehand is None:
            return
        if self._stagehand.idle(self._plans[number]):
            self._early = self._crew(self._plans[number + 1])

    def close(self) -> None:
        """End what was started and not used."""
        if self._early is not None:
            self._early.close()

    def _begin(self, start: float) -> None:
        if self.begun is None:
            self.begun = start
            self._run.meta = replace(self._run.meta, started=start + self._wall)
            self._log.row(self._run.meta)

    def _hear(self, plan: Plan, crew: Crew) -> None:
        for word, said in crew.hear(_NAP):
            if word is Word.SAMPLE:
                self._sample(said, crew.start)
                continue
            line = self._log.line(said)
            if self._stagehand is None or not self._stagehand.hear(plan, said):
                self._explaining.feed(said, line)
        self._log.flush()

    def _sample(self, said: str, start: float) -> None:
        row = from_line(said)
        if isinstance(row, Sample) and self._sampled[row.fingerprint] < SAMPLES:
            self._sampled[row.fingerprint] += 1
            row = replace(row, at=row.at + start - (self.begun or start))
            self._run.samples.append(row)
            self._log.row(row)

    def _gather(self, crew: Crew, gathering: Gathering) -> None:
        live = [member.snapshot for member in crew.members if member.snapshot is not None and not member.over]
        # Until all have reported once, there is no telling how far they are.
        if any(member.snapshot is None and not member.over for member in crew.members):
            return
        self._interval(gathering.take(crew.snapshots(), live) if live else None)

    def _interval(self, row: Interval | None) -> None:
        if row is not None:
            self._run.intervals.append(row)
            self._log.row(row)

    def _ends(self, gathering: Gathering, elapsed: float) -> bool:
        """Say whether the plan is to be cut short, and note why."""
        if self._stopped():
            self._interrupt()
        elif self._log.broken:
            self.reason = f"the run log could not be written on: {self._log.broken}"
        elif self._demand.abort and elapsed >= self._demand.abort_delay:
            failed = sure_failures(self._thresholds, merged([self._before, gathering.tally]))
            if failed:
                self.reason = f"aborted: {failed[0].name} has failed"
        return bool(self.reason)

    def _enough(self, plan: Plan, gathering: Gathering, elapsed: float) -> bool:
        return self._stagehand is not None and self._stagehand.enough(plan, gathering.tally, elapsed)

    def _interrupt(self) -> None:
        self.interrupted, self.reason = True, "interrupted"

    def _over(self, number: int, crew: Crew, gathering: Gathering) -> None:
        plan, snapshots = self._plans[number], crew.snapshots()
        ended = max((snapshot.at for snapshot in snapshots), default=0.0) if not crew.lost() else now() - crew.start
        self._interval(gathering.take(snapshots, (), end=ended))
        offset = crew.start - (self.begun or crew.start)
        warm = min(plan.model.warmup, ended)
        for name, begin, end in ((WARMUP, 0.0, warm), (plan.scene, warm, ended)):
            if name and end > begin:
                facts = self._stagehand.facts(plan) if self._stagehand is not None and name == plan.scene else {}
                told = {"client": plan.client, **facts}
                row = Scene(name=name, start=offset + begin, end=offset + end, facts=told)
                self._run.scenes.append(row)
                self._log.row(row)
        self._fared.append(Fared(plan=plan, snapshots=snapshots, tally=gathering.tally))
        self._before = merged([self._before, gathering.tally])
        if crew.lost() and not self.reason:
            self.reason = f"process {'; process '.join(crew.lost())}"

    # What is shown

    def _show(self, number: int, crew: Crew, gathering: Gathering) -> None:
        at = now()
        if self._on_state is None or at - self._shown < _SHOWN:
            return
        self._shown = at
        plan, elapsed = self._plans[number], max(at - crew.start, 0.0)
        current = Fared(plan=plan, snapshots=crew.snapshots(), tally=gathering.tally)
        since = (self._run.intervals[-1].end if self._run.intervals else 0.0) - _RECENT
        self._on_state(
            State(
                meta=self._run.meta,
                scene=plan.scene,
                number=number,
                plans=len(self._plans),
                elapsed=elapsed,
                total=total_time(plan.model),
                done=sum(calls.tried for calls in gathering.tally.calls.values()),
                wanted=wanted(plan),
                users=aimed(plan.model, elapsed),
                in_flight=gathering.in_flight,
                tally=gathering.tally,
                recent=[row for row in self._run.intervals[-_MOST_RECENT:] if row.end > since],
                generator=generator([*self._fared, current]),
                findings=self._explaining.findings(),
                judgements=self._judged_so_far(gathering.tally),
            )
        )

    def _judged_so_far(self, tally: Tally) -> Sequence[Judgement]:
        """Judge what was counted, anew only where more was."""
        if self._thresholds and tally is not self._judged[0]:
            end = self._run.intervals[-1].end if self._run.intervals else 0.0
            row = Interval(start=0.0, end=end, tally=merged([self._before, tally]))
            so_far = Run(meta=self._run.meta, intervals=[row])
            self._judged = tally, judge(self._thresholds, so_far, confidence=self._demand.confidence)
        return self._judged[1]

    # The end

    def conclude(self) -> Loaded:
        """Judge, explain, and write the last rows."""
        run = self._run
        run.end = self._end()
        diagnosis = self._explaining.diagnosis()
        run.judgements = judge(self._thresholds, run, confidence=self._demand.confidence) if self._thresholds else []
        if self._stagehand is not None:
            run.judgements += self._stagehand.judge(run, diagnosis)
        for judgement in run.judgements:
            self._log.row(judgement)
        self._log.row(run.end)
        report = assemble_run(run, diagnosis, run.judgements, version=run.meta.version)
        return Loaded(run=run, report=report, judgements=run.judgements, interrupted=self.interrupted)

    def cut_off(self, error: BaseException) -> None:
        """Write the last row of a run that ends at once."""
        self.reason = "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
        self._log.row(self._end())

    def _end(self) -> End:
        took = now() - (self.begun or now())
        if self._run.intervals and not self.reason:
            took = self._run.intervals[-1].end
        if self._log.broken and not self.reason:
            self.reason = f"the run log could not be written on: {self._log.broken}"
        return End(took=took, complete=not self.reason, reason=self.reason, generator=generator(self._fared))
