import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from woolly_mcpdiag.client.breaker import Breaker, Permit, Refusal, State
from woolly_mcpdiag.client.policy import BreakerPolicy

POLICY = BreakerPolicy(
    failure_threshold=3, window=4, minimum_calls=4, failure_rate=0.5, open_for=1.0, growth=2.0, open_at_most=5.0
)


def opened(policy: BreakerPolicy = POLICY, now: float = 0.0) -> Breaker:
    breaker = Breaker(policy)
    for _ in range(policy.failure_threshold):
        assert breaker.state is State.CLOSED
        breaker.record(allowed(breaker, now), "fail", now)
    assert breaker.state is State.OPEN
    return breaker


def allowed(breaker: Breaker, now: float) -> Permit:
    permit = breaker.admit(now)
    assert isinstance(permit, Permit)
    return permit


def test_failures_in_a_row_open_it_and_a_success_between_starts_the_row_again():
    breaker = Breaker(BreakerPolicy(failure_threshold=3, window=20, minimum_calls=20))
    for effect in ("fail", "fail", "ok", "fail", "fail"):
        breaker.record(allowed(breaker, 0.0), effect, 0.0)
    assert breaker.state is State.CLOSED
    assert breaker.record(allowed(breaker, 0.0), "fail", 0.0)
    assert breaker.state is State.OPEN


def test_half_of_the_window_opens_it_although_no_row_is_long_enough():
    breaker = Breaker(BreakerPolicy(failure_threshold=9, window=4, minimum_calls=4, failure_rate=0.5))
    for effect in ("fail", "ok", "fail"):
        assert not breaker.record(allowed(breaker, 0.0), effect, 0.0)
    assert breaker.record(allowed(breaker, 0.0), "ok", 0.0) is False
    assert breaker.state is State.CLOSED, "a success does not open it, whatever the rate"
    breaker.record(allowed(breaker, 0.0), "fail", 0.0)
    assert breaker.state is State.OPEN


@pytest.mark.parametrize(("age", "state"), [(9.99, State.OPEN), (10.0, State.CLOSED)])
def test_attempts_leave_the_window_at_its_age(age: float, state: State):
    breaker = Breaker(
        BreakerPolicy(failure_threshold=9, window=8, window_seconds=10.0, minimum_calls=4, failure_rate=0.9)
    )
    for _ in range(3):
        breaker.record(allowed(breaker, 0.0), "fail", 0.0)
    breaker.record(allowed(breaker, age), "fail", age)
    assert breaker.state is state


def test_good_trials_of_an_earlier_time_do_not_count():
    policy = BreakerPolicy(failure_threshold=3, open_for=1.0, growth=1.0, probes=2)
    breaker = opened(policy)
    breaker.record(allowed(breaker, 1.0), "ok", 1.0)
    breaker.record(allowed(breaker, 1.0), "fail", 1.0)
    breaker.record(allowed(breaker, 2.0), "ok", 2.0)
    assert breaker.state is State.HALF_OPEN
    breaker.record(allowed(breaker, 2.0), "ok", 2.0)
    assert breaker.state is State.CLOSED


def test_an_outage_of_weeks_keeps_the_wait_at_its_limit():
    breaker = opened()
    breaker.reopened = 100_000
    assert breaker.open_for == POLICY.open_at_most


def test_fewer_attempts_than_the_minimum_say_nothing_about_the_rate():
    breaker = Breaker(BreakerPolicy(failure_threshold=9, window=8, minimum_calls=5, failure_rate=0.1))
    for _ in range(4):
        breaker.record(allowed(breaker, 0.0), "fail", 0.0)
    assert breaker.state is State.CLOSED
    breaker.record(allowed(breaker, 0.0), "fail", 0.0)
    assert breaker.state is State.OPEN


def test_ignored_attempts_never_open_it():
    breaker = Breaker(POLICY)
    for _ in range(50):
        assert not breaker.record(allowed(breaker, 0.0), "ignore", 0.0)
    assert breaker.rate(0.0) == (0, 0)


def test_an_open_breaker_refuses_and_says_when_it_is_tried_again():
    breaker = opened()
    assert breaker.admit(0.25) == Refusal(0.75)
    assert isinstance(breaker.admit(1.0), Permit)
    assert breaker.state is State.HALF_OPEN


