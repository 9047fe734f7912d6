"""The docket: one case file an input (or service within it), and the diagnosis of all of them together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from woolly_mcpdiag.core.findings import Evidence, Finding, Hypothesis, Ledger, LedgerPart
from woolly_mcpdiag.core.timelines import Timeline
from woolly_mcpdiag.diagnose import census, pictures
from woolly_mcpdiag.diagnose.case import EVIDENCE
from woolly_mcpdiag.diagnose.casefile import CaseFile
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.engine import Diagnosis, Opinion, judge, ranked
from woolly_mcpdiag.diagnose.join import units
from woolly_mcpdiag.logs.batch import COLUMNS, Batch, Vocabulary, distinct

_TRUST = ("possible", "likely", "certain")
_LINES = "lines"
"""What findings count whose responses are not in the log."""
_TESTED = 3
"""Separate traffics of which hypotheses are shown, those with most failures first."""


class Docket:
    """Collects batches; keeps inputs apart until it is known which of them tell of the same traffic."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.files: dict[int, CaseFile] = {}

    def add(self, batch: Batch) -> None:
        """Take a batch; the rows of each source must come in their order."""
        if not len(batch):
            return
        first = int(batch.source[0])
        if (batch.source == first).all():
            self._file(first).add(batch)
            return
        for source in distinct(batch.source):
            self._file(source).add(_of_source(batch, source))

    @property
    def failures(self) -> int:
        """Failing responses so far, MCP or not."""
        return sum(file.failures.seen for file in self.files.values())

    def diagnose(self, globs: Sequence[str] = ()) -> Diagnosis:
        """Judge what was read so far; the docket can take more batches afterwards."""
        files = [file for file in self.files.values() if file.rows]
        for file in files:
            file.settle()
        opinions = [judge(unit, globs) for unit in units(files, globs)]
        return _together(opinions, list(self.files.values()), self.vocabulary)

    def _file(self, source: int) -> CaseFile:
        found = self.files.get(source)
        if found is None:
            found = self.files[source] = CaseFile(self.vocabulary)
        return found


def _of_source(batch: Batch, source: int) -> Batch:
    rows = np.flatnonzero(batch.source == source)
    part = Batch(**{name: getattr(batch, name)[rows] for name in COLUMNS})
    place = {int(row): index for index, row in enumerate(rows.tolist())}
    part.notes = {place[row]: event for row, event in batch.notes.items() if row in place}
    part.texts = {place[row]: text for row, text in batch.texts.items() if row in place}
    return part


def _together(opinions: Sequence[Opinion], files: Sequence[CaseFile], vocabulary: Vocabulary) -> Diagnosis:
    statuses: Counter[int] = Counter()
    agents: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for opinion in opinions:
        statuses.update(opinion.statuses)
        agents.update(opinion.agents)
        others.update(opinion.other_requests)
    timed = any(opinion.case.timed for opinion in opinions)
    cases = [opinion.case for opinion in opinions if opinion.case.timed == timed]
    spans = [span for opinion in opinions for span in opinion.case.file.spans.values()]
    lanes, lanes_of = _lanes([opinion for opinion in opinions if opinion.case.timed == timed])
    findings = ranked(_merged([finding for opinion in opinions for finding in opinion.case.findings]))
    ledgers = _ledgers([ledger for opinion in opinions for ledger in opinion.ledgers])
    requests = sum(opinion.case.requests for opinion in opinions)
    return Diagnosis(
        findings=findings,
        ledgers=ledgers,
        hypotheses=_hypotheses(opinions),
        timelines=lanes,
        timelines_of=lanes_of,
        activity=pictures.activity(cases),
        latencies=pictures.latencies([opinion.case for opinion in opinions]),
        requests=requests,
        sessions=sum(opinion.sessions for opinion in opinions),
        agents=dict(agents.most_common()),
        statuses=dict(sorted(statuses.items())),
        other_requests=dict(others.most_common(20)),
        invisible=_unique([line for opinion in opinions for line in opinion.invisible]),
        notes=_unique([line for opinion in opinions for line in (*opinion.case.file.about, *opinion.notes)]),
        verdict=census.verdict(findings, ledgers, requests, seen=any(file.rows for file in files)),
        timed=timed,
        first=min(first for first, _ in spans) / 1e6 if spans else None,
        last=max(last for _, last in spans) / 1e6 if spans else None,
        resolution=min(
            (step for opinion in opinions if (step := census.resolution(opinion.case)) is not None), default=None
        ),
        opinions=list(opinions),
        vocabulary=vocabulary,
    )


