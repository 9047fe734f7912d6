"""The one place where the events of a running load are explained: by the same rules that read its log afterwards."""

from collections.abc import Sequence

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.docket import Docket
from woolly_mcpdiag.diagnose.engine import Diagnosis
from woolly_mcpdiag.load.kernel import now
from woolly_mcpdiag.logs.batch import Vocabulary
from woolly_mcpdiag.logs.events import EventEngine

_EVERY = 2.0
"""Seconds between two looks."""
_SHARE = 0.05
"""Of the time that looks may take: the load shares the machine with them."""


class Explaining:
    """Reads event lines as they are written."""

    def __init__(self, name: str) -> None:
        """``name`` is how evidence names the run log."""
        vocabulary = Vocabulary()
        self._engine = EventEngine(vocabulary, name)
        self._docket = Docket(vocabulary)
        self._next = now() + _EVERY
        self._found: Sequence[Finding] = ()

    def feed(self, text: str, line: int) -> None:
        """Read an event; ``line`` is its 1-based line in the log."""
        self._engine.feed(text.encode("utf-8", "replace"), line)

    def findings(self) -> Sequence[Finding]:
        """Return what was found at the last look; a new one is taken every two seconds, less often where it is dear."""
        began = now()
        if began >= self._next:
            self._found = tuple(self.diagnosis().findings)
            ended = now()
            self._next = ended + max(_EVERY, (ended - began) / _SHARE)
        return self._found

    def diagnosis(self) -> Diagnosis:
        """Judge all that was read so far."""
        batch, _ = self._engine.take()
        self._docket.add(batch)
        return self._docket.diagnose()
