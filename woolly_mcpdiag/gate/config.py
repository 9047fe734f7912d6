"""The one place that reads ``mcpdiag.toml``: what a project asks of the gate, and its defaults for a load."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.gate import profile as profiles
from woolly_mcpdiag.gate.profile import Profile
from woolly_mcpdiag.gate.thresholds import Threshold, parse_all
from woolly_mcpdiag.gate.wording import did_you_mean

FILE = "mcpdiag.toml"
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "": 1.0}

LOAD_KEYS = (
    "abort_delay",
    "abort_on_fail",
    "agent",
    "agent_types",
    "allow",
    "args",
    "arrival",
    "bearer_env",
    "body",
    "ca_file",
    "calls_per_session",
    "clients",
    "concurrency",
    "confidence",
    "connect_timeout",
    "driver",
    "duration",
    "era",
    "event_timeout",
    "faults",
    "feed",
    "headers",
    "insecure",
    "max_in_flight",
    "methods",
    "processes",
    "proxy",
    "queries",
    "rate",
    "repositories",
    "requests",
    "rounds",
    "seed",
    "sessions",
    "stages",
    "think",
    "thresholds",
    "timeout",
    "tools",
    "url",
    "warmup",
    "waves",
)
"""Names of ``[load]``: the fields of ``cli.load_typed.Typed`` (a test keeps them so)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """What a configuration asks for; ``None`` where it is silent."""

    profile: str = "phase4"
    confidence: float | None = None
    claim: float | None = None
    waves: int | None = None
    strict: bool = False
    mcp: str = ""
    """URL of the MCP endpoint."""
    agent: str = ""
    """URL of the agents API."""
    agent_types: tuple[str, ...] = ()
    client: str = ""
    on_inconclusive: str = "fail"
    baseline: str = ""
    """Path of the known findings, relative to the configuration."""
    thresholds: tuple[Threshold, ...] = ()
    """Judged beside the criteria."""
    criteria: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Changes by criterion: fields of ``profile.Criterion``, and ``enabled``."""
    load: Mapping[str, Any] = field(default_factory=dict)
    """Defaults of ``mcpdiag load``; names as in ``LOAD_KEYS``, values as they are written."""

    def made(
        self,
        *,
        confidence: float | None = None,
        claim: float | None = None,
        waves: int | None = None,
        strict: bool = False,
        profile: str | None = None,
    ) -> Profile:
        """Return the profile, with arguments of the command line before the configuration's.

        Raises ``UsageError`` for an unknown profile, criterion or scene, or a rate outside 0 to 1.
        """
        whole = profiles.profile(
            profile or self.profile,
            confidence=_first(confidence, self.confidence, 0.95),
            claim=_first(claim, self.claim, 0.01),
            waves=self.waves if waves is None else waves,
            strict=strict or self.strict,
        )
        fixed = self.waves is not None or waves is not None
        return profiles.overridden(whole, self.criteria, agent_types=self.agent_types, resize=not fixed)


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)


def load_config(path: str | Path) -> GateConfig:
    """Read a configuration.

    Raises ``InputError`` where the file cannot be read or is no TOML, ``UsageError`` for an unknown key, profile or
    criterion (with the nearest name) and for a value that cannot mean anything.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8")
        return parse_config(tomllib.loads(text), str(path))
    except OSError as error:
        message = f"{path}: cannot be read: {(error.strerror or str(error)).lower()}"
        raise InputError(message, f"name a {FILE} with --config, or leave it out") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path}: is no TOML: {error}"
        raise InputError(message, "correct that line") from error


def parse_config(row: Mapping[str, Any], name: str = FILE) -> GateConfig:
    """Return the configuration of a parsed TOML document; see ``load_config``."""
    _only(name, row, ("gate", "load"), "")
    gate = _table(name, row, "gate")
    load = _table(name, row, "load")
    _only(name, load, LOAD_KEYS, "load")
    _only(name, gate, tuple(_GATE), "gate")
    found = {key: _GATE[key](f"{name}: gate.{key}", value) for key, value in gate.items()}
    config = GateConfig(**found, load=dict(load))
    config.made()
    parse_all(_texts(f"{name}: load.thresholds", load.get("thresholds", ())))
    return config


