"""What became of sessions: the order of their successes and failures tells the causes of 400 and 404 apart.

Fails first, then works: used before it was ready. Works, then fails for good: lost. Both in turn: another worker
answers. Never works: never known where it was used.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.columns import among
from woolly_mcpdiag.diagnose.endpoints import origin_of
from woolly_mcpdiag.diagnose.overlaps import untangled
from woolly_mcpdiag.logs.batch import METHOD_CODE, Logger, distinct

UNKNOWN_SESSION = (400, 404)
"""How servers answer an unknown session: 404 by the specification, 400 before mcp 1.26 and in other SDKs (measured)."""
WORKED = 2.5
"""Successful POSTs a session (initialize, initialized, a call), above which sessions did work before they failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """How many sessions had which fate; only sessions whose id the log shows at its exchanges."""

    fine: int
    never: int
    lost: int
    recovered: int
    mixed: int
    astray: int
    """Failing exchanges of those that never worked or worked in turn."""
    early: int
    """Failing exchanges of those that recovered."""
    late: int
    """Failing exchanges of those that were lost."""

    @property
    def total(self) -> int:
        """All sessions with an exchange."""
        return self.fine + self.never + self.lost + self.recovered + self.mixed


def fates(case: Case) -> Fates:
    """Classify the sessions whose ids the exchanges carry."""
    kinds = classify(case)
    table = case.sessions
    return Fates(
        fine=_sum(kinds["fine"]),
        never=_sum(kinds["never"]),
        lost=_sum(kinds["lost"]),
        recovered=_sum(kinds["recovered"]),
        mixed=_sum(kinds["mixed"]),
        astray=int(table["fail"][kinds["never"] | kinds["mixed"]].sum()) if len(table) else 0,
        early=int(table["fail"][kinds["recovered"]].sum()) if len(table) else 0,
        late=int(table["fail"][kinds["lost"]].sum()) if len(table) else 0,
    )


