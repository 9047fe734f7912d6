"""The one place for the report as JSON, written and read back; ``schema.json`` beside it describes every field."""

import json
import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib import resources
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.report.escape import sound
from woolly_mcpdiag.report.model import SCHEMA, Report

_DECIMALS = 6
"""Microseconds: finer than any log's stamp."""
_EXACT = 1 << 53
_HINT = "pass a file that mcpdiag wrote with --format json"


def render(report: Report) -> str:
    """Return the report as JSON of schema "mcpdiag.report/1": fields in the order of the model, a line an item.

    Figures that are not finite become ``null``: an unknown duration, or a last bucket without an upper bound.
    """
    row = {"schema": SCHEMA, **cast("dict[str, object]", _plain(report))}
    return "{\n" + ",\n".join(f'  "{name}": {_lines(value)}' for name, value in row.items()) + "\n}\n"


def schema() -> dict[str, Any]:
    """Return the published JSON Schema (2020-12) of what ``render`` writes."""
    text = resources.files("woolly_mcpdiag.report").joinpath("schema.json").read_text("utf-8")
    return cast("dict[str, Any]", json.loads(text))


def parse(text: str) -> Report:
    """Return the report that ``render`` wrote; unknown fields of a later minor version are dropped.

    Raises ``InputError`` where the text is no such report.
    """
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as broken:
        msg = f"report: not JSON ({broken})"
        raise InputError(msg, hint=_HINT) from None
    found = row.get("schema") if isinstance(row, dict) else None
    if found != SCHEMA:
        msg = f"report: schema {found!r}, not {SCHEMA!r}"
        raise InputError(msg, hint=_HINT)
    return cast("Report", _build(Report, row, "report"))


def _lines(value: object) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"    {_dumps(item)}" for item in value) + "\n  ]"
    return _dumps(value)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _plain(value: object) -> object:
    if isinstance(value, float):
        return _figure(value)
    if isinstance(value, str):
        return sound(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {sound(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _figure(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    rounded = round(value, _DECIMALS)
    return int(rounded) if rounded.is_integer() and abs(rounded) < _EXACT else rounded


def _build(kind: Any, value: object, where: str) -> object:  # noqa: ANN401 - a type expression has no type of its own
    """Return the value as the model's type has it, or raise ``InputError`` that names the place."""
    origin, args = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _record(cast("type", kind), value, where)
    if origin in {Union, types.UnionType}:
        return None if value is None else _build(args[0], value, where)
    if origin is Literal:
        return value if value in args else _wrong(value, where)
    if origin is list:
        return [_build(args[0], item, f"{where}[{n}]") for n, item in enumerate(_sequence(value, where))]
    if origin is tuple:
        return _tuple(args, _sequence(value, where), where)
    if kind is Any:
        return value
    if origin in {dict, Mapping}:
        rows = value if isinstance(value, dict) else _wrong(value, where)
        return {_key(args[0], key, where): _build(args[1], item, f"{where}.{key}") for key, item in rows.items()}
    return _scalar(kind, value, where)


def _record(kind: type, value: object, where: str) -> object:
    row = value if isinstance(value, dict) else _wrong(value, where)
    hints = get_type_hints(kind, localns=_of_runs())
    known = {name: _build(hints[name], item, f"{where}.{name}") for name, item in row.items() if name in hints}
    try:
        return kind(**known)
    except TypeError:
        missing = ", ".join(name for name in hints if name not in known)
        msg = f"{where}: lacks some of {missing}"
        raise InputError(msg, hint=_HINT) from None


def _of_runs() -> dict[str, Any]:
    """Return the parts of the model that ``report.model`` names without loading them."""
    from woolly_mcpdiag.core.verdicts import Judgement  # noqa: PLC0415 - as the model: only what reads one back
    from woolly_mcpdiag.report.run_model import Comparison, RunPicture  # noqa: PLC0415 - as above

    return {"Judgement": Judgement, "Comparison": Comparison, "RunPicture": RunPicture}


def _tuple(args: tuple[Any, ...], items: list[object], where: str) -> tuple[object, ...]:
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_build(args[0], item, f"{where}[{n}]") for n, item in enumerate(items))
    if len(items) != len(args):
        _wrong(items, where)
    if args == (float, float, int) and items[1] is None:
        items = [items[0], math.inf, items[2]]
    return tuple(_build(arg, item, f"{where}[{n}]") for n, (arg, item) in enumerate(zip(args, items, strict=True)))


def _scalar(kind: Any, value: object, where: str) -> object:  # noqa: ANN401 - as above
    if kind is float:
        if value is None:
            return math.nan
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    elif type(value) is kind:
        return value
    return _wrong(value, where)


def _sequence(value: object, where: str) -> list[object]:
    return value if isinstance(value, list) else _wrong(value, where)


def _key(kind: Any, key: str, where: str) -> object:  # noqa: ANN401 - as above
    if kind is not int:
        return key
    return int(key) if key.isdecimal() and len(key) < 10 else _wrong(key, where)


def _wrong(value: object, where: str) -> Any:  # noqa: ANN401 - it never returns
    msg = f"{where}: {str(value)[:60]!r} cannot stand here"
    raise InputError(msg, hint=_HINT)
