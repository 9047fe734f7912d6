"""From a finished case file to a diagnosis: run the rules, draw up the ledgers, test the hypotheses."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from woolly_mcpdiag.core.causes import catalogue
from woolly_mcpdiag.core.findings import Finding, Hypothesis, Ledger, LedgerPart
from woolly_mcpdiag.core.timelines import Activity, Latency, Timeline
from woolly_mcpdiag.diagnose import census, hypotheses, pictures
from woolly_mcpdiag.diagnose.case import FAIL, Case
from woolly_mcpdiag.diagnose.casefile import CaseFile
from woolly_mcpdiag.diagnose.rules import RULES

_WEIGHT = {"error": 0, "warning": 1, "info": 2}


@dataclass(slots=True, kw_only=True)
class Diagnosis:
    """What a case file shows; the part of a Report that comes from events."""

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
    case: Case
    failures: int = 0
    """Unexplained and explained failures that are not benign."""
    endpoints: list[str] = field(default_factory=list)


def diagnose(file: CaseFile, globs: Sequence[str] = ()) -> Diagnosis:
    """Judge a case file; ``globs`` name the MCP addresses where the user knows better."""
    case = Case(file, globs)
    for rule in RULES:
        case.findings.extend(rule(case))
    case.findings.sort(key=lambda found: (found.benign, _WEIGHT[found.severity], -found.count))
    ledgers = _ledgers(case)
    lanes, lanes_of = pictures.timelines(case)
    statuses: Counter[int] = Counter()
    for cell in case.cells:
        statuses[cell.key.status] += cell.count
    return Diagnosis(
        findings=case.findings,
        ledgers=ledgers,
        hypotheses=hypotheses.test_all(case),
        timelines=lanes,
        timelines_of=lanes_of,
        activity=pictures.activity(case),
        latencies=pictures.latencies(case),
        requests=case.requests,
        sessions=census.sessions(case),
        agents=census.agents(case),
        statuses=dict(sorted(statuses.items())),
        other_requests=census.others(case),
        invisible=census.invisible(case),
        notes=census.notes(case),
        verdict=census.verdict(case, ledgers),
        timed=case.timed,
        first=min(first for first, _ in file.spans.values()) / 1e6 if file.spans else None,
        last=max(last for _, last in file.spans.values()) / 1e6 if file.spans else None,
        resolution=census.resolution(case),
        case=case,
        failures=sum(case.harmful(cell) for cell in case.cells if cell.key.status >= FAIL),
        endpoints=sorted({case.at(code) for code in case.mcp}),
    )


def _ledgers(case: Case) -> list[Ledger]:
    failing = sorted(
        {cell.key.status for cell in case.cells if cell.key.status >= FAIL}, key=lambda status: (status != 400, status)
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
                unexplained=sum(case.left(cell) for cell in open_cells),
                evidence=case.show(open_cells),
            )
        )
    return found
