"""The case file: what diagnosis keeps of all events, in bounded memory, however long the log is.

Counts are exact at any size. Single rows are kept in full while they are few and thinned evenly afterwards.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.diagnose.pool import Pool
from woolly_mcpdiag.diagnose.sessions import SessionTable
from woolly_mcpdiag.logs.batch import NO_TIME, UNKNOWN_SIZE, Batch, Kind, Vocabulary, distinct

ROWS_KEPT = 30_000
NOTES_KEPT = 4_000
"""Notes kept of each kind and error; above that they are only counted."""
_CHUNK = 1 << 14
"""Rows filed at once: numpy costs as much for a few hundred rows as for some thousands."""
SAMPLES = 5
_ROLES = {Kind.CALL: "client", Kind.PROXIED: "proxy", Kind.SERVED: "server"}
_FAIL = 400
_UNKNOWN_QUIET = -1
_ODD = -7046029254386353131
"""Mixes the bits of a number upwards; 2^64 by the golden ratio, as a signed number."""


class CellKey(NamedTuple):
    """What makes exchanges alike."""

    source: int
    kind: int
    logger: int
    method: int
    status: int
    url: int


class Sample(NamedTuple):
    """A line kept as evidence, not yet redacted."""

    line: int
    time: int
    text: str


@dataclass(slots=True)
class Cell:
    """Exchanges that are alike: how many, when, and the first lines."""

    key: CellKey
    count: int = 0
    first_line: int = 0
    last_line: int = 0
    first_time: int = NO_TIME
    last_time: int = NO_TIME
    sizes: Counter[int] = field(default_factory=Counter)
    """Body sizes of failing responses, in bytes."""
    samples: list[Sample] = field(default_factory=list)


class Note(NamedTuple):
    """A NOTE row: its event, and its line where it is kept as evidence."""

    event: Event
    text: str
    line: int
    time: int
    source: int
    url: int


class CaseFile:
    """Collects batches of all sources; ``diagnose.case.Case`` reads it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.cells: dict[CellKey, Cell] = {}
        self.notes: list[Note] = []
        self.note_counts: Counter[tuple[str, str]] = Counter()
        """(kind, error) → all of them, kept or not."""
        self.failures = Pool(ROWS_KEPT)
        self.openings = Pool(ROWS_KEPT)
        self.ordinary = Pool(ROWS_KEPT)
        self.sessions = {kind: SessionTable() for kind in (Kind.CALL, Kind.PROXIED, Kind.SERVED)}
        self.opened = SessionTable(openings=True)
        self.keys: dict[tuple[int, int], str] = {}
        """Application keys of sessions, the first ``NOTES_KEPT`` of them."""
        self.opening_samples: dict[tuple[int, int], list[Sample]] = {}
        """(source, logger) → the first lines that name a new session."""
        self.rows = 0
        self.stamped = 0
        self.spans: dict[int, tuple[int, int]] = {}
        """Source → first and last time, µs."""
        self.about: list[str] = []
        """What a reader must know about how inputs were put together."""
        self._last: dict[int, int] = {}
        self._events: Counter[int] = Counter()
        self._waiting: list[Batch] = []
        self._waiting_rows = 0

    def add(self, batch: Batch) -> None:
        """Take a batch; its rows must come after those of earlier batches of the same source."""
        if not len(batch):
            return
        self.rows += len(batch)
        self._waiting.append(batch)
        self._waiting_rows += len(batch)
        if self._waiting_rows >= _CHUNK:
            self.settle()

    def settle(self) -> None:
        """File what waits; needed before the case file is read."""
        if not self._waiting:
            return
        waiting, self._waiting, self._waiting_rows = self._waiting, [], 0
        self._file(waiting[0] if len(waiting) == 1 else Batch.joined(waiting))

    def _file(self, batch: Batch) -> None:
        self._span(batch)
        exchange = np.flatnonzero(batch.kind <= Kind.PROXIED)
        self._count(batch, exchange)
        quiet = self._quiet(batch, exchange)
        failing = batch.status[exchange] >= _FAIL
        self.failures.add(batch, exchange[failing], quiet[failing])
        self.ordinary.add(batch, exchange[~failing], quiet[~failing])
        opened = np.flatnonzero(batch.kind == Kind.OPENED)
        self.openings.add(batch, opened, np.full(len(opened), _UNKNOWN_QUIET, np.int64))
        for row in opened[: 4 * SAMPLES].tolist():
            kept = self.opening_samples.setdefault((int(batch.source[row]), int(batch.logger[row])), [])
            kept.extend(_samples(batch, [row], SAMPLES - len(kept)))
        named = (batch.high != 0) | (batch.low != 0)
        for kind, table in self.sessions.items():
            table.add(batch, np.flatnonzero(named & (batch.kind == kind)))
        self.opened.add(batch, opened[named[opened]])
        self._note(batch)

    @staticmethod
    def joined(files: Sequence["CaseFile"]) -> "CaseFile":
        """Return the case file of inputs that tell of the same traffic; the parts must not be added to afterwards."""
        for file in files:
            file.settle()
        if len(files) == 1:
            return files[0]
        whole = CaseFile(files[0].vocabulary)
        for name in ("failures", "openings", "ordinary"):
            setattr(whole, name, Pool.joined([getattr(file, name) for file in files]))
        whole.sessions = {kind: SessionTable.joined([file.sessions[kind] for file in files]) for kind in whole.sessions}
        whole.opened = SessionTable.joined([file.opened for file in files])
        for file in files:
            whole.cells |= file.cells
            whole.notes += file.notes
            whole.note_counts += file.note_counts
            whole.keys |= file.keys
            whole.opening_samples |= file.opening_samples
            whole.rows += file.rows
            whole.stamped += file.stamped
            whole.spans |= file.spans
            whole._events += file._events
        return whole

    def role(self, sources: Collection[int]) -> str:
        """Say who speaks in some sources: client, server or proxy by their exchanges or notes, "" where unclear."""
        seen: Counter[str] = Counter()
        for key, cell in self.cells.items():
            if key.source in sources:
                seen[_ROLES[Kind(key.kind)]] += cell.count
        for note in self.notes:
            if note.source in sources and note.event.role in ("client", "server", "proxy") and not seen["client"]:
                seen[note.event.role] += 1
        if seen["client"]:
            return "client"
        return seen.most_common(1)[0][0] if +seen else ""

    def events(self, sources: Collection[int]) -> int:
        """Return how many events some sources gave."""
        return sum(self._events[source] for source in sources)

    def _span(self, batch: Batch) -> None:
        known = batch.time != NO_TIME
        self.stamped += int(np.count_nonzero(known))
        for source in distinct(batch.source):
            self._events[source] += int(np.count_nonzero(batch.source == source))
            times = batch.time[known & (batch.source == source)]
            if len(times):
                low, high = self.spans.get(source, (int(times[0]), int(times[0])))
                self.spans[source] = min(low, int(times.min())), max(high, int(times.max()))

    def _quiet(self, batch: Batch, exchange: NDArray[np.intp]) -> NDArray[np.int64]:
        quiet = np.full(len(exchange), _UNKNOWN_QUIET, np.int64)
        sources = batch.source[exchange]
        for source in distinct(sources):
            mine = np.flatnonzero((sources == source) & (batch.time[exchange] != NO_TIME))
            if not len(mine):
                continue
            times = batch.time[exchange[mine]]
            before = np.concatenate(([self._last.get(source, times[0] + 1)], times[:-1]))
            quiet[mine] = times - before
            self._last[source] = int(times[-1])
        return np.maximum(quiet, _UNKNOWN_QUIET)

    def _count(self, batch: Batch, exchange: NDArray[np.intp]) -> None:
        if not len(exchange):
            return
        code = batch.source[exchange].astype(np.int64)
        for column, size in ((batch.kind, 8), (batch.logger, 16), (batch.method, 16), (batch.status, 1024)):
            code = code * size + column[exchange]
        code = (code << 24) + batch.url[exchange] + 1
        for places in alike(code):
            rows = exchange[places]
            cell = self._cell(batch, int(rows[0]))
            cell.count += len(rows)
            cell.first_line = cell.first_line or int(batch.line[rows[0]])
            cell.last_line = int(batch.line[rows[-1]])
            cell.first_time = cell.first_time if cell.first_time != NO_TIME else int(batch.time[rows[0]])
            cell.last_time = max(cell.last_time, int(batch.time[rows[-1]]))
            if cell.key.status >= _FAIL:
                sizes, counts = np.unique(batch.size[rows], return_counts=True)
                cell.sizes.update(dict(zip(sizes.tolist(), counts.tolist(), strict=True)))
                cell.sizes.pop(UNKNOWN_SIZE, None)
            if len(cell.samples) < SAMPLES and batch.texts:
                cell.samples.extend(_samples(batch, rows[: 4 * SAMPLES].tolist(), SAMPLES - len(cell.samples)))

    def _cell(self, batch: Batch, row: int) -> Cell:
        key = CellKey(*(int(getattr(batch, name)[row]) for name in CellKey._fields))
        found = self.cells.get(key)
        if found is None:
            found = self.cells[key] = Cell(key)
        return found

    def _note(self, batch: Batch) -> None:
        for row, event in batch.notes.items():
            if batch.kind[row] == Kind.OPENED:
                if len(self.keys) < NOTES_KEPT:
                    self.keys[int(batch.high[row]), int(batch.low[row])] = event.key
                continue
            name = event.kind, event.error
            self.note_counts[name] += 1
            if self.note_counts[name] <= NOTES_KEPT:
                self.notes.append(
                    Note(
                        event,
                        batch.texts.get(row, ""),
                        int(batch.line[row]),
                        int(batch.time[row]),
                        int(batch.source[row]),
                        int(batch.url[row]),
                    )
                )


def alike(code: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Return the places of each code, ascending by code."""
    found: dict[int, NDArray[np.intp]] = {}
    # numpy sorts numbers of 16 bits ten times as fast; two codes that share one are rare, and then all are sorted.
    for key in ((code * _ODD) >> 48).astype(np.int16), code:
        order = np.argsort(key, kind="stable")
        placed = code[order]
        edges = np.flatnonzero(placed[1:] != placed[:-1]) + 1
        found = {int(code[places[0]]): places for places in np.split(order, edges)}
        if len(found) == len(edges) + 1:
            break
    return [found[one] for one in sorted(found)]


def _samples(batch: Batch, rows: Iterable[int], most: int) -> Iterator[Sample]:
    for row in rows:
        if most and row in batch.texts:
            yield Sample(int(batch.line[row]), int(batch.time[row]), batch.texts[row])
            most -= 1
