"""The case: questions that rules ask of a finished case file, and the ledger of what is already explained."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.core.causes import Confidence, catalogue
from woolly_mcpdiag.core.findings import Evidence, Finding
from woolly_mcpdiag.diagnose import endpoints
from woolly_mcpdiag.diagnose.casefile import CaseFile, Cell, CellKey, Note
from woolly_mcpdiag.diagnose.columns import among
from woolly_mcpdiag.diagnose.endpoints import origin_of
from woolly_mcpdiag.diagnose.sessions import LATE, Rows, hashed
from woolly_mcpdiag.logs.batch import METHOD_CODE, METHODS, NO_TIME, Kind, Logger, distinct

FAIL = 400
EVIDENCE = 3
"""Lines shown as evidence for a finding, at most, of each kind of line."""
_PIECE = 1 << 14
_NEARLY = 0.9
"""Share of exchanges with a time from which the few without one do not matter."""


class Case:
    """Everything a rule may look at. Exchanges are those with MCP endpoints, as seen nearest the client."""

    def __init__(self, file: CaseFile, globs: Sequence[str] = ()) -> None:
        file.settle()
        self.file = file
        self.urls = file.vocabulary.urls.texts
        self.mcp = endpoints.find(
            self.urls, file.cells.values(), self._urls_with_sessions(), globs, speaks_mcp=endpoints.shows_mcp(file)
        )
        """Codes of MCP addresses."""
        self.view = self._nearest()
        """The kind of row that counts as an exchange here; other views of it are never added."""
        self.cells = [cell for key, cell in file.cells.items() if key.kind == self.view and key.url in self.mcp]
        self._rows: dict[str, dict[str, NDArray[Any]]] = {}
        self._explained: dict[CellKey, Counter[str]] = {}
        self.aside: dict[int, set[int]] = {}
        """Address → lines of failures that are explained one by one, where others of the same cell may not be."""
        self.findings: list[Finding] = []

    def _urls_with_sessions(self) -> set[int]:
        found: set[int] = set()
        for pool in (self.file.ordinary, self.file.failures):
            rows = pool.columns()
            named = ((rows["high"] != 0) | (rows["low"] != 0)) & (rows["kind"] <= Kind.PROXIED)
            found.update(distinct(rows["url"][named]))
        return found

    def _nearest(self) -> Kind:
        seen = {key.kind for key in self.file.cells if key.url in self.mcp}
        return next((kind for kind in (Kind.CALL, Kind.PROXIED, Kind.SERVED) if kind in seen), Kind.CALL)

    # Exchanges

    def select(
        self,
        method: str = "",
        status: int | Collection[int] | None = None,
        *,
        url: int | None = None,
        source: int | None = None,
        loggers: Collection[int] | None = None,
        where: Callable[[Cell], bool] | None = None,
    ) -> list[Cell]:
        """Return the cells that match; an absent condition matches all."""
        code = METHOD_CODE[method] if method else None
        statuses = (status,) if isinstance(status, int) else status
        return [
            cell
            for cell in self.cells
            if (code is None or cell.key.method == code)
            and (statuses is None or cell.key.status in statuses)
            and (url is None or cell.key.url == url)
            and (source is None or cell.key.source == source)
            and (loggers is None or cell.key.logger in loggers)
            and (where is None or where(cell))
        ]

    def count(
        self,
        method: str = "",
        status: int | Collection[int] | None = None,
        *,
        url: int | None = None,
        source: int | None = None,
    ) -> int:
        """Return how many exchanges match."""
        return sum(cell.count for cell in self.select(method, status, url=url, source=source))

    @property
    def requests(self) -> int:
        """All MCP exchanges."""
        return sum(cell.count for cell in self.cells)

    def rows(self, pool: str) -> dict[str, NDArray[Any]]:
        """Return the kept rows of ``failures`` or ``ordinary`` (MCP exchanges, this view only), or of ``openings``."""
        found = self._rows.get(pool)
        if found is None:
            columns: dict[str, NDArray[Any]] = getattr(self.file, pool).columns()
            if pool == "openings":
                found = self._births(columns)
            else:
                mine = (columns["kind"] == self.view) & among(columns["url"], self.mcp)
                found = {name: column[mine] for name, column in columns.items()}
            self._rows[pool] = found
        return found

    def openings(self, url: int) -> dict[str, NDArray[Any]]:
        """Return the lines that name a new session of an address, one for each session."""
        rows = self.rows("openings")
        near = {url, -1}
        if url in self.named:
            # An HTTP+SSE session is opened at one address and used at another.
            near |= {other for other in self.mcp if origin_of(self.at(other)) == origin_of(self.at(url))}
        mine = among(rows["url"], near)
        return {name: column[mine] for name, column in rows.items()}

    def _births(self, columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Keep the first line of each session, and give it the address of the exchange it stands beside."""
        # Lines of different inputs have no order among each other: only those beside the exchanges count.
        beside = among(columns["source"], {cell.key.source for cell in self.cells})
        if beside.any():
            columns = {name: column[beside] for name, column in columns.items()}
        key = hashed(columns["high"], columns["low"])
        order = np.argsort(key, kind="stable")
        first = np.sort(order[np.diff(key[order], prepend=~key[order[:1]]) != 0])
        rows = {name: column[first] for name, column in columns.items()}
        rows["url"] = self._beside(rows)
        return rows

    def _beside(self, births: dict[str, NDArray[Any]]) -> NDArray[np.int32]:
        """Return the address of the exchange before each line, after it where a server says so before it answers."""
        both = [self.rows("ordinary"), self.rows("failures")]
        lines, urls, sources = (np.concatenate([rows[name] for rows in both]) for name in ("line", "url", "source"))
        found = np.full(len(births["line"]), -1, np.int32)
        for source in distinct(births["source"]):
            theirs = np.flatnonzero(sources == source)
            if not len(theirs):
                continue
            theirs = theirs[np.argsort(lines[theirs], kind="stable")]
            mine = np.flatnonzero(births["source"] == source)
            after = np.searchsorted(lines[theirs], births["line"][mine])
            ahead = births["logger"][mine] == Logger.MCP_SERVER
            found[mine] = urls[theirs[np.clip(after - ~ahead, 0, len(theirs) - 1)]]
        return found

    def at(self, url: int) -> str:
        """Return the text of an address."""
        return self.urls[url] if url >= 0 else ""

    # What the log shows at all

    @cached_property
    def timed(self) -> bool:
        """True where (nearly) every exchange that counts has a time; where there is none, every line."""
        times = np.concatenate([self.rows(pool)["time"] for pool in ("ordinary", "failures")])
        if len(times):
            return bool(np.count_nonzero(times != NO_TIME) >= _NEARLY * len(times))
        return self.file.rows > 0 and self.file.stamped >= _NEARLY * self.file.rows

    @cached_property
    def untimed(self) -> tuple[str, ...]:
        """The inputs that have events and not one time."""
        sources = {key.source for key in self.file.cells} | {note.source for note in self.file.notes}
        return tuple(self.file.vocabulary.sources.texts[source] for source in sorted(sources - set(self.file.spans)))

    @cached_property
    def sessions(self) -> Rows:
        """One row a session that exchanges name, in this view."""
        return self.file.sessions[self.view].table()

    @cached_property
    def opened(self) -> Rows:
        """One row a session that some line names as new."""
        return self.file.opened.table()

    @cached_property
    def named(self) -> frozenset[int]:
        """Codes of the addresses whose exchanges name their session."""
        return frozenset(self._urls_with_sessions() & self.mcp)

    @cached_property
    def told_failures(self) -> frozenset[int]:
        """Codes of the addresses whose refused exchanges name their session."""
        bad = self.rows("failures")
        return frozenset(distinct(bad["url"][(bad["high"] != 0) | (bad["low"] != 0)]))

    def births(self, chosen: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """Return packed session → µs when a line named it as new (``NO_TIME`` without times), for some sessions."""
        table = self.opened
        if not len(table):
            return {}
        if not chosen:
            return {}
        lows = np.array([low for _, low in chosen], np.uint64)
        # Piece by piece, which takes less memory.
        pieces = (among(table["low"][at : at + _PIECE], lows) for at in range(0, len(table), _PIECE))
        rows = np.flatnonzero(np.concatenate(list(pieces)))
        times = np.where(table["opened"][rows] == LATE, NO_TIME, table["opened"][rows])
        columns = (table["high"][rows].tolist(), table["low"][rows].tolist(), times.tolist())
        return {(high, low): time for high, low, time in zip(*columns, strict=True)}

    def opened_by(self, logger: int, url: int) -> int:
        """Return how many sessions of an address a line of that writer names as new."""
        return int(np.count_nonzero(self.openings(url)["logger"] == logger)) * self.file.openings.stride

    def notes(self, kind: str, *errors: str, text: str = "") -> list[Note]:
        """Return the kept notes of a kind, of the given errors if any, whose message holds the text."""
        return [
            note
            for note in self.file.notes
            if note.event.kind == kind and (not errors or note.event.error in errors) and text in note.event.message
        ]

    def noted(self, kind: str, *errors: str) -> int:
        """Return how many notes there were, kept or not."""
        return sum(
            n for (k, error), n in self.file.note_counts.items() if k == kind and (not errors or error in errors)
        )

    def restarts(self) -> list[Note]:
        """Return the server starts that come after exchanges which the same source logs."""
        first: dict[int, int] = {}
        for key, cell in self.file.cells.items():
            first[key.source] = min(first.get(key.source, cell.first_line), cell.first_line)
        return [note for note in self.notes("server.started") if first.get(note.source, note.line) < note.line]

    # Evidence

    def show(self, cells: Iterable[Cell], most: int = EVIDENCE) -> tuple[Evidence, ...]:
        """Return the first lines of some cells, without those set aside."""
        found = [
            (sample, cell.key.source)
            for cell in cells
            for sample in cell.samples
            if sample.line not in self.aside.get(cell.key.url, ()) or cell.key.status < FAIL
        ]
        found.sort(key=lambda pair: pair[0].line)
        return tuple(self._evidence(source, *sample) for sample, source in found[:most])

    def show_notes(self, notes: Iterable[Note], most: int = EVIDENCE) -> tuple[Evidence, ...]:
        """Return the first lines of some notes."""
        return tuple(
            self._evidence(note.source, note.line, note.time, note.text or note.event.message)
            for note in list(notes)[:most]
        )

    def show_openings(self, logger: int, most: int = EVIDENCE) -> tuple[Evidence, ...]:
        """Return the first lines of a writer that name a new session."""
        found = [
            (sample, source)
            for (source, writer), samples in self.file.opening_samples.items()
            if writer == logger
            for sample in samples
        ]
        return tuple(self._evidence(source, *sample) for sample, source in found[:most])

    def _evidence(self, source: int, line: int, time: int, text: str) -> Evidence:
        return Evidence(
            source=self.file.vocabulary.sources.texts[source],
            line=line,
            text=redact.text(text).strip(),
            time=None if time == NO_TIME else time / 1e6,
        )

    # The ledger

    def left(self, cell: Cell) -> int:
        """Return how many failures of a cell are still unexplained."""
        return cell.count - sum(self._explained.get(cell.key, Counter()).values())

    def harmful(self, cell: Cell) -> int:
        """Return how many failures of a cell are not explained by something benign."""
        explained = self._explained.get(cell.key, Counter())
        return cell.count - sum(n for cause, n in explained.items() if catalogue()[cause].benign)

    def open(self, cells: Iterable[Cell]) -> int:
        """Return how many failures of some cells are still unexplained."""
        return sum(self.left(cell) for cell in cells)

    def claim(self, cause: str, cells: Iterable[Cell], most: int | None = None) -> int:
        """Explain failures of the cells by a cause and return how many that newly explains."""
        taken = 0
        for cell in cells:
            part = self.left(cell) if most is None else min(self.left(cell), most - taken)
            if part > 0:
                self._explained.setdefault(cell.key, Counter())[cause] += part
                taken += part
        return taken

    def claim_sized(self, cause: str, cells: Iterable[Cell], sizes: Collection[int]) -> int:
        """Explain those failures of the cells whose body has one of the sizes; return how many that newly explains."""
        return sum(self.claim(cause, [cell], sum(cell.sizes[size] for size in sizes)) for cell in cells)

    def parts(self, status: int) -> Counter[str]:
        """Return cause → failures of a status that it explains."""
        found: Counter[str] = Counter()
        for key, parts in self._explained.items():
            if key.status == status:
                found.update(parts)
        return found

    def found(self, cause: str) -> bool:
        """Say whether an earlier rule named the cause."""
        return any(finding.cause == cause for finding in self.findings)


def finding(  # noqa: PLR0913 - one parameter a fact of the finding
    case: Case,
    cause: str,
    count: int,
    summary: str,
    *,
    confidence: Confidence,
    of: int = 0,
    unit: str = "calls",
    because: Sequence[str] = (),
    evidence: tuple[Evidence, ...] = (),
    cells: Iterable[Cell] = (),
    client: str = "",
    confirm: str = "",
) -> Finding:
    """Build a finding; what is not given comes from the catalogue."""
    entry = catalogue()[cause]
    cells = list(cells)
    shown = evidence or case.show(cells)
    times = [cell.first_time / 1e6 for cell in cells if cell.first_time != NO_TIME] or [
        e.time for e in shown if e.time is not None
    ]
    ends = [cell.last_time / 1e6 for cell in cells if cell.last_time != NO_TIME] or times
    return Finding(
        cause=cause,
        title=entry.title,
        severity=entry.severity,
        benign=entry.benign,
        confidence=confidence,
        count=count,
        of=of,
        unit=unit,
        summary=summary,
        because=tuple(because),
        evidence=shown,
        client=client or entry.client,
        server=entry.server,
        deployment=entry.deployment,
        confirm=confirm or entry.sure,
        endpoints=tuple(dict.fromkeys(case.at(cell.key.url) for cell in cells)),
        first=min(times, default=None),
        last=max(ends, default=None),
    )


def label(cell: Cell) -> str:
    """Return "GET 400" for a cell."""
    return f"{METHODS[cell.key.method]} {cell.key.status}"


def is_httpx2(cell: Cell) -> bool:
    """Say whether httpx2, so a 2.x client, logged the cell."""
    return cell.key.logger == Logger.HTTPX2
