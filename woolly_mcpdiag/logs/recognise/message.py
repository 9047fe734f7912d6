"""The one shape of a known message: a literal, a pattern, the event it means, and its own sample line."""

import re
from dataclasses import dataclass

from woolly_mcpdiag.core.events import EventKind, Role

ID = r"(?P<session>[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?=[\w.~+/=-]*\d)[\w.~+/=-]{6,128})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message text that means something."""

    literal: str
    """Must be in the text before the pattern is tried: the cheap test."""
    pattern: str
    kind: EventKind
    role: Role
    sample: str
    error: str = ""
    """A fixed name for what happened, where the text has no exception type."""

    def search(self, text: str) -> re.Match[str] | None:
        """Look for the message in a text that holds its literal; patterns are compiled on first use, to start fast."""
        return re.search(self.pattern, text)


def message(literal: str, pattern: str, kind: EventKind, role: Role, sample: str, error: str = "") -> Message:
    """Build a message; the pattern's named groups fill the event's fields of the same name."""
    return Message(literal=literal, pattern=pattern, kind=kind, role=role, sample=sample, error=error)
