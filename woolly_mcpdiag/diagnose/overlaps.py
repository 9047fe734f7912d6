"""The one place for exchanges of one session that overlap: their answers may come in another order than their work."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.sessions import hashed
from woolly_mcpdiag.logs.batch import NO_TIME

_UNKNOWN = (400, 404)
_EARLY, _LATE = np.iinfo(np.int64).min, np.iinfo(np.int64).max


def untangled(case: Case, sessions: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Sort out sessions whose answers alternate by when each exchange began, where the log tells how long it took.

    Return the rows of those that no success began after a failure had ended (they can have been lost), and of those
    that no failure began after a success had ended (they can have become ready); the rest did work in turn.
    """
    keys = hashed(case.sessions["high"][sessions], case.sessions["low"][sessions])
    order = np.argsort(keys)
    good, bad = case.rows("ordinary"), case.rows("failures")
    refused = np.isin(bad["status"], _UNKNOWN)
    ok_begun, ok_over = _span(good, np.ones(len(good["line"]), bool), keys[order])
    bad_begun, bad_over = _span(bad, refused, keys[order])
    known = (ok_begun != _EARLY) & (bad_begun != _EARLY)
    lost = known & (ok_begun <= bad_over)
    ready = known & ~lost & (bad_begun <= ok_over)
    return sessions[order[lost]], sessions[order[ready]]


def _span(
    rows: dict[str, NDArray[Any]], chosen: NDArray[np.bool_], keys: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when the last exchange of each session began and when the first had ended, in µs."""
    begun, over = np.full(len(keys), _EARLY), np.full(len(keys), _LATE)
    chosen = chosen & (rows["time"] != NO_TIME) & ~np.isnan(rows["duration"])
    mine = hashed(rows["high"][chosen], rows["low"][chosen])
    place = np.minimum(np.searchsorted(keys, mine), len(keys) - 1)
    found = keys[place] == mine
    ends = rows["time"][chosen][found]
    starts = ends - (rows["duration"][chosen][found].astype(np.float64) * 1e6).astype(np.int64)
    np.maximum.at(begun, place[found], starts)
    np.minimum.at(over, place[found], ends)
    return begun, over
