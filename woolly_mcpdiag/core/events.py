"""The one event: one thing that happened, as the client, the load engine and the log readers all report it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, TypedDict, Unpack, get_args

from woolly_mcpdiag.core.ids import normalise
from woolly_mcpdiag.core.json_text import parse

SCHEMA = "mcpdiag.event/1"

Role = Literal["client", "server", "proxy", "app", ""]
EventKind = Literal[
    "http.exchange",
    "http.request",
    "http.headers",
    "http.connect",
    "session.opened",
    "session.ready",
    "session.closed",
    "session.refused",
    "session.expired",
    "stream.lost",
    "mcp.message",
    "call.failed",
    "call.rejected",
    "call.done",
    "call.retried",
    "call.degraded",
    "session.opening",
    "lease.granted",
    "lease.leaked",
    "breaker.changed",
    "agent.started",
    "agent.done",
    "agent.failed",
    "server.listening",
    "server.started",
    "server.stopped",
    "server.error",
    "proxy.error",
    "loop.blocked",
]
KINDS: tuple[str, ...] = get_args(EventKind)
Extra = Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. Absent facts are empty (``""``) or ``None``, never guessed."""

    kind: EventKind
    time: float | None = None
    """Seconds since the epoch, UTC; ``None`` where the log has no time."""
    source: str = ""
    """The file, stream or service that told it."""
    line: int | None = None
    """1-based line in that source."""
    role: Role = ""
    """Who saw it."""
    logger: str = ""
    level: str = ""
    method: str = ""
    """HTTP method, or the JSON-RPC method of an ``mcp.message``."""
    url: str = ""
    """Without userinfo, fragment and secrets."""
    status: int | None = None
    size: int | None = None
    """Bytes of the response body."""
    duration: float | None = None
    """Seconds."""
    session: str = ""
    """Normalised session id (see ``core.ids``)."""
    key: str = ""
    """What the application calls the session."""
    agent: str = ""
    """Agent type or name."""
    error: str = ""
    """Exception type without its module."""
    message: str = ""
    """Redacted text."""
    extra: Extra = field(default_factory=dict)

    def to_json(self) -> str:
        """Return one JSON line without its newline; absent facts are left out."""
        row: dict[str, object] = {"schema": SCHEMA}
        for f in fields(self):
            value = getattr(self, f.name)
            if value not in (None, "", {}):
                row[f.name] = dict(value) if f.name == "extra" else value
        return json.dumps(row, ensure_ascii=False, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "Event":
        """Read a line that ``to_json`` wrote; unknown fields of a later minor version are dropped.

        Raises ``ValueError`` where the text is no event of this schema.
        """
        row = parse(text)
        if not isinstance(row, dict) or row.get("schema") != SCHEMA or row.get("kind") not in KINDS:
            msg = f"not an event of schema {SCHEMA}"
            raise ValueError(msg)
        known = {f.name for f in fields(Event)}
        found = {name: value for name, value in row.items() if name in known and value is not None}
        for name, value in found.items():
            if not _fits(name, value):
                msg = f"{name}: {str(value)[:40]!r} is no value of it"
                raise ValueError(msg)
        return Event(**found)


class Told(TypedDict, total=False):
    """What whoever tells of something knows of it; the fields of an event."""

    method: str
    url: str
    status: int | None
    duration: float | None
    session: str
    key: str
    agent: str
    error: str
    extra: Extra


def told(
    kind: EventKind,
    message: str,
    *,
    time: float,
    logger: str,
    level: str,
    role: Role = "client",
    source: str = "",
    **facts: Unpack[Told],
) -> Event:
    """Return an event of this program's own, its session id normalised; empty facts are left out of ``extra``."""
    facts["extra"] = {name: value for name, value in facts.get("extra", {}).items() if value != ""}
    facts["session"] = normalise(facts.get("session", ""))
    return Event(kind=kind, time=time, source=source, role=role, logger=logger, level=level, message=message, **facts)


_NUMBERS = {"line": int, "status": int, "size": int, "time": float, "duration": float}


def _fits(name: str, value: object) -> bool:
    if name == "extra":
        return isinstance(value, dict) and all(isinstance(each, str | int | float) for each in value.values())
    kind = _NUMBERS.get(name)
    if kind is None:
        return isinstance(value, str)
    return not isinstance(value, bool) and isinstance(value, int if kind is int else (int, float))
