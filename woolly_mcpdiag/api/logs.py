"""The one way to analyse logs from Python: typed options in, an analysis out."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from glob import has_magic
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from woolly_mcpdiag import __version__
from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.diagnose.docket import Docket
from woolly_mcpdiag.diagnose.engine import Diagnosis
from woolly_mcpdiag.logs.batch import Batch, Vocabulary
from woolly_mcpdiag.logs.inputs import Input, is_events, resolve
from woolly_mcpdiag.logs.lines import LineEngine
from woolly_mcpdiag.logs.read import Reading, Settings, compiled
from woolly_mcpdiag.report.assemble import assemble
from woolly_mcpdiag.report.model import Report, Source

if TYPE_CHECKING:
    import pandas as pd

    from woolly_mcpdiag.logs.events import EventEngine

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""One path or several: files, globs, directories, or "-" for standard input."""
_TELL_EVERY = 0.1
"""Seconds between two calls of ``progress``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to analyse logs."""

    since: float | None = None
    """Seconds since the epoch, UTC; earlier records are left out."""
    until: float | None = None
    session_patterns: tuple[str, ...] = ()
    """Regular expressions for lines that name a new session; group ``session``, optionally ``key``."""
    endpoints: tuple[str, ...] = ()
    """Globs of the URLs or paths that are MCP; empty lets the log decide."""
    workers: int | None = None
    """Processes for big files; ``None`` takes as many as it pays."""
    keep_events: bool = False
    """Keep every event for ``Analysis.events_frame``; then memory grows with the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the reading is."""

    done: int
    """Bytes of the inputs read so far (compressed ones of compressed files)."""
    total: int | None
    """Bytes of all inputs, ``None`` where one of them is a stream."""
    source: str
    lines: int
    failures: int
    """Failing responses seen so far."""


@dataclass(slots=True, kw_only=True)
class Analysis:
    """What an analysis gives: the report, and the tables behind it."""

    report: Report
    diagnosis: Diagnosis
    _kept: list[Batch] = field(default_factory=list)
    _vocabulary: Vocabulary = field(default_factory=Vocabulary)
    _keeps: bool = False

    def sessions_frame(self) -> "pd.DataFrame":
        """Return one row a session (pandas)."""
        from woolly_mcpdiag.diagnose.tables import session_rows  # noqa: PLC0415 - only when asked for
        from woolly_mcpdiag.report.frames import sessions_frame  # noqa: PLC0415 - and pandas with it

        return sessions_frame(session_rows(self.diagnosis), order=self.report.clock == "order")

    def told(self) -> list[Event]:
        """Return the events that carry text, in the order of their sources.

        Raises ``UsageError`` unless ``Options.keep_events`` was set.
        """
        if not self._keeps:
            message = "events: were not kept"
            raise UsageError(message, "set Options(keep_events=True)")
        return [batch.notes[row] for batch in self._kept for row in sorted(batch.notes)]

    def events_frame(self) -> "pd.DataFrame":
        """Return one row an event (pandas). Raises ``UsageError`` unless ``Options.keep_events`` was set."""
        from woolly_mcpdiag.diagnose.tables import event_rows  # noqa: PLC0415 - only when asked for
        from woolly_mcpdiag.report.frames import events_frame  # noqa: PLC0415 - and pandas with it

        if not self._keeps:
            message = "events: were not kept"
            raise UsageError(message, "set Options(keep_events=True)")
        return events_frame(event_rows(self._kept, self._vocabulary), order=self.report.clock == "order")


