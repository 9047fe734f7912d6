"""The one place that makes arguments of a tool from its input schema (JSON Schema): the required ones, and no more."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_DEPTH = 8
"""Levels of nesting that are followed; a schema that needs more refers to itself."""
_WORD = "test"
_FORMATS = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "duration": "PT1M",
    "email": "test@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uri-reference": "/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "regex": ".*",
    "json-pointer": "",
    "byte": "dGVzdA==",
}
_SAMPLES = ("1", "a", "A", "test", "TEST", "abc", "abc123", "a-b", "a_b", "a/b", "1.0", "1.0.0", "v1", "2026-01-31",
            "12:00", "00000000", "0" * 32, *_FORMATS.values())  # fmt: skip
"""Tried in turn where a schema asks for a pattern."""


_RISKY = re.compile(r"\)(?:[+*]|\{\d*,\})")
"""A repeated group: matching may take time that doubles with each character."""
_PARTS = 2_000


class NoExampleError(Exception):
    """No value can be made up; its text says for which part, and why."""


@dataclass(slots=True)
class _Root:
    """The whole schema, for its references."""

    schema: Mapping[str, Any]
    left: int = _PARTS
    """Parts that may still be looked at: a schema is somebody else's text."""


def made_up(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments that a tool with this input schema should take: what is required, nested parts included.

    A value is the schema's own (const, default, examples, enum) where it names one, else the plainest that fits
    its type, limits, format or pattern. Raises ``NoExampleError`` where none can be found.
    """
    try:
        found = _object(schema, _Root(schema), "arguments", 0)
    except (TypeError, ValueError, AttributeError, ArithmeticError, LookupError, RecursionError) as error:
        # A keyword with a value of another type than JSON Schema gives it; the schema is somebody else's text.
        message = f"arguments: the input schema is no JSON Schema: {error}"
        raise NoExampleError(message) from None
    return {str(name): value for name, value in found.items()}


def _value(schema: Any, root: _Root, at: str, depth: int) -> Any:  # noqa: ANN401 - JSON
    root.left -= 1
    if depth > _DEPTH or root.left < 0:
        message = f"{at}: its schema is nested more than {_DEPTH} deep, or has more than {_PARTS:,} parts"
        raise NoExampleError(message)
    if schema is True or schema == {}:
        return _WORD
    if not isinstance(schema, Mapping):
        message = f"{at}: nothing is allowed there"
        raise NoExampleError(message)
    if "$ref" in schema:
        return _value(_resolved(str(schema["$ref"]), root, at), root, at, depth + 1)
    known, value = _named(schema)
    if known:
        return value
    if "allOf" in schema:
        return _value(_merged(schema, root, at), root, at, depth + 1)
    for choice in ("oneOf", "anyOf"):
        if isinstance(schema.get(choice), Sequence) and schema[choice]:
            rest = {name: one for name, one in schema.items() if name != choice}
            return _first(schema[choice], rest, root, at, depth)
    return _typed(schema, root, at, depth)


def _named(schema: Mapping[str, Any]) -> tuple[bool, Any]:
    """Return whether the schema itself names a value, and that."""
    if "const" in schema:
        return True, schema["const"]
    if "default" in schema:
        return True, schema["default"]
    for name in ("examples", "enum"):
        if isinstance(schema.get(name), Sequence) and schema[name] and not isinstance(schema[name], str):
            return True, schema[name][0]
    return ("example" in schema), schema.get("example")


def _typed(schema: Mapping[str, Any], root: _Root, at: str, depth: int) -> Any:  # noqa: ANN401 - JSON
    match _type(schema):
        case "object":
            return _object(schema, root, at, depth)
        case "array":
            return _array(schema, root, at, depth)
        case "integer":
            return _number(schema, at, whole=True)
        case "number":
            return _number(schema, at, whole=False)
        case "boolean":
            return False
        case "null":
            return None
        case "string":
            return _text(schema, at)
        case other:
            message = f"{at}: type {other} is none of JSON's"
            raise NoExampleError(message)


def _type(schema: Mapping[str, Any]) -> str:
    told = schema.get("type")
    if isinstance(told, Sequence) and not isinstance(told, str):
        told = next((one for one in told if one != "null"), "null")
    if isinstance(told, str):
        return told
    if "properties" in schema or "required" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    return "number" if {"minimum", "maximum"} & set(schema) else "string"


def _object(schema: Mapping[str, Any], root: _Root, at: str, depth: int) -> dict[str, Any]:
    if "$ref" in schema or "allOf" in schema:
        found = _value(schema, root, at, depth)
        if isinstance(found, dict):
            return found
        message = f"{at}: its schema is of no object"
        raise NoExampleError(message)
    parts = schema.get("properties")
    known: Mapping[str, Any] = parts if isinstance(parts, Mapping) else {}
    required = schema.get("required")
    names = list(required) if isinstance(required, Sequence) and not isinstance(required, str) else []
    # The branches of a choice may require more than the object itself does.
    for choice in ("oneOf", "anyOf"):
        branches = schema.get(choice)
        if isinstance(branches, Sequence) and branches and isinstance(branches[0], Mapping):
            known = {**(branches[0].get("properties") or {}), **known}
            names += [name for name in branches[0].get("required") or () if name not in names]
    return {str(name): _value(known.get(name, True), root, f"{at}.{name}", depth + 1) for name in names}


def _array(schema: Mapping[str, Any], root: _Root, at: str, depth: int) -> list[Any]:
    first = schema.get("prefixItems")
    fixed = list(first) if isinstance(first, Sequence) else []
    least = schema.get("minItems")
    # One item where none is asked for: tools that take a list mostly do nothing with an empty one.
    count = max(int(least) if isinstance(least, (int, float)) else 1, len(fixed))
    most = schema.get("maxItems")
    if isinstance(most, (int, float)):
        count = min(count, int(most))
    if count > 100:
        message = f"{at}: at least {count} items are asked for"
        raise NoExampleError(message)
    items = schema.get("items", True)
    made = [_value(one, root, f"{at}[{n}]", depth + 1) for n, one in enumerate(fixed[:count])]
    made += [_value(items, root, f"{at}[{n}]", depth + 1) for n in range(len(made), count)]
    if schema.get("uniqueItems") and len({repr(one) for one in made}) < len(made):
        return _distinct(items, count, at)
    return made


def _distinct(items: Any, count: int, at: str) -> list[Any]:  # noqa: ANN401 - JSON
    named = items.get("enum") if isinstance(items, Mapping) else None
    if isinstance(named, Sequence) and len(named) >= count:
        return list(named[:count])
    if isinstance(items, Mapping) and _type(items) in {"integer", "number"}:
        least = _number(items, at, whole=True)
        return [least + n for n in range(count)]
    if isinstance(items, Mapping) and _type(items) == "string" and "pattern" not in items and "format" not in items:
        return [f"{_WORD}{n}" for n in range(count)]
    message = f"{at}: {count} different items are asked for"
    raise NoExampleError(message)


def _number(schema: Mapping[str, Any], at: str, *, whole: bool) -> int | float:
    low, high = _limit(schema, "minimum"), _limit(schema, "maximum")
    # The old draft has a flag beside the limit, the new one the limit itself.
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    step = schema.get("multipleOf")
    unit = float(step) if isinstance(step, (int, float)) and step > 0 else 1.0
    if isinstance(above, (int, float)) and not isinstance(above, bool):
        low = max(low, math.nextafter(above, math.inf))
    elif above is True:
        low = math.nextafter(low, math.inf)
    if isinstance(below, (int, float)) and not isinstance(below, bool):
        high = min(high, math.nextafter(below, -math.inf))
    elif below is True:
        high = math.nextafter(high, -math.inf)
    for wanted in (1.0, 0.0, low, high):
        if math.isfinite(wanted):
            near = [math.ceil(wanted / unit) * unit, math.floor(wanted / unit) * unit]
            near += [] if whole or step else [wanted, (low + high) / 2 if math.isfinite(low + high) else wanted]
            for value in near:
                if low <= value <= high and (not whole or value == int(value)):
                    return int(value) if value == int(value) else value
    message = f"{at}: no number fits its limits"
    raise NoExampleError(message)


def _limit(schema: Mapping[str, Any], name: str) -> float:
    told = schema.get(name)
    if isinstance(told, (int, float)):
        return float(told)
    return -math.inf if name == "minimum" else math.inf


def _text(schema: Mapping[str, Any], at: str) -> str:
    least, most = schema.get("minLength"), schema.get("maxLength")
    low = int(least) if isinstance(least, (int, float)) else 0
    high = int(most) if isinstance(most, (int, float)) else max(low, 10_000)
    if low > 10_000:
        message = f"{at}: at least {low} characters are asked for"
        raise NoExampleError(message)
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        return _matching(pattern, low, high, at)
    if (told := schema.get("format")) in _FORMATS:
        return _FORMATS[str(told)]
    return (_WORD if low <= len(_WORD) else _WORD * (low // len(_WORD) + 1))[: max(high, 0)]


def _matching(pattern: str, low: int, high: int, at: str) -> str:
    try:
        wanted = re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        message = f"{at}: its pattern cannot be read: {pattern[:80]}"
        raise NoExampleError(message) from None
    for sample in _SAMPLES:
        if len(sample) > 10 and _RISKY.search(pattern):
            continue
        for text in dict.fromkeys((sample, (sample * low)[:low][:40])):
            if low <= len(text) <= high and wanted.search(text):
                return text
    message = f"{at}: no example of its pattern is known: {pattern[:80]}"
    raise NoExampleError(message)


def _resolved(reference: str, root: _Root, at: str) -> Any:  # noqa: ANN401 - JSON
    found: Any = root.schema
    for part in [] if reference == "#" else reference.removeprefix("#/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if not reference.startswith("#") or not isinstance(found, Mapping) or name not in found:
            message = f"{at}: {reference} leads nowhere"
            raise NoExampleError(message)
        found = found[name]
    return found


def _merged(schema: Mapping[str, Any], root: _Root, at: str) -> dict[str, Any]:
    whole: dict[str, Any] = {name: one for name, one in schema.items() if name != "allOf"}
    for part in schema["allOf"]:
        one = _resolved(str(part["$ref"]), root, at) if isinstance(part, Mapping) and "$ref" in part else part
        if not isinstance(one, Mapping):
            continue
        for name, value in one.items():
            if name == "properties" and isinstance(value, Mapping):
                whole[name] = {**whole.get(name, {}), **value}
            elif name == "required":
                whole[name] = [*whole.get(name, ()), *value]
            else:
                whole.setdefault(name, value)
    return whole


def _first(branches: Sequence[Any], rest: Mapping[str, Any], root: _Root, at: str, depth: int) -> Any:  # noqa: ANN401 - JSON
    """Return a value of the first branch that one can be made for; null only where nothing else is."""
    reason = NoExampleError(f"{at}: none of its alternatives can be made up")
    for branch in sorted(branches, key=lambda one: isinstance(one, Mapping) and one.get("type") == "null"):
        try:
            return _value({**rest, **branch} if isinstance(branch, Mapping) else branch, root, at, depth + 1)
        except NoExampleError as error:
            reason = error
    raise reason
