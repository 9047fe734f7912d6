"""The one place that turns what an engine tells into events, in the words that the rules of diagnosis read."""

from collections.abc import Iterator
from dataclasses import fields, replace
from urllib.parse import urlsplit

import msgspec

from woolly_mcpdiag.core.events import SCHEMA, Event, EventKind
from woolly_mcpdiag.core.ids import normalise
from woolly_mcpdiag.load.contract import Done, Exchanged
from woolly_mcpdiag.load.masking import LONGEST, Masking
from woolly_mcpdiag.load.plan import CallSpec, Plan

LOGGER = "mcpdiag.load"
_ERRORS = {
    "http": "HTTPStatusError",
    "rpc": "McpError",
    "tool-error": "tool-error",
    "connect": "ConnectError",
    "tls": "SSLError",
    "dns": "gaierror",
    "disconnect": "RemoteProtocolError",
    "stream-cut": "RemoteProtocolError",
    "pool": "PoolTimeout",
    "refused-locally": "BreakerOpen",
}
"""Outcome → the name under which logs of httpx and the SDK tell the same, which is what the rules know."""
_FIELDS = tuple(one.name for one in fields(Event) if one.name not in {"kind", "source"})
_ABSENT: tuple[object, ...] = (None, "", {})
_SAID = {
    "tls": "TLS handshake failed",
    "dns": "the name does not resolve",
    "stream-cut": "the SSE stream ended before the answer",
    "disconnect": "the connection ended before the answer",
}


def line_of(event: Event, source: str) -> str:
    """Return what ``Event.to_json`` returns for an event of that source, in a fifth of the time."""
    row: dict[str, object] = {"schema": SCHEMA, "kind": event.kind}
    for name in _FIELDS:
        value = getattr(event, name)
        if value not in _ABSENT:
            row[name] = value
    if source:
        row["source"] = source
    try:
        return msgspec.json.encode(row).decode()
    except (UnicodeEncodeError, TypeError):
        return replace(event, source=source).to_json()


def operation_of(plan: Plan, spec: CallSpec) -> str:
    """Return how a kind of call is named in tallies: ``tools/call search_code``, ``POST /api/v1/agents/execute``."""
    if spec.kind == "agent" and plan.agent is not None:
        return f"POST {urlsplit(plan.agent.at.url).path or '/'}"
    return f"{spec.method} {spec.name}".strip()


def call_events(done: Done, spec: CallSpec, operation: str, ended: float, masking: Masking) -> Iterator[Event]:
    """Yield the events of a call that has ended; ``ended`` is seconds since the epoch."""
    took = done.ended - done.sent
    agent = spec.agent if spec.kind == "agent" else ""
    if spec.kind == "agent":
        yield _event("agent.started", ended - took, done, agent)
    if done.outcome.kind == "ok":
        kind: EventKind = "agent.done" if spec.kind == "agent" else "call.done"
        yield _event(kind, ended, done, agent, duration=took, message=operation, extra=_extra(done))
        return
    kind = "agent.failed" if spec.kind == "agent" else "call.failed"
    if done.outcome.kind == "tool-error":
        kind = "call.rejected"
    said = " ".join(part for part in (_SAID.get(done.outcome.kind, ""), masking.text(done.error)) if part)
    where = f" in {done.phase}" if done.phase else ""
    status = f" {done.outcome.status}" if done.outcome.status else ""
    yield _event(
        kind,
        ended,
        done,
        agent,
        level="WARNING",
        status=done.outcome.status or None,
        duration=took,
        error=_error(done),
        message=f"{operation}: {done.outcome.kind}{status}{where} after {took:.3f} s{f': {said}' if said else ''}",
        extra=_extra(done),
    )


def exchange_event(exchange: Exchanged, ended: float, masking: Masking, *, benign: bool, in_flight: int) -> Event:
    """Return the event of an HTTP exchange; the body of a refusal becomes its message, so that rules can read it.

    ``in_flight`` is told of what failed only.
    """
    bad = exchange.status >= 400 or not exchange.status
    body = exchange.body if bad else ""
    extra: dict[str, str | int | float | bool] = {"rpc": exchange.rpc} if exchange.rpc else {}
    if benign:
        extra["benign"] = True
    elif bad:
        extra["in_flight"] = in_flight
    return Event(
        kind="http.exchange",
        time=ended,
        role="client",
        logger=LOGGER,
        level="WARNING" if bad and not benign else "INFO",
        method=exchange.method,
        url=masking.url(exchange.url),
        status=exchange.status or None,
        size=len(body.encode("utf-8", "replace")) if body and len(body) < LONGEST else None,
        duration=exchange.took,
        session=normalise(exchange.session),
        key=exchange.key,
        agent=exchange.agent,
        error=exchange.error,
        message=masking.text(body) if body else "",
        extra={**extra, **masking.facts(exchange.facts)},
    )


def _event(  # noqa: PLR0913 - the fields of an event
    kind: EventKind,
    time: float,
    done: Done,
    agent: str,
    *,
    level: str = "INFO",
    status: int | None = None,
    duration: float | None = None,
    error: str = "",
    message: str = "",
    extra: dict[str, str | int | float | bool] | None = None,
) -> Event:
    return Event(
        kind=kind,
        time=time,
        role="client",
        logger=LOGGER,
        level=level,
        status=status,
        duration=duration,
        session=normalise(done.session),
        key=done.key,
        agent=agent,
        error=error,
        message=message,
        extra=extra or {},
    )


def _extra(done: Done) -> dict[str, str | int | float | bool]:
    facts: dict[str, str | int | float | bool] = {
        "outcome": "" if done.outcome.kind == "ok" else done.outcome.kind,
        "code": done.outcome.code,
        "phase": done.phase,
        "cause": done.cause,
        "attempts": done.attempts if done.attempts > 1 else 0,
        "degraded": done.degraded,
        "in_flight": done.in_flight,
    }
    found = {name: value for name, value in facts.items() if value}
    return found if done.wave < 0 else {**found, "wave": done.wave}


def _error(done: Done) -> str:
    kind = done.outcome.kind
    if kind == "timeout" or (kind == "connect" and "imeout" in done.error):
        return "ConnectTimeout" if kind == "connect" or done.phase == "connect" else "ReadTimeout"
    word = done.error.partition("(")[0].partition(":")[0].strip()
    if kind == "agent-error":
        # What the agent says went wrong, in the name of its exception where it gives one.
        return word if word.isidentifier() and word[:1].isupper() else "AgentError"
    return _ERRORS.get(kind) or (word if word.isidentifier() else kind)
