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
_VIEWS = {"server": Kind.SERVED, "proxy": Kind.PROXIED}
_WRITERS = {"app": Logger.APP, "client": Logger.MCP_CLIENT, "server": Logger.MCP_SERVER}


class EventRows:
    """Turns events into rows; the one mapping from ``Event`` to columns."""

    def __init__(self, vocabulary: Vocabulary, name: str) -> None:
        self._vocabulary = vocabulary
        self._name = name
        self._urls = Urls(vocabulary)

    def add(self, event: Event, line: int, text: str, out: BatchBuilder) -> None:
        """Append the row of an event; ``line`` is its 1-based line or entry."""
        kind, logger, note = self._place(event)
        url, high, low = self._urls.read(event.url) if event.url else (-1, 0, 0)
        if event.session:
            high, low = self._urls.session(event.session)
        source = f"{self._name}:{event.source}" if event.source and event.source != self._name else self._name
        out.add(
            line=line,
            time=NO_TIME if event.time is None else int(event.time * 1e6),
            kind=kind,
            source=self._vocabulary.sources.code(source),
            logger=logger,
            method=METHOD_CODE.get(event.method, 0),
            status=event.status or 0,
            url=url,
            size=UNKNOWN_SIZE if event.size is None else event.size,
            duration=float("nan") if event.duration is None else event.duration,
            high=high,
            low=low,
            agent=self._vocabulary.agents.code(event.agent),
            note=replace(event, message=redact.text(event.message)) if note else None,
            text=text,
        )

    @staticmethod
    def _place(event: Event) -> tuple[Kind, Logger, bool]:
        if event.kind == "http.exchange" and event.status:
            logger = Logger.HAR if event.logger == "har" else Logger.MCPDIAG
            return _VIEWS.get(event.role, Kind.CALL), logger, False
        if event.kind == "session.opened":
            return Kind.OPENED, _WRITERS.get(event.role, Logger.MCP_CLIENT), bool(event.key)
        return Kind.NOTE, Logger.MCPDIAG, True


def read_events(lines: Iterable[bytes], vocabulary: Vocabulary, name: str) -> Iterator[tuple[Batch, Tally]]:
    """Yield the rows of event lines in batches; a line that is no event is counted as not understood."""
    rows, out, tally = EventRows(vocabulary, name), BatchBuilder(), Tally()
    for number, raw in enumerate(lines, 1):
        tally.read += 1
        text = raw.decode("utf-8", "replace").strip()
        if not text:
            tally.ignored += 1
            continue
        try:
            event = Event.from_json(text)
            rows.add(event, number, text, out)
        except (ValueError, TypeError, OverflowError, AttributeError):
            tally.not_understood += 1
            tally.first_not_understood = tally.first_not_understood or number
            continue
        tally.understood += 1
        if len(out) >= BATCH_ROWS:
            yield out.take(), tally
            tally = Tally()
    yield out.take(), tally
