"""The one shape of a fault: what it is called, what it does to a plan, and which cause must be named for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.demo.logs import Format
from woolly_mcpdiag.demo.plan import AGENTS, ClientName, Plan

SeenIn = Literal["client", "server", "nowhere"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """What the demo does of its own accord, so that a fault shows in the logs within seconds."""

    calls: tuple[int, ...] = (len(AGENTS),)
    """Agents to run, round after round; 5 are one of each type."""
    pause: float = 0.0
    """Seconds between two rounds."""
    step: str = ""
    """What must have happened before the second round: the name that the fault's act gives it."""
    deadline: float | None = None
    """Seconds after which an agent gives up a call."""
    style: Format = "asctime"
    """Of the logs: most causes are told apart by times, a blocked event loop by asyncio's debug mode only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that can be switched on. ``apply`` writes it into a plan and starts nothing."""

    name: str
    what: str
    """One line: what happens then."""
    causes: tuple[str, ...]
    """Names in the catalogue, any of which is right; ``net.read-timeout`` leaves the cause open, as it must."""
    benign: bool = False
    """True where nothing fails: the cause is an oddity to be explained away."""
    seen_in: SeenIn = "client"
    """The log that shows it: the agents backend's, the MCP server's, or none."""
    note: str = ""
    """Why a log cannot show it, or what else must be known."""
    value: str = ""
    """What the value means, as ``--fault NAME=VALUE`` takes it; empty where it takes none."""
    default: str = ""
    client: ClientName = "plain"
    """The client design that meets it."""
    upstream: bool = True
    """True where it works in front of any server, not only the demo's own."""
    apply: Callable[[Plan, str], None]
    show: Callable[[str], Show] = lambda _value: Show()
    """What shows it, by its value."""


def seconds(fault: str, text: str, *, least: float = 0.0) -> float:
    """Return a duration in seconds from "200ms", "1.5s" or "2". Raises ``UsageError``."""
    number, factor = (text[:-2], 0.001) if text.endswith("ms") else (text.removesuffix("s"), 1.0)
    try:
        value = float(number) * factor
    except ValueError:
        value = -1.0
    if not least <= value < 86_400:
        msg = f"fault {fault}: {text!r} is no duration"
        raise UsageError(msg, hint="write for example 200ms or 1.5s")
    return value


def whole(fault: str, text: str, *, least: int = 1, most: int = 1_000_000) -> int:
    """Return a whole number. Raises ``UsageError``."""
    if not text.isdecimal() or not least <= int(text) <= most:
        msg = f"fault {fault}: {text!r} is no number from {least} to {most}"
        raise UsageError(msg, hint=f"write {fault}={least}")
    return int(text)


def choice(fault: str, text: str, options: tuple[str, ...]) -> str:
    """Return the text if it is an option. Raises ``UsageError``."""
    if text not in options:
        msg = f"fault {fault}: unknown value {text!r}"
        raise UsageError(msg, hint=f"choose from {', '.join(options)}")
    return text


def share(fault: str, text: str) -> float:
    """Return a share above 0 and at most 1. Raises ``UsageError``."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        msg = f"fault {fault}: {text!r} is no share above 0 and at most 1"
        raise UsageError(msg, hint=f"write {fault}=0.5")
    return value
