"""The one place for the figures of a run in the HTML report: over time, calls, phases, distribution, parts."""

import math
from collections.abc import Iterator

from woolly_mcpdiag.core.timelines import Latency
from woolly_mcpdiag.report import run_bins, run_wording, svg_charts, svg_run, wording
from woolly_mcpdiag.report.escape import clipped, html, html_prose
from woolly_mcpdiag.report.html_run import numbers, table
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.run_model import Figures, PhaseRow, RunPicture, Spread

_SERIES = 60
_BINS = 48
_FEW = 8
_HEADS = ("n", "Failed", "Rate", "p50", "p90", "p95", "p99", "Longest")


def over_time(run: RunPicture, base: str = "") -> Iterator[str]:
    """Yield the run over time: latency, rate, in flight, failures; ``base`` is the side whose turns are shaded."""
    if not run.timeline:
        return
    yield '<section id="time"><h2>Over time</h2><div class="card"><figure>'
    kind = f"{run.totals[0].name if run.totals else 'calls'}."
    shaded = f" Shaded: the turns of {base}." if base else ""
    yield f"<figcaption>{html(kind + shaded)} Rest the pointer on the picture to read a moment.</figcaption>"
    yield '<div class="wide" tabindex="0" role="region" aria-label="The run over time">'
    bands = [
        svg_run.Band(start=part.scene.start, end=part.scene.end, label=clipped(part.scene.name, 60))
        for part in run.scenes
        if (part.scene.name.endswith(f" {base}") if base else len(run.scenes) <= _FEW)
    ]
    warm = sum(row.tried for row in run.warmup)
    if warm and not run.scenes and run.took > run.measured:
        bands.append(svg_run.Band(start=0.0, end=run.took - run.measured, label="warm-up"))
    yield svg_run.draw(run.timeline, bands, load="arrivals a second" if run.model == "open" else "users")
    yield "</div></figure></div></section>"


def calls(run: RunPicture) -> Iterator[str]:
    """Yield the calls as a table, with their distribution beside it, and the phases."""
    if not run.totals:
        return
    yield '<section id="calls"><h2>Calls</h2><div class="card">'
    yield from table("Calls", ("", *_HEADS), _rows(run), figures=len(_HEADS))
    if len(run.series) > _SERIES:
        yield f'<p class="note">and {len(run.series) - _SERIES:,} more in the JSON report</p>'
    if any(row.service for row in run.totals):
        yield '<p class="note">Latency counts from the scheduled instant; "once sent" leaves out the wait before.</p>'
    yield "</div>"
    yield '<div class="grid">'
    for row in run.totals:
        if row.latency and row.latency.count >= _FEW:
            yield from _histogram(row, row.latency)
    yield "</div></section>"


def _rows(run: RunPicture) -> Iterator[list[str]]:
    for total in run.totals:
        series = [row for row in run.series if row.kind == total.kind]
        name = f"{total.name}: {series[0].name}" if len(series) == 1 else total.name
        yield _row(name, total, "total")
        if total.service:
            yield [f'<th scope="row">{html("once sent")}</th>', *numbers("", "", ""), *_spread(total.service)]
        if len(series) > 1:
            yield from (_row(row.name, row, "part") for row in series[:_SERIES])
    for row in run.warmup:
        yield _row(f"warm-up, not counted: {row.name}", row, "part")


def _row(name: str, row: Figures, kind: str) -> list[str]:
    failed = f'<td class="n{" bad" if row.failed else ""}">{row.failed:,}</td>'
    head = f'<th scope="row" class="{kind}">{html(clipped(name, 120))}</th>'
    return [head, *numbers(f"{row.tried:,}"), failed, *numbers(wording.rate(row.rate)), *_spread(row.latency)]


def _spread(spread: Spread | None) -> list[str]:
    if spread is None:
        return numbers(*["–"] * 5)
    values = (spread.p50, spread.p90, spread.p95, spread.p99, spread.greatest)
    return numbers(*(wording.duration(value) for value in values))


