"""Sessions and events as plain rows, for tables."""

from collections.abc import Iterator, Sequence

import numpy as np

from woolly_mcpdiag.core.ids import unpack
from woolly_mcpdiag.core.timelines import Timeline
from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.columns import among
from woolly_mcpdiag.diagnose.engine import Diagnosis, Opinion
from woolly_mcpdiag.diagnose.pictures import fate_of
from woolly_mcpdiag.diagnose.sessions import LATE, Rows, hashed
from woolly_mcpdiag.logs.batch import METHODS, NO_TIME, UNKNOWN_SIZE, Batch, Kind, Vocabulary

_ROLES = {Kind.CALL: "client", Kind.SERVED: "server", Kind.PROXIED: "proxy"}


_OF_LANE = (
    "session",
    "key",
    "agent",
    "source",
    "opened",
    "ready",
    "first_use",
    "closed",
    "requests",
    "failures",
    "longest_idle",
    "overlap",
    "note",
)


def session_rows(found: Diagnosis) -> Iterator[dict[str, object]]:
    """Yield one row a session: those that exchanges name, then those that only an opening line names."""
    for opinion in found.opinions:
        yield from _used(opinion.case)
        yield from _only_named(opinion)


def _used(case: Case) -> Iterator[dict[str, object]]:
    table, timed = case.sessions, case.timed
    if not len(table):
        return
    births = case.births(list(zip(table["high"].tolist(), table["low"].tolist(), strict=True)))
    for row in np.argsort(table["first_line"], kind="stable").tolist():
        born = births.get((int(table["high"][row]), int(table["low"][row])), NO_TIME)
        yield _named(case, table, row) | {
            "opened": _seconds(born) if timed else None,
            "first_use": _seconds(int(table["first"][row])) if timed else float(table["first_line"][row]),
            "requests": int(table["ok"][row]) + int(table["fail"][row]),
            "failures": int(table["fail"][row]),
            "longest_idle": float(table["idle"][row]) / 1e6 if timed else None,
            "note": fate_of(case, row),
        }


def _only_named(found: Opinion) -> Iterator[dict[str, object]]:
    """Yield the sessions whose requests do not name them; a timeline knows more of them than the line does."""
    case = found.case
    table, timed = case.opened, case.timed
    lanes = {} if len(case.sessions) else {lane.session: lane for lane in found.timelines if lane.session}
    used = hashed(case.sessions["high"], case.sessions["low"]) if len(case.sessions) else ()
    rows = np.flatnonzero(~among(hashed(table["high"], table["low"]), used)) if len(table) else np.array([], np.intp)
    for row in rows[np.argsort(table["first_line"][rows], kind="stable")].tolist() if len(rows) else ():
        named = _named(case, table, row)
        lane = lanes.pop(str(named["session"]), None)
        yield (
            _of_lane(lane)
            if lane
            else named
            | {
                "opened": _seconds(int(table["opened"][row])) if timed else float(table["first_line"][row]),
                "requests": 0,
                "failures": 0,
                "note": "no request names it",
            }
        )
    yield from map(_of_lane, lanes.values())


def _of_lane(lane: Timeline) -> dict[str, object]:
    return {name: getattr(lane, name) for name in _OF_LANE}


def _named(case: Case, table: Rows, row: int) -> dict[str, object]:
    """Return what a session is called and where it was seen."""
    vocabulary = case.file.vocabulary
    key = int(table["high"][row]), int(table["low"][row])
    name = case.file.keys.get(key, "")
    return {
        "session": vocabulary.sessions.get(key) or unpack(*key),
        "key": name,
        "agent": name.rpartition("_")[0] or vocabulary.agents.texts[int(table["agent"][row])],
        "source": vocabulary.sources.texts[int(table["source"][row])],
    }


def event_rows(batches: Sequence[Batch], vocabulary: Vocabulary) -> Iterator[dict[str, object]]:
    """Yield one row an event."""
    for batch in batches:
        for row in range(len(batch)):
            yield _event(batch, row, vocabulary)


def _event(batch: Batch, row: int, vocabulary: Vocabulary) -> dict[str, object]:
    note = batch.notes.get(row)
    kind = Kind(int(batch.kind[row]))
    key = int(batch.high[row]), int(batch.low[row])
    status, size, duration, url = (
        int(batch.status[row]),
        int(batch.size[row]),
        float(batch.duration[row]),
        int(batch.url[row]),
    )
    return {
        "time": _seconds(int(batch.time[row])),
        "kind": note.kind if note else "session.opened" if kind == Kind.OPENED else "http.exchange",
        "source": vocabulary.sources.texts[int(batch.source[row])],
        "line": int(batch.line[row]),
        "role": note.role if note else _ROLES.get(kind, ""),
        "logger": note.logger if note else "",
        "level": note.level if note else "",
        "method": METHODS[int(batch.method[row])],
        "url": vocabulary.urls.texts[url] if url >= 0 else "",
        "status": status or None,
        "size": None if size == UNKNOWN_SIZE else size,
        "duration": None if np.isnan(duration) else duration,
        "session": vocabulary.sessions.get(key) or (unpack(*key) if any(key) else ""),
        "key": note.key if note else "",
        "agent": vocabulary.agents.texts[int(batch.agent[row])],
        "error": note.error if note else "",
        "message": note.message if note else "",
    }


def _seconds(time: int) -> float | None:
    return None if time in (NO_TIME, LATE) else time / 1e6
