"""How old a session was at each of its exchanges: the test for "used too early".

The age is the time since the youngest session of the same input was named; exact where sessions do not overlap,
a lower bound where they do. The request that makes a session (initialize) has no age and is left out.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.columns import among
from woolly_mcpdiag.diagnose.fates import UNKNOWN_SESSION
from woolly_mcpdiag.logs.batch import METHOD_CODE, NO_TIME, distinct

_ENOUGH = 3
_CHANCE = 0.01
"""So unlikely must it be that the youngest requests are the failing ones by chance alone."""
_LIMIT = 60.0
"""Seconds after which an age says nothing about readiness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """Ages in seconds of failing (400, 404) and successful POSTs after a session was named."""

    failures: int
    successes: int
    oldest_failure: float
    youngest_success: float
    older: int
    """Successes older than the oldest failure."""
    last_refusal: float = 0.0
    """The oldest failure of any method."""

    @property
    def mostly_young(self) -> bool:
        """True where failures stop at an age after which many requests succeed, by no accident."""
        total = self.failures + self.successes
        if not self.known or self.older < _ENOUGH:
            return False
        return math.comb(total - self.older, self.failures) / math.comb(total, self.failures) < _CHANCE

    @property
    def only_young(self) -> bool:
        """True where every failure is younger than every success, and that is no accident."""
        if not self.known or self.oldest_failure >= self.youngest_success:
            return False
        return 1 / math.comb(self.failures + self.successes, self.failures) < _CHANCE

    @property
    def known(self) -> bool:
        """True where there are enough of both to compare."""
        return self.failures >= _ENOUGH and self.successes >= _ENOUGH


NO_AGES = Ages(failures=0, successes=0, oldest_failure=0.0, youngest_success=0.0, older=0)


def ages(case: Case, url: int) -> Ages:
    """Measure ages at an address, in a log with times and lines that name new sessions."""
    births = case.openings(url)
    at = np.sort(births["time"][births["time"] != NO_TIME])
    bad, good = case.rows("failures"), follow_ups(case, url)
    unknown = (bad["url"] == url) & np.isin(bad["status"], UNKNOWN_SESSION)
    refused = unknown & (bad["method"] == METHOD_CODE["POST"])
    failed, worked = _after(bad["time"][refused], at), _after(good["time"], at)
    return Ages(
        failures=len(failed),
        successes=len(worked),
        oldest_failure=float(failed.max()) if len(failed) else 0.0,
        youngest_success=float(worked.min()) if len(worked) else 0.0,
        last_refusal=float(_after(bad["time"][unknown], at).max(initial=0.0)),
        older=int(np.count_nonzero(worked > failed.max())) if len(failed) else 0,
    )


def follow_ups(case: Case, url: int) -> dict[str, NDArray[Any]]:
    """Return the successful POSTs that used a session, without those that made one."""
    good, births = case.rows("ordinary"), case.openings(url)
    posts = (good["url"] == url) & (good["method"] == METHOD_CODE["POST"]) & (good["status"] < 300)
    rows = {name: column[posts] for name, column in good.items()}
    keep = np.ones(len(rows["line"]), bool)
    if not len(births["line"]):
        # Clients that log no id: every handshake ends with one notifications/initialized, accepted with 202.
        births = {name: column[rows["status"] == 202] for name, column in rows.items()}
    for source in distinct(births["source"]):
        mine = np.flatnonzero((rows["source"] == source) & (rows["status"] == 200))
        made = nearest(rows["line"][mine].tolist(), births["line"][births["source"] == source].tolist())
        keep[mine[among(rows["line"][mine], made)]] = False
    return {name: column[keep] for name, column in rows.items()}


def nearest(before: list[int], lines: list[int]) -> list[int]:
    """Match each of some lines with the nearest one before it that no other has taken; return those taken."""
    waiting: list[int] = []
    taken: list[int] = []
    index = 0
    for line in lines:
        while index < len(before) and before[index] < line:
            waiting.append(before[index])
            index += 1
        if waiting:
            taken.append(waiting.pop())
    return taken


def _after(times: NDArray[np.int64], births: NDArray[np.int64]) -> NDArray[np.float64]:
    times = times[times != NO_TIME]
    if not len(births) or not len(times):
        return np.zeros(0)
    index = np.searchsorted(births, times, side="right") - 1
    known = index >= 0
    age = (times[known] - births[index[known]]) / 1e6
    return np.asarray(age[age < _LIMIT], np.float64)
