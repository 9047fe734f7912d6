"""The one place that turns tallies into the rows a report shows: totals, series, phases, answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from woolly_mcpdiag.core.histogram import Histogram
from woolly_mcpdiag.core.measures import Calls, Series, Tally
from woolly_mcpdiag.core.runs import REHEARSED
from woolly_mcpdiag.report.run_model import AnswerRow, Figures, PhaseRow, Spread

WARMUP = "warmup"
"""The scene whose calls count nowhere else."""
_PHASES = (
    *("pool", "dns", "connect", "tls", "stream", "endpoint", "initialize", "initialized", "session"),
    *("first-call", "close"),
)
"""A session's birth in its order (``session`` is the whole of it); other phases follow by name."""


@dataclass(slots=True)
class Pile:
    """Series that are shown as one row."""

    calls: Calls = field(default_factory=Calls)
    series: list[Series] = field(default_factory=list)

    def add(self, series: Series, calls: Calls) -> None:
        """Count a series in."""
        self.calls.merge(calls)
        self.series.append(series)

    def same(self, name: str) -> str:
        """Return what all its series have under a field, "" where they differ."""
        found = {str(getattr(series, name)) for series in self.series}
        return found.pop() if len(found) == 1 else ""


def piled(tally: Tally, key: Callable[[Series], object], wanted: Callable[[Series], bool]) -> list[Pile]:
    """Return the wanted series, those with the same key together, in the order of their first."""
    piles: dict[object, Pile] = {}
    for series, calls in sorted(tally.calls.items()):
        if wanted(series):
            piles.setdefault(key(series), Pile()).add(series, calls)
    return list(piles.values())


def counts(scene: str) -> bool:
    """Say whether a scene's figures are the target's: not the warm-up, and no outage that was brought about."""
    return scene != WARMUP and not scene.startswith(REHEARSED)


def measured(series: Series) -> bool:
    """Say whether a series counts."""
    return counts(series.scene)


def warm(series: Series) -> bool:
    """Say whether a series is of the warm-up."""
    return series.scene == WARMUP


def totals(tally: Tally, seconds: float, wanted: Callable[[Series], bool] = measured) -> list[Figures]:
    """Return a row of all agent runs and one of all MCP calls, as far as there are any."""
    piles = piled(tally, lambda series: series.kind, wanted)
    return [figures(pile, "agent runs" if pile.same("kind") == "agent" else "MCP calls", seconds) for pile in piles]


def rows(tally: Tally, seconds: Callable[[str], float]) -> list[Figures]:
    """Return one row an agent type, operation and client, most calls first; ``seconds`` is asked by client."""
    piles = piled(tally, lambda s: (s.kind, s.client, s.agent, s.operation), measured)
    clients: dict[str, set[str]] = {}
    for pile in piles:
        clients.setdefault(pile.same("kind"), set()).add(pile.same("client"))
    found = [
        figures(pile, _name(pile, several=len(clients[pile.same("kind")]) > 1), seconds(pile.same("client")))
        for pile in piles
    ]
    return sorted(found, key=lambda row: (row.kind, -row.tried, row.name))


def _name(pile: Pile, *, several: bool) -> str:
    agent, operation = pile.same("agent"), pile.same("operation")
    name = f"agent {agent}" if pile.same("kind") == "agent" and agent else operation or "calls"
    if agent and not name.startswith("agent"):
        name = f"{name} ({agent})"
    return f"{pile.same('client')}: {name}" if several and pile.same("client") else name


def figures(pile: Pile, name: str, seconds: float) -> Figures:
    """Return the row of a pile; ``seconds`` is how long its part of the run was."""
    calls = pile.calls
    distinct = calls.service.count and calls.service != calls.latency
    return Figures(
        name=name,
        scene=pile.same("scene"),
        kind=pile.same("kind"),
        client=pile.same("client"),
        agent=pile.same("agent"),
        operation=pile.same("operation"),
        tried=calls.tried,
        ok=calls.ok,
        failed=calls.failed,
        retried=calls.retried,
        degraded=calls.degraded,
        rate=calls.tried / seconds if seconds > 0 else None,
        latency=spread(calls.latency),
        service=spread(calls.service) if distinct else None,
        first_byte=spread(calls.first),
        failing=spread(calls.failing),
    )


def spread(histogram: Histogram) -> Spread | None:
    """Return the picture of a histogram, ``None`` where nothing was counted."""
    if not histogram.count:
        return None
    return Spread(
        count=histogram.count,
        mean=histogram.mean,
        least=histogram.least,
        p50=histogram.quantile(0.5),
        p90=histogram.quantile(0.9),
        p95=histogram.quantile(0.95),
        p99=histogram.quantile(0.99),
        greatest=histogram.greatest,
        buckets=tuple(histogram.buckets()),
    )


def phases(tally: Tally) -> list[PhaseRow]:
    """Return the phases in the order of a session's birth, each client apart where there are several."""
    kept = {step: phase for step, phase in tally.phases.items() if counts(step.scene)}
    clients = {step.client for step in kept}
    sums: dict[tuple[str, str], tuple[Histogram, int]] = {}
    for step, phase in sorted(kept.items()):
        place = (step.phase, step.client if len(clients) > 1 else "")
        took, failed = sums.get(place, (Histogram(), 0))
        took.merge(phase.took)
        sums[place] = (took, failed + phase.failed)
    found = [
        PhaseRow(name=name, client=client, failed=failed, took=spread(took))
        for (name, client), (took, failed) in sums.items()
    ]
    return sorted(found, key=lambda row: (row.client, _place(row.name), row.name))


def _place(name: str) -> int:
    return _PHASES.index(name) if name in _PHASES else len(_PHASES)


def answers(tally: Tally) -> list[AnswerRow]:
    """Return how often each status was answered, the warm-up apart, lowest first."""
    sums: dict[tuple[str, int, bool], int] = {}
    for answer, number in tally.answers.items():
        if counts(answer.scene):
            place = (answer.kind, answer.status, answer.benign)
            sums[place] = sums.get(place, 0) + number
    return [AnswerRow(kind=k, status=s, benign=b, count=n) for (k, s, b), n in sorted(sums.items())]


def counters(tally: Tally) -> dict[str, int]:
    """Return the counters of all measured scenes together."""
    found: dict[str, int] = {}
    for name, number in sorted(tally.counters.items()):
        scene, _, bare = name.rpartition("/")
        if counts(scene):
            found[bare] = found.get(bare, 0) + number
    return found


def agents(tally: Tally) -> dict[str, int]:
    """Return how many runs of each agent type ended, most first."""
    found: dict[str, int] = {}
    for series, calls in tally.calls.items():
        if series.kind == "agent" and measured(series):
            found[series.agent] = found.get(series.agent, 0) + calls.tried
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def statuses(found: Iterable[AnswerRow]) -> dict[int, int]:
    """Return status → answers of both peers, benign ones included."""
    sums: dict[int, int] = {}
    for row in found:
        if row.status:
            sums[row.status] = sums.get(row.status, 0) + row.count
    return dict(sorted(sums.items()))