def _histogram(row: Figures, spread: Spread) -> Iterator[str]:
    bins = run_bins.of_buckets(spread, min(_BINS, max(_FEW, round(2 * math.sqrt(spread.count)))))
    shown = Latency(
        name=row.name,
        count=spread.count,
        buckets=tuple(one for one in bins if one[2]),
        p50=spread.p50,
        p95=spread.p95,
        p99=spread.p99,
        highest=spread.greatest,
    )
    yield f'<figure class="card"><h3>Distribution of {html(row.name)}</h3>'
    yield f"<figcaption>{spread.count:,} that succeeded: {wording.duration(spread.least)} to "
    yield f"{wording.duration(spread.greatest)}, mean {wording.duration(spread.mean)}</figcaption>"
    yield f"{svg_charts.histogram(shown)}</figure>"


def phases(run: RunPicture) -> Iterator[str]:
    """Yield the steps of a session's birth, with bars for p50 and p95."""
    if not run.phases:
        return
    top = max((row.took.p95 for row in run.phases if row.took), default=0.0) or 1.0
    yield '<section id="phases"><h2>Phases</h2><div class="card">'
    heads = ("Phase", "p50 and p95", "n", "Failed", "p50", "p90", "p95", "p99", "Longest")
    yield from table("Phases", heads, (_phase(row, top) for row in run.phases), figures=7)
    yield "</div></section>"


def _phase(row: PhaseRow, top: float) -> list[str]:
    name = " ".join(filter(None, (row.client, row.name)))
    p50, p95 = (row.took.p50, row.took.p95) if row.took else (0.0, 0.0)
    bar = (
        '<td class="meter" aria-hidden="true">'
        f'<i style="width:{100 * p95 / top:.1f}%"></i><b style="width:{100 * p50 / top:.1f}%"></b></td>'
    )
    failed = f'<td class="n{" bad" if row.failed else ""}">{row.failed:,}</td>'
    number = f"{row.took.count if row.took else 0:,}"
    return [
        f'<th scope="row">{html(clipped(name, 80))}</th>',
        bar,
        *numbers(number),
        failed,
        *_spread(row.took),
    ]


def parts(run: RunPicture) -> Iterator[str]:
    """Yield the parts of the run with their figures."""
    if not run.scenes:
        return
    yield '<section id="parts"><h2>Parts of the run</h2><div class="card">'
    rows = []
    for part in run.scenes:
        what = f'<br><span class="note">{html(clipped(part.scene.what, 200))}</span>' if part.scene.what else ""
        when = f"<td>{part.scene.start:,.1f}–{part.scene.end:,.1f} s</td>"
        for row in part.figures:
            kind = f" ({html(row.name)})" if len(part.figures) > 1 else ""
            cells = _row("", row, "")[1:]
            name = html(clipped(part.scene.name, 80))
            rows.append([f'<th scope="row"><code>{name}</code>{kind}{what}</th>', when, *cells])
        if not part.figures:
            name = html(clipped(part.scene.name, 80))
            rows.append([f'<th scope="row"><code>{name}</code>{what}</th>', when, *numbers(*["–"] * len(_HEADS))])
    yield from table("Parts", ("Part", "When", *_HEADS), rows, figures=len(_HEADS))
    yield "</div></section>"


def about(report: Report, run: RunPicture) -> Iterator[str]:
    """Yield the answers, the generator, the host and the notes."""
    yield '<section id="about"><h2>About this run</h2><div class="card">'
    if run.answers:
        told = ", ".join(
            f"{row.kind} {row.status or 'no answer'}{' (benign)' if row.benign else ''} ×{row.count:,}"
            for row in run.answers
        )
        yield f"<p>Answers on the wire: {html(told)}.</p>"
    if run.generator:
        yield f"<p>{html(run_wording.generator(run.generator))}</p>"
    host = ", ".join(f"{name} {value}" for name, value in run.host.items())
    yield f'<p class="note">Run {html(run.id)}{html(f", generator on {host}") if host else ""}.</p>'
    if report.notes:
        yield '<ul class="list">' + "".join(f"<li>{html_prose(clipped(note))}</li>" for note in report.notes) + "</ul>"
    yield "</div></section>"
