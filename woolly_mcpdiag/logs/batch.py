"""Events as columns: what every reader hands on and what diagnosis reads.

A row is one event in the order of its source. The many are numbers only; the few that need more
(errors, server messages, anything with text) carry an ``Event`` in ``notes``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.core.events import Event

NO_TIME = -(1 << 63)
"""The time of a row whose log has none."""
UNKNOWN_SIZE = -1


class Kind(IntEnum):
    """What a row is."""

    CALL = 1
    """An HTTP exchange as its client saw it (httpx line, HAR entry, our own event)."""
    SERVED = 2
    """An HTTP exchange as a server's access log has it (uvicorn, gunicorn, hypercorn)."""
    PROXIED = 3
    """An HTTP exchange as a proxy's access log has it (nginx and its like)."""
    OPENED = 4
    """A line that names a new session."""
    NOTE = 5
    """Anything else; the row's ``notes`` entry says what."""


METHODS = ("", "GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE")
METHOD_CODE = {name: code for code, name in enumerate(METHODS)}


class Logger(IntEnum):
    """Who wrote a row, as far as rules must tell writers apart."""

    OTHER = 0
    HTTPX = 1
    HTTPX2 = 2
    ACCESS = 3
    """uvicorn, gunicorn or hypercorn access line."""
    NGINX = 4
    MCP_CLIENT = 5
    MCP_SERVER = 6
    APP = 7
    """An application's own line."""
    HAR = 8
    MCPDIAG = 9
    """Our own event JSON lines."""


class Names:
    """Append-only interning of text: the same text has the same code for ever."""

    def __init__(self, texts: Iterable[str] = (), *, most: int | None = None) -> None:
        """Of more than ``most`` texts all further ones share the code of the empty text."""
        self.texts: list[str] = []
        self._most = most
        self._codes: dict[str, int] = {}
        for text in texts:
            self.code(text)

    def code(self, text: str) -> int:
        """Return the code of a text, a new one where it was not seen before."""
        found = self._codes.get(text)
        if found is None:
            if self._most is not None and len(self.texts) >= self._most - 1 and text:
                return self.code("")
            found = self._codes[text] = len(self.texts)
            self.texts.append(text)
        return found

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(slots=True)
class Vocabulary:
    """What the codes of the batches of one analysis mean."""

    urls: Names = field(default_factory=lambda: Names(most=1 << 17))
    """Without userinfo, query and fragment; a path alone where the log has no host. Bounded: paths may hold ids."""
    sources: Names = field(default_factory=lambda: Names(most=1 << 16))
    """File or stream, with the service of a framing appended: ``app.log``, ``all.log:api-1``."""
    agents: Names = field(default_factory=lambda: Names([""], most=1 << 16))
    """Agent types; code 0 is none."""
    sessions: dict[tuple[int, int], str] = field(default_factory=dict)
    """Texts of packed session ids that are not 32 hex digits."""


_DTYPES: Mapping[str, str] = {
    "line": "i8",
    "time": "i8",
    "kind": "u1",
    "logger": "u1",
    "method": "u1",
    "status": "u2",
    "url": "i4",
    "size": "i8",
    "duration": "f4",
    "high": "u8",
    "low": "u8",
    "agent": "u2",
    "source": "u2",
}
COLUMNS = tuple(_DTYPES)


