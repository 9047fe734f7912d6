"""mcpdiag: from "there is a 400 in my log" to a named cause, a reproduction, a fix and a passing gate."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from woolly_mcpdiag.api import Analysis, Options, Progress, analyze_logs, follow_logs
    from woolly_mcpdiag.client.policy import BreakerPolicy, Fallback, PoolLimits, RetryPolicy, Timeouts
    from woolly_mcpdiag.client.resilient import ResilientClient
    from woolly_mcpdiag.core.events import Event
    from woolly_mcpdiag.report.model import Report

__version__ = "0.1.0"

_HOMES = {
    "Analysis": "api",
    "BreakerPolicy": "client.policy",
    "Event": "core.events",
    "Fallback": "client.policy",
    "Options": "api",
    "PoolLimits": "client.policy",
    "Progress": "api",
    "Report": "report.model",
    "ResilientClient": "client.resilient",
    "RetryPolicy": "client.policy",
    "Timeouts": "client.policy",
    "analyze_logs": "api",
    "follow_logs": "api",
}
"""Public name → the module that has it, loaded on first use: the API brings numpy."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    found: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


__all__ = [
    "Analysis",
    "BreakerPolicy",
    "Event",
    "Fallback",
    "Options",
    "PoolLimits",
    "Progress",
    "Report",
    "ResilientClient",
    "RetryPolicy",
    "Timeouts",
    "__version__",
    "analyze_logs",
    "follow_logs",
]
