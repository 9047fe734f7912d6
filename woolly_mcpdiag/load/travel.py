"""The one place where a plan becomes text for another process, and back; also the words that processes exchange.

Every message is one line: a letter, a space, then what it says. To a child: one line of JSON with its task, then
``go INSTANT`` and perhaps ``stop``. From a child: see ``Word``.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from woolly_mcpdiag.core import errors
from woolly_mcpdiag.core.errors import McpdiagError
from woolly_mcpdiag.core.measures import Tally
from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.plan import Plan

_T = TypeVar("_T")


class Word(StrEnum):
    """What a child says."""

    READY = "r"
    EVENT = "e"
    """An event as a line of JSON."""
    SAMPLE = "s"
    """A row of the run log."""
    SNAPSHOT = "t"
    """A ``Snapshot``: everything counted so far."""
    END = "z"
    """A last ``Snapshot``; the child has nothing more to say."""
    ERROR = "x"
    """Why it cannot go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a child is to do."""

    plan: Plan
    share: Share
    wall: float
    """Seconds since the epoch at instant 0 of the monotonic clock."""
    engine: str
    """``module:function`` that makes the engine."""
    source: str = ""
    """Named in its events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a share has counted since its start, and how its process fares."""

    at: float
    """Seconds since the start."""
    tally: Tally
    in_flight: int = 0
    cpu: float = 0.0
    """Seconds of a core that the process has used since the start."""
    waited: float = 0.0
    """Seconds it was ready to run and had to wait for a core; 0 where the system does not say."""
    lag: Mapping[str, Any] | None = None
    """Histogram of how late its ticks were, as a row."""


def task_line(task: Task) -> str:
    """Return a task as one line. It holds the headers, so it goes through a pipe and nowhere else."""
    return json.dumps(asdict(task), ensure_ascii=True, separators=(",", ":"))


def read_task(line: str) -> Task:
    """Read what ``task_line`` wrote."""
    return _built(Task, json.loads(line))


def snapshot_line(snapshot: Snapshot) -> str:
    """Return a snapshot as one line."""
    rest = {one.name: getattr(snapshot, one.name) for one in fields(snapshot) if one.name != "tally"}
    return json.dumps({**rest, "tally": json.loads(snapshot.tally.to_json())}, separators=(",", ":"))


def read_snapshot(line: str) -> Snapshot:
    """Read what ``snapshot_line`` wrote. Raises ``ValueError`` or ``KeyError`` where it is none."""
    row = json.loads(line)
    return Snapshot(**{**row, "tally": Tally.from_row(row["tally"])})


def error_line(error: McpdiagError) -> str:
    """Return an error that the user can act on as one line."""
    return json.dumps([type(error).__name__, error.message, error.hint])


def read_error(line: str) -> McpdiagError:
    """Read what ``error_line`` wrote."""
    name, message, hint = json.loads(line)
    kind = getattr(errors, name, McpdiagError)
    found: McpdiagError = kind(message, hint)
    return found


def _built(kind: type[_T], row: Mapping[str, Any]) -> _T:
    hints = get_type_hints(kind)
    given = {one.name: _value(hints[one.name], row[one.name]) for one in fields(kind) if one.name in row}  # type: ignore[arg-type]
    return kind(**given)


def _value(hint: Any, told: Any) -> Any:  # noqa: ANN401 - a type and JSON
    if is_dataclass(hint) and isinstance(hint, type):
        return _built(hint, told)
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return None if told is None else _value(next(one for one in inner if one is not NoneType), told)
    if origin is tuple:
        if inner[-1] is Ellipsis:
            return tuple(_value(inner[0], one) for one in told)
        return tuple(_value(one, part) for one, part in zip(inner, told, strict=True))
    return told
