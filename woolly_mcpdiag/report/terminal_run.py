"""The one place for a load or a gate as a terminal shows it: criteria, failures, figures, distribution, time."""

from collections.abc import Iterable, Sequence

from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.report import run_bins, run_wording, wording
from woolly_mcpdiag.report.escape import printable
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.plain import BLANK, Line, Span, cells, cut, pad, paragraph
from woolly_mcpdiag.report.plain_table import table
from woolly_mcpdiag.report.run_model import Comparison, Failure, Figures, RunPicture, Spread

_OF_PARTS = ("pass ", "fail ", "inconclusive ")
"""How a detail begins that judges a part of a criterion: the worst of them is its sentence."""
_STYLES = {"pass": "good", "fail": "bad", "inconclusive": "warn"}
_BETTER = {"better": ("✓", "good"), "worse": ("✗", "bad"), "no difference shown": ("?", "dim")}
_FULL = 4
"""So many ways to fail are shown with their sample; the others take a line."""
_SERIES = 12
_SCENES = 12
_BAR = 40
_LABEL = 10
_BARS = " ▁▂▃▄▅▆▇█"
_WIDEST = 160
_WIDEST_PROSE = 120


def facts(report: Report, run: RunPicture, width: int) -> Iterable[Line]:
    """Yield what was run, against what, when, and what must be known before a figure is believed."""
    yield from paragraph(" · ".join(filter(None, (report.command, run.workload))), width, lead="  ")
    for target in map(run_wording.target, run.targets):
        yield from paragraph(target, width, lead="  ")
    yield from paragraph(wording.span(report), width, lead="  ")
    for label in run.labels:
        yield from paragraph(label, width, lead="! ", style="warn")


def all_shown(report: Report, verbose: bool) -> bool:
    """Return whether everything measured is shown: of a gate only on demand, its answer is what it judged."""
    return verbose or report.run is None or not run_wording.is_gate(report.run)


def tests_shown(report: Report, *, verbose: bool) -> bool:
    """Return whether the tested hypotheses are shown: of a gate where there were 400s to explain."""
    failed = {judgement.name for judgement in report.judgements if judgement.verdict == "fail"}
    return all_shown(report, verbose) or "zero-400" in failed


def criteria(report: Report, width: int, *, verbose: bool) -> Iterable[Line]:
    """Yield each criterion: verdict, what was observed and asked for, what that proves."""
    if not report.judgements:
        return
    yield (("Criteria", "head"),)
    for judgement in report.judgements:
        brief = not all_shown(report, verbose)
        yield from _criterion(judgement, width, causes=brief)
        if not brief:
            shown = judgement.details if verbose or judgement.verdict != "pass" else ()
            for detail in shown:
                yield from paragraph(detail, width, lead="    · ")
        elif judgement.verdict != "pass":
            first = next((each for each in judgement.details if not each.startswith(_OF_PARTS)), "")
            yield from (((cut(f"    · {printable(first)}", width), "dim"),),) if first else ()
    if not all_shown(report, verbose) and any(judgement.details for judgement in report.judgements):
        yield (("  --verbose tells more of each", "dim"),)


def _criterion(judgement: Judgement, width: int, *, causes: bool) -> Iterable[Line]:
    style = _STYLES[judgement.verdict] if judgement.level == "error" else "warn"
    name = printable(judgement.name) + (" (warning only)" if judgement.level == "warn" else "")
    limit = f"asked for {judgement.limit}" if judgement.limit and judgement.limit not in judgement.name else ""
    known = ", ".join(judgement.causes[:2]) if causes else ""
    tail = " · ".join(printable(part) for part in (judgement.observed, limit, _tries(judgement), known) if part)
    head = f"  {run_wording.MARKS[judgement.verdict]} {name}"
    if cells(head) + cells(tail) + 2 <= width:
        yield ((head, style), (f"  {tail}", ""))
    else:
        yield ((cut(head, width), style),)
        yield from paragraph(tail, width, lead="    ")
    if judgement.sentence not in {judgement.observed, ""}:
        yield from paragraph(judgement.sentence, width, lead="    ")
    if judgement.needed and judgement.verdict == "inconclusive" and f"{judgement.needed:,} " not in judgement.sentence:
        unit = judgement.unit or "tries"
        yield from paragraph(f"{judgement.needed:,} more {unit} would decide it", width, lead="    ", style="warn")


def _tries(judgement: Judgement) -> str:
    if not judgement.tries:
        return ""
    known = f"of {judgement.tries:,}" in judgement.observed
    unit = judgement.unit.removesuffix("s") if judgement.tries == 1 else judgement.unit
    told = "" if known else f"n = {judgement.tries:,} {unit}".rstrip()
    if judgement.effective is not None and round(judgement.effective) < judgement.tries:
        told += f" (worth {judgement.effective:,.0f} independent ones)"
    return told.strip()


