"""transport.get-stream-after-close: the reconnect line that a client writes after its own DELETE; benign."""

from collections.abc import Iterator

import numpy as np

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.core.ids import normalise, pack
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.logs.batch import METHOD_CODE

CAUSE = "transport.get-stream-after-close"
_DELETE = METHOD_CODE["DELETE"]


def decide(case: Case) -> Iterator[Finding]:
    """Name it for the reconnect lines that stand right behind a DELETE."""
    notes = [note for note in case.notes("stream.lost") if _closed(case, note)]
    if not notes:
        return
    count = len(notes)
    yield finding(
        case,
        CAUSE,
        count,
        f"{Count(count):reconnect line stands|reconnect lines stand} right behind the DELETE of a session: its stream ended because the client closed it.",
        confidence="certain",
        unit="reconnect lines",
        because=["The last exchange before each is a DELETE that succeeded."],
        evidence=case.show_notes(notes),
    )


def _closed(case: Case, note: Note) -> bool:
    rows = case.rows("ordinary")
    if note.event.session:
        high, low = pack(normalise(note.event.session))
        closed = (rows["high"] == high) & (rows["low"] == low) & (rows["method"] == _DELETE)
        return bool((closed & (rows["source"] == note.source) & (rows["line"] < note.line)).any())
    mine = np.flatnonzero((rows["source"] == note.source) & (rows["line"] < note.line))
    return bool(len(mine)) and int(rows["method"][mine[np.argmax(rows["line"][mine])]]) == _DELETE
