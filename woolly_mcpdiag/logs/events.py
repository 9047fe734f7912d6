"""Our own event JSON lines, as the client, the load engine and the API write them, read back into rows."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.core.bodies import BODIES, by_size
from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.logs.batch import (
    METHOD_CODE,
    NO_TIME,
    UNKNOWN_SIZE,
    Batch,
    BatchBuilder,
    Kind,
    Logger,
    Tally,
    Vocabulary,
)
from woolly_mcpdiag.logs.recognise.exchange import Urls
from woolly_mcpdiag.logs.recognise.messages import MESSAGES

BATCH_ROWS = 20_000
_MOST_SOURCES = 1_000
"""Sources told apart within one input."""
_FAIL = 400
_LATEST = 253_402_300_800
"""Seconds: the end of the year 9999."""
_LONGEST = 1e9
_BIGGEST = 1 << 50
_TOLD = frozenset({"server/discover", "initialize"})
_VIEWS = {"server": Kind.SERVED, "proxy": Kind.PROXIED}
_REFUSALS = tuple(row for row in MESSAGES if row.kind in {"call.rejected", "session.refused"})
_ROW = '{"schema":"mcpdiag.run/'
"""How the other rows of a run log begin: what was counted, which says nothing that its events do not."""
_WRITERS = {"app": Logger.APP, "client": Logger.MCP_CLIENT, "server": Logger.MCP_SERVER}


class EventRows:
    """Turns events into rows; the one mapping from ``Event`` to columns."""

    def __init__(
        self, vocabulary: Vocabulary, name: str, *, since: int | None = None, until: int | None = None
    ) -> None:
        """``since`` and ``until`` are µs since the epoch, UTC."""
        self._vocabulary = vocabulary
        self._name = name
        self._urls = Urls(vocabulary)
        self._since, self._until = since, until
        self._sources: dict[str, int] = {}

    def wants(self, event: Event) -> bool:
        """Say whether an event lies in the time asked for; one without a time always does."""
        time = NO_TIME if event.time is None else int(event.time * 1e6)
        return time == NO_TIME or (
            (self._since is None or time >= self._since) and (self._until is None or time <= self._until)
        )

    def add(self, event: Event, line: int, text: str, out: BatchBuilder) -> None:
        """Append the row of an event; ``line`` is its 1-based line or entry.

        Raises ``ValueError`` for a number that no exchange can have.
        """
        _check(event)
        rpc = event.extra.get("rpc")
        if event.kind == "http.exchange" and rpc in _TOLD:
            # What the client asked is known here, so a refused era probe need not be guessed from its place.
            said = f"method='{rpc}'"
            asked = replace(event, kind="mcp.message", method=str(rpc), message=said, status=None, extra={})
            self.add(asked, line, text, out)
            if rpc == "initialize":
                # It carried no session: that its birth was answered does not show that the session works.
                event = replace(event, session="")
        if event.kind == "http.exchange" and (event.status or 0) >= _FAIL and event.message:
            event = self._refused(event, line, text, out)
        if event.kind == "agent.failed":
            event = replace(event, kind="call.failed")
        kind, logger, note = self._place(event)
        url, high, low = self._urls.read(event.url) if event.url else (-1, 0, 0)
        if event.session:
            high, low = self._urls.session(event.session)
        out.add(
            line=line,
            time=NO_TIME if event.time is None else int(event.time * 1e6),
            kind=kind,
            source=self._source(event.source),
            logger=logger,
            method=METHOD_CODE.get(event.method, 0),
            status=event.status or 0,
            url=url,
            size=UNKNOWN_SIZE if event.size is None else event.size,
            duration=float("nan") if event.duration is None else event.duration,
            high=high,
            low=low,
            agent=self._vocabulary.agents.code(event.agent),
            note=replace(event, message=redact.text(event.message), url=redact.url(event.url)) if note else None,
            text=text,
        )

    def _refused(self, event: Event, line: int, text: str, out: BatchBuilder) -> Event:
        """Take from the body of a refusal, its message, what rules ask of it: the server's word, and the known size.

        A body that is wrapped in an unusual way has the size of its text as servers send it.
        """
        known = next((row for row in _REFUSALS if row.literal in event.message and row.search(event.message)), None)
        if known is not None:
            told = replace(event, kind=known.kind, error=known.error, method="", status=None, extra={})
            self.add(told, line, text, out)
        if event.size is not None and by_size(event.status or 0, event.size):
            return event
        alike = [body for body in BODIES if body.status == event.status and body.sizes and body.text in event.message]
        best = max(alike, key=lambda body: len(body.text), default=None)
        return event if best is None else replace(event, size=best.sizes[0])

    def _source(self, name: str) -> int:
        if name == self._name or (name not in self._sources and len(self._sources) >= _MOST_SOURCES):
            name = ""
        found = self._sources.get(name)
        if found is None:
            full = f"{self._name}:{name}" if name else self._name
            found = self._sources[name] = self._vocabulary.sources.code(full)
        return found

    @staticmethod
    def _place(event: Event) -> tuple[Kind, Logger, bool]:
        if event.kind == "http.exchange" and event.status:
            logger = Logger.HAR if event.logger == "har" else Logger.MCPDIAG
            return _VIEWS.get(event.role, Kind.CALL), logger, False
        if event.kind == "session.opened":
            return Kind.OPENED, _WRITERS.get(event.role, Logger.MCP_CLIENT), bool(event.key)
        return Kind.NOTE, Logger.MCPDIAG, True


def _check(event: Event) -> None:
    for name, value, least, most in (
        ("time", event.time, 0, _LATEST),
        ("duration", event.duration, 0, _LONGEST),
        ("status", event.status, 0, 999),
        ("size", event.size, 0, _BIGGEST),
    ):
        if value is not None and not least <= value <= most:
            message = f"{name}: {value} is not between {least} and {most:.0f}"
            raise ValueError(message)


class EventEngine:
    """Reads the event lines of one input; the interface of ``LineEngine``."""

    def __init__(
        self, vocabulary: Vocabulary, name: str, *, since: int | None = None, until: int | None = None
    ) -> None:
        """``since`` and ``until`` are µs since the epoch, UTC; events outside are ignored."""
        self._rows = EventRows(vocabulary, name, since=since, until=until)
        self._out = BatchBuilder()
        self._tally = Tally()

    def feed(self, raw: bytes, line: int) -> None:
        """Read one line; one that is no event is counted as not understood."""
        tally = self._tally
        tally.read += 1
        text = raw.decode("utf-8", "replace").strip()
        if not text or text.startswith(_ROW):
            tally.ignored += 1
            return
        try:
            event = Event.from_json(text)
            wanted = self._rows.wants(event)
            if wanted:
                self._rows.add(event, line, text, self._out)
        except (ValueError, OverflowError):
            tally.not_understood += 1
            tally.first_not_understood = tally.first_not_understood or line
            return
        tally.understood += wanted
        tally.ignored += not wanted
        tally.outside += not wanted

    def take(self, *, end: bool = False) -> tuple[Batch, Tally]:
        """Return what was read since the last call; nothing waits for an ``end``."""
        del end
        tally, self._tally = self._tally, Tally()
        return self._out.take(), tally

    @staticmethod
    def formats() -> list[str]:
        """Return the one format there is."""
        return ["mcpdiag events"]

    def __len__(self) -> int:
        return len(self._out)


def read_events(
    lines: Iterable[bytes], vocabulary: Vocabulary, name: str, *, since: int | None = None, until: int | None = None
) -> Iterator[tuple[Batch, Tally]]:
    """Yield the rows of event lines in batches."""
    engine = EventEngine(vocabulary, name, since=since, until=until)
    for number, raw in enumerate(lines, 1):
        engine.feed(raw, number)
        if len(engine) >= BATCH_ROWS:
            yield engine.take()
    yield engine.take()
