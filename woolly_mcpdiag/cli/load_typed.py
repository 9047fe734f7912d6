"""The one shape of the options of ``load`` as they were typed, and the refusals that they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from woolly_mcpdiag.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The options as they were typed; ``None`` and () where they were not."""

    url: str | None = None
    agent: str | None = None
    agent_types: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    body: str | None = None
    tools: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    feed: str | None = None
    allow: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    era: str | None = None
    concurrency: str | None = None
    requests: str | None = None
    duration: str | None = None
    rate: str | None = None
    arrival: str | None = None
    max_in_flight: str | None = None
    stages: tuple[str, ...] = ()
    waves: str | None = None
    calls_per_session: str | None = None
    think: str | None = None
    warmup: str | None = None
    seed: str | None = None
    sessions: str | None = None
    no_stream: bool = False
    clients: tuple[str, ...] = ()
    rounds: str | None = None
    driver: str | None = None
    timeout: str | None = None
    connect_timeout: str | None = None
    event_timeout: str | None = None
    headers: tuple[str, ...] = ()
    bearer_env: str | None = None
    insecure: bool = False
    ca_file: str | None = None
    proxy: str | None = None
    thresholds: tuple[str, ...] = ()
    abort_on_fail: bool = False
    abort_delay: str | None = None
    confidence: str | None = None
    processes: str | None = None


def idle(option: str, needs: str) -> NoReturn:
    """Raise the error for an option that means nothing without another."""
    msg = f"{option}: has no effect without {needs}"
    raise UsageError(msg, hint=f"add {needs}, or leave {option} out")


def clash(one: str, other: str, why: str, hint: str) -> NoReturn:
    """Raise the error for two options that contradict each other."""
    msg = f"{one} with {other}: {why}"
    raise UsageError(msg, hint=hint)


def choice(option: str, given: str | None, allowed: Sequence[Any], default: Any) -> Any:  # noqa: ANN401 - one of them
    """Return what was given where it is allowed, else the default; raises ``UsageError``."""
    if given is None:
        return default
    if given not in allowed:
        msg = f"{option} {given}: there is none of that name"
        raise UsageError(msg, hint=f"use {', '.join(allowed)}")
    return given