def analyze_logs(
    paths: Paths,
    options: Options | None = None,
    *,
    progress: Callable[[Progress], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Analysis:
    """Read logs and name the causes of their failures.

    ``stopped`` is asked between batches; once it says True, what was read so far is judged and the report is partial.
    Raises ``InputError`` where nothing can be read and ``UsageError`` for options that cannot mean anything.
    """
    chosen = options or Options()
    vocabulary = Vocabulary()
    docket = Docket(vocabulary)
    settings = _settings(chosen)
    inputs = resolve(_names(paths), stopped)
    readings = [Reading(source, vocabulary, settings) for source in inputs]
    kept: list[Batch] = []
    teller = _Teller(inputs, progress, docket)
    partial = False
    for reading in readings:
        for batch in _batches(reading, teller):
            docket.add(batch)
            if chosen.keep_events:
                kept.append(batch)
            if stopped is not None and stopped():
                partial = True
                break
        if partial:
            break
    _refuse_nothing(readings, partial=partial)
    found = docket.diagnose(chosen.endpoints)
    report = assemble(found, [_source(reading, docket) for reading in readings], _about(readings), version=__version__)
    report.partial = partial
    if not partial and not any(source.events for source in report.sources):
        from woolly_mcpdiag.report.outside import tell_outside  # noqa: PLC0415 - where there is something to tell

        tell_outside(report, readings, settings, stopped)
    return Analysis(report=report, diagnosis=found, _kept=kept, _vocabulary=vocabulary, _keeps=chosen.keep_events)


def follow_logs(
    paths: Paths,
    options: Options | None = None,
    *,
    every: float,
    on_report: Callable[[Report], None],
    stopped: Callable[[], bool],
) -> Analysis:
    """Read growing logs until ``stopped`` says True or every stream has ended.

    ``on_report`` gets a report when all that is there was read, then at most one in ``every`` seconds.
    """
    from woolly_mcpdiag.logs.follow import follow  # noqa: PLC0415 - only for logs that grow

    chosen = options or Options()
    vocabulary = Vocabulary()
    docket = Docket(vocabulary)
    settings = _settings(chosen)
    engines: dict[str, _Growing] = {}
    kept: list[Batch] = []

    def take(growing: _Growing, *, end: bool = False) -> None:
        batch = growing.take(end=end)
        docket.add(batch)
        if chosen.keep_events:
            kept.append(batch)

    shown, fresh = -every, False
    for growth in follow(_followed(_names(paths)), stopped=stopped):
        if growth is not None:
            growing = engines.get(growth.source)
            if growing is None or growth.restarted:
                growing = engines[growth.source] = _Growing(growth.source, vocabulary, settings, growing)
            growing.feed(growth.data)
            take(growing)
            fresh = True
        # None: everything that is there was read, so the first report need not wait.
        if fresh and (growth is None or shown > 0) and perf_counter() - shown >= every:
            on_report(_grown(docket, engines, chosen, kept).report)
            shown, fresh = perf_counter(), False
    for growing in engines.values():
        take(growing, end=True)
    return _grown(docket, engines, chosen, kept)


def _names(paths: Paths) -> list[str]:
    return [os.fspath(path) for path in ([paths] if isinstance(paths, (str, os.PathLike)) else paths)]


def _followed(paths: Sequence[str]) -> list[str]:
    """Return the files to follow: patterns and directories resolved once, files that are yet to come as they are."""
    found: list[str] = []
    for name in paths:
        path = Path(name).expanduser()
        if name == "-":
            found.append(name)
        elif path.is_dir() or (has_magic(name) and not path.exists()):
            found += [source.name for source in resolve([name])]
        elif path.exists() or path.parent.is_dir():
            found.append(str(path))
        else:
            message = f"{name}: its directory {path.parent} does not exist"
            raise InputError(message, "check the path; a file that is yet to come needs its directory")
    return found


class _Growing:
    """A followed source: its engine and where its lines are."""

    def __init__(self, name: str, vocabulary: Vocabulary, settings: Settings, before: "_Growing | None") -> None:
        self._name, self._vocabulary, self._settings = name, vocabulary, settings
        self._engine: LineEngine | EventEngine | None = None
        self._line = 0
        self.source: Source = before.source if before else Source(name=name, role="", formats=())

    def feed(self, data: bytes) -> None:
        """Read whole lines."""
        engine = self._chosen(data)
        for raw in data.removesuffix(b"\n").split(b"\n") if data else ():
            self._line += 1
            engine.feed(raw, self._line)

    def _chosen(self, data: bytes) -> "LineEngine | EventEngine":
        """Return the engine for what the first lines are."""
        if self._engine is None:
            span = {"since": self._settings.since, "until": self._settings.until}
            if is_events(data):
                from woolly_mcpdiag.logs.events import EventEngine  # noqa: PLC0415 - most logs are text

                self._engine = EventEngine(self._vocabulary, self._name, **span)
            else:
                today = datetime.now(UTC).date()
                patterns = self._settings.patterns
                self._engine = LineEngine(self._vocabulary, self._name, patterns=patterns, day=today, **span)
        return self._engine

    def take(self, *, end: bool = False) -> Batch:
        """Return the rows read since the last call."""
        engine, old = self._chosen(b""), self.source
        batch, tally = engine.take(end=end)
        self.source = Source(
            name=old.name,
            role="",
            formats=tuple(engine.formats()),
            lines=old.lines + tally.read,
            understood=old.understood + tally.understood,
            ignored=old.ignored + tally.ignored,
            not_understood=old.not_understood + tally.not_understood,
            first_not_understood=old.first_not_understood or tally.first_not_understood,
            events=old.events + len(batch),
        )
        return batch


def _grown(docket: Docket, engines: dict[str, _Growing], options: Options, kept: list[Batch]) -> Analysis:
    found = docket.diagnose(options.endpoints)
    sources = [growing.source for growing in engines.values()]
    about = [
        f"{source.name}: {source.not_understood:,} of {source.lines:,} lines fit no known format "
        f"(first: line {source.first_not_understood:,})."
        for source in sources
        if source.not_understood
    ]
    report = assemble(found, sources, about, version=__version__)
    return Analysis(
        report=report, diagnosis=found, _kept=kept, _vocabulary=docket.vocabulary, _keeps=options.keep_events
    )


def _settings(options: Options) -> Settings:
    return Settings(
        patterns=compiled(options.session_patterns),
        since=None if options.since is None else int(options.since * 1e6),
        until=None if options.until is None else int(options.until * 1e6),
        workers=options.workers,
    )


class _Teller:
    """Tells the caller how far the reading is, not too often."""

    def __init__(self, inputs: Sequence[Input], progress: Callable[[Progress], None] | None, docket: Docket) -> None:
        sizes = [source.size for source in inputs]
        self._total = None if None in sizes else sum(size or 0 for size in sizes)
        self._progress, self._docket = progress, docket
        self._before = 0
        self._lines = 0
        self._told = perf_counter()

    def tell(self, reading: Reading) -> None:
        """Tell, unless that was just done."""
        if self._progress is None or perf_counter() - self._told < _TELL_EVERY:
            return
        self._told = perf_counter()
        self._progress(
            Progress(
                done=self._before + (reading.input.consumed or 0),
                total=self._total,
                source=reading.input.name,
                lines=self._lines + reading.tally.read,
                failures=self._docket.failures,
            )
        )

    def ended(self, reading: Reading) -> None:
        """Count a whole input."""
        self._before += reading.input.size or 0
        self._lines += reading.tally.read


def _batches(reading: Reading, teller: _Teller) -> Iterator[Batch]:
    for batch in reading.batches():
        yield batch
        teller.tell(reading)
    teller.ended(reading)


def _source(reading: Reading, docket: Docket) -> Source:
    name, tally = reading.input.name, reading.tally
    codes = [c for c, text in enumerate(docket.vocabulary.sources.texts) if text == name or text.startswith(f"{name}:")]
    files = [docket.files[code] for code in codes if code in docket.files]
    spans = [span for file in files for span in file.spans.values()]
    roles = Counter(role for file in files if (role := file.role(set(codes))))
    return Source(
        name=name,
        role="client" if roles["client"] else next((role for role, _ in roles.most_common(1)), ""),
        formats=tuple(reading.formats),
        lines=tally.read,
        understood=tally.understood,
        ignored=tally.ignored,
        not_understood=tally.not_understood,
        first_not_understood=tally.first_not_understood,
        events=sum(file.rows for file in files),
        first=min(first for first, _ in spans) / 1e6 if spans else None,
        last=max(last for _, last in spans) / 1e6 if spans else None,
    )


def _refuse_nothing(readings: Sequence[Reading], *, partial: bool) -> None:
    """Raise ``InputError`` where not one line could be read."""
    if partial or any(reading.tally.read for reading in readings):
        return
    for reading in readings:
        if reading.failure is not None:
            raise reading.failure
    name, damage = readings[0].input.name, readings[0].input.damage
    message = f"{name}: {damage}, nothing of it can be read" if damage else f"{name}: is empty"
    raise InputError(message, "check that the program writes its log there")


def _about(readings: Sequence[Reading]) -> list[str]:
    """Say what a reader must know about the reading itself."""
    found = [f"{reading.input.name}: {said}" for reading in readings for said in _about_one(reading)]
    zones = {bool(reading.zones[0]) for reading in readings if any(reading.zones)}
    if len(zones) > 1:
        found.append(
            "Some inputs name their time zone and others do not (read as UTC): "
            "they may be shifted by hours against each other."
        )
    return found


def _about_one(reading: Reading) -> Iterator[str]:
    tally, back = reading.tally, reading.backwards
    if reading.input.damage:
        yield f"{reading.input.damage}."
    if tally.not_understood:
        unit, one = (
            ("entries are not complete", "entry")
            if reading.input.kind == "har"
            else ("lines fit no known format", "line")
        )
        yield f"{tally.not_understood:,} of {tally.read:,} {unit} (first: {one} {tally.first_not_understood:,})."
    if tally.outside:
        yield f"{tally.outside:,} of {tally.read:,} lines lie outside the time asked for."
    if tally.read and not tally.understood and tally.not_understood + tally.outside < tally.read:
        yield f"none of its {tally.read:,} lines tells of a request, a session or a failure."
    if all(reading.zones):
        yield f"{reading.zones[1]:,} stamps name no time zone and are read as UTC, {reading.zones[0]:,} name theirs."
    if back.count:
        times = "once" if back.count == 1 else f"{back.count:,} times"
        yield (
            f"the time goes back {times} (first: line {back.line:,}; by up to {back.longest:,.0f} s): lines out of "
            "order or a clock that was changed; durations across such lines are not to be trusted."
        )


__all__ = ["Analysis", "Options", "Paths", "Progress", "analyze_logs", "follow_logs"]