def _table(name: str, row: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = row.get(key, {})
    if not isinstance(found, Mapping):
        message = f"{name}: {key} is {found!r}, no table"
        raise UsageError(message, f"write [{key}]")
    return found


def _only(name: str, row: Mapping[str, Any], known: Sequence[str], table: str) -> None:
    for key in row:
        if key not in known:
            message = f"{name}: there is no key {key}{f' in [{table}]' if table else ''}"
            raise UsageError(message, did_you_mean(key, known, "keys"))


def _wrong(where: str, value: object, hint: str) -> UsageError:
    return UsageError(f"{where}: {str(value)[:80]!r} cannot be used", hint)


def _text(where: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(where, value, "write a text in quotes")
    return value


def _texts(where: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise _wrong(where, value, 'write a list: ["…", "…"]')
    return tuple(_text(where, each) for each in value)


def _share(where: str, value: object) -> float:
    number = value
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?\s*%", value):
        number = float(value.rstrip("% ")) / 100
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < 1:
        raise _wrong(where, value, 'write a rate such as 0.01, or "1%"')
    return float(number)


def _seconds(where: str, value: object) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|)", value) if isinstance(value, str) else None
    number = float(found[1]) * _SECONDS[found[2]] if found else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < 86_400:
        raise _wrong(where, value, 'write seconds, or a duration such as "800ms"')
    return float(number)


def _whole(where: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _wrong(where, value, "write a whole number from 1")
    return value


def _flag(where: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(where, value, "write true or false")
    return value


def _one_of(*choices: str) -> Callable[[str, object], str]:
    def read(where: str, value: object) -> str:
        if value not in choices:
            near = get_close_matches(str(value), choices, n=1, cutoff=0.5)
            raise _wrong(where, value, f"did you mean {near[0]}?" if near else f"write one of: {', '.join(choices)}")
        return str(value)

    return read


def _quantile(where: str, value: object) -> float:
    if isinstance(value, str) and re.fullmatch(r"p\d{1,2}(\.\d+)?", value):
        value = float(value[1:]) / 100
    return _share(where, value)


_CRITERION: dict[str, Callable[[str, Any], Any]] = {
    "enabled": _flag,
    "level": _one_of("error", "warn"),
    "confidence": _share,
    "claim": _share,
    "limit": _seconds,
    "quantile": _quantile,
    "scenes": _texts,
    "strict": _flag,
}


def _criteria(where: str, value: object) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping):
        raise _wrong(where, value, "write [gate.criteria.zero-400]")
    found: dict[str, Mapping[str, Any]] = {}
    for name, row in value.items():
        if name not in profiles.CRITERIA:
            message = f"{where}: there is no criterion {name}"
            raise UsageError(message, did_you_mean(name, profiles.CRITERIA, "criteria"))
        if not isinstance(row, Mapping):
            message = f"{where}.{name}: {str(row)[:80]!r} is no table"
            raise UsageError(message, f"write [gate.criteria.{name}]")
        _only(where.partition(":")[0], row, tuple(_CRITERION), f"gate.criteria.{name}")
        found[name] = {key: _CRITERION[key](f"{where}.{name}.{key}", each) for key, each in row.items()}
    return found


_GATE: dict[str, Callable[[str, Any], Any]] = {
    "profile": _text,
    "confidence": _share,
    "claim": _share,
    "waves": _whole,
    "strict": _flag,
    "mcp": _text,
    "agent": _text,
    "agent_types": _texts,
    "client": _text,
    "on_inconclusive": _one_of("pass", "fail"),
    "baseline": _text,
    "thresholds": lambda where, value: parse_all(_texts(where, value)),
    "criteria": _criteria,
}
