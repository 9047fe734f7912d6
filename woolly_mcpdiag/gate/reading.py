"""The one place that reads a metric from a tally: which series are meant, what was tried, what was counted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from woolly_mcpdiag.core.histogram import Histogram, bucket_of
from woolly_mcpdiag.core.measures import Answer, Calls, Outcome, Series, Tally
from woolly_mcpdiag.gate.thresholds import Threshold

WARMUP = "warmup"
OUTAGES = "outage-*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which part of a tally is meant."""

    scenes: frozenset[str]
    tags: Mapping[str, str]
    benign: bool = False
    """True counts refused probes of the era like any other answer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was tried and how much of it was counted; ``least`` and ``most`` differ where a bucket holds the limit."""

    tries: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Timed:
    """Durations of what succeeded, and the number of those that never did."""

    took: Histogram
    failed: int

    @property
    def tries(self) -> int:
        """All of them: a failed one took forever."""
        return self.took.count + self.failed

    def over(self, limit: float, *, reached: bool) -> Seen:
        """Count what took longer than the limit (or reached it); a bucket that holds the limit counts both ways."""
        edge = bucket_of(limit)
        beyond = sum(n for bucket, n in self.took.counts.items() if bucket > edge)
        within = self.took.counts.get(edge, 0)
        if within and (self.took.greatest < limit or (not reached and self.took.greatest == limit)):
            within = 0
        elif within and (self.took.least > limit or (reached and self.took.least == limit)):
            beyond, within = beyond + within, 0
        return Seen(self.tries, beyond + self.failed, beyond + within + self.failed)

    def quantile(self, q: float) -> float:
        """Return a quantile in which failed ones count as infinite; 0 where nothing was tried."""
        if not self.tries:
            return 0.0
        share = self.took.count / self.tries
        return self.took.quantile(min(q / share, 1.0)) if share > 0 and q <= share else float("inf")


def where(threshold: Threshold, tally: Tally) -> Where:
    """Return what a threshold is about in a run.

    Without a scene tag: the measured load; where there is none (a comparison, a rehearsal), every scene but the
    warm-up and the outages.
    """
    tags = dict(threshold.tags)
    wanted = tags.pop("scene", None)
    names = scene_names(tally)
    if wanted is not None:
        scenes = frozenset(name for name in names if fnmatchcase(name, wanted))
    elif "" in names:
        scenes = frozenset({""})
    else:
        scenes = frozenset(name for name in names if name != WARMUP and not fnmatchcase(name, OUTAGES)) or frozenset(
            {""}
        )
    return Where(scenes=scenes, tags=tags)


