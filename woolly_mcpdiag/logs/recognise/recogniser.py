"""From records to rows: tries the recognisers in order of how often they hit and keeps multi-line failures together."""

import re
from collections.abc import Sequence

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.core.events import Event, EventKind, Role
from woolly_mcpdiag.core.ids import unpack
from woolly_mcpdiag.logs.batch import METHOD_CODE, NO_TIME, BatchBuilder, Kind, Logger, Vocabulary
from woolly_mcpdiag.logs.formats.access_rows import is_proxied
from woolly_mcpdiag.logs.recognise import agents, exchange, httpcore
from woolly_mcpdiag.logs.recognise.about import About, Abouts
from woolly_mcpdiag.logs.recognise.exchange import Urls
from woolly_mcpdiag.logs.recognise.failures import _ORDER, STATUS, Failure, is_leaf
from woolly_mcpdiag.logs.recognise.messages import HOST, MESSAGES, REQUEST, Message
from woolly_mcpdiag.logs.recognise.said import Redacted
from woolly_mcpdiag.logs.record import Record

LITERALS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [exchange.CLIENT_LITERAL, " HTTP/", agents.LITERAL, httpcore.CONNECT_LITERAL, httpcore.HEADERS_LITERAL]
        + [message.literal for message in MESSAGES]
    )
)
"""A record below WARNING that holds none of these texts says nothing to the recognisers."""
_SERIOUS = frozenset({"WARNING", "ERROR", "CRITICAL", "FATAL"})
_WRITERS = {"app": Logger.APP, "client": Logger.MCP_CLIENT, "server": Logger.MCP_SERVER}
_SAID_LIMIT = 400
_TRACEBACKS = ("Traceback (most recent call last)", "  + Exception Group Traceback")
_CHAINS = ("During handling of the above exception", "The above exception was the direct cause")
_INDENTED = (" ", "\t", "|", "+", "")
"""How lines of a traceback begin; they quote source code, which says nothing."""