@dataclass(slots=True)
class Batch:
    """Columns of equal length, one row an event, in source order."""

    line: NDArray[np.int64]
    """1-based line in the source's file."""
    time: NDArray[np.int64]
    """Microseconds since the epoch, UTC, or ``NO_TIME``."""
    kind: NDArray[np.uint8]
    logger: NDArray[np.uint8]
    method: NDArray[np.uint8]
    status: NDArray[np.uint16]
    """0 where the row has none."""
    url: NDArray[np.int32]
    """-1 where the row has none."""
    size: NDArray[np.int64]
    """Bytes of the response body, or ``UNKNOWN_SIZE``."""
    duration: NDArray[np.float32]
    """Seconds, NaN where unknown."""
    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    """Packed session id (``core.ids.pack``); both 0 where the row names none."""
    agent: NDArray[np.uint16]
    source: NDArray[np.uint16]
    notes: dict[int, Event] = field(default_factory=dict)
    """Row index → event, for every NOTE row and for OPENED rows that say more than their columns."""
    texts: dict[int, str] = field(default_factory=dict)
    """Row index → the line as it stands in the log (not yet redacted); only some rows of each class have one."""

    def __len__(self) -> int:
        return len(self.line)

    @staticmethod
    def empty(rows: int = 0) -> "Batch":
        """Return a batch of that many rows with every fact absent."""
        batch = _of({name: np.zeros(rows, dtype) for name, dtype in _DTYPES.items()})
        batch.time.fill(NO_TIME)
        batch.url.fill(-1)
        batch.size.fill(UNKNOWN_SIZE)
        batch.duration.fill(np.nan)
        return batch

    @staticmethod
    def joined(batches: Sequence["Batch"]) -> "Batch":
        """Return the rows of several batches, in order, as one."""
        whole = _of({name: np.concatenate([getattr(batch, name) for batch in batches]) for name in COLUMNS})
        offset = 0
        for batch in batches:
            whole.notes |= {row + offset: note for row, note in batch.notes.items()}
            whole.texts |= {row + offset: text for row, text in batch.texts.items()}
            offset += len(batch)
        return whole


def _of(columns: dict[str, NDArray[Any]]) -> Batch:
    return Batch(**columns)  # type: ignore[arg-type]  # the two dicts keep their defaults


@dataclass(slots=True)
class BatchBuilder:
    """Collects rows one by one and turns them into a batch."""

    rows: list[tuple[int | float, ...]] = field(default_factory=list)
    notes: dict[int, Event] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)

    def add(  # noqa: PLR0913 - one parameter a column
        self,
        *,
        line: int,
        time: int,
        kind: int,
        source: int,
        logger: int = 0,
        method: int = 0,
        status: int = 0,
        url: int = -1,
        size: int = UNKNOWN_SIZE,
        duration: float = float("nan"),
        high: int = 0,
        low: int = 0,
        agent: int = 0,
        note: Event | None = None,
        text: str = "",
    ) -> None:
        """Append one row; the columns mean what they mean in ``Batch``."""
        row = len(self.rows)
        self.rows.append((line, time, kind, logger, method, status, url, size, duration, high, low, agent, source))
        if note is not None:
            self.notes[row] = note
        if text:
            self.texts[row] = text

    def extend(self, other: "BatchBuilder") -> None:
        """Append the rows of another builder."""
        row = len(self.rows)
        self.rows += other.rows
        self.notes |= {row + index: note for index, note in other.notes.items()}
        self.texts |= {row + index: text for index, text in other.texts.items()}

    def __len__(self) -> int:
        return len(self.rows)

    def take(self) -> Batch:
        """Return what was collected and start anew."""
        columns = zip(*self.rows, strict=True) if self.rows else ((),) * len(COLUMNS)
        batch = _of(
            {name: np.array(values, dtype) for (name, dtype), values in zip(_DTYPES.items(), columns, strict=True)}
        )
        batch.notes, batch.texts = self.notes, self.texts
        self.rows, self.notes, self.texts = [], {}, {}
        return batch


@dataclass(slots=True)
class Tally:
    """What became of the lines of one file: read = understood + ignored + not understood."""

    read: int = 0
    understood: int = 0
    """Lines that gave an event or are part of one (a traceback, a wrapped record)."""
    ignored: int = 0
    """Blank lines, and lines of a known format that say nothing about MCP connectivity."""
    not_understood: int = 0
    first_not_understood: int = 0
    """1-based line, 0 where there is none."""
    outside: int = 0
    """Of the ignored lines, those earlier or later than was asked for."""

    def add(self, other: "Tally") -> None:
        """Add the counts of a later part of the same file whose line numbers already count on."""
        if not self.first_not_understood:
            self.first_not_understood = other.first_not_understood
        self.read += other.read
        self.understood += other.understood
        self.ignored += other.ignored
        self.not_understood += other.not_understood
        self.outside += other.outside


def distinct(column: NDArray[Any]) -> list[int]:
    """Return the different values of a column, ascending; quick where it has only one."""
    if not len(column) or (column == column[0]).all():
        return [int(value) for value in column[:1]]
    # With counts, numpy does not import its masked arrays (20 ms).
    return [int(value) for value in np.unique(column, return_counts=True)[0]]
