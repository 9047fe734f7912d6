from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.plan import CallSpec, Model, Plan, Stage
from woolly_mcpdiag.load.schedule import (
    aimed,
    arrivals,
    budget,
    chance,
    picks,
    shares,
    think,
    total_time,
    users,
    waves,
)

RAMP = (Stage(duration=10, target=20), Stage(duration=10, target=20), Stage(duration=0, target=4))


def split(of: int) -> list[Share]:
    return [Share(number, of) for number in range(of)]


def plan(*weights: float, **facts) -> Plan:
    calls = tuple(CallSpec(kind="mcp", name=f"t{i}", weight=weight) for i, weight in enumerate(weights))
    return Plan(calls=calls, model=Model(**facts))


def test_constant_arrivals_are_a_rate_s_part_apart_and_stop_before_the_end():
    assert list(arrivals(Model(kind="open", rate=4, duration=1), Share())) == [0, 0.25, 0.5, 0.75]
    assert len(list(arrivals(Model(kind="open", rate=0.1, duration=30), Share()))) == 3


stages = st.lists(
    st.builds(Stage, duration=st.floats(0, 3).map(lambda x: round(x, 2)), target=st.integers(0, 60)), max_size=4
)


@settings(max_examples=60, deadline=None)
@given(
    stages=stages,
    rate=st.integers(1, 60),
    arrival=st.sampled_from(["constant", "poisson"]),
    of=st.integers(1, 5),
    requests=st.none() | st.integers(1, 50),
)
def test_shares_have_the_same_arrivals_together_as_one_alone(stages, rate, arrival, of, requests):
    model = Model(
        kind="open", rate=rate, duration=4.0, arrival=arrival, stages=tuple(stages), requests=requests, seed=3
    )
    whole = list(arrivals(model, Share()))
    assert whole == sorted(whole)
    assert all(0 <= at < 4.0 for at in whole)
    assert requests is None or len(whole) <= requests
    parts = [list(arrivals(model, share)) for share in split(of)]
    assert sorted(at for part in parts for at in part) == whole
    assert all(part == whole[number::of] for number, part in enumerate(parts))


def test_a_ramp_has_as_many_arrivals_as_the_area_under_it():
    model = Model(kind="open", rate=0, stages=(Stage(duration=10, target=100), Stage(duration=10, target=0)))
    found = list(arrivals(model, Share()))
    assert len(found) == pytest.approx(1000, abs=1)
    # After a third of the time a ninth of the triangle's first half has come.
    assert sum(at < 10 / 3 for at in found) == pytest.approx(500 / 9, abs=1)
    assert aimed(model, 5) == 50
    # Down again the same, seen from the end.
    assert sum(at > 20 - 10 / 3 for at in found) == pytest.approx(500 / 9, abs=1)


def test_an_open_ramp_begins_at_its_rate():
    model = Model(kind="open", rate=10, stages=(Stage(duration=10, target=30),))
    found = list(arrivals(model, Share()))
    assert len(found) == pytest.approx(200, abs=1)
    # From 10 to 20 a second on average in the first half.
    assert sum(at < 5 for at in found) == pytest.approx(75, abs=1)


def test_poisson_arrivals_have_the_rate_s_mean_and_spread_and_depend_on_the_seed():
    def found(seed: int) -> list[float]:
        return list(arrivals(Model(kind="open", rate=1000, duration=10, arrival="poisson", seed=seed), Share()))

    gaps = [b - a for a, b in zip(found(1), found(1)[1:], strict=False)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(0.001, rel=0.05)
    assert spread == pytest.approx(mean, rel=0.05)
    assert found(1) == found(1) != found(2)


def test_the_last_target_is_held_until_the_duration_is_over_and_a_shorter_one_cuts_the_stages_off():
    held = Model(kind="open", stages=(Stage(duration=1, target=10),), duration=3)
    assert total_time(held) == 3
    assert sum(at >= 1 for at in arrivals(held, Share())) == pytest.approx(20, abs=1)
    assert total_time(Model(stages=RAMP)) == 20
    assert total_time(Model(requests=5)) is None
    assert total_time(Model(stages=RAMP, duration=5)) == 5


@given(at=st.floats(-1, 30), of=st.integers(1, 6))
def test_users_of_all_shares_are_those_aimed_at_rounded_up(at, of):
    model = Model(stages=RAMP)
    whole = users(model, Share(), at)
    assert sum(users(model, share, at) for share in split(of)) == whole
    assert whole - 1 < aimed(model, max(at, 0)) + 1e-6 <= whole + 2e-6


def test_users_ramp_evenly_from_nobody_and_a_stage_without_time_jumps():
    model = Model(stages=RAMP)
    assert [users(model, Share(), at) for at in (0, 0.001, 5, 9.999, 15, 20)] == [0, 1, 10, 20, 20, 4]
    assert users(Model(concurrency=7), Share(), 3) == 7


@given(requests=st.integers(0, 1000), of=st.integers(1, 7))
def test_budgets_of_all_shares_add_up(requests, of):
    parts = [budget(Model(requests=requests), share) for share in split(of)]
    assert sum(parts) == requests
    assert max(parts) - min(parts) <= 1


def test_no_share_is_without_a_user_or_a_call():
    def made(**facts) -> int:
        return shares(Plan(calls=(), processes=4, model=Model(**facts)))

    assert made(concurrency=3) == 3
    assert made(concurrency=50, requests=2) == 2
    assert made(kind="waves", concurrency=20, waves=3) == 1
    assert made(kind="open", rate=1, concurrency=1) == 4
    assert made(stages=(Stage(duration=1, target=2), Stage(duration=1, target=9))) == 4


def test_waves_are_dealt_out_and_endless_where_they_are_not_counted():
    model = Model(kind="waves", waves=5)
    assert [list(waves(model, share)) for share in split(2)] == [[0, 2, 4], [1, 3]]
    assert list(islice(waves(Model(kind="waves"), Share(1, 2)), 3)) == [1, 3, 5]


def test_equal_weights_take_turns_and_an_open_plan_has_the_same_calls_in_any_split():
    assert list(islice(picks(plan(1, 1, 1), Share()), 5)) == [0, 1, 2, 0, 1]
    assert list(islice(picks(plan(1, 1, 1), Share(1, 2)), 4)) == [1, 2, 0, 1]
    open_ = plan(1, 5, 2, kind="open", rate=1, seed=4)
    whole = list(islice(picks(open_, Share()), 30))
    assert [list(islice(picks(open_, share), 10)) for share in split(3)] == [whole[n::3] for n in range(3)]


def test_weights_decide_how_often_a_call_is_drawn():
    found = list(islice(picks(plan(1, 3, 0, seed=1), Share()), 8000))
    assert found.count(1) / found.count(0) == pytest.approx(3, rel=0.1)
    assert 2 not in found
    assert found == list(islice(picks(plan(1, 3, 0, seed=1), Share()), 8000))
    assert found != list(islice(picks(plan(1, 3, 0, seed=2), Share()), 8000))


def test_pauses_lie_within_their_bounds_and_repeat():
    model = Model(think=(0.5, 1.5), seed=9)
    drawn = chance(model, Share(1, 2), "think")
    found = [think(model, drawn) for _ in range(100)]
    assert 0.5 <= min(found) < 0.6
    assert 1.4 < max(found) <= 1.5
    again = chance(model, Share(1, 2), "think")
    assert found == [think(model, again) for _ in range(100)]
    assert think(Model(), drawn) == 0
