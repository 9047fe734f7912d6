"""Exceptions in records, tracebacks and exception groups: which one says what went wrong."""

import re
from dataclasses import dataclass, field

EXCEPTION = re.compile(
    r"(?<![\w.'/-])(?:[A-Za-z_][\w]*\.)*(?P<type>[A-Z]\w*(?:Error|Timeout|Exception|ExceptionGroup|EndOfStream)|gaierror|Cancelled)(?![\w./']|\((?!['\")]))(?::? ?(?P<said>.*))?"
)
LEAF = re.compile(
    r"^[\s|+]*(?:[A-Za-z_]\w*\.)*(?P<type>[A-Z]\w*(?:Error|Timeout|Exception|Group|EndOfStream|Exit|Closed|Cancelled)|gaierror)(?::\s*(?P<said>.*))?$"
)
_REPR = re.compile(r"""\((?:(?P<quote>['"])(?P<inner>.*?)(?P=quote))?\)""")
STATUS = re.compile(r"'(?P<status>\d{3})[^']*' for url '(?P<url>[^']+)'")
WORDS = (
    ("All connection attempts failed", "ConnectError"),
    ("Connection refused", "ConnectError"),
    ("Name or service not known", "ConnectError"),
    ("Temporary failure in name resolution", "ConnectError"),
    ("nodename nor servname provided", "ConnectError"),
    ("WRONG_VERSION_NUMBER", "ConnectError"),
    ("in a different task than it was entered in", "RuntimeError"),
    ("Cancelled by cancel scope", "CancelledError"),
    ("incomplete chunked read", "RemoteProtocolError"),
    ("Server disconnected without sending a response", "RemoteProtocolError"),
)
"""Texts that mean an exception even where its type is not written."""
HINTS = (
    "Error",
    "Timeout",
    "Exception",
    "EndOfStream",
    "gaierror",
    "Cancelled",
    *(words for words, _ in WORDS),
)
"""A first line that holds none of these names no exception."""
# The earlier, the more it says: wrappers and consequences come last.
_RANK = (
    "PoolTimeout",
    "ConnectTimeout",
    "ConnectError",
    "RemoteProtocolError",
    "LocalProtocolError",
    "ReadError",
    "WriteError",
    "HTTPStatusError",
    "gaierror",
    "SSLError",
    "ReadTimeout",
    "WriteTimeout",
    "RuntimeError",
    "McpError",
    "MCPError",
    "ToolError",
    "OSError",
    "CancelledError",
    "ClosedResourceError",
    "BrokenResourceError",
    "EndOfStream",
    "TimeoutError",
)
_ORDER = {name: rank for rank, name in enumerate(_RANK)}
_WRAPPERS = frozenset({"ExceptionGroup", "BaseExceptionGroup", "GeneratorExit", "StopAsyncIteration"})
_KEEP = 12


def _rank(error: str) -> int:
    return _ORDER.get(error, len(_RANK))


def in_headline(text: str) -> tuple[str, str]:
    """Return (exception type, what it said) from the first line of a record, ("", "") where it names none."""
    for found in EXCEPTION.finditer(text):
        if found["type"] not in _WRAPPERS:
            return found["type"], _unquoted((found["said"] or "").strip())
    for words, error in WORDS:
        if words in text:
            return error, text[text.index(words) :]
    return "", ""


def _unquoted(said: str) -> str:
    """Return what an exception said, also where it is written as its ``repr``: ``ReadError('')``."""
    found = _REPR.match(said)
    return (found["inner"] or "") if found else said


def is_leaf(text: str) -> bool:
    """Say whether a line can be the last one of a traceback: an exception type, and what it said."""
    return LEAF.match(text) is not None


def leaf_of(text: str) -> tuple[str, str] | None:
    """Return (exception type, what it said) from a continuation line, ``None`` where it names none that counts."""
    found = LEAF.match(text)
    if not found or found["type"] in _WRAPPERS:
        return None
    return found["type"], (found["said"] or "").strip()


@dataclass(slots=True)
class Failure:
    """A record that tells of a failure, while its continuation lines still come."""

    error: str = ""
    said: str = ""
    others: list[str] = field(default_factory=list)
    """Every further exception type in the record, in order."""

    def headline(self, text: str) -> None:
        """Take the record's first line."""
        self.error, self.said = in_headline(text)

    def line(self, text: str) -> None:
        """Take a continuation line."""
        leaf = leaf_of(text)
        if leaf is not None:
            self.leaf(*leaf)

    def leaf(self, error: str, said: str) -> None:
        """Take what a continuation line names; the exception that says most wins."""
        if len(self.others) < _KEEP:
            self.others.append(error)
        if not self.error or _rank(error) < _rank(self.error) or (error == self.error and not self.said):
            self.error, self.said = error, said
