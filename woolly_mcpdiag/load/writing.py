"""The one place where an event becomes a line of a run log."""

from dataclasses import fields

import msgspec

from woolly_mcpdiag.core.events import SCHEMA, Event

Facts = dict[str, str | int | float | bool]


class Line(msgspec.Struct, omit_defaults=True, gc=False, kw_only=True):
    """The fields of ``Event``, in the order in which a line has them; what is absent is left out."""

    schema: str
    kind: str
    time: float | None = None
    line: int | None = None
    role: str = ""
    logger: str = ""
    level: str = ""
    method: str = ""
    url: str = ""
    status: int | None = None
    size: int | None = None
    duration: float | None = None
    session: str = ""
    key: str = ""
    agent: str = ""
    error: str = ""
    message: str = ""
    extra: Facts | None = None
    source: str = ""


_FIELDS = tuple(one.name for one in fields(Event))
_encode = msgspec.json.Encoder().encode


def line_of(event: Event, source: str) -> Line:
    """Return the line of an event of that source."""
    return Line(
        schema=SCHEMA,
        kind=event.kind,
        time=event.time,
        line=event.line,
        role=event.role,
        logger=event.logger,
        level=event.level,
        method=event.method,
        url=event.url,
        status=event.status,
        size=event.size,
        duration=event.duration,
        session=event.session,
        key=event.key,
        agent=event.agent,
        error=event.error,
        message=event.message,
        extra=dict(event.extra) or None,
        source=source,
    )


def text_of(line: Line) -> str:
    """Return what ``Event.to_json`` returns, with the source at its end, in a fifth of the time."""
    try:
        return str(_encode(line), "utf-8")
    except UnicodeEncodeError:
        told = {name: getattr(line, name) for name in _FIELDS}
        return Event(**{**told, "extra": line.extra or {}}).to_json()
