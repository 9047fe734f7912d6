import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from woolly_mcpdiag.client.outcome import Outcome, Ruling
from woolly_mcpdiag.client.policy import RetryPolicy
from woolly_mcpdiag.client.retry import Again, Budget, Retry, Stop, declared, seconds

EASY = RetryPolicy(attempts=4, backoff=(0.1, 5.0), budget=1.0, floor=1.0, reserve=50.0)


def plan(policy: RetryPolicy = EASY, deadline: float = 1000.0, seed: int = 1, budget: Budget | None = None) -> Retry:
    return Retry(policy=policy, budget=budget or Budget(policy), rng=random.Random(seed), deadline=deadline)


def ruled(outcome: Outcome) -> Ruling:
    return Ruling(outcome=outcome)


@pytest.mark.parametrize(
    ("outcome", "idempotent", "again"),
    [
        (Outcome.NOT_SENT, False, True),
        (Outcome.REJECTED, False, True),
        (Outcome.STALE_SESSION, False, True),
        (Outcome.IN_DOUBT, True, True),
        (Outcome.IN_DOUBT, False, False),
        (Outcome.CONFIG, True, False),
        (Outcome.CANCELLED, True, False),
        (Outcome.APP_ERROR, True, False),
    ],
)
def test_what_came_of_an_attempt_decides_whether_there_is_another(outcome: Outcome, idempotent: bool, again: bool):
    then = plan().decide(ruled(outcome), 0.0, idempotent=idempotent)
    assert isinstance(then, Again) is again
    if outcome is Outcome.IN_DOUBT and not idempotent:
        assert then == Stop(why="not idempotent")


def test_who_was_told_the_same_time_to_come_back_comes_a_little_apart():
    delays = [
        plan(seed=seed).decide(ruled(Outcome.REJECTED), 0.0, idempotent=False, retry_after=7.0).delay
        for seed in range(50)
    ]
    assert len(set(delays)) == 50
    assert all(7.0 < delay < 7.1 for delay in delays)


def test_time_that_a_clock_repeats_earns_nothing_twice():
    budget = Budget(RetryPolicy(budget=0.0, floor=1.0, reserve=50.0))
    budget.called(100.0)
    for _ in range(50):
        budget.take(100.0)
    budget.called(90.0)
    assert budget.wait(100.0) == 1.0


def test_a_date_without_a_zone_is_taken_as_utc():
    assert seconds("Thu, 01 Jan 1970 00:01:00 -0000", 0.0) == 60.0


def test_attempts_are_limited():
    retry = plan()
    answers = [retry.decide(ruled(Outcome.NOT_SENT), 0.0, idempotent=True) for _ in range(4)]
    assert [isinstance(answer, Again) for answer in answers] == [True, True, True, False]
    assert answers[-1] == Stop(why="attempts")


def test_the_first_lost_session_is_replaced_at_once_and_costs_nothing():
    budget = Budget(EASY)
    retry = plan(budget=budget)
    assert retry.decide(ruled(Outcome.STALE_SESSION), 0.0, idempotent=False) == Again(
        delay=0.0, source="stale", fresh=True
    )
    assert (retry.attempts, budget.tokens) == (0, 50.0)
    second = retry.decide(ruled(Outcome.STALE_SESSION), 0.0, idempotent=False)
    assert isinstance(second, Again)
    assert second.fresh
    assert second.source == "backoff"
    assert budget.tokens == 49.0


def test_three_sessions_lost_before_their_first_use_stop_the_call():
    retry = plan()
    answers = [retry.decide(ruled(Outcome.STALE_SESSION), 0.0, idempotent=True, unused=True) for _ in range(3)]
    assert answers[-1] == Stop(why="affinity")
    used = plan()
    assert used.decide(ruled(Outcome.STALE_SESSION), 0.0, idempotent=True, unused=False) != Stop(why="affinity")
    answers = [used.decide(ruled(Outcome.STALE_SESSION), 0.0, idempotent=True, unused=True) for _ in range(2)]
    assert Stop(why="affinity") not in answers


def test_delays_are_drawn_evenly_up_to_a_doubling_limit():
    seen: dict[int, list[float]] = {0: [], 1: [], 2: []}
    for seed in range(400):
        retry = plan(seed=seed)
        for delays in seen.values():
            then = retry.decide(ruled(Outcome.NOT_SENT), 0.0, idempotent=True)
            assert isinstance(then, Again)
            delays.append(then.delay)
    for place, delays in seen.items():
        limit = 0.1 * 2**place
        assert 0 <= min(delays) < 0.05 * limit
        assert 0.95 * limit < max(delays) <= limit
        assert 0.45 * limit < sum(delays) / len(delays) < 0.55 * limit
    assert len(set(seen[0])) == 400, "no two agents in lockstep"