def failures(run: RunPicture, width: int, *, verbose: bool) -> Iterable[Line]:
    """Yield the ways calls failed, each with its count, cause, one sample and the next command."""
    if not run.failures:
        return
    yield (("Failures", "head"),)
    for n, failure in enumerate(run.failures):
        full = verbose or n < _FULL
        if n and full:
            yield BLANK
        yield from _failure(failure, width, full=full, verbose=verbose)


def _failure(failure: Failure, width: int, *, full: bool, verbose: bool) -> Iterable[Line]:
    style = "warn" if failure.outcome == "answer" else "bad"
    mark = "!" if failure.outcome == "answer" else "✗"
    told = ": ".join(filter(None, (run_wording.how_many(failure), run_wording.few(failure.operations))))
    head = f"{mark} {printable(failure.what)}"
    if cells(head) * 2 > width:
        yield ((cut(head, width), style),)
        yield from paragraph(told, width, lead="  ")
    else:
        for n, line in enumerate(paragraph(told, width, lead=f"{head}  ", indent=4)):
            yield ((line[0][0], style), line[1]) if n == 0 else line
    if not full:
        return
    cause = f"{failure.cause} ({failure.how})" if failure.cause else "no known cause"
    yield from paragraph(" · ".join([cause, *run_wording.where(failure)]), width, lead="  ")
    for sample in failure.samples if verbose else failure.samples[:1]:
        for text in run_wording.sample_lines(sample, whole=verbose):
            yield (("  │ ", "dim"), (cut(printable(text), width - 4), "code"))
    if failure.next_step:
        yield (("  next  ", "dim"), (printable(failure.next_step), "code"))


def figures(run: RunPicture, width: int, *, verbose: bool) -> Iterable[Line]:
    """Yield the table of calls and phases."""
    rows: list[list[Span]] = []
    left = 0
    for total in run.totals:
        series = [row for row in run.series if row.kind == total.kind]
        shown = series if verbose else series[:_SERIES]
        alone = f"{total.name}: {series[0].name}" if len(series) == 1 else total.name
        rows.append(_figures(total, "title", name=alone))
        rows += [_service(total.service)] if total.service else []
        rows += [_figures(row, "", name=f"  {row.name}") for row in shown if len(series) > 1]
        left += len(series) - len(shown)
    rows += [_figures(row, "dim", name=f"warm-up, not counted: {row.name}") for row in run.warmup]
    if rows:
        yield (("Calls", "head"),)
        head = ("", "n", "failed", "rate", "p50", "p90", "p95", "p99", "max")
        yield from table(head, rows, width, spare=("p90", "rate", "p99", "max", "p50"))
        if left:
            yield ((f"  and {left} more (--verbose)", "dim"),)
    if run.phases and (verbose or not run_wording.is_gate(run)):
        yield (("Phases", "head"),)
        phases: list[list[Span]] = [
            [
                (" ".join(filter(None, (phase.client, phase.name))), ""),
                (f"{phase.took.count if phase.took else 0:,}", ""),
                (f"{phase.failed:,}", "bad" if phase.failed else "dim"),
                *_durations(phase.took),
            ]
            for phase in run.phases
        ]
        yield from table(
            ("", "n", "failed", "p50", "p90", "p95", "p99", "max"), phases, width, spare=("p90", "p99", "max", "p50")
        )


def _figures(row: Figures, style: str, *, name: str = "") -> list[Span]:
    return [
        (name or row.name, style),
        (f"{row.tried:,}", ""),
        (f"{row.failed:,}", "bad" if row.failed else "dim"),
        (wording.rate(row.rate), ""),
        *_durations(row.latency),
    ]


def _service(spread: Spread | None) -> list[Span]:
    return [("  once it was sent", "dim"), ("", ""), ("", ""), ("", ""), *_durations(spread)]


def _durations(spread: Spread | None) -> list[Span]:
    if spread is None:
        return [("–", "dim")] * 5
    values = (spread.p50, spread.p90, spread.p95, spread.p99, spread.greatest)
    return [(wording.duration(value), "") for value in values]


