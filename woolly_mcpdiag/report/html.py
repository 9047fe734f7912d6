"""The one place for the report as one offline HTML page; it loads nothing and runs no script."""

from collections.abc import Iterator

from woolly_mcpdiag.report import html_findings, html_pictures, html_run, html_run_figures, wording
from woolly_mcpdiag.report.escape import clipped, html, html_prose
from woolly_mcpdiag.report.html_style import CSS
from woolly_mcpdiag.report.model import Report, Source

_MARKS = {"bad": "✗", "warn": "!", "good": "✓", "open": "?", "unknown": "·"}
_MOST_OTHER = 20
_MOST_SOURCES = 60


def render(report: Report) -> str:
    """Return the whole page. However many sessions there are, it stays under about a megabyte."""
    title = html(clipped(wording.verdict(report), 120))
    return "".join(
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>mcpdiag: {title}</title><style>{CSS}</style></head><body>",
            *_header(report),
            "<main>",
            *_body(report),
            "</main>",
            f"<footer>Made by mcpdiag {html(report.version)}, {html(report.command)}. ",
            "Secrets were removed before anything was stored.</footer></body></html>\n",
        )
    )


def _body(report: Report) -> Iterator[str]:
    run = report.run
    yield from html_run.criteria(report)
    if run is not None:
        yield from html_run.failures(run)
    else:
        yield from html_findings.ledgers(report)
    if report.findings or (run is None and report.comparison is None):
        yield from html_findings.findings(report)
    yield from html_run.comparison(report.comparison)
    if run is not None:
        base = report.comparison.sides[0].name if report.comparison else ""
        yield from html_run_figures.over_time(run, base)
        yield from html_run_figures.calls(run)
        yield from html_run_figures.phases(run)
        if report.comparison is None:
            yield from html_run_figures.parts(run)
    yield from html_findings.hypotheses(report)
    yield from html_pictures.timeline(report)
    yield from html_pictures.durations(report)
    yield from _limits(report)
    if run is not None:
        yield from html_run_figures.about(report, run)
    yield from _sources(report)


def _header(report: Report) -> Iterator[str]:
    state = wording.state(report)
    yield f'<header><p class="brand">mcpdiag · {html(report.command)}</p>'
    mark = f'<span class="{state}" aria-hidden="true">{_MARKS[state]}</span>'
    yield f"<h1>{mark} {html_prose(wording.verdict(report))}</h1>"
    if report.run is not None:
        yield from html_run.head(report.run)
    if report.run is not None or report.comparison is None:
        yield f'<p class="facts">{html(wording.span(report))}</p>'
    if report.partial and report.run is None:
        yield '<p class="warn">Interrupted: this is what was read so far.</p>'
    yield '<dl class="figures">'
    for name, value, kind in _figures(report):
        yield f'<div><dt>{html(name)}</dt><dd class="{kind}">{html(value)}</dd></div>'
    yield "</dl>"
    if report.agents:
        yield f'<p class="note">{html(wording.agents(report, most=12))}</p>'
    yield f'<nav aria-label="Sections">{"".join(_links(report))}</nav></header>'


def _figures(report: Report) -> Iterator[tuple[str, str, str]]:
    if report.run is not None:
        yield from html_run.tiles(report, report.run)
        return
    if report.comparison is not None:
        return
    yield "requests", f"{report.requests:,}", ""
    yield "sessions", f"{report.sessions:,}", ""
    if report.agents:
        yield "agent runs", f"{sum(report.agents.values()):,}", ""
    found, lost = len(wording.real(report)), wording.unexplained(report)
    yield "answered 400", f"{report.statuses.get(400, 0):,}", ""
    calm = "" if wording.state(report) == "unknown" else "good"
    yield "causes found" if found != 1 else "cause found", f"{found:,}", "bad" if found else calm
    yield "failures unexplained", f"{lost:,}", "warn" if lost else calm


