"""The one place for moments in which nobody is answered: what a blocked event loop looks like to those who wait.

Only a load tells when each of its calls began; logs of applications do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.logs.batch import METHOD_CODE, NO_TIME

_LEAST = 0.1
"""Seconds without any answer that are a stall."""
_FAST = 5
"""So many times faster than the stalls is a call that does not cause them."""
_FEW = 3
_SLACK = 0.2
"""Share of a stall within which its calls may begin or end: those that were answered before it ask anew."""
_SHARE = 0.7
"""Of the time in which slow and fast calls run side by side; where a slow call merely waits, fast ones go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalls:
    """What stops everything else."""

    operation: str
    """During whose calls nobody is answered."""
    count: int
    longest: float
    """Seconds."""
    share: float
    """Of the time in which others waited beside it."""
    fastest: float
    """Seconds that the quickest call took."""
    notes: Sequence[Note]
    """Calls that waited."""


@dataclass(frozen=True, slots=True)
class _Calls:
    """Calls that have ended, in the order of their ends; seconds."""

    begun: NDArray[np.float64]
    ended: NDArray[np.float64]
    operation: NDArray[np.int64]
    answered: NDArray[np.bool_]

    def spanning(self, start: float, end: float, chosen: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return the chosen calls that were under way (nearly) from start to end."""
        slack = _SLACK * (end - start)
        return np.flatnonzero(chosen & (self.begun <= start + slack) & (self.ended >= end - slack))


def stalls(case: Case) -> Stalls | None:
    """Look for a kind of call while which no other is answered, though other calls wait for their answers."""
    done, late = case.notes("call.done"), case.notes("call.failed", "ReadTimeout")
    notes = [n for n in (*done, *late) if n.time != NO_TIME and n.event.duration and not n.event.agent]
    names = sorted({_operation(note) for note in notes})
    if len(names) < 2 or len(notes) < 2 * _FEW:
        return None
    notes.sort(key=lambda note: note.time)
    ended = np.array([note.time for note in notes]) / 1e6
    took = np.array([note.event.duration for note in notes], np.float64)
    calls = _Calls(
        ended - took,
        ended,
        np.array([names.index(_operation(note)) for note in notes]),
        np.array([note.event.kind == "call.done" for note in notes]),
    )
    fastest = np.array([took[calls.operation == number].min() for number in range(len(names))])
    sent = _exchanges(case)
    found = [
        _of(calls, number, fastest, sent, notes, names[number])
        for number in range(len(names))
        if fastest[number] >= _LEAST and np.count_nonzero(calls.operation == number) >= _FEW
    ]
    return max((each for each in found if each is not None), key=lambda each: each.share, default=None)


def _operation(note: Note) -> str:
    return note.event.message.partition(":")[0]


def _of(
    calls: _Calls,
    number: int,
    fastest: NDArray[np.float64],
    sent: NDArray[np.float64],
    notes: Sequence[Note],
    name: str,
) -> Stalls | None:
    slow = calls.operation == number
    quick = _quick(calls, number, fastest)
    count, still, longest, on_wire = 0, 0.0, 0.0, 0
    waited: list[int] = []
    answers = calls.ended[calls.answered]
    for index in np.flatnonzero(np.diff(answers) >= _LEAST).tolist():
        end = float(answers[index + 1])
        # Before the slow call began there may have been nothing to answer.
        running = slow & (calls.begun < end) & (calls.ended > answers[index] + _LEAST)
        start = max(float(answers[index]), float(calls.begun[running].min(initial=end)))
        held, causes = calls.spanning(start, end, quick), calls.spanning(start, end, slow)
        if end - start < _LEAST or not len(held) or not len(causes):
            continue
        slack = _SLACK * (end - start)
        asked = np.count_nonzero((sent[:, 0] <= start + slack) & (sent[:, 1] >= end - slack))
        # A call may wait within its client, for a session: only one whose request is sent waits for the server.
        on_wire += int(asked > len(causes))
        count, still, longest = count + 1, still + end - start, max(longest, end - start)
        waited += held[:1].tolist()
    beside = _beside(calls, slow, quick)
    if count < _FEW or on_wire < _FEW or still < _SHARE * beside:
        return None
    return Stalls(
        operation=name,
        count=count,
        longest=longest,
        share=min(still / beside, 1.0),
        fastest=float(fastest.min()),
        notes=[notes[row] for row in dict.fromkeys(waited)],
    )


def _quick(calls: _Calls, number: int, fastest: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the calls that are quick without the slow one: as seen, or never seen without it while others are."""
    slow = calls.operation == number
    known = fastest * _FAST <= fastest[number]
    if not known.any():
        return np.zeros(len(slow), bool)
    begun, ended = np.sort(calls.begun[slow]), np.sort(calls.ended[slow])
    alone = np.searchsorted(ended, calls.begun) >= np.searchsorted(begun, calls.ended)
    seen = np.isin(np.arange(len(fastest)), calls.operation[alone])
    unknown = ~known & ~seen
    unknown[number] = False
    return np.isin(calls.operation, np.flatnonzero(known | unknown))


def _beside(calls: _Calls, slow: NDArray[np.bool_], quick: NDArray[np.bool_]) -> float:
    """Return for how many seconds calls of both sorts were under way at once."""
    edges = np.unique(np.concatenate((calls.begun, calls.ended)), return_counts=True)[0]
    middle = (edges[:-1] + edges[1:]) / 2
    both = _under_way(calls, slow, middle) & _under_way(calls, quick, middle)
    return float(np.diff(edges)[both].sum())


def _under_way(calls: _Calls, chosen: NDArray[np.bool_], at: NDArray[np.float64]) -> NDArray[np.bool_]:
    begun, ended = np.sort(calls.begun[chosen]), np.sort(calls.ended[chosen])
    return np.asarray(np.searchsorted(begun, at) > np.searchsorted(ended, at))


def _exchanges(case: Case) -> NDArray[np.float64]:
    """Return when each POST was sent and answered, one row each."""
    rows: dict[str, NDArray[Any]] = case.rows("ordinary")
    known = (rows["method"] == METHOD_CODE["POST"]) & (rows["time"] != NO_TIME) & ~np.isnan(rows["duration"])
    ended = rows["time"][known] / 1e6
    return np.stack((ended - rows["duration"][known], ended), axis=1)
