"""The one place for silences where requests name no session: before each loss, and those that sessions survived."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.diagnose.ages import follow_ups
from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.fates import WORKED, Stretch, unexplained
from woolly_mcpdiag.logs.batch import METHOD_CODE, NO_TIME

MOMENT = 2.0
"""Seconds within which failures are one moment."""
MEANWHILE = 50_000
"""µs within which an answer given before a moment may still be on its way after it."""
LULL = 1.0
"""Seconds of silence from which an idle limit is thinkable."""
_BACK = 3
"""Successes after a failure by which a session has come back: fewer may have been under way when it was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silences:
    """Seconds of silence at one address."""

    before: tuple[float, ...]
    """Before each loss; failures belong to another loss where a new session was made since the last one."""
    survived: float
    """The longest after which a session still worked."""
    spread: float
    """Seconds from the first loss to the last."""

    @property
    def before_all(self) -> bool:
        """True where every loss comes after a pause that is longer than any which a session survived."""
        return bool(self.before) and min(self.before) >= max(LULL, 2 * self.survived)


NO_SILENCES = Silences(before=(), survived=0.0, spread=0.0)


def silences(case: Case, stretch: Stretch) -> Silences:
    """Measure them at the address of a stretch, in a log with times."""
    if not case.timed:
        return NO_SILENCES
    url = stretch.url
    rows = [case.rows(name) for name in ("ordinary", "failures")]
    every = np.concatenate([found["time"][(found["url"] == url) & (found["time"] != NO_TIME)] for found in rows])
    every.sort()
    bad = unexplained(case, url)["time"]
    bad = np.sort(bad[bad != NO_TIME])
    births = _births(case, url)
    if not len(bad):
        return NO_SILENCES
    gaps = np.diff(bad) > MOMENT * 1e6
    renewed = np.searchsorted(births, bad[1:]) > np.searchsorted(births, bad[:-1])
    losses = bad[np.concatenate(([True], gaps & renewed))]
    quiet = _quiet(every, losses)
    return Silences(
        before=tuple(quiet[quiet >= 0].tolist()),
        survived=float(_quiet(every, follow_ups(case, url)["time"]).max(initial=0.0)),
        spread=float(losses[-1] - losses[0]) / 1e6,
    )


def after_lulls(case: Case, stretch: Stretch) -> bool:
    """Say whether sessions worked and were refused only after long pauses: another worker needs no pause to refuse."""
    return stretch.worked >= WORKED and silences(case, stretch).before_all


def came_back(case: Case, stretch: Stretch) -> bool:
    """Say whether the only session works after its last failure, without a new handshake since the first: not lost."""
    if stretch.alive != 1:
        return False
    bad, births = unexplained(case, stretch.url)["line"], case.openings(stretch.url)["line"]
    used = follow_ups(case, stretch.url)
    if not len(births):
        births = used["line"][used["status"] == 202]
    end = births[births > bad.min()].min(initial=np.iinfo(np.int64).max)
    lines = used["line"][used["status"] != 202]
    return int(np.count_nonzero((lines > bad.max()) & (lines < end))) >= _BACK


def _births(case: Case, url: int) -> NDArray[np.int64]:
    rows = case.openings(url)
    if not len(rows["line"]):
        good = case.rows("ordinary")
        made = (good["url"] == url) & (good["status"] == 202) & (good["method"] == METHOD_CODE["POST"])
        rows = {"time": good["time"][made]}
    return np.asarray(np.sort(rows["time"][rows["time"] != NO_TIME]), np.int64)


def _quiet(every: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the seconds from the exchange before each time, -1 where there is none."""
    times = times[times != NO_TIME]
    place = np.searchsorted(every, times) - 1
    return np.where(place >= 0, (times - every[np.maximum(place, 0)]) / 1e6, -1.0)
