"""The one place for the words and figures that every rendering of a report shares."""

import math
from datetime import UTC, datetime
from typing import Literal

from woolly_mcpdiag.core.findings import Finding, Hypothesis, Ledger
from woolly_mcpdiag.report.model import Report

State = Literal["bad", "warn", "good", "open", "unknown"]
""""open": too little evidence for a verdict."""
Level = Literal["error", "warning", "info"]
_DAY = 86_400.0
_SHORT = 10.0
"""Seconds below which a span shows milliseconds."""
HEALTHY = "Nothing in this log asks for a repair."


def count(number: int, one: str, many: str = "") -> str:
    """Return "1 request", "5,649 requests"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(part: int, whole: int) -> str:
    """Return a share with the digits it needs: "98.9 %"; never "100 %" or "0 %" where something is missing from it."""
    if not whole:
        return "–"
    share = 100 * part / whole
    rest = min(share, 100 - share)
    digits = 1 if rest >= 1 or rest == 0 else min(1 - math.floor(math.log10(rest)), 9)
    shown = f"{share:.{digits}f}"
    return f"{shown.rstrip('0').rstrip('.') if '.' in shown else shown} %"


def rate(value: float | None) -> str:
    """Return calls a second with about three digits: "1,240/s", "40.1/s"."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}/s" if value >= 100 else f"{value:.3g}/s"


def duration(seconds: float) -> str:
    """Return a length of time with about three digits: "12 ms", "1.25 s", "3 min 20 s", "2 h 5 min"."""
    if not math.isfinite(seconds):
        return "unknown"
    if seconds < 0.001:
        return f"{seconds * 1e6:.3g} µs" if seconds > 0 else "0 ms"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 59.95:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 172_800:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} days {whole % 86_400 // 3600} h"


def stamp(seconds: float, *, date: bool = False, digits: int = 0) -> str:
    """Return a UTC time of day, "14:02:11", with fractional digits (0 to 6) and, on request, its date."""
    try:
        when = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{seconds:.0f} s"
    text = when.strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S")
    return f"{text}.{when.microsecond:06d}"[: len(text) + 1 + digits] if digits else text


def span(report: Report) -> str:
    """Return the time the report covers: "2026-11-22 14:02:11–14:09:40 UTC (7 min 29 s, clock: 1 ms)"."""
    if report.clock == "order":
        return "no times in this log: order only"
    if report.first is None or report.last is None:
        return "no events"
    length = max(report.last - report.first, 0.0)
    digits = 3 if length < _SHORT else 0
    first, last = (stamp(at, date=True, digits=digits) for at in (report.first, report.last))
    end = last[11:] if first[:10] == last[:10] else last
    clock = f", clock: {duration(report.resolution)}" if report.resolution else ""
    return f"{first}–{end} UTC ({duration(length)}{clock})"


def agents(report: Report, most: int = 6) -> str:
    """Return "29 agent runs (simplifier 7, tester 6)", or "" where none was seen."""
    if not report.agents:
        return ""
    ranked = sorted(report.agents.items(), key=lambda item: (-item[1], item[0]))
    names = ", ".join(f"{name or 'unnamed'} {runs:,}" for name, runs in ranked[:most])
    rest = f", {count(len(ranked) - most, 'more type')}" if len(ranked) > most else ""
    return f"{count(sum(report.agents.values()), 'agent run')} ({names}{rest})"


def statuses(report: Report) -> str:
    """Return "200 ×29, 400 ×29", lowest status first."""
    return ", ".join(f"{status or 'no answer'} ×{number:,}" for status, number in sorted(report.statuses.items()))


def ledger_name(ledger: Ledger) -> str:
    """Return "400s", or "no answer" for the ledger of calls without a response."""
    return f"{ledger.status}s" if ledger.status else "no answer"


def ledger(book: Ledger) -> str:
    """Return "41 = 37 explained by session.harvested-from-400 + 3 benign transport.era-probe + 1 unexplained"."""
    parts = [
        f"{part.count:,} benign {part.cause}" if part.benign else f"{part.count:,} explained by {part.cause}"
        for part in sorted(book.parts, key=lambda part: part.benign)
    ]
    if book.unexplained or not parts:
        parts.append(f"{book.unexplained:,} unexplained")
    return f"{book.total:,} = " + " + ".join(parts)


def unexplained(report: Report, status: int | None = None) -> int:
    """Return how many failures no cause accounts for, of one status or of all."""
    return sum(book.unexplained for book in report.ledgers if status in {None, book.status})


def share(finding: Finding) -> str:
    """Return "29 of 29 400 responses", "1 of 1 call", "3 sessions", or "" where nothing is counted."""
    unit = finding.unit.removesuffix("s") if (finding.of or finding.count) == 1 else finding.unit
    if finding.of:
        return f"{finding.count:,} of {finding.of:,} {unit}".rstrip()
    return f"{finding.count:,} {unit}".rstrip() if finding.count else ""


def real(report: Report) -> list[Finding]:
    """Return the findings that are not benign, in the report's order."""
    return [finding for finding in report.findings if not finding.benign]


def benign(report: Report) -> list[Finding]:
    """Return the benign findings, in the report's order."""
    return [finding for finding in report.findings if finding.benign]


def level(finding: Finding) -> Level:
    """Return how loudly to show a finding; a benign one is information, whatever its cause's severity."""
    return "info" if finding.benign else finding.severity


def state(report: Report) -> State:
    """Return the mood of the whole report, for its mark and colour; it decides nothing."""
    if report.run is not None or report.judgements or report.comparison is not None:
        from woolly_mcpdiag.report import run_wording  # noqa: PLC0415 - it needs the words of this module

        return run_wording.state(report)
    levels = {level(finding) for finding in real(report)}
    if "error" in levels or unexplained(report):
        return "bad"
    if levels & {"warning"}:
        return "warn"
    return "good" if report.requests or report.sessions else "unknown"


def verdict(report: Report) -> str:
    """Return the report's sentence, or a plain one where it has none."""
    if report.verdict:
        return report.verdict
    if found := real(report):
        return f"{count(len(found), 'cause')} found, first {found[0].cause}."
    if lost := unexplained(report):
        return f"{count(lost, 'failure')} without a known cause."
    return HEALTHY if report.requests or report.sessions else "No MCP traffic was found in this input."


def fixes(finding: Finding) -> list[tuple[str, str]]:
    """Return what to do as (where, text) pairs, only where there is something to do."""
    pairs = (("client", finding.client), ("server", finding.server), ("deployment", finding.deployment))
    return [(where, text) for where, text in pairs if text]


def tested(row: Hypothesis) -> str:
    """Return the test of a hypothesis with its figures."""
    if not row.figures:
        return row.test
    return f"{row.test} {row.figures}" if row.test.endswith((".", "?", ":")) else f"{row.test}: {row.figures}"


def place(source: str, line: int) -> str:
    """Return "app.log:12", or the source alone where it has no lines."""
    return f"{source}:{line}" if line else source


def moment(report: Report, at: float) -> str:
    """Return when a mark on the timeline is: a time to the millisecond (with its day in a long log), or "event 12"."""
    if report.clock == "order":
        return f"event {at:.0f}"
    long = report.first is not None and report.last is not None and report.last - report.first > _DAY
    return stamp(at, date=True, digits=3)[5:] if long else stamp(at, digits=3)
