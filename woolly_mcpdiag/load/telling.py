"""The one place that turns what an engine tells into events, in the words that the rules of diagnosis read."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from woolly_mcpdiag.core.events import SCHEMA, Event, EventKind
from woolly_mcpdiag.core.ids import normalise
from woolly_mcpdiag.load.contract import Asked, Done, Exchanged, Success
from woolly_mcpdiag.load.masking import LONGEST, Masking
from woolly_mcpdiag.load.plan import CallSpec, Plan
from woolly_mcpdiag.load.writing import Facts, Line

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
_SAID = {
    "tls": "TLS handshake failed",
    "dns": "the name does not resolve",
    "stream-cut": "the SSE stream ended before the answer",
    "disconnect": "the connection ended before the answer",
}


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


def success_lines(
    told: Success, spec: CallSpec, operation: str, wall: Callable[[float], float], masking: Masking
) -> list[tuple[float, Line]]:
    """Return what ``exchange_event`` and ``call_events`` say of a success, each with its instant, without a source.

    Nothing is told between: a load writes a thousand of these a second.
    """
    session, agent = normalise(told.session), spec.agent if spec.kind == "agent" else ""
    took, ended = told.ended - told.sent, wall(told.ended)
    lines: list[tuple[float, Line]] = []
    if told.asked is not None:
        heard = told.at + told.took
        lines.append((heard, _exchange(told, told.asked, wall(heard), masking)))
    if agent or spec.kind == "agent":
        start = Line(schema=SCHEMA, kind="agent.started", time=ended - took, role="client", logger=LOGGER, level="INFO")
        start.session, start.agent = session, agent
        lines.append((told.ended, start))
    extra: Facts = {"in_flight": told.in_flight} if told.in_flight else {}
    if told.wave >= 0:
        extra["wave"] = told.wave
    last = Line(
        schema=SCHEMA,
        kind="agent.done" if spec.kind == "agent" else "call.done",
        time=ended,
        role="client",
        logger=LOGGER,
        level="INFO",
        duration=took,
        session=session,
        agent=agent,
        message=operation,
        extra=extra or None,
    )
    lines.append((told.ended, last))
    return lines


def _exchange(told: Success, asked: Asked, heard: float, masking: Masking) -> Line:
    extra: Facts = {"rpc": asked.rpc, **told.facts} if asked.rpc else {**told.facts}
    if "location" in extra:
        extra = masking.facts(extra)
    return Line(
        schema=SCHEMA,
        kind="http.exchange",
        time=heard,
        role="client",
        logger=LOGGER,
        level="INFO",
        method=asked.method,
        url=masking.url(asked.url),
        status=told.status,
        duration=told.took,
        session=normalise(asked.session),
        agent=asked.agent,
        extra=extra or None,
    )


def exchange_event(exchange: Exchanged, ended: float, masking: Masking, *, benign: bool, in_flight: int) -> Event:
    """Return the event of an HTTP exchange; the body of a refusal becomes its message, so that rules can read it.

    ``in_flight`` is told of what failed only.
    """
    bad = exchange.status >= 400 or not exchange.status
    body = exchange.body if bad else ""
    extra: Facts = {"rpc": exchange.rpc} if exchange.rpc else {}
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