def classify(case: Case) -> dict[str, NDArray[np.bool_]]:
    """Return fate → mask over the rows of the session table."""
    table = case.sessions
    if not len(table):
        none = np.zeros(0, bool)
        return dict.fromkeys(("fine", "never", "lost", "recovered", "mixed"), none)
    ok, bad = table["ok"] > 0, table["fail"] > 0
    lost = ok & bad & (table["last_ok"] < table["first_fail"])
    recovered = ok & bad & (table["last_fail"] < table["first_ok"])
    unclear = ok & bad & ~lost & ~recovered
    if unclear.any():
        gone, back = untangled(case, np.flatnonzero(unclear))
        lost[gone] = True
        recovered[back] = True
    return {
        "fine": ok & ~bad,
        "never": ~ok & bad,
        "lost": lost,
        "recovered": recovered,
        "mixed": ok & bad & ~lost & ~recovered,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Unknown-session answers on one address whose exchanges name no session."""

    url: int
    failures: int
    methods: frozenset[str]
    """Methods that failed."""
    worked: float
    """Successful POSTs a session before the first failure."""
    alive: int
    """Sessions opened and not deleted before the first failure."""
    interleaved: int
    """Changes between success and failure among the POSTs, in order."""
    before: int
    """Successful POSTs before the first failure."""
    births: int
    """Sessions opened before the first failure."""
    made: int
    """Sessions that lines name as new while failures go on."""
    accepted: int
    """Handshakes that the server took meanwhile: notifications/initialized answered 202."""


def stretches(case: Case) -> list[Stretch]:
    """Look at each address with unexplained unknown-session answers."""
    found = []
    for url in sorted(case.mcp):
        cells = [cell for cell in case.select(status=UNKNOWN_SESSION, url=url) if case.left(cell) > 0]
        successes = case.select("POST", where=lambda cell: cell.key.status < 300, url=url)
        if cells and successes:
            found.append(_stretch(case, url))
    return found


def unexplained(case: Case, url: int) -> dict[str, NDArray[Any]]:
    """Return the rows of an address that are unknown-session answers and not explained yet."""
    bad = _of(case.rows("failures"), url)
    keys = [cell.key for cell in case.select(status=UNKNOWN_SESSION, url=url) if case.left(cell) > 0]
    kinds = [(key.logger * 100 + key.method) * 1000 + key.status for key in keys]
    shaped = among(_kind(bad["logger"].astype(np.int64), bad["method"].astype(np.int64), bad["status"]), kinds)
    shaped &= ~among(bad["line"], case.aside.get(url, ()))
    return {name: column[shaped] for name, column in bad.items()}


def _stretch(case: Case, url: int) -> Stretch:
    # What is explained already says nothing about sessions.
    bad, good = unexplained(case, url), _of(case.rows("ordinary"), url)
    posts = good["method"] == METHOD_CODE["POST"]
    first = int(bad["line"].min()) if len(bad["line"]) else 0
    before = int(np.count_nonzero(posts & (good["line"] < first)))
    births = _births_before(case, url, good, first)
    made, accepted = _handshakes(case, url, good, (first, int(bad["line"].max()) if len(bad["line"]) else 0))
    methods = {code: name for name, code in METHOD_CODE.items()}
    return Stretch(
        url=url,
        failures=len(bad["line"]) * case.file.failures.stride,
        methods=frozenset(methods[code] for code in distinct(bad["method"])),
        worked=before / births if births else 0.0,
        alive=alive(case, url, first),
        interleaved=_changes(good["line"][posts], bad["line"][bad["method"] == METHOD_CODE["POST"]]),
        before=before,
        births=births,
        made=made,
        accepted=accepted,
    )


def _kind(logger: NDArray[np.int64], method: NDArray[np.int64], status: NDArray[Any]) -> NDArray[np.int64]:
    return np.asarray((logger * 100 + method) * 1000 + status, np.int64)


def _handshakes(case: Case, url: int, good: dict[str, NDArray[Any]], span: tuple[int, int]) -> tuple[int, int]:
    """Return how many sessions were made and how many handshakes were taken from the first failure to the last.

    Sessions whose handshake was under way at the first failure count too. Where a server makes a transport for
    refused requests as well, the whole log counts, without those.
    """
    lines = case.openings(url)["line"]
    taken = good["line"][(good["method"] == METHOD_CODE["POST"]) & (good["status"] == 202)]
    if case.opened_by(Logger.MCP_SERVER, url):
        refused = case.select("POST", 400, url=url) + case.select("GET", 400, url=url)
        ghosts = sum(cell.count - case.left(cell) for cell in refused)
        return max(0, len(lines) * case.file.openings.stride - ghosts), case.count("POST", 202, url=url)
    before = lines[lines <= span[0]]
    waiting = max(1, len(before) - int(np.count_nonzero(taken <= span[0])))
    start = int(before[-min(waiting, len(before))]) if len(before) else span[0]
    made, accepted = (int(np.count_nonzero((at >= start) & (at <= span[1]))) for at in (lines, taken))
    return made * case.file.openings.stride, accepted * case.file.ordinary.stride


def _of(rows: dict[str, NDArray[Any]], url: int) -> dict[str, NDArray[Any]]:
    mine = rows["url"] == url
    return {name: column[mine] for name, column in rows.items()}


def _births_before(case: Case, url: int, good: dict[str, NDArray[Any]], line: int) -> int:
    openings = case.openings(url)
    if len(openings["line"]):
        return int(np.count_nonzero(openings["line"] < line))
    # Clients that log no id: every session accepts one notifications/initialized with 202.
    return int(np.count_nonzero((good["status"] == 202) & (good["line"] < line)))


def alive(case: Case, url: int, line: int) -> int:
    """Return how many sessions were opened (a handshake's 202, or named) and not deleted before a line."""
    good = _of(case.rows("ordinary"), url)
    deleted = np.count_nonzero((good["method"] == METHOD_CODE["DELETE"]) & (good["line"] < line))
    return _births_before(case, url, good, line) - int(deleted)


def posts_messages(case: Case, url: int) -> bool:
    """Say whether anything is posted to the message endpoint of the same origin, as an HTTP+SSE session does."""
    origin = origin_of(case.at(url))
    return any(
        origin_of(case.at(cell.key.url)) == origin and not case.count("GET", url=cell.key.url)
        for cell in case.select("POST", where=lambda cell: cell.key.url != url)
    )


def _changes(good: NDArray[np.int64], bad: NDArray[np.int64]) -> int:
    kinds = np.concatenate((np.zeros(len(good), bool), np.ones(len(bad), bool)))
    order = np.argsort(np.concatenate((good, bad)), kind="stable")
    return int(np.count_nonzero(np.diff(kinds[order])))


def _sum(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))
