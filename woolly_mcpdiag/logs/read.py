"""One way into any input: picks the reader for its kind and hands on batches with their line counts."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.logs.backwards import Backwards
from woolly_mcpdiag.logs.batch import Batch, Tally, Vocabulary
from woolly_mcpdiag.logs.inputs import Input, lines
from woolly_mcpdiag.logs.lines import LineEngine, read_lines

WORTH_SCANNING = 512 << 10
"""Bytes from which the fast engine is worth its import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to read."""

    patterns: tuple[re.Pattern[str], ...] = ()
    """Lines that name a new session; group ``session``, and ``key`` if there is one."""
    since: int | None = None
    """µs since the epoch, UTC."""
    until: int | None = None
    workers: int | None = None
    """Processes for a big file; ``None`` lets the size decide."""


def compiled(patterns: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """Compile session patterns; raises ``UsageError`` where one cannot mean a session."""
    example = r"--session-pattern 'opened session (?P<session>\S+) for (?P<key>\S+)'"
    found = []
    for text in patterns:
        try:
            pattern = re.compile(text)
        except re.error as error:
            message = f"--session-pattern {text!r}: not a regular expression: {error}"
            raise UsageError(message, example) from None
        if "session" not in pattern.groupindex:
            message = f"--session-pattern {text!r}: has no group named session"
            raise UsageError(message, example)
        found.append(pattern)
    return tuple(found)


class Reading:
    """One input being read; what it says of the whole file is complete when ``batches`` has ended."""

    def __init__(self, source: Input, vocabulary: Vocabulary, settings: Settings) -> None:
        self.input = source
        self.tally = Tally()
        self.formats: list[str] = []
        self.zones = (0, 0)
        """Records whose stamp names its zone, and those whose stamp does not."""
        self.backwards = Backwards()
        self.failure: InputError | None = None
        """Why it could not be read to its end, where what came before is of no use."""
        self._vocabulary = vocabulary
        self._settings = settings

    def batches(self) -> Iterator[Batch]:
        """Yield the rows of the input in order."""
        try:
            for batch, tally in self._parts():
                self.tally.add(tally)
                if self.input.kind == "text":
                    self.backwards.watch(batch)
                yield batch
        except InputError as error:
            self.failure = error
            self.input.damage = error.message.removeprefix(f"{self.input.name}: ")
        except OSError as error:
            self.input.damage = f"cannot be read to its end ({error.strerror or error})"
            self.failure = InputError(f"{self.input.name}: {self.input.damage}", "check the disk or the mount")

    def _parts(self) -> Iterator[tuple[Batch, Tally]]:
        if self.input.kind == "har":
            from woolly_mcpdiag.logs.har import read_har  # noqa: PLC0415 - most logs are text

            self.formats = ["har"]
            with self.input.open() as stream:
                yield from read_har(stream, self._vocabulary, self.input.name, **self._bounds())
        elif self.input.kind == "events":
            from woolly_mcpdiag.logs.events import read_events  # noqa: PLC0415 - as above

            self.formats = ["mcpdiag events"]
            with self.input.open() as stream:
                yield from read_events(lines(stream), self._vocabulary, self.input.name, **self._bounds())
        else:
            yield from self._text()

    def _bounds(self) -> dict[str, int | None]:
        return {"since": self._settings.since, "until": self._settings.until}

    def _text(self) -> Iterator[tuple[Batch, Tally]]:
        engine = engine_for(self.input, self._vocabulary, self._settings)
        try:
            yield from self._scanned(engine)
        finally:  # also where whoever takes the batches stops early
            self.formats = engine.formats()
            self.zones = engine.zones[True], engine.zones[False]

    def _scanned(self, engine: LineEngine) -> Iterator[tuple[Batch, Tally]]:
        """Read with the fast engine what is big enough for it; it hands to the line engine what it is not sure of."""
        path, size, chosen = self.input.path, self.input.size, self._settings
        if chosen.patterns or chosen.since is not None or chosen.until is not None:
            with self.input.open() as stream:
                yield from read_lines(engine, lines(stream))
            return
        if path is not None and size is not None and self.input.plain and size >= WORTH_SCANNING:
            from woolly_mcpdiag.logs.scan.read import read  # noqa: PLC0415 - small logs start faster without it

            day, workers = _day(self.input.modified), chosen.workers or 0
            yield from read(path, engine, self._vocabulary, name=self.input.name, workers=workers, day=day)
            return
        with self.input.open() as stream:
            if path is None or (size or 0) >= WORTH_SCANNING:
                from woolly_mcpdiag.logs.scan.read import scan  # noqa: PLC0415 - as above

                yield from scan(stream, engine, self._vocabulary)
            else:
                yield from read_lines(engine, lines(stream))


def engine_for(source: Input, vocabulary: Vocabulary, settings: Settings) -> LineEngine:
    """Return a line engine that dates the stamps of an input by the day it was last written to."""
    day = _day(source.modified)
    return LineEngine(
        vocabulary, source.name, patterns=settings.patterns, since=settings.since, until=settings.until, day=day
    )


def _day(modified: float | None) -> date:
    return (datetime.now(UTC) if modified is None else datetime.fromtimestamp(modified, UTC)).date()
