"""Real demo servers, and a recorder that keeps what it is told."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
import pytest

from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.measures import Outcome
from woolly_mcpdiag.demo.options import Options
from woolly_mcpdiag.demo.serve import Running, serve
from woolly_mcpdiag.load.contract import Done, Exchanged, Share
from woolly_mcpdiag.load.plan import AgentTarget, CallSpec, Connection, Limits, McpTarget, Model, Plan
from woolly_mcpdiag.load.tasks import factory

SHORT = Limits(call=0.4, connect=0.4, event=0.2, close=0.4, drain=0.1)
LONG = Limits(call=20.0, close=10.0)
SEARCH = CallSpec(kind="mcp", name="search_code", arguments={"repository_name": "w", "query": "session {i}"})


class Told:
    """A recorder that keeps everything."""

    def __init__(self, *, detailed: bool = True) -> None:
        self.detailed = detailed
        self.quick_ones: list[tuple[int, float, float, float]] = []
        self.counted_answers: Counter[tuple[str, int]] = Counter()
        self.calls: list[Done] = []
        self.exchanges: list[Exchanged] = []
        self.phases: Counter[tuple[str, bool]] = Counter()
        self.events: list[Event] = []
        self.counted: Counter[str] = Counter()
        self.waves: list[tuple[int, bool, bool]] = []
        self.lates: list[float] = []
        self.zero = 0.0

    def started(self, n: int = 1) -> None:
        self.counted["started"] += n

    def done(self, done: Done) -> None:
        self.calls.append(done)

    def quick(self, spec: int, latency: float, service: float, first: float) -> None:
        self.quick_ones.append((spec, latency, service, first))

    def answered(self, kind: str, status: int, n: int = 1) -> None:
        self.counted_answers[kind, status] += n

    def exchanged(self, exchange: Exchanged) -> None:
        self.exchanges.append(exchange)

    def phase(self, name: str, took: float, *, failed: bool = False) -> None:
        assert took >= 0
        self.phases[name, failed] += 1

    def event(self, event: Event) -> None:
        self.events.append(event)

    def count(self, counter: str, n: int = 1) -> None:
        self.counted[counter] += n

    def wave(self, index: int, *, failed: bool, refused: bool) -> None:
        self.waves.append((index, failed, refused))

    def late(self, by: float) -> None:
        self.lates.append(by)

    def wall(self, instant: float) -> float:
        return 1_000_000_000 + instant

    @property
    def outcomes(self) -> Counter[Outcome]:
        return Counter(done.outcome for done in self.calls)

    @property
    def kinds(self) -> Counter[str]:
        return Counter(done.outcome.kind for done in self.calls)

    def answers(self, **facts: object) -> list[Exchanged]:
        return [one for one in self.exchanges if all(getattr(one, name) == value for name, value in facts.items())]

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]


@pytest.fixture
def told() -> Told:
    return Told()


Load = Callable[..., Awaitable[Told]]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def healthy(anyio_backend: str) -> AsyncIterator[Running]:
    """A demo that works: both transports, both eras."""
    async with serve(Options()) as running:
        yield running


@pytest.fixture
def faulty() -> Callable[..., AbstractAsyncContextManager[Running]]:
    """Start a demo with faults."""

    @asynccontextmanager
    async def start(*faults: str, **options) -> AsyncIterator[Running]:
        async with serve(Options(faults=faults, **options)) as running:
            yield running

    return start


def plan_for(running: Running, client: str, *calls: CallSpec, sse: bool = False, agent: bool = False, **facts) -> Plan:
    sse = sse or running.plan.client_transport == "sse"
    url = running.mcp_url if running.plan.client_transport == "sse" or not sse else running.endpoints()["SSE"]
    given = {"model": Model(concurrency=2, requests=4), "limits": LONG} | facts
    return Plan(
        calls=calls or (SEARCH,),
        mcp=McpTarget(at=Connection(url=url), transport="sse" if sse else "streamable"),
        agent=AgentTarget(at=Connection(url=running.execute_url)) if agent else None,
        client=client,
        **given,
    )


@pytest.fixture
def planned() -> Callable[..., Plan]:
    return plan_for


def run(plan: Plan, told: object, tick: Callable[[], bool] = lambda: True) -> None:
    engine = factory(plan, Share(), told)
    engine.prepare()
    engine.run(time.monotonic(), tick)  # noqa: TID251 - the loop is not running yet


@pytest.fixture
def load() -> Load:
    """Run a plan in a thread of its own, as the server needs this one."""

    async def go(plan: Plan, told: object = None, tick: Callable[[], bool] = lambda: True) -> object:
        told = told or Told()
        with anyio.fail_after(30):
            await anyio.to_thread.run_sync(run, plan, told, tick)
        return told

    return go


@pytest.fixture
def short() -> Limits:
    return SHORT
