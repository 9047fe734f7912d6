"""The one place that chooses which tools of a server are called, and with what: nothing destructive unasked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.load.arguments import NoExampleError, made_up
from woolly_mcpdiag.load.plan import CallSpec

ALL = "all"
_SHOWN = 8
"""Names in a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A tool that the user names."""

    name: str
    arguments: Mapping[str, Any] | None = None
    """``None`` makes them up from the input schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which calls are made, and what to say of it."""

    calls: tuple[CallSpec, ...]
    notes: tuple[str, ...] = ()
    made_up: frozenset[str] = field(default_factory=frozenset)
    """Tools whose arguments are ours, so that an error they answer may be ours as well."""


def destructive(tool: Mapping[str, Any]) -> bool:
    """Say whether a tool may destroy something.

    A tool that says nothing may (tools specification, ``ToolAnnotations``: ``destructiveHint`` is true by default and
    means something only where ``readOnlyHint`` is false, which is its default).
    """
    hints = _hints(tool)
    return hints.get("readOnlyHint") is not True and hints.get("destructiveHint") is not False


def chosen(tools: Sequence[Mapping[str, Any]], asked: Sequence[Asked] = (), allow: Sequence[str] = ()) -> Choice:
    """Choose the calls: the tools that are asked for, else those that only read, else those that destroy nothing.

    ``allow`` names tools (or ``all``) that may be called though they may be destructive; without ``asked`` they are
    called as well. Raises ``UsageError`` for a tool that is not there, that is destructive and not allowed, and where
    nothing is left to be called.
    """
    known = {str(tool.get("name", "")): tool for tool in tools}
    for name in allow:
        if name != ALL and name not in known:
            _unknown(f"--allow {name}", known)
    if asked:
        return _named(known, asked, allow)
    allowed = [tool for name, tool in known.items() if ALL in allow or name in allow]
    reading = [tool for tool in tools if _hints(tool).get("readOnlyHint") is True]
    harmless = reading or [tool for tool in tools if not destructive(tool)]
    return _made_up(known, [*harmless, *(tool for tool in allowed if tool not in harmless)])


def _named(known: Mapping[str, Mapping[str, Any]], asked: Sequence[Asked], allow: Sequence[str]) -> Choice:
    calls, ours = [], set()
    for one in asked:
        tool = known.get(one.name)
        if tool is None:
            _unknown(f"--tool {one.name}", known)
        if destructive(tool) and one.name not in allow and ALL not in allow:
            why = (
                "says that it is destructive" if _hints(tool).get("destructiveHint") else "does not say it is harmless"
            )
            msg = f"--tool {one.name}: {why}, and load would call it many times"
            raise UsageError(msg, hint=f"add --allow {one.name} if that is meant")
        try:
            arguments = dict(one.arguments) if one.arguments is not None else made_up(_schema(tool))
        except NoExampleError as error:
            msg = f"--tool {one.name}: no arguments can be made up: {error}"
            raise UsageError(msg, hint=f"add --args with a JSON object after --tool {one.name}") from None
        if one.arguments is None:
            ours.add(one.name)
        calls.append(spec(tool, arguments))
    return Choice(calls=tuple(calls), made_up=frozenset(ours))


def _made_up(known: Mapping[str, Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> Choice:
    calls, notes = [], []
    for tool in wanted:
        try:
            calls.append(spec(tool, made_up(_schema(tool))))
        except NoExampleError as error:
            notes.append(f"tool {tool.get('name')}: left out, no arguments can be made up: {error}")
    left = [name for name, tool in known.items() if tool not in wanted]
    if not calls:
        raise _nothing(left, notes, known)
    if left:
        notes.append(f"{_counted(len(left), 'tool')} not called, not marked as read-only: {_listed(left)}")
    return Choice(calls=tuple(calls), notes=tuple(notes), made_up=frozenset(call.name for call in calls))


def spec(tool: Mapping[str, Any], arguments: Mapping[str, Any]) -> CallSpec:
    """Return the call of a tool."""
    hints = _hints(tool)
    return CallSpec(
        kind="mcp",
        name=str(tool.get("name", "")),
        arguments=arguments,
        idempotent=hints.get("readOnlyHint") is True or hints.get("idempotentHint") is True,
    )


def _nothing(left: Sequence[str], notes: Sequence[str], known: Mapping[str, Mapping[str, Any]]) -> UsageError:
    if not known:
        return UsageError("tools: the server has none", hint="name a request instead: --method ping")
    if left:
        msg = f"tools: none of the {len(known)} says that it only reads: {_listed(left)}"
        return UsageError(
            msg, hint=f"name what may be called: --tool {left[0]} --args '{{…}}' --allow {left[0]}, or --allow all"
        )
    return UsageError(f"tools: nothing to call: {notes[0]}", hint="name one: --tool NAME --args '{…}'")


def _unknown(option: str, known: Mapping[str, Mapping[str, Any]]) -> NoReturn:
    has = f"it has {_listed(list(known))}" if known else "it has none"
    msg = f"{option}: the server has no such tool"
    raise UsageError(msg, hint=has)


def _hints(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    found = tool.get("annotations")
    return found if isinstance(found, Mapping) else {}


def _schema(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    found = tool.get("inputSchema")
    return found if isinstance(found, Mapping) else {}


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
