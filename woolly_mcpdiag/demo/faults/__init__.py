"""The one table of faults: what can be switched on, and the cause that must be named for it."""

from difflib import get_close_matches
from functools import cache
from importlib import import_module

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.demo.faults.fault import Fault, Show
from woolly_mcpdiag.demo.plan import Plan

MODULES = (
    "ghost_session",
    "unknown_session",
    "session_race",
    "no_affinity",
    "restart",
    "idle_expiry",
    "session_limit",
    "slow_initialize",
    "frozen",
    "sse_no_endpoint",
    "stream_cut",
    "buffered_stream",
    "reopen_conflict",
    "rate_limit",
    "gateway",
    "keepalive_race",
    "blocked_loop",
    "tool_error",
    "redirect",
    "host_guard",
    "auth",
    "down",
    "wrong_transport",
    "era_probe",
)


@cache
def faults() -> dict[str, Fault]:
    """Return every fault by name."""
    found = (import_module(f"{__name__}.{module}").FAULT for module in MODULES)
    return {fault.name: fault for fault in found}


def switched_on(text: str) -> tuple[Fault, str]:
    """Return the fault and the value of ``NAME[=VALUE]``. Raises ``UsageError`` naming the nearest and the list."""
    name, equals, value = text.partition("=")
    fault = faults().get(name)
    if fault is None:
        near = get_close_matches(name, list(faults()), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        msg = f"fault {name!r}: unknown"
        raise UsageError(msg, hint=f"{hint}choose from {', '.join(faults())}")
    if equals and not fault.value:
        msg = f"fault {name}: takes no value, got {value!r}"
        raise UsageError(msg, hint=f"write --fault {name}")
    if equals and not value:
        msg = f"fault {name}: no value after ="
        raise UsageError(msg, hint=f"the value is {fault.value}; default {fault.default}")
    return fault, value or fault.default


def switch_on(plan: Plan, wanted: list[tuple[Fault, str]], *, upstream: bool = False) -> None:
    """Write faults into a plan, in order. Raises ``UsageError`` where one needs the demo's own server."""
    for fault, value in wanted:
        if upstream and not fault.upstream:
            usable = ", ".join(name for name, one in faults().items() if one.upstream)
            msg = f"fault {fault.name}: needs the demo's own server"
            raise UsageError(msg, hint=f"with --upstream choose from {usable}")
        fault.apply(plan, value)


def shown(wanted: list[tuple[Fault, str]]) -> Show:
    """Return what shows all of these faults together; no call at all where there is none."""
    shows = [fault.show(value) for fault, value in wanted]
    if not shows:
        return Show(calls=(), style="basic")
    deadlines = [one.deadline for one in shows if one.deadline is not None]
    return Show(
        calls=max((one.calls for one in shows), key=len),
        pause=max(one.pause for one in shows),
        step=next((one.step for one in shows if one.step), ""),
        deadline=min(deadlines, default=None),
        style=max((one.style for one in shows), key=("basic", "asctime", "json", "debug").index),
    )
