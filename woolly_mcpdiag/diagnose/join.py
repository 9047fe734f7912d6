"""Which inputs tell of the same traffic: client, proxy and server logs of one run are judged together, others apart.

A shared session id or port is proof; the same path at the same time is a sign that is used where it is unambiguous.
"""

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.diagnose import endpoints
from woolly_mcpdiag.diagnose.casefile import CaseFile
from woolly_mcpdiag.diagnose.clocks import moved, zone_shift
from woolly_mcpdiag.diagnose.columns import among
from woolly_mcpdiag.logs.batch import NO_TIME, Kind

_PROOF, _SIGN, _HINT = 3, 2, 1
_SAME = 0.8
"""Share of exchanges that must agree to choose among several inputs that would fit."""
_SLACK = 60_000_000
"""µs that the clocks of two logs may be apart."""
_FEW = 5
"""Exchanges that two inputs must have at least to be taken for alike although their times differ."""
_RANK = {"client": 0, "proxy": 1, "server": 2, "": 3}
_PORT = re.compile(r":(\d{2,5})(?:/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    """What one input can be recognised by."""

    role: str
    sessions: NDArray[np.uint64]
    ports: frozenset[int]
    """Ports that a client calls, or that a server or proxy answers on."""
    paths: frozenset[str]
    span: tuple[int, int] | None
    busy: tuple[int, int] | None
    """Times of the first and the last MCP exchange, µs."""
    profile: Counter[tuple[int, str, int]]
    """(method, path, status) → exchanges."""
    bare: bool
    """True where it has no exchanges, only notes (an error log)."""


def units(files: Sequence[CaseFile], globs: Sequence[str] = ()) -> list[CaseFile]:
    """Return one case file for each traffic that the inputs tell of, in the order of the inputs."""
    files, repeated = _once(files)
    marks = [_marks(file, globs, alone=len(files) == 1) for file in files]
    order = sorted(range(len(files)), key=lambda index: _RANK[marks[index].role])
    anchors: dict[int, list[int]] = {}
    for index in order:
        homes = _homes(marks, index, list(anchors))
        for home in homes:
            anchors[home].append(index)
        if not homes:
            anchors[index] = [index]
    found = [_joined(files, marks, anchors[anchor]) for anchor in sorted(anchors)]
    if found:
        found[0].about = [*repeated, *found[0].about]
    return found


def _once(files: Sequence[CaseFile]) -> tuple[list[CaseFile], list[str]]:
    """Leave out inputs that hold the same lines as an earlier one (a log beside its packed copy), and say so."""
    kept: dict[Hashable, CaseFile] = {}
    told = []
    for file in files:
        file.about = []
        contents = _contents(file)
        same = kept.setdefault(id(file) if contents is None else contents, file)
        if same is not file:
            told.append(f"{_name(file)} holds the same requests as {_name(same)}: they are counted once.")
    return list(kept.values()), told


def _contents(file: CaseFile) -> Hashable:
    """Return what only the same lines have in common; nothing without times, since short logs may be alike."""
    if not file.spans or not file.cells:
        return None
    cells = [
        (*key[1:], cell.count, cell.first_line, cell.last_line, cell.first_time, cell.last_time)
        for key, cell in file.cells.items()
    ]
    notes = [(note.line, note.time, note.event.kind) for note in file.notes]
    return file.rows, tuple(sorted(file.spans.values())), tuple(sorted(cells)), tuple(sorted(notes))


def _joined(files: Sequence[CaseFile], marks: Sequence[_Marks], members: Sequence[int]) -> CaseFile:
    """Join inputs on one clock: that of the proxy, whose log names its zone, else that of the server."""
    first, *others = members
    shifts = {first: 0} | {member: _shift(marks[first], marks[member]) for member in others}
    proxies = [member for member in members if marks[member].role == "proxy"]
    clock = next(iter(proxies or [member for member in others if shifts[member]]), first)
    shifts = {member: shift - shifts[clock] for member, shift in shifts.items()}
    whole = CaseFile.joined([moved(files[member], shift) for member, shift in shifts.items()])
    whole.about = [
        f"The clock of {_name(files[member])} was moved by {shift / 3.6e9:+g} h: its requests are those of "
        f"{_name(files[clock])}, in another time zone."
        for member, shift in shifts.items()
        if shift
    ]
    return whole


def _name(file: CaseFile) -> str:
    return ", ".join(file.vocabulary.sources.texts[source] for source in sorted(file.spans))


def _shift(one: _Marks, other: _Marks) -> int:
    """Return the µs, whole quarter hours, by which the other's clock is behind, where both tell of the same."""
    if not one.busy or not other.busy or min(one.profile.total(), other.profile.total()) < _FEW:
        return 0
    shift = zone_shift(one.busy, other.busy)
    return shift if shift and _alike(one, other) >= _SAME else 0


def _homes(marks: Sequence[_Marks], index: int, anchors: Sequence[int]) -> list[int]:
    """Return the anchors whose traffic an input tells of: all that are proven, else the only likely one."""
    mine = marks[index]
    above = [anchor for anchor in anchors if _RANK[marks[anchor].role] < _RANK[mine.role]]
    links = {anchor: _link(marks[anchor], mine) for anchor in above}
    proven = [anchor for anchor, link in links.items() if link == _PROOF]
    if proven:
        return proven
    for level in (_SIGN, _HINT):
        likely = [anchor for anchor, link in links.items() if link == level]
        if len(likely) > 1:
            alike = {anchor: _alike(marks[anchor], mine) for anchor in likely}
            likely = [anchor for anchor, share in alike.items() if share >= _SAME]
        if likely:
            return likely if len(likely) == 1 else []
    return []


def _alike(one: _Marks, other: _Marks) -> float:
    """Return how much of two inputs' exchanges agree in method, path and status: 0 to 1."""
    common = (one.profile & other.profile).total()
    return common / max(1, one.profile.total(), other.profile.total())


def _link(upper: _Marks, lower: _Marks) -> int:
    if len(upper.sessions) and len(lower.sessions) and among(lower.sessions, upper.sessions).any():
        return _PROOF
    apart = (
        upper.span and lower.span and (upper.span[0] > lower.span[1] + _SLACK or lower.span[0] > upper.span[1] + _SLACK)
    )
    if apart and not _shift(upper, lower):
        return 0
    if upper.ports & lower.ports:
        return _PROOF
    if (
        lower.role == "server"
        and upper.role == "client"
        and lower.ports
        and upper.ports
        and len(upper.ports | lower.ports) > len(upper.ports)
    ):
        # A client behind a proxy calls another port, but then the paths must agree.
        return _HINT if upper.paths & lower.paths and upper.span and lower.span else 0
    if upper.paths & lower.paths:
        return _SIGN if upper.span and lower.span else _HINT
    return _HINT if lower.bare and not lower.ports else 0


def _marks(file: CaseFile, globs: Sequence[str], *, alone: bool) -> _Marks:
    urls = file.vocabulary.urls.texts
    mcp = endpoints.find(urls, file.cells.values(), set(), globs, speaks_mcp=endpoints.shows_mcp(file))
    sources = {key.source for key in file.cells} | {note.source for note in file.notes}
    role = file.role(sources)
    # There is nothing to compare the sessions of the only input with, and they take room.
    keys = [] if alone else [file.sessions[kind].table() for kind in file.sessions] + [file.opened.table()]
    sessions = np.concatenate(
        [table["high"] ^ table["low"] for table in keys if len(table)] or [np.zeros(0, np.uint64)]
    )
    spans = [file.spans[source] for source in sources if source in file.spans]
    called = {key.url for key in file.cells if key.url in mcp}
    return _Marks(
        role=role,
        sessions=sessions,
        ports=frozenset(_called_ports(file, mcp) if role == "client" else _own_ports(file)),
        paths=frozenset(endpoints.path_of(urls[url]).rstrip("/") for url in called),
        span=(min(first for first, _ in spans), max(last for _, last in spans)) if spans else None,
        busy=_busy(file, mcp),
        profile=_profile(file, mcp, urls),
        bare=not any(key.kind <= Kind.PROXIED for key in file.cells),
    )


def _busy(file: CaseFile, mcp: set[int]) -> tuple[int, int] | None:
    cells = [cell for key, cell in file.cells.items() if key.url in mcp and cell.first_time != NO_TIME]
    return (min(cell.first_time for cell in cells), max(cell.last_time for cell in cells)) if cells else None


def _profile(file: CaseFile, mcp: set[int], urls: Sequence[str]) -> Counter[tuple[int, str, int]]:
    found: Counter[tuple[int, str, int]] = Counter()
    for key, cell in file.cells.items():
        if key.url in mcp:
            found[key.method, endpoints.path_of(urls[key.url]).rstrip("/"), key.status] += cell.count
    return found


def _called_ports(file: CaseFile, mcp: set[int]) -> set[int]:
    found = set()
    for url in {key.url for key in file.cells if key.kind == Kind.CALL and key.url in mcp}:
        parts = endpoints.parts_of(file.vocabulary.urls.texts[url])
        found.add(parts.port or (443 if parts.scheme == "https" else 80))
    return found


def _own_ports(file: CaseFile) -> set[int]:
    """Ports that a server says it listens on, or that an nginx error line names as its host."""
    texts = [
        str(note.event.extra.get("host", "")) or note.event.url
        for note in file.notes
        if note.event.kind in ("server.listening", "proxy.error")
    ]
    return {int(found[1]) for text in texts if (found := _PORT.search(text))}
