"""The one place that knows lines again which go on with a record: what the line engine made of their bytes once holds.

Of a traceback most lines are the same each time, so an effect is remembered for all of its lines but the last together,
and for each line. Only lines whose whole effect is on the failure they go on with, or none, are remembered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from woolly_mcpdiag.core.events import EventKind
from woolly_mcpdiag.logs.lines import LineEngine
from woolly_mcpdiag.logs.recognise.failures import Failure, leaf_of
from woolly_mcpdiag.logs.record import Record

_LONGEST = 1 << 12
"""Bytes of the longest text that is remembered."""
_REMEMBERED = 1 << 22
"""Bytes of all texts remembered."""
_SEEN = 1 << 15
Pending = tuple[Record, Failure, EventKind, str]


@dataclass(frozen=True, slots=True)
class _Effect:
    """What some lines do."""

    lines: int
    understood: int
    leaves: tuple[tuple[str, str], ...]
    """What they add to the failure they go on with."""
    began: Pending | None
    """The failure that begins in them."""
    offset: int
    """The line of them in which it begins."""


class Continued:
    """Remembers the effects of lines that stand bare in the log, or within one framing."""

    def __init__(self, engine: LineEngine) -> None:
        self._engine = engine
        self._reader = engine._reader
        self._recogniser = engine._recogniser
        self._known: dict[tuple[bool, str, bytes], _Effect] = {}
        self._room = _REMEMBERED
        self._seen: set[int] = set()

    def apply(self, text: bytes, framing: str, first: int) -> bool:
        """Do what a known text does, whose first line has that number; False (and nothing done) where it is unknown.

        ``framing`` tells texts apart, and is the name of their framing where it is a word. What the reader counts of
        framings and times is left to the caller.
        """
        recogniser = self._recogniser
        pending = recogniser._pending
        effect = self._known.get((pending is None, framing, text))
        if effect is None:
            return False
        tally = self._engine._tally
        tally.read += effect.lines
        tally.understood += effect.understood
        tally.ignored += effect.lines - effect.understood
        self._reader._formats[""] += effect.lines
        if pending is not None:
            for leaf in effect.leaves:
                pending[1].leaf(*leaf)
        elif effect.began is not None:
            record, failure, kind, agent = effect.began
            recogniser._pending = replace(record, line=first + effect.offset), _copy(failure), kind, agent
        return True

    def due(self, text: bytes) -> bool:
        """Say whether a text that is unknown is worth learning: it was asked for before."""
        if len(text) > _LONGEST:
            return False
        key = hash(text)
        if key in self._seen:
            return True
        if len(self._seen) >= _SEEN:
            self._seen.clear()
        self._seen.add(key)
        return False

    def learn(self, text: bytes, raws: Sequence[bytes], framing: str, first: int) -> None:
        """Let the line engine read the lines, and remember their text if they may be known again."""
        before = self._recogniser._pending
        effect = self._read(raws, framing, first)
        if effect is None:
            return
        if self._room < len(text):
            self._known.clear()
            self._room = _REMEMBERED
        self._room -= len(text)
        self._known[before is None, framing, text] = effect

    def _read(self, raws: Sequence[bytes], framing: str, first: int) -> _Effect | None:
        engine, recogniser = self._engine, self._recogniser
        framing = framing.strip()
        before, rows, answers = recogniser._pending, len(engine._out), list(recogniser._headers._waiting)
        understood, leaves, good, offset = engine._tally.understood, [], True, -1
        for number, raw in enumerate(raws, first):
            records = self._reader.read(raw, number)
            for record in records:
                if record.fresh or record.format or record.span != 1 or record.framing != framing:
                    good = False
                engine.take_record(record)
                leaf = leaf_of(record.message) if record.message.strip() else None
                if leaf is not None:
                    leaves.append(leaf)
            good = good and len(records) == 1
            if offset < 0 and recogniser._pending is not before:
                offset = number - first
        pending = recogniser._pending
        good = good and rows == len(engine._out) and answers == recogniser._headers._waiting
        began = None
        if pending is not before:
            good = good and before is None and pending is not None and not framing
            began = None if pending is None else (*pending[:1], _copy(pending[1]), *pending[2:])
        if not good:
            return None
        understood = engine._tally.understood - understood
        return _Effect(len(raws), understood, tuple(leaves), began, offset)


def _copy(failure: Failure) -> Failure:
    return Failure(failure.error, failure.said, list(failure.others))
