"""The one way to read a run log again from Python: its record, judged and explained anew, as the run itself was."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from woolly_mcpdiag import __version__
from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.core.runs import REHEARSED, SCHEMA, Run, gather
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.diagnose.docket import Docket
from woolly_mcpdiag.diagnose.engine import Diagnosis
from woolly_mcpdiag.gate.judge import judge
from woolly_mcpdiag.gate.thresholds import Threshold, parse_all
from woolly_mcpdiag.logs.batch import Vocabulary
from woolly_mcpdiag.logs.events import BATCH_ROWS, EventEngine
from woolly_mcpdiag.logs.inputs import lines, resolve
from woolly_mcpdiag.report.assemble_run import assemble_run
from woolly_mcpdiag.report.model import Report

_ROW = f'{{"schema":"{SCHEMA}'.encode()
_BROUGHT_ABOUT = f'"source":"{REHEARSED}'.encode()
_LONGEST = 64 << 20
"""Bytes of a line: an interval of many series is long."""
_HINT = "name a run log: mcpdiag load --events run.jsonl writes one"


@dataclass(slots=True, kw_only=True)
class Recorded:
    """A run log, read again."""

    run: Run
    report: Report


Judging = Callable[[Run, Diagnosis], Sequence[Judgement]]


def report_run(
    path: str, thresholds: Sequence[str] = (), *, confidence: float | None = None, judged: Judging | None = None
) -> Recorded:
    """Read a run log, judge its thresholds (or others) again and explain its failures.

    Where the log names no thresholds, as that of a gate, its own judgements are shown. ``confidence`` is by default
    that of the run; ``judged`` judges in place of thresholds. Raises ``InputError`` for a file that is no run log,
    ``UsageError`` for a threshold that cannot be read.
    """
    asked = parse_all(thresholds)
    sources = resolve([path])
    if len(sources) > 1:
        message = f"{path}: names {len(sources)} files"
        raise InputError(message, _HINT)
    events = _Events(path)
    with sources[0].open() as stream:
        run = gather(events.aside(lines(stream, _LONGEST)), path)
    diagnosis = events.diagnosis()
    found = judged(run, diagnosis) if judged is not None else _judged(run, asked, confidence)
    report = assemble_run(run, diagnosis, found, version=__version__)
    return Recorded(run=run, report=report)


class _Events:
    """The events of a run log, explained; its other rows are handed on."""

    def __init__(self, name: str) -> None:
        vocabulary = Vocabulary()
        self._engine = EventEngine(vocabulary, name)
        self._docket = Docket(vocabulary)

    def aside(self, raw: Iterable[bytes]) -> Iterator[str]:
        """Yield the rows that are no events."""
        for number, line in enumerate(raw, 1):
            if line.startswith(_ROW):
                yield line.decode("utf-8", "replace")
                continue
            if _BROUGHT_ABOUT in line:
                continue
            self._engine.feed(line, number)
            if len(self._engine) >= BATCH_ROWS:
                self._docket.add(self._engine.take()[0])

    def diagnosis(self) -> Diagnosis:
        """Judge all events."""
        self._docket.add(self._engine.take()[0])
        return self._docket.diagnose()


def _judged(run: Run, asked: Sequence[Threshold], confidence: float | None) -> list[Judgement]:
    level = confidence or next((found.confidence for found in run.judgements), 0.95)
    if asked:
        return judge(asked, run, confidence=level)
    try:
        written = parse_all(run.meta.thresholds)
    except UsageError:
        # Of another version: what it found then is better than nothing.
        return run.judgements
    return judge(written, run, confidence=level) if written else run.judgements
