"""The one place that tells an event of a run log in words, as evidence: its JSON is too long to be read."""

from collections.abc import Sequence
from dataclasses import replace

from woolly_mcpdiag.core.events import SCHEMA, Event
from woolly_mcpdiag.core.findings import Evidence, Finding, Ledger
from woolly_mcpdiag.core.ids import short
from woolly_mcpdiag.report.wording import duration

_HEAD = f'{{"schema":"{SCHEMA}"'


def told(text: str) -> str:
    """Return an event line in words ("POST http://h/mcp 404 initialize · session 1a2b · 12 ms"), else the text."""
    if not text.startswith(_HEAD):
        return text
    try:
        event = Event.from_json(text)
    except ValueError:
        return text
    kind = "" if event.kind == "http.exchange" else event.kind
    status = str(event.status or ("" if kind else "no answer"))
    rpc = str(event.extra.get("rpc") or "")
    head = " ".join(filter(None, (kind, event.method, event.url, status, rpc)))
    parts = [head, event.error, event.message, event.agent and f"agent {event.agent}", event.key and f"key {event.key}"]
    parts.append(f"session {short(event.session)}" if event.session else "")
    parts.append(duration(event.duration) if event.duration is not None else "")
    return " · ".join(filter(None, parts))


def of_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings whose evidence is in words."""
    return [replace(finding, evidence=_words(finding.evidence)) for finding in findings]


def of_ledgers(ledgers: Sequence[Ledger]) -> list[Ledger]:
    """Return ledgers whose evidence is in words."""
    return [replace(book, evidence=_words(book.evidence)) for book in ledgers]


def _words(lines: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    return tuple(replace(line, text=told(line.text)) for line in lines)