def test_half_open_lets_exactly_one_of_twenty_through():
    breaker = opened()
    answers = [breaker.admit(1.0) for _ in range(20)]
    assert [isinstance(answer, Permit) for answer in answers].count(True) == 1
    assert answers[1:] == [Refusal(0.0)] * 19


def test_two_probes_must_both_succeed():
    breaker = opened(BreakerPolicy(failure_threshold=1, probes=2, open_for=1.0))
    first, second = allowed(breaker, 1.0), allowed(breaker, 1.0)
    assert isinstance(breaker.admit(1.0), Refusal)
    breaker.record(first, "ok", 1.0)
    assert breaker.state is State.HALF_OPEN
    assert isinstance(breaker.admit(1.0), Refusal), "a probe that passed keeps its place"
    breaker.record(second, "ok", 1.0)
    assert breaker.state is State.CLOSED


def test_an_ignored_probe_gives_its_place_back():
    breaker = opened()
    assert breaker.record(allowed(breaker, 1.0), "ignore", 1.0), "who waits must ask again"
    assert breaker.state is State.HALF_OPEN
    assert isinstance(breaker.admit(1.0), Permit)


def test_a_failed_probe_opens_it_for_longer_each_time_up_to_the_limit():
    breaker, now, waits = opened(), 0.0, []
    for _ in range(4):
        now += breaker.remaining(now)
        breaker.record(allowed(breaker, now), "fail", now)
        waits.append(breaker.remaining(now))
    assert waits == [2.0, 4.0, 5.0, 5.0]


def test_closing_forgets_how_often_it_was_opened():
    breaker = opened()
    breaker.record(allowed(breaker, 1.0), "fail", 1.0)
    breaker.record(allowed(breaker, 3.0), "ok", 3.0)
    for _ in range(3):
        breaker.record(allowed(breaker, 3.0), "fail", 3.0)
    assert breaker.remaining(3.0) == 1.0


def test_a_late_result_of_an_earlier_state_is_dropped():
    breaker = Breaker(POLICY)
    late = allowed(breaker, 0.0)
    for _ in range(3):
        breaker.record(allowed(breaker, 0.0), "fail", 0.0)
    probe = allowed(breaker, 1.0)
    assert not breaker.record(late, "ok", 1.0)
    assert breaker.state is State.HALF_OPEN
    breaker.record(probe, "ok", 1.0)
    assert not breaker.record(late, "fail", 1.0)
    assert breaker.row == 0


def test_a_clock_that_steps_back_does_not_lengthen_the_wait():
    breaker = opened(now=100.0)
    assert breaker.remaining(40.0) == 1.0
    assert breaker.remaining(101.5) == 0.0


class Machine(RuleBasedStateMachine):
    """Any order of asking, ending and waiting, against the promises of the breaker."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.breaker = Breaker(POLICY)
        self.held: list[tuple[Permit, State]] = []

    @rule(step=st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0]))
    def wait(self, step: float) -> None:
        self.now += step

    @rule()
    def ask(self) -> None:
        left = self.breaker.remaining(self.now)
        was = self.breaker.state
        answer = self.breaker.admit(self.now)
        if was is State.OPEN and left > 0:
            assert answer == Refusal(left)
        if was is State.CLOSED:
            assert isinstance(answer, Permit)
        if isinstance(answer, Permit):
            self.held.append((answer, self.breaker.state))

    @rule(place=st.integers(0, 9), effect=st.sampled_from(["ok", "fail", "ignore"]))
    def end(self, place: int, effect) -> None:
        if not self.held:
            return
        permit, _ = self.held.pop(place % len(self.held))
        was, current = self.breaker.state, permit.generation == self.breaker.generation
        self.breaker.record(permit, effect, self.now)
        if not current:
            assert self.breaker.state is was
        elif was is State.HALF_OPEN:
            assert self.breaker.state is {"ok": State.CLOSED, "fail": State.OPEN, "ignore": State.HALF_OPEN}[effect]

    @invariant()
    def no_more_trials_than_probes(self) -> None:
        trials = sum(permit.generation == self.breaker.generation for permit, _ in self.held)
        if self.breaker.state is State.HALF_OPEN:
            assert trials == self.breaker.trials <= POLICY.probes
        if self.breaker.state is State.OPEN:
            assert 0 <= self.breaker.remaining(self.now) <= POLICY.open_at_most


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
test_no_order_of_events_breaks_the_promises = Machine.TestCase
