"""The one log record: a line, freed of its framing, escapes and colours, with what its format tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from woolly_mcpdiag.logs.batch import NO_TIME


@dataclass(slots=True)
class Record:
    """One record, or one continuation line of the record before it."""

    line: int
    """1-based number of its first physical line in the file."""
    message: str
    """Without framing, prefix, colours and JSON escapes; rich's wrapped lines joined again."""
    time: int = NO_TIME
    """Microseconds since the epoch, UTC; ``NO_TIME`` where the line has none."""
    level: str = ""
    """Upper case: DEBUG, INFO, WARNING, ERROR, CRITICAL."""
    logger: str = ""
    service: str = ""
    """Whose line it is, by the framing: compose service, pod, systemd unit; "" without framing."""
    format: str = ""
    """Name of the record format, "" for a line that fits none (then ``message`` is the unframed line)."""
    framing: str = ""
    fresh: bool = True
    """False for a line that continues the record before it (traceback, second line of a message)."""
    span: int = 1
    """Physical lines it took (more than one where rich wrapped it)."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """Other fields of a structured (JSON, logfmt) record."""
    zoned: bool = False
    """True where the stamp named its zone; a stamp without one is read as UTC."""
    raw: str = ""
    """The first physical line as it stands in the file."""
