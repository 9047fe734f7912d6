"""The one place for a load or a gate in the HTML report: its head, criteria, failures and comparison."""

from collections.abc import Iterable, Iterator, Sequence

from woolly_mcpdiag.core.runs import Sample
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.report import run_wording, svg_forest, wording
from woolly_mcpdiag.report.escape import clipped, html, html_prose
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.run_model import Comparison, Failure, RunPicture

_KINDS = {"pass": "good", "fail": "bad", "inconclusive": "warn"}
_FULL = 30
"""Ways to fail that are shown with samples; the others are in the JSON report."""
_SHOWN = 2
"""Lines of a criterion that are not folded."""
_BETTER = {"better": "good", "worse": "bad", "no difference shown": ""}


def head(run: RunPicture) -> Iterator[str]:
    """Yield what was run against what, and what must be known before a figure is believed."""
    lines = [run.workload, *map(run_wording.target, run.targets)]
    yield '<p class="facts">' + "<br>".join(html(clipped(line, 300)) for line in lines if line) + "</p>"
    for label in run.labels:
        yield f'<p class="label-note">{html_prose(label)}</p>'


def tiles(report: Report, run: RunPicture) -> Iterator[tuple[str, str, str]]:
    """Yield (name, value, colour) of the figures that are read first; of a gate its criteria say the rest."""
    gate = run_wording.is_gate(run)
    if report.judgements:
        passed = sum(judgement.verdict == "pass" for judgement in report.judgements)
        yield "criteria passed", f"{passed} of {len(report.judgements)}", ""
    for row in run.totals:
        whose = f", {row.name}" if len(run.totals) > 1 else ""
        mood = "bad" if row.failed else "good" if row.tried else ""
        yield row.name, f"{row.tried:,}", ""
        yield f"succeeded{whose}", wording.percent(row.ok, row.tried), mood
        if row.latency and not gate:
            yield f"p50{whose}", wording.duration(row.latency.p50), ""
            yield f"p95{whose}", wording.duration(row.latency.p95), ""
        if not gate:
            yield f"a second{whose}", wording.rate(row.rate).removesuffix("/s"), ""
    refused = sum(row.count for row in run.answers if row.status == 400 and not row.benign)
    yield "answered 400", f"{refused:,}", "bad" if refused else "good" if run.answers else ""


def criteria(report: Report) -> Iterator[str]:
    """Yield the criteria as a table: verdict, what was observed, what that proves."""
    if not report.judgements:
        return
    yield '<section id="criteria"><h2>Criteria</h2><div class="card">'
    heads = ("Verdict", "Criterion", "Observed", "Asked for", "What that proves")
    yield from table("Criteria", heads, (_criterion(one) for one in report.judgements), kind="plain stack")
    yield "</div></section>"


def _criterion(judgement: Judgement) -> list[str]:
    kind = _KINDS[judgement.verdict] if judgement.level == "error" else "warn"
    word = run_wording.WORDS[judgement.verdict].lower() + (" (warning only)" if judgement.level == "warn" else "")
    proof = [f"<p>{html_prose(judgement.sentence)}</p>"]
    if judgement.needed and judgement.verdict == "inconclusive":
        proof.append(f'<p class="warn">{judgement.needed:,} more {html(judgement.unit or "tries")} would decide it</p>')
    proof += _details(judgement)
    if judgement.causes:
        names = ", ".join(f"<code>{html(name)}</code>" for name in judgement.causes)
        proof.append(f'<p class="note">Cause: {names}</p>')
    mark = run_wording.MARKS[judgement.verdict]
    tries = f'<br><span class="note">n = {judgement.tries:,} {html(judgement.unit)}</span>' if judgement.tries else ""
    return [
        f'<td><span class="badge {kind}">{mark} {word}</span></td>',
        f'<th scope="row"><code>{html(judgement.name)}</code></th>',
        f"<td>{html(judgement.observed) or '–'}{tries}</td>",
        f"<td>{html(judgement.limit) or '–'}</td>",
        f'<td class="proof">{"".join(proof)}</td>',
    ]


def _details(judgement: Judgement) -> Iterator[str]:
    """Yield the further lines of a criterion; what is more than a few is folded, so that the next one is in sight."""
    items = [f"<li>{html(clipped(detail, 500))}</li>" for detail in judgement.details]
    open_ones = 0 if judgement.verdict == "pass" else _SHOWN
    if len(items) <= _SHOWN:
        open_ones = len(items)
    if items[:open_ones]:
        yield f'<ul class="list">{"".join(items[:open_ones])}</ul>'
    if rest := items[open_ones:]:
        more = f"{len(rest)} lines" if not open_ones else f"{len(rest)} more"
        yield f'<details><summary>{more}</summary><ul class="list">{"".join(rest)}</ul></details>'


