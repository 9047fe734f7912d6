"""The one place that reads what a rehearsal recorded of a scene (``core.runs.Scene.facts``).

A scene of an outage holds both rows: ``facts={"outage": OutageFacts(...).to_row(), "logging": ...}``.
"""

from collections.abc import Mapping

from woolly_mcpdiag.core.rehearsals import Facts, LoggingFacts, OutageFacts, made
from woolly_mcpdiag.core.runs import Scene

OUTAGE, LOGGING = "outage", "logging"
"""Keys of ``Scene.facts``."""


def outage_of(scene: Scene) -> OutageFacts | None:
    """Return what a scene tells of an outage; ``None`` where it tells nothing, or not all of it."""
    return _told(OutageFacts, scene.facts.get(OUTAGE))


def logging_of(scene: Scene) -> LoggingFacts | None:
    """Return what a scene tells of the log; ``None`` where it tells nothing, or not all of it."""
    return _told(LoggingFacts, scene.facts.get(LOGGING))


def _told(kind: type[Facts], row: object) -> Facts | None:
    if not isinstance(row, Mapping):
        return None
    try:
        return made(kind, row)
    except ValueError:
        return None
