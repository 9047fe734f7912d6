"""The one place for the parts of a run: its scenes with their figures, and the rounds of clients that took turns."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from woolly_mcpdiag.core.measures import Calls, Series, Tally
from woolly_mcpdiag.core.runs import Run, Scene
from woolly_mcpdiag.report.contrasts import CONFIDENCE, Played, Round, compare, distrusted
from woolly_mcpdiag.report.run_figures import WARMUP, totals
from woolly_mcpdiag.report.run_model import Comparison, SceneRow
from woolly_mcpdiag.report.run_timeline import seconds, share

BATCHES = 20
"""Stretches a stored run is cut into for its interval."""


def scenes(run: Run, tally: Tally) -> list[SceneRow]:
    """Return the parts that are told apart, with the figures of the calls that belong to each."""
    named = {series.scene for series in tally.calls} - {"", WARMUP}
    rows = [scene for scene in run.scenes if scene.name != WARMUP]
    known = {scene.name for scene in rows}
    for name in sorted(named - known):
        part = [interval for interval in run.intervals if any(s.scene == name for s in interval.tally.calls)]
        rows.append(Scene(name=name, start=part[0].start, end=part[-1].end))
    return [
        SceneRow(scene=scene, figures=tuple(totals(tally, scene.end - scene.start, partial(_belongs, scene.name))))
        for scene in sorted(rows, key=lambda scene: (scene.start, scene.end))
    ]


def _belongs(name: str, series: Series) -> bool:
    return series.scene == name


@dataclass(slots=True)
class _Turn:
    """The calls of one client in one scene."""

    calls: Calls = field(default_factory=Calls)
    first: float = 0.0


def sides(run: Run, tally: Tally) -> Comparison | None:
    """Compare the clients (or targets) that took turns in rounds; ``None`` where there is only one.

    The k-th scene of a side is paired with the k-th of every other one. Sides are clients, unless the workload names
    ``sides``: then a scene ends with the name of its side, as in ``round 1 A``.
    """
    side_of = _target_side if run.meta.workload.get("sides") else _client_side
    turns: dict[tuple[str, str], _Turn] = {}
    kind = _compared(tally, side_of)
    for interval in run.intervals:
        for series, calls in interval.tally.calls.items():
            if series.scene != WARMUP and series.kind == kind:
                turn = turns.setdefault((side_of(series), series.scene), _Turn(first=interval.start))
                turn.calls.merge(calls)
    if not turns:
        return None
    ordered = sorted(turns.items(), key=lambda item: item[1].first)
    played = [
        Played(
            name=name,
            rounds=tuple(
                Round(calls=turn.calls, seconds=seconds(run.intervals, partial(_played_by, side_of, side, scene)))
                for (side, scene), turn in ordered
                if side == name
            ),
        )
        for name in dict.fromkeys(side for side, _ in turns)
    ]
    told = run.meta.workload
    level = float(told.get("confidence") or CONFIDENCE)
    found = compare(played, interleaved=True, throughput=told.get("model") != "open", confidence=level)
    if run.end is not None and run.end.generator.bound:
        return replace(found, contrasts=tuple(map(distrusted, found.contrasts)))
    return found


def _client_side(series: Series) -> str:
    return series.client


def _target_side(series: Series) -> str:
    return series.scene.rpartition(" ")[2]


def _played_by(side_of: Callable[[Series], str], side: str, scene: str, series: Series) -> bool:
    return (side_of(series), series.scene) == (side, scene)


def _compared(tally: Tally, side_of: Callable[[Series], str]) -> str:
    """Return the kind of calls that several sides made, "" where none did."""
    made: dict[str, set[str]] = {}
    for series in tally.calls:
        if series.scene != WARMUP:
            made.setdefault(series.kind, set()).add(side_of(series))
    return next((kind for kind in sorted(made) if len(made[kind]) > 1), "")


def batches(run: Run, kind: str, most: int = BATCHES) -> list[Round]:
    """Cut the measured part of a run into stretches of about as many calls, in their order."""
    rounds: list[Round] = []
    total = sum(calls.tried for calls in run.tally.select(scene=None, kind=kind))
    calls, length = Calls(), 0.0
    for interval in run.intervals:
        mine, others = share(interval.tally)
        if others and not mine:
            continue
        for series, some in interval.tally.calls.items():
            if series.kind == kind and series.scene != WARMUP:
                calls.merge(some)
        length += interval.end - interval.start
        if calls.tried >= total / most:
            rounds.append(Round(calls=calls, seconds=length))
            calls, length = Calls(), 0.0
    if calls.tried and rounds:
        last = rounds.pop()
        last.calls.merge(calls)
        rounds.append(Round(calls=last.calls, seconds=last.seconds + length))
    elif calls.tried:
        rounds.append(Round(calls=calls, seconds=length))
    return rounds
