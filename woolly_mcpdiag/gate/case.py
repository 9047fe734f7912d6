"""The one place where a threshold meets a run: the part of the run it is about, its stretches, its samples."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from woolly_mcpdiag.core.measures import Tally, merged
from woolly_mcpdiag.core.runs import Interval, Run, Sample
from woolly_mcpdiag.core.verdicts import Judgement, Verdict
from woolly_mcpdiag.gate import reading
from woolly_mcpdiag.gate.evidence import BATCHES, Batch, design_effect
from woolly_mcpdiag.gate.reading import Seen, Timed, Where
from woolly_mcpdiag.gate.thresholds import Threshold
from woolly_mcpdiag.gate.wording import duration

SHOWN_SAMPLES = 3
LONG_ENOUGH = 60.0
"""Seconds from which a tail made by stalls is seen often enough (measured: see the tests of dependence)."""


@dataclass(slots=True)
class Record:
    """A run with what several thresholds ask of it."""

    run: Run
    tally: Tally = field(default_factory=Tally)
    stretches: dict[frozenset[str], list[Tally]] = field(default_factory=dict)

    @staticmethod
    def of(run: Run) -> "Record":
        """Add a run up once."""
        return Record(run=run, tally=run.tally)

    def batches(self, scenes: frozenset[str]) -> list[Tally]:
        """Return the run in at most ``BATCHES`` stretches of those scenes, in their order."""
        if scenes not in self.stretches:
            used = sorted(active(self.run, scenes), key=lambda interval: (interval.start, interval.end))
            size = -(-len(used) // BATCHES) or 1
            self.stretches[scenes] = [
                merged(interval.tally for interval in used[at : at + size]) for at in range(0, len(used), size)
            ]
        return self.stretches[scenes]

    def seconds(self, scenes: frozenset[str]) -> float:
        """Return how long those scenes took."""
        if reading.scene_names(self.tally) <= scenes:
            return self.run.took
        total = 0.0
        for scene in scenes:
            used = list(active(self.run, frozenset({scene})))
            if used:
                total += max(interval.end for interval in used) - min(interval.start for interval in used)
        return total


def active(run: Run, scenes: frozenset[str]) -> Iterator[Interval]:
    """Yield the intervals in which something was tried in those scenes."""
    for interval in run.intervals:
        if not scenes.isdisjoint(reading.scene_names(interval.tally)):
            yield interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One threshold, about one part of a run."""

    threshold: Threshold
    name: str
    record: Record
    part: Where
    confidence: float
    baseline: Record | None = None

    @property
    def unit(self) -> str:
        """What is tried, as people call it."""
        unit = self.threshold.metric.unit
        if unit == "calls" and self.part.tags.get("peer") == "agent":
            return "agent runs"
        if unit == "calls" and reading.values(self.threshold, self.record.tally, self.part, "peer") == ["agent"]:
            return "agent runs"
        return unit

    @property
    def verb(self) -> str:
        """What befell those that are counted, as people say it."""
        tags, metric = self.part.tags, self.threshold.metric
        if metric.source == "answers" and "status" in tags:
            return f"were answered {tags['status']}"
        which = " ".join(f"{tag} {tags[tag]}" for tag in ("kind", "status", "code") if tag in tags)
        return f"{metric.verb} with {which}" if which else metric.verb

    def seen(self) -> Seen:
        """Count in the whole run."""
        return reading.seen(self.threshold, self.record.tally, self.part)

    def timed(self) -> Timed:
        """Return the durations of the whole run."""
        return reading.timed(self.threshold, self.record.tally, self.part)

    def effect(self, count: Callable[[Tally], Seen]) -> float:
        """Return the design effect over the stretches of the run."""
        found = [count(tally) for tally in self.record.batches(self.part.scenes)]
        return design_effect([Batch(each.tries, each.most) for each in found])

    def samples(self) -> tuple[str, ...]:
        """Return the first failing exchanges that this is about, a line each."""
        return sample_lines(sample for sample in self.record.run.samples if self._is_about(sample))

    def _is_about(self, sample: Sample) -> bool:
        tags, metric = self.part.tags, self.threshold.metric
        if sample.scene not in self.part.scenes or tags.get("peer", sample.kind) != sample.kind:
            return False
        if tags.get("agent", sample.agent) != sample.agent or tags.get("kind", sample.outcome) != sample.outcome:
            return False
        pattern = metric.key if metric.source == "answers" and metric.key else tags.get("status", "")
        return not pattern or str(sample.status).startswith(pattern.rstrip("x"))

    def notes(self, *, tail: bool = False) -> tuple[str, ...]:
        """Return what a reader must know of the run before he trusts a verdict."""
        run = self.record.run
        found = []
        if tail and run.took < LONG_ENOUGH:
            longest = duration(run.took / BATCHES)
            found.append(
                f"run too short to see stalls longer than {longest}: it took {duration(run.took)}, ask for 60 s"
            )
        if tail and run.meta.workload.get("model") == "closed":
            found.append("closed loop: stalls are under-reported, as nobody arrives while all wait; --rate sees them")
        if run.end is not None and not run.end.complete:
            found.append(f"the run is not complete: {run.end.reason or 'it was cut short'}")
        return tuple(found)

    def judged(self, verdict: Verdict, sentence: str, **more: object) -> Judgement:
        """Return the judgement, with what follows from the state of the run."""
        base = Judgement(
            name=self.name,
            verdict=verdict,
            sentence=sentence,
            level=self.threshold.level,
            limit=self.threshold.limit,
            confidence=self.confidence,
        )
        found = replace(base, **more)  # type: ignore[arg-type]
        end = self.record.run.end
        if found.verdict == "pass" and end is not None and not end.complete:
            return replace(found, verdict="inconclusive", sentence=f"{sentence}; but the run is not complete")
        return found

    def nothing(self, what: str = "") -> Judgement:
        """Return the judgement of what was never tried."""
        tag, wanted = next((each for each in self.part.tags.items() if each[0] in {"agent", "client"}), ("", ""))
        everywhere = Where(scenes=self.part.scenes, tags={})
        known = reading.values(self.threshold, self.record.tally, everywhere, tag) if tag else []
        others = ", ".join(name for name in known if name and reading.literal(name) != wanted)
        had = f"; it has {others}" if others else ""
        unit = what or self.unit or self.threshold.metric.name
        return self.judged(
            "inconclusive",
            f"nothing to judge: no {unit}{f' of {tag} {wanted}' if tag else ''} in this run{had}",
            unit=self.unit,
            observed="no sample",
            details=self.notes(),
        )


def sample_lines(samples: Iterator[Sample]) -> tuple[str, ...]:
    """Return the first few samples in time, a line each; what is told in the same words only once."""
    first: dict[str, float] = {}
    for sample in sorted(samples, key=lambda sample: sample.at):
        first.setdefault(_told(sample), sample.at)
    return tuple(f"at {at:.1f} s{told}" for told, at in list(first.items())[:SHOWN_SAMPLES])


def _told(sample: Sample) -> str:
    what = " ".join(filter(None, (sample.operation or sample.kind, sample.phase, sample.outcome)))
    status = f" {sample.status}" if sample.status else ""
    error = f": {sample.error[:160]}" if sample.error else ""
    agent = f" ({sample.agent})" if sample.agent else ""
    return f"{agent} {what}{status}{error}"
