"""From the record of a load or a gate, its diagnosis and its judgements to the one Report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from woolly_mcpdiag.core.findings import Hypothesis
from woolly_mcpdiag.core.measures import Tally
from woolly_mcpdiag.core.runs import REHEARSED, Run
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.diagnose.engine import Diagnosis
from woolly_mcpdiag.report import event_lines, run_figures, run_scenes, run_timeline, run_wording
from woolly_mcpdiag.report.model import NextStep, Report
from woolly_mcpdiag.report.run_failures import failures
from woolly_mcpdiag.report.run_model import RunPicture

_MOST_STEPS = 3
_RACE_AGAIN = "run the same with one user and with many, and put both beside each other: mcpdiag compare"


def assemble_run(run: Run, diagnosis: Diagnosis | None, judgements: Sequence[Judgement], *, version: str) -> Report:
    """Build the report; ``diagnosis`` is of the events of the run's log, ``None`` where they were not read.

    What the run counted itself is taken from its tallies: the events are a sample of the calls that succeeded.
    """
    tally = run.tally
    picture = _draw(run, tally, diagnosis)
    report = Report(
        command=run.meta.command,
        version=version,
        verdict=run_wording.verdict(picture, judgements, diagnosis.findings if diagnosis else ()),
        requests=sum(row.count for row in picture.answers if row.kind == "mcp"),
        sessions=picture.counters.get("sessions_opened", 0),
        agents=run_figures.agents(tally),
        first=run.meta.started,
        last=run.meta.started + run.took,
        statuses=run_figures.statuses(picture.answers),
        notes=_notes(picture),
        partial=not picture.complete,
        judgements=list(judgements),
        run=picture,
        comparison=run_scenes.sides(run, tally),
    )
    if diagnosis is not None:
        _diagnosed(report, diagnosis)
    report.next_steps = _next(report, judgements)
    return report


def _draw(run: Run, tally: Tally, diagnosis: Diagnosis | None) -> RunPicture:
    end = run.end
    length = run_timeline.seconds(run.intervals)
    totals = run_figures.totals(tally, length)
    main = totals[0].kind if totals else "mcp"
    warm = run_timeline.seconds(run.intervals, run_figures.warm)
    picture = RunPicture(
        id=run.meta.run,
        started=run.meta.started,
        took=run.took,
        measured=length,
        complete=end is not None and end.complete,
        reason=end.reason if end else "the run log has no end: the run was killed",
        model=str(run.meta.workload.get("model", "")),
        workload=run_wording.workload(run.meta),
        asked=dict(run.meta.workload),
        targets=[{str(name): str(value) for name, value in told.items()} for told in run.meta.targets],
        host={str(name): str(value) for name, value in run.meta.host.items()},
        thresholds=list(run.meta.thresholds),
        totals=totals,
        series=run_figures.rows(tally, lambda client: _length(run, tally, client) or length),
        warmup=run_figures.totals(tally, warm, run_figures.warm),
        phases=run_figures.phases(tally),
        answers=run_figures.answers(tally),
        counters=run_figures.counters(tally),
        failures=failures(
            tally, run.samples, diagnosis.findings if diagnosis else (), diagnosis.ledgers if diagnosis else ()
        ),
        scenes=run_scenes.scenes(run, tally),
        timeline=run_timeline.points(run.intervals, main),
        generator=end.generator if end else None,
    )
    picture.labels = run_wording.labels(picture)
    return picture


def _length(run: Run, tally: Tally, client: str) -> float:
    """Return how long a client was at work where several took turns in scenes, else 0."""
    if not client or len(_taking_turns(tally)) < 2:
        return 0.0
    return run_timeline.seconds(run.intervals, lambda series: series.client == client and run_figures.measured(series))


def _taking_turns(tally: Tally) -> set[str]:
    return {series.client for series in tally.calls if series.scene and run_figures.counts(series.scene)}


def _diagnosed(report: Report, found: Diagnosis) -> None:
    report.findings = event_lines.of_findings(found.findings)
    report.ledgers = event_lines.of_ledgers(found.ledgers)
    report.hypotheses = _decided(found.hypotheses)
    report.timelines, report.timelines_of = found.timelines, found.timelines_of
    report.activity = found.activity if found.timelines else None
    report.notes += found.notes


def _decided(rows: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Return what a run has decided. Where a log would be asked for more, a run is repeated in another way."""
    decided = [row for row in rows if row.answer != "not decidable"]
    return decided + [replace(row, decide=_RACE_AGAIN) for row in rows if row not in decided and row.name == "race"]


def _notes(run: RunPicture) -> list[str]:
    notes = []
    counts: Mapping[str, int] = run.counters
    if left := counts.get("events_left_out", 0):
        notes.append(
            f"{left:,} events were not written (--events-per-second): figures are whole, "
            "causes and timelines are told from the events that were written."
        )
    if late := counts.get("late", 0):
        notes.append(f"{late:,} arrivals were started over 10 ms after their instant; latency counts from the instant.")
    if provoked := [scene for scene in run.scenes if scene.scene.name.startswith(REHEARSED)]:
        notes.append(
            f"{len(provoked)} outages were brought about; what failed in them is judged by the criteria, "
            "and is in no other figure."
        )
    if cut := counts.get("unfinished", 0):
        notes.append(f"{cut:,} calls were cut off by the end of the run and are in no figure.")
    if hangs := counts.get("hangs", 0):
        notes.append(f"{hangs:,} calls were still running after their deadline.")
    return notes


def _next(report: Report, judgements: Sequence[Judgement]) -> list[NextStep]:
    steps: dict[str, NextStep] = {}
    for judgement in judgements:
        if judgement.verdict != "pass" and judgement.next_step:
            steps.setdefault(judgement.next_step, NextStep(command=judgement.next_step, why=f"for {judgement.name}"))
    for failure in report.run.failures if report.run else ():
        if failure.next_step:
            steps.setdefault(failure.next_step, NextStep(command=failure.next_step, why=f"about {failure.what}"))
    for finding in report.findings:
        if not finding.benign:
            command = f"mcpdiag explain {finding.cause}"
            steps.setdefault(command, NextStep(command=command, why=finding.title))
    return list(steps.values())[:_MOST_STEPS]