class Recogniser:
    """Turns the records of one input into rows of a batch."""

    def __init__(self, vocabulary: Vocabulary, name: str, patterns: Sequence[re.Pattern[str]] = ()) -> None:
        self._vocabulary = vocabulary
        self._name = name
        self._patterns = patterns
        self._urls = Urls(vocabulary)
        self._sources: dict[str, int] = {}
        self._headers = httpcore.Headers()
        self._connects: set[tuple[str, str]] = set()
        self._pending: tuple[Record, Failure, EventKind, str] | None = None
        self.abouts = Abouts()
        self._redacted = Redacted(redact.text)
        self._chained = False
        """True after the sentence between two tracebacks of one failure."""

    def feed(self, record: Record, out: BatchBuilder) -> bool:
        """Add the rows that a record means; return False where it means nothing to us."""
        if self._pending is not None:
            if not record.fresh or self._goes_on(record):
                self._pending[1].line(record.message)
                # Servers without a log format print plain lines that look like continuations.
                if record.message[:1] not in _INDENTED:
                    about = self._about(record)
                    if not (about.hot and self._hot(record, out)):
                        self._message(record, about, out)
                return True
            self.flush(out)
        about = self._about(record)
        if about.hot and self._hot(record, out):
            return True
        known = self._message(record, about, out)
        return self._rest(record, about, out, known=known) or known

    def _about(self, record: Record) -> About:
        return self.abouts.of(record.message.encode("utf-8", "replace"))

    def _goes_on(self, record: Record) -> bool:
        """Say whether a bare line belongs to the bare traceback before it; nothing but its look tells."""
        if self._pending is None or record.format or self._pending[0].format:
            return False
        text = record.message
        if not self._pending[0].message.startswith(_TRACEBACKS):
            return False
        chained, self._chained = self._chained, text.startswith(_CHAINS) or (self._chained and not text.strip())
        if self._chained or (chained and text.startswith(_TRACEBACKS)):
            return True
        return text[:1] in _INDENTED or is_leaf(text)

    def _message(self, record: Record, about: About, out: BatchBuilder) -> bool:
        message = record.message
        for row in about.rows:
            if row.literal in message:
                found = row.search(message)
                if found:
                    # A stateless server says so at every request: once is enough.
                    if row.error != "stateless" or (row.error, record.service) not in self._connects:
                        self._said(row, found, record, out)
                    if row.error == "stateless":
                        self._connects.add((row.error, record.service))
                    return row.error != "asgi"
        return False

    def failure(self) -> Failure | None:
        """Return the failure whose continuation lines are being read."""
        return self._pending[1] if self._pending is not None else None

    def flush(self, out: BatchBuilder) -> None:
        """Add the failure whose continuation lines have ended."""
        if self._pending is None:
            return
        record, failure, kind, agent = self._pending
        self._pending = None
        if not failure.error and not agent and kind == "call.failed":
            return
        if kind == "call.failed" and not agent and failure.error not in _ORDER:
            return
        text = (
            f"{record.message} {failure.said}"
            if failure.said and failure.said not in record.message
            else record.message
        )
        answered = STATUS.search(text) if "' for url '" in text else None
        phase = agents.phase_of(record.message)
        event = self._event(
            record,
            kind,
            error=failure.error,
            agent=agent,
            key=agents.key_of(record.message),
            status=int(answered["status"]) if answered else None,
            url=self._urls.shown(answered["url"]) if answered else "",
            duration=agents.duration_of(record.message),
            message=text,
            extra=({"phase": phase} if phase else {})
            | ({"others": " ".join(failure.others)} if failure.others else {}),
        )
        self._note(record, out, event, url=self._urls.read(answered["url"])[0] if answered else -1)

    def _hot(self, record: Record, out: BatchBuilder) -> bool:
        message = record.message
        if exchange.CLIENT_LITERAL in message:
            return self._client(record, out)
        if " HTTP/" in message and self._access(record, out):
            return True
        if httpcore.HEADERS_LITERAL in message:
            return self._headers.take(message, self._urls)
        if httpcore.CONNECT_LITERAL in message:
            return self._connect(record, out)
        return False

    def _client(self, record: Record, out: BatchBuilder) -> bool:
        found = exchange.CLIENT.search(record.message)
        if not found:
            return False
        method, raw, digits = found.groups()
        status = int(digits)
        url, high, low = self._urls.read(raw)
        size, header_high, header_low = self._headers.give(status)
        logger = Logger.HTTPX2 if record.logger.startswith("httpx2") else Logger.HTTPX
        out.add(
            line=record.line,
            time=record.time,
            kind=Kind.CALL,
            source=self._source(record),
            logger=logger,
            method=METHOD_CODE[method],
            status=status,
            url=url,
            size=size,
            high=high or header_high,
            low=low or header_low,
            text=_text(record),
        )
        return True

    def _access(self, record: Record, out: BatchBuilder) -> bool:
        found = exchange.ACCESS.search(record.message)
        if not found:
            return False
        method, raw, digits, size = found.groups()
        url, high, low = self._urls.read(raw)
        # Servers quote the request; with other separators the format is a proxy's own.
        proxied = record.format == "combined" or '" ' not in found[0] or is_proxied(record.fields)
        out.add(
            line=record.line,
            time=record.time,
            kind=Kind.PROXIED if proxied else Kind.SERVED,
            source=self._source(record),
            logger=Logger.NGINX if proxied else Logger.ACCESS,
            method=METHOD_CODE[method],
            status=int(digits),
            url=url,
            size=exchange.size_of(size),
            high=high,
            low=low,
            text=_text(record),
        )
        return True

    def _connect(self, record: Record, out: BatchBuilder) -> bool:
        found = httpcore.CONNECT.search(record.message)
        if not found:
            return False
        place = found["host"], found["port"]
        if place not in self._connects:
            self._connects.add(place)
            event = self._event(record, "http.connect", role="client", extra={"host": place[0], "port": int(place[1])})
            self._note(record, out, event)
        return True

    def _said(self, row: Message, found: re.Match[str], record: Record, out: BatchBuilder) -> None:
        fields = {name: value for name, value in found.groupdict().items() if value}
        session = fields.pop("session", "")
        high, low = self._urls.session(session) if session else (0, 0)
        key = fields.pop("key", "").rstrip(".,;)")
        agent = agents.type_of(key)
        status = int(fields.pop("status", 0))
        request = REQUEST.search(record.message) if row.role == "proxy" else None
        host = HOST.search(record.message) if request else None
        if host:
            fields["host"] = host["host"]
        method = request["method"] if request else fields.pop("method", "")
        named = request["url"] if request else fields.pop("url", "")
        url = self._urls.read(named)[0] if named else -1
        seconds = fields.pop("seconds", "")
        if row.kind == "session.opened":
            self._opened(record, out, _WRITERS.get(row.role, Logger.OTHER), (high, low), key)
            return
        event = self._event(
            record,
            row.kind,
            role=row.role,
            method=method,
            url=self._vocabulary.urls.texts[url] if url >= 0 else "",
            status=status or None,
            duration=float(seconds) if seconds else None,
            session=self._session(high, low),
            key=key,
            agent=agent,
            error=row.error,
            message=record.message,
            extra={name: self._redacted.text(value) for name, value in fields.items()},
        )
        self._note(record, out, event, url=url, packed=(high, low))

    def _opened(self, record: Record, out: BatchBuilder, logger: Logger, packed: tuple[int, int], key: str) -> None:
        agent = agents.type_of(key)
        event = None
        if key:
            event = self._event(
                record, "session.opened", role="app", session=self._session(*packed), key=key, agent=agent
            )
        out.add(
            line=record.line,
            time=record.time,
            kind=Kind.OPENED,
            source=self._source(record),
            logger=logger,
            high=packed[0],
            low=packed[1],
            agent=self._vocabulary.agents.code(agent),
            note=event,
            text=_text(record),
        )

    def _rest(self, record: Record, about: About, out: BatchBuilder, *, known: bool) -> bool:
        """Take what only the rarer recognisers know: user patterns, agents, failures."""
        message = record.message
        for pattern in self._patterns:
            found = pattern.search(message)
            if found and found["session"]:
                key = found.groupdict().get("key") or ""
                self._opened(record, out, Logger.APP, self._urls.session(found["session"]), key)
                return True
        failed = None
        serious = record.level in _SERIOUS
        if about.agent and agents.LITERAL in message:
            if not serious and self._agent(record, out):
                return True
            failed = agents.FAILED.search(message) if serious else None
        if known or not (serious or not record.level or message.startswith(_TRACEBACKS)):
            return False
        failure = Failure()
        if about.failure:
            failure.headline(message)
        traceback = message.startswith(_TRACEBACKS)
        if not serious and not failure.error and not traceback:
            return False
        asgi = "Exception in ASGI application" in message
        agent = next((name for name in failed.groups() if name), "") if failed else ""
        self._pending = (record, failure, "server.error" if asgi else "call.failed", agent)
        return bool(failure.error or failed or traceback or asgi)

    def _agent(self, record: Record, out: BatchBuilder) -> bool:
        for pattern, kind in ((agents.DONE, "agent.done"), (agents.STARTED, "agent.started")):
            found = pattern.search(record.message)
            if found:
                agent = found["agent"] or found["name"]
                event = self._event(
                    record,
                    "agent.done" if kind == "agent.done" else "agent.started",
                    role="app",
                    agent=agent,
                    key=found.groupdict().get("key") or "",
                    duration=agents.duration_of(record.message) if kind == "agent.done" else None,
                )
                self._note(record, out, event)
                return True
        return False

    def _note(
        self, record: Record, out: BatchBuilder, event: Event, *, url: int = -1, packed: tuple[int, int] = (0, 0)
    ) -> None:
        out.add(
            line=record.line,
            time=record.time,
            kind=Kind.NOTE,
            source=self._source(record),
            status=event.status or 0,
            method=METHOD_CODE.get(event.method, 0),
            url=url,
            high=packed[0],
            low=packed[1],
            duration=float("nan") if event.duration is None else event.duration,
            agent=self._vocabulary.agents.code(event.agent),
            note=event,
            text=_text(record),
        )

    def _event(  # noqa: PLR0913 - the fields of an event
        self,
        record: Record,
        kind: EventKind,
        *,
        role: Role = "",
        method: str = "",
        url: str = "",
        status: int | None = None,
        duration: float | None = None,
        session: str = "",
        key: str = "",
        agent: str = "",
        error: str = "",
        message: str = "",
        extra: dict[str, str | int] | dict[str, str] | None = None,
    ) -> Event:
        return Event(
            kind=kind,
            time=None if record.time == NO_TIME else record.time / 1e6,
            source=self._vocabulary.sources.texts[self._source(record)],
            line=record.line,
            role=role,
            logger=record.logger,
            level=record.level,
            method=method,
            url=url,
            status=status,
            duration=duration,
            session=session,
            key=key,
            agent=agent,
            error=error,
            message=self._redacted.text(message[:_SAID_LIMIT]),
            extra=dict(extra or {}),
        )

    def _session(self, high: int, low: int) -> str:
        return self._vocabulary.sessions.get((high, low)) or (unpack(high, low) if high or low else "")

    def _source(self, record: Record) -> int:
        code = self._sources.get(record.service)
        if code is None:
            name = f"{self._name}:{record.service}" if record.service else self._name
            code = self._sources[record.service] = self._vocabulary.sources.code(name)
        return code


def _text(record: Record) -> str:
    return record.raw if record.span == 1 else record.message