def _links(report: Report) -> Iterator[str]:
    run = report.run
    logs = run is None and report.comparison is None
    present = (
        ("criteria", "Criteria", bool(report.judgements)),
        ("failures", "How calls failed", bool(run and run.failures)),
        ("causes", "Failures by cause", bool(report.ledgers) and run is None),
        ("findings", "Findings", logs or bool(report.findings)),
        ("comparison", "Side by side", report.comparison is not None),
        ("time", "Over time", bool(run and run.timeline)),
        ("calls", "Calls", bool(run and run.totals)),
        ("phases", "Phases", bool(run and run.phases)),
        ("parts", "Parts", bool(run and run.scenes and report.comparison is None)),
        ("hypotheses", "Hypotheses", bool(report.hypotheses)),
        ("timeline", "Timeline", bool(report.timelines or report.activity)),
        ("durations", "Durations", bool(report.latencies)),
        ("limits", "What cannot be decided", bool(report.invisible)),
        ("next", "Next", bool(report.next_steps)),
        ("about", "About this run", run is not None),
        ("sources", "Sources", bool(report.sources)),
    )
    return (f'<a href="#{anchor}">{name}</a>' for anchor, name, there in present if there)


def _limits(report: Report) -> Iterator[str]:
    if report.invisible:
        yield '<section id="limits"><h2>What this log cannot decide</h2>'
        yield f'<div class="card">{_list(report.invisible)}</div></section>'
    if report.next_steps:
        yield '<section id="next"><h2>Next</h2><div class="card">'
        for step in report.next_steps:
            yield f'<pre>{html(step.command)}</pre><p class="note">{html_prose(step.why)}</p>'
        yield "</div></section>"


def _sources(report: Report) -> Iterator[str]:
    if not (report.sources or report.other_requests or (report.notes and report.run is None)):
        return
    yield '<section id="sources"><h2>What was read</h2>'
    if report.sources:
        heads = "".join(f'<th scope="col"{kind}>{name}</th>' for name, kind in _COLUMNS)
        yield '<div class="card"><div class="wide" tabindex="0" role="region" aria-label="Sources">'
        yield f'<table class="plain"><thead><tr>{heads}</tr></thead><tbody>'
        yield from (_source(report, row) for row in report.sources[:_MOST_SOURCES])
        yield "</tbody></table></div>"
        if len(report.sources) > _MOST_SOURCES:
            yield f'<p class="note">and {len(report.sources) - _MOST_SOURCES:,} more</p>'
        yield "</div>"
    if report.notes and report.run is None:
        yield f'<div class="card"><h3>Notes</h3>{_list(report.notes)}</div>'
    yield from _others(report)
    yield "</section>"


_N = ' class="n"'
_COLUMNS = (
    ("Source", ""),
    ("Role", ""),
    ("Formats", ""),
    ("Lines", _N),
    ("Understood", _N),
    ("Left out", _N),
    ("Not understood", _N),
    ("Events", _N),
    ("Time", ""),
)


def _source(report: Report, row: Source) -> str:
    lost = f"{row.not_understood:,}"
    if row.not_understood:
        lost += f" (first: line {row.first_not_understood:,})"
    times = ""
    if report.clock == "time" and row.first is not None and row.last is not None:
        times = f"{wording.stamp(row.first)}–{wording.stamp(row.last)}"
    cells = (
        f'<th scope="row"><code>{html(clipped(row.name, 200))}</code></th>',
        f"<td>{html(row.role) or '–'}</td>",
        f"<td>{html(', '.join(row.formats))}</td>",
        *(f'<td class="n">{number:,}</td>' for number in (row.lines, row.understood, row.ignored)),
        f'<td class="n">{lost}</td>',
        f'<td class="n">{row.events:,}</td>',
        f"<td>{times or '–'}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>"


def _others(report: Report) -> Iterator[str]:
    if not report.other_requests:
        return
    ranked = sorted(report.other_requests.items(), key=lambda item: (-item[1], item[0]))
    total = wording.count(sum(report.other_requests.values()), "request")
    yield f"<details><summary>{total} to hosts or paths that are not MCP, left out of everything else</summary>"
    rows = (f"<li><code>{html(clipped(name, 300))}</code> ×{number:,}</li>" for name, number in ranked[:_MOST_OTHER])
    yield f'<ul class="list">{"".join(rows)}</ul>'
    if len(ranked) > _MOST_OTHER:
        yield f'<p class="note">and {len(ranked) - _MOST_OTHER:,} more</p>'
    yield "</details>"


def _list(items: list[str]) -> str:
    return '<ul class="list">' + "".join(f"<li>{html_prose(clipped(item))}</li>" for item in items) + "</ul>"