def test_the_delay_stays_below_its_cap():
    policy = RetryPolicy(attempts=99, backoff=(1.0, 3.0), budget=1.0, floor=9.0, reserve=99.0)
    retry = plan(policy)
    delays = [retry.decide(ruled(Outcome.NOT_SENT), 0.0, idempotent=True).delay for _ in range(60)]
    assert max(delays) <= 3.0
    assert max(delays) > 2.5


def test_retry_after_is_waited_for():
    then = plan().decide(ruled(Outcome.REJECTED), 0.0, idempotent=False, retry_after=7.0)
    assert isinstance(then, Again)
    assert then.source == "retry-after"
    assert 7.0 <= then.delay <= 7.01


@pytest.mark.parametrize(("deadline", "stops"), [(7.0, True), (8.0, False)])
def test_a_retry_after_beyond_the_deadline_stops_at_once(deadline: float, stops: bool):
    then = plan(deadline=deadline).decide(ruled(Outcome.REJECTED), 0.0, idempotent=False, retry_after=7.0)
    assert (then == Stop(why="deadline")) is stops


def test_an_empty_budget_makes_retries_wait_their_turn_at_the_floors_rate():
    policy = RetryPolicy(attempts=9, backoff=(0.0, 0.0), budget=0.0, floor=2.0, reserve=1.0)
    budget = Budget(policy)
    then = [plan(policy, budget=budget).decide(ruled(Outcome.NOT_SENT), 0.0, idempotent=True) for _ in range(4)]
    assert [answer.delay for answer in then] == [0.0, 0.5, 1.0, 1.5]
    assert [answer.source for answer in then] == ["backoff", "budget", "budget", "budget"]


def test_a_budget_without_floor_ends_retries_at_the_deadline():
    policy = RetryPolicy(attempts=9, backoff=(0.0, 0.0), budget=0.0, floor=0.0, reserve=0.0)
    assert plan(policy).decide(ruled(Outcome.NOT_SENT), 0.0, idempotent=True) == Stop(why="deadline")


def test_a_server_that_always_fails_gets_few_more_requests_than_calls():
    policy = RetryPolicy(attempts=9, backoff=(0.0, 0.0), budget=0.2, floor=1.0, reserve=10.0)
    budget, sent = Budget(policy), Counter()
    for number in range(1000):
        now = number * 0.01
        budget.called(now)
        sent["calls"] += 1
        retry = plan(policy, deadline=now + 0.005, budget=budget, seed=number)
        while isinstance(retry.decide(ruled(Outcome.NOT_SENT), now, idempotent=True), Again):
            sent["retries"] += 1
    assert sent["retries"] <= 0.2 * 1000 + 10 * 1.0 + 10.0
    assert sent["retries"] >= 0.2 * 1000


def test_the_budget_never_holds_more_than_its_reserve():
    budget = Budget(EASY)
    for _ in range(100):
        budget.called(0.0)
    assert budget.tokens == 50.0
    budget.take(0.0)
    assert budget.wait(0.0) == 0.0
    budget.called(1e9)
    assert budget.tokens == 50.0


def test_time_alone_fills_the_budget_up_to_its_reserve_only_and_a_clock_that_steps_back_fills_nothing():
    budget = Budget(EASY)
    for _ in range(10):
        budget.take(100.0)
    assert budget.wait(40.0) == 0.0
    assert budget.tokens == 40.0
    budget.wait(1e9)
    assert budget.tokens == 50.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 20), st.booleans()), max_size=60))
def test_no_order_of_calls_gives_more_tokens_than_share_floor_and_reserve_allow(steps):
    policy = RetryPolicy(budget=0.5, floor=2.0, reserve=3.0)
    budget, now, calls, taken, seen = Budget(policy), 0.0, 0, 0, [0.0]
    for step, is_call in steps:
        now += step  # a clock may step back
        seen = [seen[0], max(seen[-1], now)] if len(seen) > 1 else [now, now]
        if is_call:
            budget.called(now)
            calls += 1
        elif budget.wait(now) == 0.0:
            budget.take(now)
            taken += 1
    passed = seen[-1] - seen[0]
    assert taken <= 3.0 + 0.5 * calls + 2.0 * passed + 1e-6


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("99999999999999999999", 1e9),
        ("Sun, 22 Nov 2026 18:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 17:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        ("1.5", None),
        ("\u0663", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(header: str, wanted: float | None):
    wall = 1795370400.0  # 2026-11-22 18:00:00 UTC
    assert seconds(header, wall) == wanted


def test_patterns_declare_tools_as_idempotent():
    assert declared("search_code", frozenset({"find", "search*"}))
    assert not declared("Search_code", frozenset({"search*"}))
    assert not declared("research", frozenset({"search*"}))