def _unique(lines: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(lines))


def _lanes(opinions: Sequence[Opinion]) -> tuple[list[Timeline], int]:
    """Give every traffic its share of the lanes, so that a big one does not push the others out."""
    share = max(1, pictures.LANES // max(1, len(opinions)))
    room = pictures.LANES - sum(min(share, len(opinion.timelines)) for opinion in opinions)
    lanes: list[Timeline] = []
    for opinion in opinions:
        taken = opinion.timelines[: share + max(0, room)]
        room -= max(0, len(taken) - share)
        lanes += taken
    return lanes, sum(opinion.timelines_of for opinion in opinions)


def _merged(findings: Sequence[Finding]) -> list[Finding]:
    """Merge findings of the same cause from separate traffics; the biggest speaks for all."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.cause, []).append(finding)
    return [_one(group) for group in groups.values()]


def _one(group: Sequence[Finding]) -> Finding:
    if len(group) == 1:
        return group[0]
    told = [finding for finding in group if finding.unit == _LINES]
    seen = [finding for finding in group if finding.unit != _LINES]
    if told and seen:
        return _corroborated(_one(seen), told)
    ordered = sorted(group, key=lambda finding: -finding.count)
    biggest = ordered[0]
    alike = all(finding.unit == biggest.unit for finding in group)
    evidence: list[Evidence] = [
        *biggest.evidence,
        *(finding.evidence[0] for finding in ordered[1:] if finding.evidence),
    ]
    first = [finding.first for finding in group if finding.first is not None]
    last = [finding.last for finding in group if finding.last is not None]
    places = len(group)
    return replace(
        biggest,
        count=sum(finding.count for finding in group),
        of=sum(finding.of for finding in group) if alike else 0,
        confidence=max((finding.confidence for finding in group), key=_TRUST.index),
        summary=f"Seen in {places} separate places, the biggest first: {biggest.summary}",
        evidence=tuple(evidence[: EVIDENCE + 3]),
        endpoints=tuple(dict.fromkeys(url for finding in ordered for url in finding.endpoints)),
        first=min(first, default=None),
        last=max(last, default=None),
    )


def _corroborated(seen: Finding, told: Sequence[Finding]) -> Finding:
    """Add to what responses show what the side that refused says of them in a log of its own: the same, not more."""
    lines = sum(finding.count for finding in told)
    return replace(
        seen,
        confidence=max((finding.confidence for finding in (seen, *told)), key=_TRUST.index),
        because=(
            *(seen.because if seen.confidence != "possible" else ()),
            f"The side that refused says so itself ({Count(lines):line|lines}).",
        ),
        evidence=(*seen.evidence, *told[0].evidence[:1]),
    )


def _ledgers(ledgers: Sequence[Ledger]) -> list[Ledger]:
    groups: dict[int, list[Ledger]] = {}
    for ledger in ledgers:
        groups.setdefault(ledger.status, []).append(ledger)
    found = []
    for status in sorted(groups, key=lambda status: (status != 400, status)):
        group = groups[status]
        parts: Counter[tuple[str, bool]] = Counter()
        for ledger in group:
            for part in ledger.parts:
                parts[part.cause, part.benign] += part.count
        found.append(
            Ledger(
                status=status,
                total=sum(ledger.total for ledger in group),
                parts=tuple(
                    LedgerPart(cause=cause, count=count, benign=benign)
                    for (cause, benign), count in sorted(parts.items(), key=lambda item: (item[0][1], -item[1]))
                ),
                unexplained=sum(ledger.unexplained for ledger in group),
                evidence=tuple(line for ledger in group for line in ledger.evidence)[:EVIDENCE],
            )
        )
    return found


def _hypotheses(opinions: Sequence[Opinion]) -> list[Hypothesis]:
    troubled = sorted((opinion for opinion in opinions if opinion.hypotheses), key=lambda opinion: -opinion.failures)
    if len(troubled) <= 1:
        return [hypothesis for opinion in troubled for hypothesis in opinion.hypotheses]
    return [
        replace(hypothesis, question=f"{hypothesis.question} ({opinion.name})")
        for opinion in troubled[:_TESTED]
        for hypothesis in opinion.hypotheses
    ]
