"""The one place for the demo's own callers: they ask the agents API for agents, so that a fault shows at once."""

import itertools

import anyio
import httpx2

from woolly_mcpdiag.demo.faults.fault import Show
from woolly_mcpdiag.demo.plan import AGENTS
from woolly_mcpdiag.demo.serve import Running

QUESTIONS = ("Where are sessions opened?", "List the routes of the API", "How does an agent execute a query?")
AT_ONCE = 5


async def call_in_rounds(running: Running, show: Show) -> None:
    """Run agents round after round, with what must lie between two rounds."""
    for number, count in enumerate(show.calls):
        if number:
            if show.step:
                await running.happening(show.step).wait()
            await anyio.sleep(show.pause)
        await call_agents(running, count)


async def call_agents(running: Running, count: int) -> None:
    """Run so many agents, type after type, ``AT_ONCE`` side by side; errors are in the answers and in the log."""
    limit = anyio.Semaphore(AT_ONCE)
    async with httpx2.AsyncClient(timeout=None, trust_env=False, verify=False) as http:

        async def one(agent: str, question: str) -> None:
            body = {"agent_type": agent, "repository_name": "woolly", "user_query": question}
            async with limit:
                await http.post(running.execute_url, json=body)

        async with anyio.create_task_group() as tasks:
            for number, agent, question in zip(
                range(count), itertools.cycle(AGENTS), itertools.cycle(QUESTIONS), strict=False
            ):
                tasks.start_soon(one, agent, question, name=f"call {number}")
