"""How old a session was at each of its exchanges: the test for "used too early".

The age is the time since the youngest session of the same source was named; exact where sessions do not overlap,
a lower bound where they do.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.fates import UNKNOWN_SESSION
from woolly_mcpdiag.logs.batch import METHOD_CODE, NO_TIME

_ENOUGH = 3
_LIMIT = 60.0
"""Seconds after which an age says nothing about readiness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """Ages in seconds of failing (400, 404) and successful POSTs after a session was named."""

    failures: int
    successes: int
    oldest_failure: float
    youngest_success: float

    @property
    def only_young(self) -> bool:
        """True where every failure is younger than every success, with enough of both."""
        return self.failures >= _ENOUGH and self.successes >= _ENOUGH and self.oldest_failure < self.youngest_success

    @property
    def known(self) -> bool:
        """True where there are enough of both to compare."""
        return self.failures >= _ENOUGH and self.successes >= _ENOUGH


def ages(case: Case) -> Ages:
    """Measure ages in a log with times and lines that name new sessions."""
    births = case.rows("openings")
    at = np.sort(births["time"][births["time"] != NO_TIME])
    bad, good = (
        _after(case.rows(name), at, failing=failing) for name, failing in (("failures", True), ("ordinary", False))
    )
    return Ages(
        failures=len(bad),
        successes=len(good),
        oldest_failure=float(bad.max()) if len(bad) else 0.0,
        youngest_success=float(good.min()) if len(good) else 0.0,
    )


def _after(rows: dict[str, NDArray[Any]], births: NDArray[np.int64], *, failing: bool) -> NDArray[np.float64]:
    posts = (rows["method"] == METHOD_CODE["POST"]) & (rows["time"] != NO_TIME)
    if failing:
        posts &= np.isin(rows["status"], UNKNOWN_SESSION)
    times = rows["time"][posts]
    if not len(births) or not len(times):
        return np.zeros(0)
    index = np.searchsorted(births, times, side="right") - 1
    known = index >= 0
    age = (times[known] - births[index[known]]) / 1e6
    return np.asarray(age[age < _LIMIT], np.float64)