def distribution(run: RunPicture, width: int) -> Iterable[Line]:
    """Yield eight bars, each as many times as long as the one before."""
    main = next((row for row in run.totals if row.latency), None)
    if main is None or main.latency is None or main.latency.count < run_bins.BARS:
        return
    bins = run_bins.of_buckets(main.latency)
    yield (("Distribution", "head"), (cut(f"  of {main.name} that succeeded", width - 12), "dim"))
    top = max(count for _, _, count in bins)
    labels = [f"{wording.duration(low)} – {wording.duration(high)}" for low, high, _ in bins]
    size = max(map(cells, labels))
    room = max(min(_BAR, width - size - 24), 4)
    for (_, _, count), label in zip(bins, labels, strict=True):
        bar = "█" * -(-count * room // top)
        share = wording.percent(count, main.latency.count)
        yield (
            ("  " + " " * (size - cells(label)) + label + "  ", "dim"),
            (bar, "info"),
            (f"  {count:,}", ""),
            (f"  {share}" if count else "", "dim"),
        )


def over_time(run: RunPicture, width: int) -> Iterable[Line]:
    """Yield strips of latency, rate and failures over the run."""
    if len(run.timeline) < 3:
        return
    columns = max(min(width, _WIDEST) - _LABEL - 20, 8)
    binned = run_bins.of_points(run.timeline, columns)
    wide = max(columns // len(binned), 1)
    end = f"{run.timeline[-1].end:,.0f} s"
    yield (("Over time", "head"),)
    room = len(binned) * wide - 3 - len(end)
    yield ((" " * (_LABEL + 4) + "0 s" + " " * max(room, 1) + end, "dim"),)
    strips: list[tuple[str, list[float], str, str]] = [
        ("p95", [point.p95 or 0.0 for point in binned], "info", ""),
        ("rate", [point.rate for point in binned], "good", "/s"),
        ("in flight", [float(point.in_flight) for point in binned], "dim", "n"),
        ("failed", [float(point.failed) for point in binned], "bad", "n"),
        ("400s", [float(point.refused) for point in binned], "bad", "n"),
    ]
    for name, values, style, unit in strips:
        top = max(values)
        if top <= 0:
            continue
        bars = "".join(_BARS[max(-int(-value * 8 // top), int(value > 0))] * wide for value in values)
        told = {"": wording.duration(top), "/s": wording.rate(top), "n": f"{top:,.0f}"}[unit]
        yield ((f"  {pad(name, _LABEL)}  ", "dim"), (bars, style), (f"  most {told}", "dim"))


def scenes(run: RunPicture, width: int, *, verbose: bool) -> Iterable[Line]:
    """Yield the parts of the run with their figures."""
    if not run.scenes:
        return
    yield (("Parts of the run", "head"),)
    shown = run.scenes if verbose else run.scenes[:_SCENES]
    rows: list[list[Span]] = []
    for part in shown:
        what = f"{part.scene.name}: {part.scene.what}" if part.scene.what else part.scene.name
        span = (f"{part.scene.start:.1f}–{part.scene.end:.1f} s", "dim")
        for row in part.figures or (None,):
            name = (f"{what}, {row.name}" if row and len(part.figures) > 1 else what, "")
            rows.append([name, span, *(_figures(row, "")[1:] if row else [("–", "dim")] * 8)])
    head = ("", "when", "n", "failed", "rate", "p50", "p90", "p95", "p99", "max")
    yield from table(head, rows, width, spare=("p90", "p99", "rate", "max", "when", "p50"))
    if len(run.scenes) > len(shown):
        yield ((f"  and {len(run.scenes) - len(shown)} more (--verbose)", "dim"),)


def comparison(found: Comparison | None, width: int) -> Iterable[Line]:
    """Yield the sides as a table, then what each figure shows."""
    if found is None:
        return
    how = "in turns" if found.interleaved else "stored runs: drift between runs is not controlled"
    yield (("Side by side", "head"), (f"  {how}", "dim"))
    rows: list[list[Span]] = [
        [
            (side.name, "title"),
            (f"{side.rounds:,}", ""),
            (f"{side.tried:,}", ""),
            (wording.percent(side.tried - side.failed, side.tried), "bad" if side.failed else ""),
            *((wording.duration(value) if value is not None else "–", "") for value in (side.p50, side.p95, side.p99)),
            (wording.rate(side.rate), ""),
        ]
        for side in found.sides
    ]
    unit = "rounds" if found.interleaved else "batches"
    yield from table(
        ("", unit, "n", "success", "p50", "p95", "p99", "rate"), rows, width, spare=(unit, "p99", "rate", "n")
    )
    above = ("", "")
    for contrast in found.contrasts:
        if (contrast.other, contrast.base) != above:
            above = (contrast.other, contrast.base)
            yield ((cut(f"  {printable(contrast.other)} against {printable(contrast.base)}", width), "title"),)
        mark, style = _BETTER[contrast.verdict]
        for n, line in enumerate(paragraph(contrast.sentence, width, lead=f"  {mark} ")):
            yield ((line[0][0], style), line[1]) if n == 0 else line
    for text in filter(None, (found.noise, *found.warnings)):
        yield from paragraph(text, width, lead="  · ", style="dim")


def generator(run: RunPicture, width: int) -> Iterable[Line]:
    """Yield how the generator fared, in one sentence."""
    if run.generator is None:
        return
    style = "warn" if run.generator.bound else "dim"
    yield from paragraph(run_wording.generator(run.generator), width, style=style)


def sections(report: Report, width: int, *, verbose: bool) -> Sequence[Iterable[Line]]:
    """Return what a run or a comparison shows after its findings."""
    prose, run = min(width, _WIDEST_PROSE), report.run
    first = comparison(report.comparison, prose)
    if run is None:
        return (first,)
    parts = (
        first,
        figures(run, prose, verbose=verbose),
        scenes(run, prose, verbose=verbose) if not report.comparison or verbose else (),
    )
    if not all_shown(report, verbose):
        return parts
    return (
        *parts,
        distribution(run, prose),
        over_time(run, width),
        generator(run, prose),
    )
