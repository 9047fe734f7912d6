"""The one place where several processes read one file: spans cut where records begin, results in the file's order."""

import multiprocessing
import signal
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.logs.batch import Batch, Tally, Vocabulary
from woolly_mcpdiag.logs.blocks import SIZE, Blocks
from woolly_mcpdiag.logs.lines import LineEngine
from woolly_mcpdiag.logs.reader import Reader
from woolly_mcpdiag.logs.scan.block import SLACK
from woolly_mcpdiag.logs.scan.exact import Exact
from woolly_mcpdiag.logs.scan.join import picked
from woolly_mcpdiag.logs.scan.scanner import Scanner

SPAN = 16 << 20
"""Bytes given to a worker at a time."""
_WARM = 1 << 16
"""Bytes read before a span, so that answers which wait for their calls are known."""
_TRIES = 2000
"""Lines looked at to find one that begins a record; where there is none, the span before goes on."""
_PIPE = 1 << 20
_STOP_WAIT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a worker must know of the file."""

    path: str
    name: str
    day: date | None = None
    size: int = SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of the file, and where to begin reading so as to know what came before it."""

    warm: int
    start: int
    end: int


@dataclass(slots=True)
class Result:
    """What a worker found in one span; codes are the worker's own."""

    batches: list[Batch]
    tally: Tally
    urls: list[str]
    """Texts that are new in its vocabulary, as are the next three."""
    agents: list[str]
    sources: list[str]
    sessions: dict[tuple[int, int], str]
    zones: Counter[bool]
    formats: Counter[str]
    framings: Counter[str]


def spans(path: str, size: int) -> list[Span]:
    """Cut a file into spans of about ``size`` bytes that begin where a record begins."""
    total = Path(path).stat().st_size
    starts = [0]
    with Path(path).open("rb") as file:
        for near in range(size, total, size):
            start = _record_start(file, near, total)
            if start > starts[-1]:
                starts.append(start)
        starts = [start for start in starts if start < total]
        warm = [_line_start(file, max(start - _WARM, 0)) if start else 0 for start in starts]
    ends = [*starts[1:], total]
    return [Span(warm=min(w, s), start=s, end=e) for w, s, e in zip(warm, starts, ends, strict=True)]


def _line_start(file: Any, near: int) -> int:  # noqa: ANN401 - a binary file
    file.seek(near)
    if near:
        file.readline()
    return int(file.tell())


def _record_start(file: Any, near: int, total: int) -> int:  # noqa: ANN401 - a binary file
    # What was cut off before is read, too: a record may not begin with the last piece of a line.
    reader, start = Reader(), _line_start(file, max(near - _WARM, 0))
    while start < near and (line := file.readline()):
        reader.read(line, 1)
        start = int(file.tell())
    begin = near - 1
    for _ in range(_TRIES):
        begin = begin if reader.cut() else start
        line = file.readline()
        if not line or start >= total:
            break
        records = reader.read(line, 1)
        if len(records) == 1 and records[0].fresh and records[0].format and begin >= near:
            return begin
        start = int(file.tell())
    return 0


