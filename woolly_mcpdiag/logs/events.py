"""Our own event JSON lines, as the client, the load engine and the API write them, read back into rows."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from woolly_mcpdiag.core import redact
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

BATCH_ROWS = 20_000
_MOST_SOURCES = 1_000
"""Sources told apart within one input."""
_LATEST = 253_402_300_800
"""Seconds: the end of the year 9999."""
_LONGEST = 1e9
_BIGGEST = 1 << 50
_VIEWS = {"server": Kind.SERVED, "proxy": Kind.PROXIED}
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


def read_events(
    lines: Iterable[bytes], vocabulary: Vocabulary, name: str, *, since: int | None = None, until: int | None = None
) -> Iterator[tuple[Batch, Tally]]:
    """Yield the rows of event lines in batches; a line that is no event is counted as not understood.

    ``since`` and ``until`` are µs since the epoch, UTC; events outside are ignored.
    """
    rows, out, tally = EventRows(vocabulary, name, since=since, until=until), BatchBuilder(), Tally()
    for number, raw in enumerate(lines, 1):
        tally.read += 1
        text = raw.decode("utf-8", "replace").strip()
        if not text:
            tally.ignored += 1
            continue
        try:
            event = Event.from_json(text)
            wanted = rows.wants(event)
            if wanted:
                rows.add(event, number, text, out)
        except (ValueError, OverflowError):
            tally.not_understood += 1
            tally.first_not_understood = tally.first_not_understood or number
            continue
        tally.understood += wanted
        tally.ignored += not wanted
        tally.outside += not wanted
        if len(out) >= BATCH_ROWS:
            yield out.take(), tally
            tally = Tally()
    yield out.take(), tally
