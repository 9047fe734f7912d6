"""The one place for a demo in a process of its own, for who measures: ``demo_process`` and its other end."""

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from woolly_mcpdiag.demo import child
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
def demo_process(options: Options | None = None) -> Iterator[Address]:
    """Run a demo in a child process while the block runs; its logs go to the files that the options name.

    Raises ``UsageError`` for options that cannot mean anything, ``TargetAwayError`` where it does not start.
    """
    asked = options or Options()
    plan_of(asked)
    told = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(asked).items()}
    started = child.start(MODULE, told)
    try:
        yield Address(**child.ready(started))
    finally:
        child.end([started])


async def run(told: dict[str, Any]) -> None:
    """Be that process: serve until the input ends."""
    from woolly_mcpdiag.demo.serve import serve  # noqa: PLC0415 - half a second that only the child pays

    paths = {name: Path(told[name]) if told[name] else None for name in ("log", "server_log")}
    options = Options(**{**told, **paths, "faults": tuple(told["faults"])})
    async with serve(options) as running, child.until_told():
        child.tell({"api_url": running.execute_url, "mcp_url": running.mcp_url, "base": running.base})


def main() -> None:
    """Run what ``demo_process`` started."""
    import anyio  # noqa: PLC0415 - not needed to start one

    anyio.run(run, json.loads(sys.argv[1]))
