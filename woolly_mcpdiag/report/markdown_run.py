"""The one place for a load, a gate or a comparison as Markdown."""

from collections.abc import Iterator, Sequence

from woolly_mcpdiag.report import run_wording, wording
from woolly_mcpdiag.report.escape import clipped, markdown, markdown_block, markdown_code, markdown_prose
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.run_model import Comparison, Failure, Figures, RunPicture, Spread

_SIGNS = {"pass": "✅", "fail": "❌", "inconclusive": "❔"}
_BETTER = {"better": "✅", "worse": "❌", "no difference shown": "❔"}
_SAMPLES = 5
_ROWS = 20
_FOLDED = 300
"""Characters of one line of a sample."""


def head(report: Report, run: RunPicture) -> list[str]:
    """Return what was run against what, and what must be known before a figure is believed."""
    facts = [run.workload, *map(run_wording.target, run.targets), wording.span(report)]
    lines = ["  \n".join(markdown(fact) for fact in facts if fact), ""]
    for label in run.labels:
        lines += [f"> ⚠️ {markdown_prose(label)}", ""]
    return lines


def criteria(report: Report) -> Iterator[str]:
    """Yield the criteria as a table."""
    if not report.judgements:
        return
    yield from ("| | Criterion | Observed | Asked for | What that proves |", "|---|---|---|---|---|")
    for one in report.judgements:
        sign = "⚠️" if one.level == "warn" and one.verdict != "pass" else _SIGNS[one.verdict]
        needed = f" {one.needed:,} more {one.unit or 'tries'} would decide it." if one.needed else ""
        proof = markdown_prose(one.sentence + (needed if one.verdict == "inconclusive" else ""), cell=True)
        stop = "" if proof.endswith(".") else "."
        cause = f"{stop} Cause: {', '.join(markdown_code(c, cell=True) for c in one.causes)}." if one.causes else ""
        name = markdown_code(one.name, cell=True)
        yield f"| {sign} | {name} | {markdown(one.observed)} | {markdown(one.limit)} | {proof}{cause} |"
    yield ""


def failures(run: RunPicture) -> Iterator[str]:
    """Yield the ways calls failed, the first ones with a sample."""
    for n, failure in enumerate(run.failures[:_ROWS]):
        yield from _failure(failure, full=n < _SAMPLES)
    if len(run.failures) > _ROWS:
        yield f"and {len(run.failures) - _ROWS} more ways to fail"
    yield ""


def _failure(failure: Failure, *, full: bool) -> Iterator[str]:
    cause = f"{markdown_code(failure.cause)} ({markdown(failure.how)})" if failure.cause else "no known cause"
    operation = f" {markdown_code(run_wording.few(failure.operations))}" if failure.operations else ""
    told = f"**{markdown(failure.what)}**: {run_wording.how_many(failure)}{operation}"
    where = "".join(f" · {markdown(text)}" for text in run_wording.where(failure))
    yield f"- {told} · {cause}{where}"
    if full and failure.samples:
        lines = run_wording.sample_lines(failure.samples[0])
        yield ""
        yield from (f"  {line}" for line in markdown_block([clipped(line, _FOLDED) for line in lines]))
        yield ""


def figures(run: RunPicture) -> Iterator[str]:
    """Yield the tables of calls and phases."""
    if run.totals:
        yield from ("| Calls | n | failed | rate | p50 | p95 | p99 | longest |", "|---|--:|--:|--:|--:|--:|--:|--:|")
        for total in run.totals:
            series = [row for row in run.series if row.kind == total.kind]
            yield _row(f"**{markdown(total.name)}**", total)
            yield from (_row(markdown(row.name), row) for row in series[:_ROWS] if len(series) > 1)
        yield from (_row(f"warm-up, not counted: {markdown(row.name)}", row) for row in run.warmup)
        yield ""
    if run.phases:
        yield from ("| Phase | n | failed | p50 | p95 | p99 | longest |", "|---|--:|--:|--:|--:|--:|--:|")
        for phase in run.phases:
            name = markdown(" ".join(filter(None, (phase.client, phase.name))))
            number = phase.took.count if phase.took else 0
            yield f"| {name} | {number:,} | {phase.failed:,} | {' | '.join(_spread(phase.took))} |"
        yield ""


def _row(name: str, row: Figures) -> str:
    cells = [name, f"{row.tried:,}", f"{row.failed:,}", wording.rate(row.rate), *_spread(row.latency)]
    return f"| {' | '.join(cells)} |"


def _spread(spread: Spread | None) -> list[str]:
    if spread is None:
        return ["–"] * 4
    return [wording.duration(value) for value in (spread.p50, spread.p95, spread.p99, spread.greatest)]


def comparison(found: Comparison | None) -> Iterator[str]:
    """Yield the sides as a table and what each figure shows."""
    if found is None:
        return
    yield from ("| Side | n | success | p50 | p95 | p99 | rate |", "|---|--:|--:|--:|--:|--:|--:|")
    for side in found.sides:
        times = [wording.duration(value) if value is not None else "–" for value in (side.p50, side.p95, side.p99)]
        success = wording.percent(side.tried - side.failed, side.tried)
        cells = [markdown(side.name), f"{side.tried:,}", success, *times, wording.rate(side.rate)]
        yield f"| {' | '.join(cells)} |"
    yield ""
    for one in found.contrasts:
        yield f"- {_BETTER[one.verdict]} {markdown(one.other)} against {markdown(one.base)}: {markdown(one.sentence)}"
    yield ""
    if not found.interleaved:
        yield from ("Stored runs: drift between the runs is not controlled.", "")
    yield from (markdown_prose(text) for text in (found.noise, *found.warnings) if text)
    yield ""


def body(report: Report, run: RunPicture) -> Sequence[str]:
    """Return what stands between the criteria and the findings of a run."""
    generator = [markdown(run_wording.generator(run.generator)), ""] if run.generator else []
    return [*failures(run), *comparison(report.comparison), *figures(run), *generator]
