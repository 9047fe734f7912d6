import json
import time

import pytest

from woolly_mcpdiag.core.errors import TargetAwayError
from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.measures import Outcome
from woolly_mcpdiag.load.contract import Done, Recorder, Share, Tick
from woolly_mcpdiag.load.kernel import now, run_shard
from woolly_mcpdiag.load.plan import CallSpec, Model, Plan
from woolly_mcpdiag.load.travel import Word, read_snapshot

PLAN = Plan(calls=(CallSpec(kind="mcp", name="search"),), model=Model(duration=60.0))


class Kept:
    """A channel that keeps what it is given."""

    def __init__(self, begin: float | None = None) -> None:
        self.said: list[tuple[Word, str]] = []
        self.begin = now() if begin is None else begin
        self.stopped = self.full = False
        self.flushed_to_the_end = 0

    def send(self, word: Word, said: str) -> None:
        self.said.append((word, said))

    def flush(self, *, end: bool = False) -> None:
        self.flushed_to_the_end += end

    def start(self) -> float:
        return self.begin

    def of(self, word: Word) -> list[str]:
        return [said for each, said in self.said if each is word]


class Counted:
    """An engine that makes so many calls without any target, with a tick after each."""

    def __init__(self, recorder: Recorder, channel: Kept, calls: int) -> None:
        self.recorder, self.channel, self.calls = recorder, channel, calls
        self.ticks: list[bool] = []

    def prepare(self) -> None:
        if self.calls < 0:
            message = "target: is away"
            raise TargetAwayError(message)

    def run(self, start: float, tick: Tick) -> None:
        for index in range(self.calls):
            self.recorder.started()
            self.recorder.done(
                Done(spec=0, outcome=Outcome("http", 400), scheduled=start, sent=start, ended=start + index / 1000)
            )
            self.ticks.append(tick())


def run(channel: Kept, calls: int, plan: Plan = PLAN) -> Counted:
    made: list[Counted] = []

    def factory(plan: Plan, share: Share, recorder: Recorder) -> Counted:
        made.append(Counted(recorder, channel, calls))
        return made[0]

    run_shard(plan, Share(), channel, factory, wall=1e9, source="s")
    return made[0]


def test_all_that_was_told_arrives_and_the_last_word_has_the_whole():
    channel = Kept()
    run(channel, 5)
    words = [word for word, _ in channel.said]
    assert words[0] is Word.READY
    assert words[-1] is Word.END
    assert [Event.from_json(line).kind for line in channel.of(Word.EVENT)] == ["call.failed"] * 5
    assert [json.loads(line)["row"] for line in channel.of(Word.SAMPLE)] == ["sample"] * 3
    end = read_snapshot(channel.of(Word.END)[0])
    assert sum(calls.failed for calls in end.tally.calls.values()) == 5
    assert (end.in_flight, end.lag["count"]) == (0, 4)
    assert channel.flushed_to_the_end == 2


def test_snapshots_are_cumulative_and_one_a_second_however_often_it_ticks():
    channel = Kept(begin=now() - 3.5)
    run(channel, 4)
    (first,) = [read_snapshot(line) for line in channel.of(Word.SNAPSHOT)]
    assert first.at == pytest.approx(3.5, abs=0.4)
    assert sum(calls.failed for calls in first.tally.calls.values()) == 1
    assert first.cpu <= read_snapshot(channel.of(Word.END)[0]).cpu <= time.process_time()


def test_nothing_more_is_started_after_a_stop_or_the_end_of_the_time():
    stopped = Kept()
    stopped.stopped = True
    assert run(stopped, 1).ticks == [False]
    assert run(Kept(begin=now() - 61), 1).ticks == [False]
    assert run(Kept(), 1).ticks == [True]


def test_events_that_the_other_side_cannot_take_are_counted():
    channel = Kept()
    channel.full = True
    run(channel, 7)
    assert channel.of(Word.EVENT) == []
    assert read_snapshot(channel.of(Word.END)[0]).tally.counters["events_left_out"] == 7


def test_an_engine_that_cannot_be_prepared_is_never_ready():
    channel = Kept()
    with pytest.raises(TargetAwayError):
        run(channel, -1)
    assert channel.said == []
