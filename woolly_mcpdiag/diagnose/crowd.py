"""Failure rates alone and in company: the figures behind the question whether parallel work makes requests fail."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.diagnose.case import FAIL, Case
from woolly_mcpdiag.logs.batch import METHOD_CODE, NO_TIME

_NEAR = 100_000
"""µs around a request within which other requests are company."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """(failures, tries) alone and in company."""

    alone: tuple[int, int]
    together: tuple[int, int]
    unit: str
    how: str
    """"while other sessions were active"."""


def crowd(case: Case) -> Crowd:
    """Compare POSTs of sessions that were alone with POSTs while other sessions were active.

    Where exchanges name their session, company is another session whose life spans the moment. Where they do not,
    it is any other request within 0.1 s.
    """
    good = _posts(case.rows("ordinary"))
    bad = _harmful(case, _posts(case.rows("failures")))
    weight = case.file.failures.stride, case.file.ordinary.stride
    named = (bad["low"] != 0).any() or (good["low"] != 0).any()
    if named and len(case.sessions):
        lives = _lives(case)
        fails, works = (_others_alive(rows, lives, timed=case.timed) for rows in (bad, good))
        how = "while other sessions were active"
    else:
        times = np.sort(np.concatenate((bad["time"], good["time"])))
        fails, works = (_near(rows["time"], times) for rows in (bad, good))
        how = "with another request within 0.1 s"
    return Crowd(
        alone=_table(fails, works, weight, alone=True),
        together=_table(fails, works, weight, alone=False),
        unit="POSTs",
        how=how,
    )


def _posts(rows: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    mine = rows["method"] == METHOD_CODE["POST"]
    return {name: column[mine] for name, column in rows.items()}


def _harmful(case: Case, rows: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    harmless = {
        (c.key.logger, c.key.status, c.key.url) for c in case.cells if c.key.status >= FAIL and not case.harmful(c)
    }
    places = zip(rows["logger"].tolist(), rows["status"].tolist(), rows["url"].tolist(), strict=True)
    mine = np.fromiter((place not in harmless for place in places), bool, len(rows["line"]))
    return {name: column[mine] for name, column in rows.items()}


def _lives(case: Case) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return sorted starts and sorted ends of the sessions' lives, by time or, without times, by line."""
    table = case.sessions
    if case.timed:
        return np.sort(table["first"]), np.sort(table["last"])
    ends = np.maximum(table["last_ok"], table["last_fail"]).astype(np.int64)
    return np.sort(table["first_line"].astype(np.int64)), np.sort(ends)


def _others_alive(
    rows: dict[str, NDArray[Any]], lives: tuple[NDArray[np.int64], NDArray[np.int64]], *, timed: bool
) -> NDArray[np.int64]:
    at = rows["time"] if timed else rows["line"]
    started = np.searchsorted(lives[0], at, side="right")
    ended = np.searchsorted(lives[1], at, side="left")
    return np.asarray(started - ended - 1, np.int64)


def _near(at: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
    known = at[at != NO_TIME]
    inside = np.searchsorted(times, known + _NEAR, side="right") - np.searchsorted(times, known - _NEAR, side="left")
    return np.asarray(inside - 1, np.int64)


def _table(
    fails: NDArray[np.int64], works: NDArray[np.int64], weight: tuple[int, int], *, alone: bool
) -> tuple[int, int]:
    failed, worked = (int(np.count_nonzero((level < 1) == alone)) for level in (fails, works))
    return failed * weight[0], failed * weight[0] + worked * weight[1]
