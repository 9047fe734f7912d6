"""The one place for a server process of its own: ``python -m woolly_mcpdiag.demo.worker``, and how some are started."""

import contextlib
import json
import random
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from woolly_mcpdiag.demo import child
from woolly_mcpdiag.demo.logs import Format, Journal, journals
from woolly_mcpdiag.demo.plan import Plan, Trouble

MODULE = "woolly_mcpdiag.demo.worker"
SHARED = ("transport", "stateless", "idle_timeout", "max_sessions", "allowed_hosts")
"""What a worker is told of the plan."""


@contextlib.asynccontextmanager
async def workers(plan: Plan, style: Format, log: Path | None) -> AsyncIterator[list[str]]:
    """Start ``plan.workers`` server processes; yield their addresses. They end with the block, or with this process.

    Raises ``TargetAwayError`` where one does not start.
    """
    told = {name: getattr(plan, name) for name in SHARED}
    told |= {"trouble": asdict(plan.trouble), "style": style, "log": str(log or "")}
    started = [child.start(MODULE, told) for _ in range(plan.workers)]
    try:
        # What this process needs next takes half a second to load, as long as the workers take anyway.
        import_module("woolly_mcpdiag.demo.clients.sdk")
        yield [(await anyio.to_thread.run_sync(child.ready, one))["url"] for one in started]
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(child.end, started)


async def run(told: dict[str, Any]) -> None:
    """Be a worker: serve until the input ends."""
    from woolly_mcpdiag.demo.listen import Site, end  # noqa: PLC0415 - a worker pays for these, its starter does not
    from woolly_mcpdiag.demo.server import application  # noqa: PLC0415

    plan = Plan(rng=random.Random(0), trouble=Trouble(**told["trouble"]))  # noqa: S311 - repeatable, not secret
    for name in SHARED:
        setattr(plan, name, told[name])
    journal = Journal("mcp", told["style"], path=Path(told["log"]) if told["log"] else None)
    with journals(told["style"], journal):
        site = Site("mcp", lambda: application(plan))
        async with anyio.create_task_group() as tasks:
            await site.start(tasks)
            async with child.until_told():
                child.tell({"url": site.url})
            journal.ending()
            await end(site)


if __name__ == "__main__":
    anyio.run(run, json.loads(sys.argv[1]))
