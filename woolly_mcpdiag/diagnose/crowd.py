"""Failure rates alone and in company: the figures behind the question whether parallel work makes things fail.

What is counted must be independent, so it is sessions or agent runs, never requests: the requests of one lost session
all fail together.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.logs.batch import NO_TIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """(failures, tries) alone and in company."""

    alone: tuple[int, int]
    together: tuple[int, int]
    unit: str
    how: str
    """"while other sessions were active"."""

    @property
    def whole(self) -> tuple[int, int]:
        """(failures, tries) of both."""
        return self.alone[0] + self.together[0], self.alone[1] + self.together[1]


def crowd(case: Case) -> Crowd | None:
    """Compare sessions (where exchanges name them), else agent runs, by whether others were active when they began.

    ``None`` where the log tells neither sessions nor runs apart.
    """
    table = case.sessions
    if len(table) and case.named and (table["fail"] > 0).any():
        starts = table["first"] if case.timed else table["first_line"].astype(np.int64)
        ends = table["last"] if case.timed else np.maximum(table["last_ok"], table["last_fail"]).astype(np.int64)
        return _compare(starts, ends, table["fail"] > 0, "sessions", "while other sessions were active")
    runs = _runs(case)
    if len(runs):
        return _compare(runs[:, 0], runs[:, 1], runs[:, 2] > 0, "agent runs", "while other agents were running")
    return None


def _compare(
    starts: NDArray[np.int64], ends: NDArray[np.int64], failed: NDArray[np.bool_], unit: str, how: str
) -> Crowd:
    begun = np.searchsorted(np.sort(starts), starts, side="right")
    over = np.searchsorted(np.sort(ends), starts, side="left")
    alone = begun - over <= 1
    return Crowd(alone=_rate(failed[alone]), together=_rate(failed[~alone]), unit=unit, how=how)


def _rate(failed: NDArray[np.bool_]) -> tuple[int, int]:
    return int(np.count_nonzero(failed)), len(failed)


def _runs(case: Case) -> NDArray[np.int64]:
    """Return (start, end, failed) of agent runs; a start is matched with the first end of the same agent (and key)."""
    ends = [note for note in [*case.notes("agent.done"), *case.notes("call.failed")] if note.event.agent]
    waiting: dict[tuple[int, str], list[Note]] = defaultdict(list)
    for note in sorted(case.notes("agent.started"), key=lambda note: note.line, reverse=True):
        waiting[note.source, note.event.agent].append(note)
    rows = []
    for note in sorted(ends, key=lambda note: note.line):
        starts = waiting[note.source, note.event.agent]
        if starts and starts[-1].line < note.line:
            start = starts.pop()
            if case.timed and NO_TIME in (start.time, note.time):
                continue
            rows.append((_at(case, start), _at(case, note), int(note.event.kind == "call.failed")))
    return np.array(rows, np.int64).reshape(-1, 3)


def _at(case: Case, note: Note) -> int:
    return note.time if case.timed else note.line