class Worker:
    """Reads spans one after the other and keeps what it learned of the format."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._vocabulary = Vocabulary()
        self._engine = LineEngine(self._vocabulary, plan.name, day=plan.day)
        self._exact = Exact(self._engine)
        self._scanner = Scanner(self._exact, self._vocabulary)
        self._sent = [0, 1, 0]
        self._sessions: set[tuple[int, int]] = set()

    def read(self, span: Span) -> Result:
        """Return what a span holds; lines count from 1."""
        self._exact.forget()
        for _ in self._part(span.warm, span.start):
            pass
        self._exact.uncount()
        self._scanner.line = 1
        batches, tally = [], Tally()
        for batch, counts in self._part(span.start, span.end):
            tally.add(counts)
            if len(batch):
                batches.append(batch)
        return Result(batches, tally, *self._news(), *self._exact.counts())

    def _part(self, start: int, end: int) -> Iterator[tuple[Batch, Tally]]:
        if start >= end:
            return
        with Path(self._plan.path).open("rb", buffering=0) as file:
            file.seek(start)
            blocks = Blocks(file, slack=SLACK, size=min(self._plan.size, end - start), limit=end - start)
            while (block := blocks.next()) is not None:
                data, whole, last = block
                batch, tally, used = self._scanner.block(data, whole, last=last)
                blocks.use(used)
                yield batch, tally
            yield self._exact.take()

    def _news(self) -> tuple[list[str], list[str], list[str], dict[tuple[int, int], str]]:
        names = (self._vocabulary.urls, self._vocabulary.agents, self._vocabulary.sources)
        new = [name.texts[sent:] for name, sent in zip(names, self._sent, strict=True)]
        self._sent = [len(name) for name in names]
        sessions, self._vocabulary.sessions = self._vocabulary.sessions, {}
        return new[0], new[1], new[2], sessions


def _work(plan: Plan, todo: list[Span], pipe: Connection) -> None:
    """Be a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    with suppress(BrokenPipeError, ConnectionResetError), pipe:
        try:
            worker = Worker(plan)
            for span in todo:
                pipe.send(worker.read(span))
        except (BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:  # noqa: BLE001 - told to the parent, which raises it
            pipe.send(error)


def _widen(pipe: Connection) -> None:
    """Give a pipe more room where the system can, so that results pass in few pieces."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl  # noqa: PLC0415 - not on every system

        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)


@dataclass(slots=True)
class _Adopted:
    """One worker as its parent sees it."""

    process: BaseProcess
    pipe: Connection
    urls: list[int] = field(default_factory=list)
    agents: list[int] = field(default_factory=lambda: [0])
    sources: list[int] = field(default_factory=list)


class Pool:
    """Workers on one file; use as a context, so that none is left behind."""

    def __init__(self, plan: Plan, todo: list[Span], workers: int, vocabulary: Vocabulary, engine: LineEngine) -> None:
        self._plan, self._todo, self._count = plan, todo, workers
        self._vocabulary, self._exact = vocabulary, Exact(engine)
        self._workers: list[_Adopted] = []
        self._places: set[tuple[object, object]] = set()
        self._line = 0

    def __enter__(self) -> "Pool":
        # A process that has threads must not fork: a child may inherit a lock that nobody releases.
        methods = multiprocessing.get_all_start_methods()
        fork = "fork" in methods and threading.active_count() == 1
        context = multiprocessing.get_context("fork" if fork else "spawn")
        for index in range(self._count):
            ours, theirs = context.Pipe(duplex=False)
            _widen(theirs)
            process = context.Process(  # type: ignore[attr-defined]
                target=_work, args=(self._plan, self._todo[index :: self._count], theirs), daemon=True
            )
            process.start()
            theirs.close()
            self._workers.append(_Adopted(process, ours))
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_STOP_WAIT)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.process.close()

    def results(self) -> Iterator[tuple[Batch, Tally]]:
        """Yield batches in the file's order. Raises what a worker raised; ``RuntimeError`` where one died."""
        for index in range(len(self._todo)):
            worker = self._workers[index % self._count]
            try:
                result = worker.pipe.recv()
            except EOFError:
                worker.process.join(_STOP_WAIT)
                message = f"{self._plan.name}: a worker process ended early with exit code {worker.process.exitcode}"
                raise RuntimeError(message) from None
            if isinstance(result, Exception):
                raise result
            yield from self._adopt(worker, result)

    def _adopt(self, worker: _Adopted, result: Result) -> Iterator[tuple[Batch, Tally]]:
        vocabulary = self._vocabulary
        worker.urls += [vocabulary.urls.code(text) for text in result.urls]
        worker.agents += [vocabulary.agents.code(text) for text in result.agents]
        worker.sources += [vocabulary.sources.code(text) for text in result.sources]
        vocabulary.sessions.update(result.sessions)
        self._exact.add_counts(result.zones, result.formats, result.framings)
        urls, agents, sources = np.array([*worker.urls, -1]), np.array(worker.agents), np.array([*worker.sources, 0])
        tally, before = result.tally, self._line
        self._line += tally.read
        if tally.first_not_understood:
            tally.first_not_understood += before
        for batch in result.batches:
            batch.url[:], batch.agent[:], batch.source[:] = urls[batch.url], agents[batch.agent], sources[batch.source]
            batch.line += before
            if before:
                _move(batch.notes.values(), before)
            yield self._without_known_connects(batch), tally
            tally = Tally()
        if tally.read:
            yield Batch.empty(), tally

    def _without_known_connects(self, batch: Batch) -> Batch:
        """Drop the first connect to a place which another worker has told already."""
        known = []
        for row, note in batch.notes.items():
            if note.kind == "http.connect":
                place = note.extra.get("host"), note.extra.get("port")
                if place in self._places:
                    known.append(row)
                self._places.add(place)
        return picked(batch, np.setdiff1d(np.arange(len(batch)), known)) if known else batch


def _move(notes: Iterable[Event], lines: int) -> None:
    """Add to the lines of notes that just came out of a pipe: nobody else has them yet, and copies cost ten times."""
    for note in notes:
        if note.line:
            object.__setattr__(note, "line", note.line + lines)
