"""The one way to compare loads from Python: two stored runs, or two targets that take turns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from woolly_mcpdiag import __version__
from woolly_mcpdiag.api.load import Demand, State, load
from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.core.redact import url as redacted_url
from woolly_mcpdiag.core.runs import Meta, Run, read_run
from woolly_mcpdiag.load.plan import Plan
from woolly_mcpdiag.report import run_scenes
from woolly_mcpdiag.report.contrasts import CONFIDENCE, Played, compare, distrusted, regressions
from woolly_mcpdiag.report.model import NextStep, Report
from woolly_mcpdiag.report.run_model import Comparison, Contrast
from woolly_mcpdiag.report.run_wording import compared

_NAMES = {"agent": "agent runs", "mcp": "MCP calls"}
_ASKED = ("model", "concurrency", "rate", "arrival", "stages", "duration", "requests", "waves", "think", "sessions")
"""Of the workload: what makes a load another one."""
_TARGET = ("url", "transport", "version", "server")


@dataclass(slots=True, kw_only=True)
class Compared:
    """What a comparison gives."""

    report: Report
    comparison: Comparison
    run: Run | None = None
    """The record of targets that took turns."""
    interrupted: bool = False

    @property
    def regressions(self) -> list[Contrast]:
        """What was shown to be worse."""
        return regressions(self.comparison)


def compare_runs(base: str | Path, other: str | Path, *, confidence: float = CONFIDENCE) -> Compared:
    """Compare two run logs: success, p50, p95 and, where the load leaves it open, throughput.

    Each run is cut into stretches, and the interval is of their spread: what differs between the two occasions, but
    not between the stretches of one, is not in it. Raises ``InputError`` where a log cannot be read or the two have
    no calls of the same kind.
    """
    runs = {name: _read(path) for name, path in zip(_names(base, other), (base, other), strict=True)}
    found = _together(list(_kinds(runs, confidence)), runs, confidence)
    report = Report(command="compare", version=__version__, comparison=found, verdict=compared(found))
    report.next_steps = [
        NextStep(
            command="mcpdiag compare --interleave URL_A URL_B",
            why="in turns, drift hits both sides alike",
        )
    ]
    return Compared(report=report, comparison=found)


def compare_targets(
    plans: Mapping[str, Plan],
    meta: Meta,
    rounds: int,
    demand: Demand | None = None,
    *,
    confidence: float = CONFIDENCE,
    on_state: Callable[[State], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Compared:
    """Load two targets in turns, A B B A ..., and compare them round by round.

    ``plans`` are one round each, by the name of the side; ``meta`` is that of the run, its targets those of both.
    Raises ``McpdiagError`` as ``load`` does, ``InputError`` where a side did not get its turn.
    """
    names = list(plans)
    turns = [(n, name) for n in range(1, rounds + 1) for name in (names if n % 2 else reversed(names))]
    workload = {
        **meta.workload,
        "rounds": rounds,
        "sides": {name: target_of(plan) for name, plan in plans.items()},
        "confidence": confidence,
    }
    loaded = load(
        [replace(plans[name], scene=f"round {n} {name}") for n, name in turns],
        replace(meta, command="compare", workload=workload),
        demand,
        on_state=on_state,
        stopped=stopped,
    )
    report = loaded.report
    if report.comparison is None:
        message = "comparison: not every side got its turn"
        raise InputError(message, "let it run for two rounds at least")
    if not loaded.judgements:
        report.verdict = compared(report.comparison)
    return Compared(report=report, comparison=report.comparison, run=loaded.run, interrupted=loaded.interrupted)


def target_of(plan: Plan) -> str:
    """Return the address of what a plan loads, without secrets."""
    at = plan.mcp.at if plan.mcp is not None else plan.agent.at if plan.agent is not None else None
    return "" if at is None else redacted_url(at.url)


def _read(path: str | Path) -> Run:
    run = read_run(path)
    if not any(run.tally.select(scene=None)):
        message = f"{path}: no call ended in this run"
        raise InputError(message, "compare runs in which calls were made")
    return run


def _names(base: str | Path, other: str | Path) -> tuple[str, str]:
    first, second = Path(base), Path(other)
    names = (first.name, second.name) if first.name != second.name else (str(base), str(other))
    return names if names[0] != names[1] else (f"{names[0]} (1)", f"{names[1]} (2)")


def _kinds(runs: dict[str, Run], confidence: float) -> Iterator[Comparison]:
    """Yield a comparison for each kind of calls that both runs made."""
    kinds = [
        kind for kind in ("agent", "mcp") if all(any(run.tally.select(scene=None, kind=kind)) for run in runs.values())
    ]
    if not kinds:
        message = f"{' and '.join(runs)}: one has agent runs only, the other MCP calls only"
        raise InputError(message, "compare runs of the same calls")
    # Both kinds share the confidence, as the figures of each do.
    share = 1 - (1 - confidence) / len(kinds)
    for kind in kinds:
        played = [
            Played(
                name=f"{name} {_NAMES[kind]}" if len(kinds) > 1 else name, rounds=tuple(run_scenes.batches(run, kind))
            )
            for name, run in runs.items()
        ]
        found = compare(
            played,
            interleaved=False,
            throughput=all(run.meta.workload.get("model") == "closed" for run in runs.values()),
            confidence=share,
        )
        if len(kinds) > 1:
            name = _NAMES[kind]
            told = [f"{name}: {text}" for text in found.warnings]
            found = replace(found, noise=f"{name}: {found.noise}", warnings=tuple(told))
        yield found


def _together(found: Sequence[Comparison], runs: dict[str, Run], confidence: float) -> Comparison:
    contrasts = [contrast for one in found for contrast in one.contrasts]
    if any(run.end is not None and run.end.generator.bound for run in runs.values()):
        contrasts = [distrusted(contrast) for contrast in contrasts]
    return Comparison(
        interleaved=False,
        confidence=confidence,
        sides=tuple(side for one in found for side in one.sides),
        contrasts=tuple(contrasts),
        noise=" ".join(dict.fromkeys(one.noise for one in found)),
        warnings=(*_warnings(runs), *dict.fromkeys(text for one in found for text in one.warnings)),
    )


def _warnings(runs: dict[str, Run]) -> Iterator[str]:
    (first, base), (second, other) = runs.items()
    for name, run in runs.items():
        if run.end is None or not run.end.complete:
            yield f"{name} is not complete."
        elif run.end.generator.bound:
            yield f"{name}: the generator was the bottleneck; its figures are not the target's."
    hosts = {
        name: (base.meta.host.get(name), other.meta.host.get(name)) for name in {*base.meta.host, *other.meta.host}
    }
    if told := _differences(hosts, first, second):
        yield f"The generators' hosts differ: {told}."
    asked = {name: (base.meta.workload.get(name), other.meta.workload.get(name)) for name in _ASKED}
    if told := _differences(asked, first, second):
        yield f"The workloads differ: {told}."
    targets = [{name: row.get(name) for row in run.meta.targets for name in _TARGET} for run in (base, other)]
    if told := _differences({name: (targets[0].get(name), targets[1].get(name)) for name in _TARGET}, first, second):
        yield f"The targets differ: {told}."


def _differences(pairs: dict[str, tuple[object, object]], first: str, second: str) -> str:
    return ", ".join(
        f"{name} {_shown(a)} ({first}), {_shown(b)} ({second})" for name, (a, b) in sorted(pairs.items()) if a != b
    )


def _shown(value: object) -> str:
    return "unknown" if value is None else str(value)
