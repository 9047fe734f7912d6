"""When calls start and end, in virtual time."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import anyio
import pytest
import trio
import trio.testing

from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.plan import CallSpec, Limits, Model, Plan, Policy, Stage
from woolly_mcpdiag.load.tasks import models
from woolly_mcpdiag.load.tasks.calls import GRACE, Calls
from woolly_mcpdiag.load.tasks.driver import Asked, Reply
from woolly_mcpdiag.load.tasks.ledger import Ledger
from woolly_mcpdiag.load.tasks.seats import Halls

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


class Session:
    def __init__(self, number: int) -> None:
        self.id = f"s{number}"
        self.usable = True


class Slow:
    """A driver whose every call takes as long as it is told."""

    own_sessions = False
    renews = True

    def __init__(
        self, *, seconds: float = 1.0, shield: bool = False, fails: Callable[[int], bool] | None = None
    ) -> None:
        self.seconds, self.shield, self.fails = seconds, shield, fails or (lambda _number: False)
        self.opened = self.closed = self.called = self.most = 0

    async def open(self, key: str) -> Session:
        await anyio.sleep(0.5)
        self.opened += 1
        self.most = max(self.most, self.opened - self.closed)
        return Session(self.opened)

    async def call(self, held: Session, asked: Asked) -> Reply:
        self.called += 1
        number = self.called
        with anyio.CancelScope(shield=self.shield):
            await anyio.sleep(self.seconds)
        if self.fails(number):
            raise ConnectionResetError
        return Reply(session=held.id)

    async def close(self, held: Session) -> None:
        self.closed += 1


Run = Callable[..., object]


@pytest.fixture
def run(told) -> Run:
    """Run a model to its end; yields the driver. Instants in the record count from its start."""

    async def go(
        model: Model,
        driver: Slow,
        *,
        policy: Policy = "per-worker",
        stop: float | None = None,
        share: Share | None = None,
    ) -> None:
        limits = Limits(call=5.0)
        plan = Plan(calls=(CallSpec(kind="mcp"),), client="sdk", model=model, limits=limits)
        ledger = Ledger(told)
        share = share or Share()
        calls = Calls(plan, share, {"mcp": driver}, ledger)
        pace = models.Pace(plan, share, calls, Halls({"mcp": driver}, policy, 2, ledger), told)
        pace.start = anyio.current_time()
        told.zero = pace.start
        async with anyio.create_task_group() as tasks:
            if stop is not None:
                tasks.start_soon(partial(_stop, pace, stop))
            tasks.start_soon(_beat, calls)
            match model.kind:
                case "closed":
                    await models.closed(pace)
                case "open":
                    await models.opened(pace)
                case "waves":
                    await models.waves(pace, ledger)
            tasks.cancel_scope.cancel()
        await pace.halls.close()

    return go


async def _stop(pace: models.Pace, after: float) -> None:
    await anyio.sleep(after)
    pace.stopped.set()


async def _beat(calls: Calls) -> None:
    while True:
        calls.look(anyio.current_time())
        await anyio.sleep(0.1)


def sent(told) -> list[float]:
    return sorted(round(done.sent - told.zero, 6) for done in told.calls)


async def test_users_call_one_after_the_other_until_the_calls_are_made(told, run) -> None:
    driver = Slow()
    await run(Model(concurrency=2, requests=5), driver)
    assert sent(told) == [0, 0, 1.5, 1.5, 2.5]
    assert driver.opened == driver.closed == 2


async def test_a_duration_ends_what_is_started_and_not_what_runs(told, run) -> None:
    await run(Model(concurrency=1, duration=3.0), Slow())
    assert sent(told) == [0, 1.5, 2.5]
    assert told.calls[-1].ended - told.zero == pytest.approx(3.5)


async def test_users_think_between_two_calls(told, run) -> None:
    await run(Model(concurrency=1, requests=3, think=(2.0, 2.0)), Slow())
    assert sent(told) == [0, 3.5, 6.5]


async def test_stages_bring_users_and_take_them_away(told, run) -> None:
    model = Model(stages=(Stage(duration=4.0, target=4), Stage(duration=4.0, target=0)))
    await run(model, Slow(seconds=0.1), policy="shared")
    workers = Counter(done.worker for done in told.calls)
    assert sorted(workers) == [0, 1, 2, 3]
    assert workers[0] > workers[1] > workers[2] > workers[3] > 0


async def test_nothing_is_started_once_it_is_stopped(told, run) -> None:
    await run(Model(concurrency=2), Slow(), stop=2.0)
    assert max(sent(told)) < 2.0
    assert told.counted["unfinished"] == 0


async def test_arrivals_start_at_their_instants_whatever_takes_long(told, run) -> None:
    await run(Model(kind="open", rate=2.0, requests=6, max_in_flight=100), Slow(seconds=4.0), policy="per-call")
    assert [round(done.scheduled - told.zero, 3) for done in sorted(told.calls, key=lambda done: done.sent)] == sent(
        told
    )
    assert len(told.calls) == 6
    assert all(late < 0.001 for late in told.lates)
    assert max(done.in_flight for done in told.calls) == 5


async def test_an_arrival_beyond_the_limit_is_dropped(told, run) -> None:
    await run(Model(kind="open", rate=2.0, requests=6, max_in_flight=2), Slow(seconds=2.6), policy="shared")
    assert told.counted["dropped"] == 4
    assert len(told.calls) == 2


async def test_a_share_takes_its_part_only(told, run) -> None:
    await run(Model(concurrency=3, requests=7), Slow(), share=Share(1, 2))
    assert {done.worker for done in told.calls} == {1}
    assert len(told.calls) == 3


async def test_a_wave_begins_when_the_one_before_has_left(told, run) -> None:
    driver = Slow(fails=lambda number: number == 3)
    await run(Model(kind="waves", concurrency=3, waves=2), driver)
    assert told.waves == [(0, True, False), (1, False, False)]
    assert sent(told) == [0, 0, 0, 1.5, 1.5, 1.5]
    assert driver.most == 3
    assert driver.opened == driver.closed == 6


async def test_a_call_that_its_limit_does_not_end_hangs(told, run) -> None:
    await run(Model(concurrency=1, requests=1), Slow(seconds=20.0, shield=True))
    assert told.counted["hangs"] == 1
    assert told.kinds == {"timeout": 1}
    assert told.calls[0].ended - told.calls[0].sent > 5.0 + GRACE


async def test_a_broken_session_is_replaced_and_a_pool_keeps_its_size(told, run) -> None:
    driver = Slow(fails=lambda number: number == 2)
    await run(Model(concurrency=4, requests=8), driver, policy="pool")
    assert told.kinds == {"ok": 7, "disconnect": 1}
    assert driver.opened == 3
    assert driver.most == 2
    assert told.phases["pool", False] == 8


async def test_a_wait_for_the_pool_counts_into_the_limit(told, run) -> None:
    await run(Model(concurrency=4, requests=4), Slow(seconds=20.0, shield=True), policy="pool")
    assert told.kinds == {"timeout": 2, "pool": 2}
    assert {done.phase for done in told.calls if done.outcome.kind == "pool"} == {"pool"}
