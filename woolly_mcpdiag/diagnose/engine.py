"""From a case file to an opinion: run the rules, draw up the ledgers, test the hypotheses."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from woolly_mcpdiag.core.causes import catalogue
from woolly_mcpdiag.core.findings import Finding, Hypothesis, Ledger, LedgerPart
from woolly_mcpdiag.core.timelines import Activity, Latency, Timeline
from woolly_mcpdiag.diagnose import census, hypotheses, pictures
from woolly_mcpdiag.diagnose.case import FAIL, Case
from woolly_mcpdiag.diagnose.casefile import CaseFile
from woolly_mcpdiag.diagnose.rules import RULES
from woolly_mcpdiag.logs.batch import Vocabulary

_WEIGHT = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What the case file of one traffic shows."""

    case: Case
    """With its findings."""
    name: str
    """The input that speaks for it."""
    ledgers: list[Ledger]
    hypotheses: list[Hypothesis]
    timelines: list[Timeline]
    timelines_of: int
    sessions: int
    agents: dict[str, int]
    statuses: dict[int, int]
    other_requests: dict[str, int]
    invisible: list[str]
    notes: list[str]
    failures: int
    """Failing responses and failed calls that are not benign."""


@dataclass(slots=True, kw_only=True)
class Diagnosis:
    """What all inputs show; the part of a Report that comes from events."""

    findings: list[Finding]
    ledgers: list[Ledger]
    hypotheses: list[Hypothesis]
    timelines: list[Timeline]
    timelines_of: int
    activity: Activity | None
    latencies: list[Latency]
    requests: int
    sessions: int
    agents: dict[str, int]
    statuses: dict[int, int]
    other_requests: dict[str, int]
    invisible: list[str]
    notes: list[str]
    verdict: str
    timed: bool
    first: float | None
    last: float | None
    resolution: float | None
    """Seconds between stamps that the log can tell apart."""
    opinions: list[Opinion]
    """One for each traffic."""
    vocabulary: Vocabulary


def judge(file: CaseFile, globs: Sequence[str] = ()) -> Opinion:
    """Judge the case file of one traffic; ``globs`` name the MCP addresses where the user knows better."""
    case = Case(file, globs)
    for rule in RULES:
        case.findings.extend(rule(case))
    case.findings[:] = ranked(case.findings)
    lanes, lanes_of = pictures.timelines(case)
    statuses: Counter[int] = Counter()
    for cell in case.cells:
        statuses[cell.key.status] += cell.count
    return Opinion(
        case=case,
        name=_name(case),
        ledgers=_ledgers(case),
        hypotheses=hypotheses.test_all(case),
        timelines=lanes,
        timelines_of=lanes_of,
        sessions=census.sessions(case),
        agents=census.agents(case),
        statuses=dict(sorted(statuses.items())),
        other_requests=census.others(case),
        invisible=census.invisible(case),
        notes=census.notes(case),
        failures=sum(case.harmful(cell) for cell in case.cells if cell.key.status >= FAIL) + case.noted("call.failed"),
    )


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Order findings: harmful before benign, severe before mild, frequent before rare."""
    return sorted(findings, key=lambda found: (found.benign, _WEIGHT[found.severity], -found.count))


def _name(case: Case) -> str:
    counts: Counter[int] = Counter()
    for cell in case.cells or case.file.cells.values():
        counts[cell.key.source] += cell.count
    for note in case.file.notes if not counts else ():
        counts[note.source] += 1
    return case.file.vocabulary.sources.texts[counts.most_common(1)[0][0]] if counts else ""


def _ledgers(case: Case) -> list[Ledger]:
    failing = sorted(
        {cell.key.status for cell in case.cells if cell.key.status >= FAIL}, key=lambda status: (status != FAIL, status)
    )
    found = []
    for status in failing:
        cells = case.select(status=status)
        parts = [
            LedgerPart(cause=cause, count=count, benign=catalogue()[cause].benign)
            for cause, count in case.parts(status).most_common()
        ]
        open_cells = [cell for cell in cells if case.left(cell)]
        found.append(
            Ledger(
                status=status,
                total=sum(cell.count for cell in cells),
                parts=tuple(sorted(parts, key=lambda part: part.benign)),
                unexplained=case.open(cells),
                evidence=case.show(open_cells),
            )
        )
    return found
