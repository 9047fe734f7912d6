"""The one place for a demo in a process of its own, for who measures: ``demo_process`` and its other end."""

import contextlib
import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.demo import child
from woolly_mcpdiag.demo.clients import Factory, not_given
from woolly_mcpdiag.demo.options import Options, plan_of

MODULE = "woolly_mcpdiag.demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a demo in another process is reached."""

    api_url: str
    """Where agents are run: ``POST …/api/v1/agents/execute``."""
    mcp_url: str
    """The URL that its agents' client uses."""
    base: str
    """The MCP server's address without a path."""


@contextlib.contextmanager
def demo_process(options: Options | None = None, *, pooled: str = "") -> Iterator[Address]:
    """Run a demo in a child process while the block runs; its logs go to the files that the options name.

    ``pooled`` names what makes the client of that name, as ``module:function``; the child imports it.
    Raises ``UsageError`` for options that cannot mean anything and for a name that leads to no function,
    ``TargetAwayError`` where it does not start.
    """
    asked = options or Options()
    plan = plan_of(asked)
    if pooled:
        named(pooled)
    elif plan.client == "pooled":
        raise not_given()
    told = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(asked).items()}
    started = child.start(MODULE, {"options": told, "pooled": pooled})
    try:
        yield Address(**child.ready(started))
    finally:
        child.end([started])


def named(path: str) -> Factory:
    """Return the function that ``module:function`` names. Raises ``UsageError`` where there is none."""
    module, _, name = path.partition(":")
    hint = "name an importable one, for example package.module:function"
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, ValueError, AttributeError) as error:
        msg = f"pooled {path!r}: no such function ({error})"
        raise UsageError(msg, hint=hint) from error
    if not callable(found):
        msg = f"pooled {path!r}: names a {type(found).__name__}, no function"
        raise UsageError(msg, hint=hint)
    made: Factory = found
    return made


async def run(told: dict[str, Any], pooled: str) -> None:
    """Be that process: serve until the input ends."""
    from woolly_mcpdiag.demo.serve import serve  # noqa: PLC0415 - half a second that only the child pays

    paths = {name: Path(told[name]) if told[name] else None for name in ("log", "server_log")}
    options = Options(**{**told, **paths, "faults": tuple(told["faults"])})
    factory = named(pooled) if pooled else None
    async with serve(options, pooled=factory) as running, child.until_told():
        child.tell({"api_url": running.execute_url, "mcp_url": running.mcp_url, "base": running.base})


def main() -> None:
    """Run what ``demo_process`` started."""
    import anyio  # noqa: PLC0415 - not needed to start one

    told = json.loads(sys.argv[1])
    anyio.run(run, told["options"], told["pooled"])
