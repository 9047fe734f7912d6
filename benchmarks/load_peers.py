"""The Python generators of ``load_engine.py``, each in a process of its own until it is killed.

python benchmarks/load_peers.py wire|agent|churn|idle|idle-sse|sdk|sdk-churn|sdk-idle URL SESSIONS [EVENTS]
python benchmarks/load_peers.py open URL RATE
"""

import sys
from time import perf_counter
from typing import Any

import anyio

from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.engine import factory
from woolly_mcpdiag.load.plan import AgentTarget, CallSpec, Connection, Limits, McpTarget, Model, Plan, Sessions
from woolly_mcpdiag.load.recorder import ShardRecorder

ARGUMENTS = {"text": "hello world, this is a small payload"}
LONG = 3600.0


def plan_of(kind: str, url: str, number: float, events: int) -> Plan:
    """Return the plan of one of our own generators."""
    limits = Limits(connect=60, call=120, event=60)
    model = Model(concurrency=int(number), duration=LONG)
    facts: dict[str, Any] = {"limits": limits, "model": model, "events_per_second": events}
    if kind in {"agent", "open"}:
        if kind == "open":
            facts["model"] = Model(kind="open", rate=number, duration=LONG, max_in_flight=64)
        order = {"agent_type": "simplifier", "repository_name": "woolly", "user_query": "Test MCP connectivity"}
        call = CallSpec(kind="agent", method="POST", agent="simplifier", arguments=order)
        return Plan(calls=(call,), agent=AgentTarget(at=Connection(url=url)), **facts)
    if kind.startswith("idle"):
        facts["model"] = Model(concurrency=int(number), duration=LONG, think=(LONG, LONG))
    if kind == "churn":
        facts["sessions"] = Sessions(policy="per-call")
    target = McpTarget(at=Connection(url=url), transport="sse" if kind == "idle-sse" else "streamable")
    return Plan(calls=(CallSpec(kind="mcp", name="echo", arguments=ARGUMENTS),), mcp=target, **facts)


def generate(plan: Plan) -> None:
    """Run the engine with the recorder that every load has; what would be written is dropped."""
    recorder = ShardRecorder(plan, Share(), wall=0.0)
    engine = factory(plan, Share(), recorder)
    engine.prepare()
    start = perf_counter()
    recorder.start(start)

    def tick() -> bool:
        recorder.flush(perf_counter())
        recorder.events.clear()
        recorder.samples.clear()
        return True

    engine.run(start, tick)


async def sdk(kind: str, url: str, number: int) -> None:
    """Let sessions of the SDK's client call one after the other."""
    from mcp import Client  # noqa: PLC0415 - the others' memory must not hold it

    async def session() -> None:
        async with Client(url, mode="legacy") as client:
            await client.call_tool("echo", ARGUMENTS)
            while kind != "sdk-churn":
                if kind == "sdk-idle":
                    await anyio.sleep(LONG)
                await client.call_tool("echo", ARGUMENTS)

    async def user() -> None:
        while True:
            await session()

    async with anyio.create_task_group() as users:
        for _ in range(number):
            users.start_soon(user)


def main(kind: str, url: str, number: str, events: str = "1000") -> None:
    """Generate until killed."""
    if kind.startswith("sdk"):
        anyio.run(sdk, kind, url, int(number))
    else:
        generate(plan_of(kind, url, float(number), int(events)))


if __name__ == "__main__":
    main(*sys.argv[1:])