def failures(run: RunPicture) -> Iterator[str]:
    """Yield the ways calls failed, each with its cause, samples and the next command."""
    if not run.failures:
        return
    yield '<section id="failures"><h2>How calls failed</h2>'
    yield from map(_failure, run.failures[:_FULL])
    if len(run.failures) > _FULL:
        yield f'<p class="note">and {len(run.failures) - _FULL:,} more ways in the JSON report</p>'
    yield "</section>"


def _failure(failure: Failure) -> str:
    kind = "warn" if failure.outcome == "answer" else "bad"
    parts = [f'<article class="card finding {kind}"><h3>{html(failure.what)}: {run_wording.how_many(failure)}</h3>']
    if failure.operations:
        parts.append(f'<p class="cause"><code>{html(clipped(run_wording.few(failure.operations), 300))}</code></p>')
    cause = f"<code>{html(failure.cause)}</code> {html(failure.how)}" if failure.cause else "no known cause"
    badges = [f'<li class="badge {kind if failure.cause else ""}">{cause}</li>']
    badges += [f'<li class="badge">{html(clipped(text, 120))}</li>' for text in run_wording.where(failure)]
    parts.append(f'<ul class="badges">{"".join(badges)}</ul>')
    for n, sample in enumerate(failure.samples):
        shown = _sample(sample)
        parts.append(shown if n == 0 else f"<details><summary>Another one, worded otherwise</summary>{shown}</details>")
    if failure.next_step:
        parts.append(f"<h4>Next</h4><pre>{html(failure.next_step)}</pre>")
    return "".join([*parts, "</article>"])


def _sample(sample: Sample) -> str:
    session = f", session {sample.session}" if sample.session else ""
    parts = [f"<h4>Sample at {sample.at:.1f} s, after {wording.duration(sample.took)}{html(session)}</h4>"]
    texts = filter(str.strip, (sample.request, sample.response, sample.error))
    parts += [f'<pre class="exchange">{_block(text.splitlines())}</pre>' for text in texts]
    if sample.context:
        context = _block(sample.context)
        parts.append(f"<details><summary>What else happened within two seconds</summary><pre>{context}</pre></details>")
    return "".join(parts)


def _block(lines: Sequence[str]) -> str:
    return "".join(f"<span>{html(clipped(line)) or '&#160;'}</span>" for line in lines)


def comparison(found: Comparison | None) -> Iterator[str]:
    """Yield the sides as a table, their ratios as a picture and in words."""
    if found is None:
        return
    yield '<section id="comparison"><h2>Side by side</h2><div class="card">'
    how = (
        "The sides took turns, so drift hits all of them alike."
        if found.interleaved
        else "Stored runs: drift between the runs is not controlled."
    )
    yield f'<p class="note">{how} Intervals hold together at {found.confidence * 100:g} %.</p>'
    heads = ("Side", "Rounds" if found.interleaved else "Batches", "Calls", "Success", "p50", "p95", "p99", "Rate")
    rows = (
        [
            f'<th scope="row"><code>{html(clipped(side.name, 80))}</code></th>',
            *numbers(f"{side.rounds:,}", f"{side.tried:,}", wording.percent(side.tried - side.failed, side.tried)),
            *numbers(*(wording.duration(v) if v is not None else "–" for v in (side.p50, side.p95, side.p99))),
            *numbers(wording.rate(side.rate)),
        ]
        for side in found.sides
    )
    yield from table("Sides", heads, rows, figures=7)
    if picture := svg_forest.draw(found.contrasts):
        yield f'<figure class="wide" tabindex="0" role="region" aria-label="Ratios">{picture}</figure>'
    yield '<ul class="verdicts">'
    for one in found.contrasts:
        names = f"<code>{html(clipped(one.other, 80))}</code>"
        yield f'<li class="{_BETTER[one.verdict]}">{names}: {html_prose(one.sentence)}</li>'
    yield "</ul>"
    yield "".join(f'<p class="note">{html_prose(text)}</p>' for text in (found.noise, *found.warnings) if text)
    yield "</div></section>"


def table(
    label: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, figures: int = 0, kind: str = "plain"
) -> Iterator[str]:
    """Yield a table that scrolls by itself, or ``stack``s its cells on a small screen.

    The last ``figures`` columns are numbers.
    """
    first = len(heads) - figures
    cells = "".join(
        f'<th scope="col"{" class=" + chr(34) + "n" + chr(34) if n >= first else ""}>{name}</th>'
        for n, name in enumerate(heads)
    )
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{html(label)}">'
    yield f'<table class="{kind}"><thead><tr>{cells}</tr></thead><tbody>'
    yield from (f"<tr>{''.join(row)}</tr>" for row in rows)
    yield "</tbody></table></div>"


def numbers(*values: str) -> list[str]:
    """Return cells that stand on the right."""
    return [f'<td class="n">{html(value)}</td>' for value in values]