def literal(value: str) -> str:
    """Return the pattern that matches a value and nothing else."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in value)


def scene_names(tally: Tally) -> set[str]:
    """Return the scenes in which something was tried."""
    names = {series.scene for series, calls in tally.calls.items() if calls.tried}
    names |= {step.scene for step in tally.phases} | {answer.scene for answer in tally.answers}
    return names | {name.rpartition("/")[0] for name, n in tally.counters.items() if n}


def seen(threshold: Threshold, tally: Tally, part: Where) -> Seen:
    """Return the tries of a metric that counts, and how many of them are counted."""
    metric = threshold.metric
    match metric.source:
        case "answers":
            tries, hits = _answers(metric.key or part.tags.get("status", ""), tally, part)
        case "outcomes":
            tries, hits = _outcomes(tally, part)
        case "counter":
            hits = counter(tally, part, metric.key)
            tries = sum(counter(tally, part, name) for name in metric.base) if metric.base else hits
            if "started" in metric.base:
                tries = max(tries, sum(calls.tried for _, calls in selected(tally, part)))
        case _:
            tries, hits = _calls(threshold, tally, part)
    return Seen(max(tries, hits), hits, hits)


def timed(threshold: Threshold, tally: Tally, part: Where) -> Timed:
    """Return the durations of a metric that is timed."""
    took, failed = Histogram(), 0
    if threshold.metric.source == "phase":
        for step, phase in tally.phases.items():
            if step.phase == threshold.metric.key and _fits(part, scene=step.scene, client=step.client):
                took.merge(phase.took)
                failed += phase.failed
        return Timed(took, failed)
    for _, calls in selected(tally, part):
        latency, service, first, _ = calls.histograms()
        took.merge({"latency": latency, "service": service}.get(threshold.metric.source, first))
        failed += calls.failed
    return Timed(took, failed)


def selected(tally: Tally, part: Where) -> Iterator[tuple[Series, Calls]]:
    """Yield the series that are meant."""
    for series, calls in tally.calls.items():
        tool = series.operation.partition(" ")[2]
        if _fits(
            part,
            scene=series.scene,
            peer=series.kind,
            client=series.client,
            agent=series.agent,
            operation=series.operation,
            tool=tool,
        ):
            yield series, calls


def counter(tally: Tally, part: Where, name: str) -> int:
    """Return a counter, added up over the scenes that are meant."""
    return sum(tally.counters.get(f"{scene}/{name}" if scene else name, 0) for scene in part.scenes)


def values(threshold: Threshold, tally: Tally, part: Where, tag: str) -> list[str]:
    """Return the values of a tag that the run has, sorted; the empty one only where there is no other."""
    found: set[str] = set()
    if tag == "scene":
        found = {name for name in scene_names(tally) if name in part.scenes}
    elif threshold.metric.source == "phase":
        found = {step.client for step in tally.phases if _fits(part, scene=step.scene, client=step.client)}
    elif threshold.metric.source == "answers":
        found = {
            answer.kind if tag == "peer" else str(answer.status)
            for answer in tally.answers
            if _fits(part, scene=answer.scene, peer=answer.kind)
        }
    else:
        found = _call_values(tally, part, tag)
    return sorted(found - {""}) or sorted(found)


def _call_values(tally: Tally, part: Where, tag: str) -> set[str]:
    found: set[str] = set()
    for series, calls in selected(tally, part):
        if tag in {"kind", "status", "code"}:
            found |= {str(getattr(outcome, tag)) for outcome in calls.outcomes if outcome.kind != "ok"}
        else:
            row = {**series._asdict(), "peer": series.kind, "tool": series.operation.partition(" ")[2]}
            found.add(row[tag])
    return found


def _answers(pattern: str, tally: Tally, part: Where) -> tuple[int, int]:
    tries = hits = 0
    for answer, n in tally.answers.items():
        if (answer.benign and not part.benign) or not _fits(part, scene=answer.scene, peer=answer.kind):
            continue
        hit = _is_status(answer, pattern)
        # Where no answer came nothing was shown about statuses.
        tries += n if answer.status or hit else 0
        hits += n if hit else 0
    return tries, hits


def _is_status(answer: Answer, pattern: str) -> bool:
    if not pattern:
        return answer.status != 0
    if pattern.endswith("xx"):
        return answer.status // 100 == int(pattern[0])
    return answer.status == int(pattern)


def _outcomes(tally: Tally, part: Where) -> tuple[int, int]:
    tries = hits = 0
    for _, calls in selected(tally, part):
        tries += calls.tried
        if {"kind", "status", "code"} & set(part.tags):
            hits += sum(
                n for outcome, n in calls.outcomes.items() if outcome.kind != "ok" and _is_outcome(outcome, part)
            )
        else:
            hits += calls.failed
    return tries, hits


def _is_outcome(outcome: Outcome, part: Where) -> bool:
    status = part.tags.get("status", "")
    if status and not _is_status(Answer(status=outcome.status), status):
        return False
    return _fits(part, kind=outcome.kind, code=str(outcome.code))


def _calls(threshold: Threshold, tally: Tally, part: Where) -> tuple[int, int]:
    found = [calls for _, calls in selected(tally, part)]
    tried = sum(calls.tried for calls in found)
    if threshold.metric.key:
        return tried, sum(getattr(calls, threshold.metric.key) for calls in found)
    return tried, sum(calls.failed for calls in found) if threshold.metric.bad else tried


def _fits(part: Where, *, scene: str | None = None, **named: str) -> bool:
    if scene is not None and scene not in part.scenes:
        return False
    return all(fnmatchcase(value, part.tags[tag]) for tag, value in named.items() if tag in part.tags)
