import random

import pytest

from woolly_mcpdiag.core.measures import Calls
from woolly_mcpdiag.report.contrasts import Played, Round, compare, regressions


def played(name: str, rng: random.Random, *, median: float = 0.05, failing: float = 0.0, rounds: int = 8) -> Played:
    made = []
    for _ in range(rounds):
        calls = Calls()
        for _ in range(100):
            if rng.random() < failing:
                calls.failed += 1
            else:
                calls.ok += 1
                calls.latency.add(median * rng.lognormvariate(0, 0.4))
        made.append(Round(calls=calls, seconds=1.0))
    return Played(name=name, rounds=tuple(made))


def verdicts(base: Played, other: Played, **options) -> dict[str, str]:
    found = compare([base, other], interleaved=True, **options)
    return {one.figure: one.verdict for one in found.contrasts}


def test_twice_as_slow_is_worse_and_the_other_way_round_better():
    rng = random.Random(1)
    slow, quick = played("slow", rng, median=0.1), played("quick", rng)
    assert verdicts(quick, slow)["p95"] == "worse"
    assert verdicts(slow, quick)["p95"] == "better"
    assert verdicts(quick, slow)["success"] == "no difference shown"


def test_failures_show_in_success_and_in_what_is_a_regression():
    rng = random.Random(2)
    found = compare([played("a", rng), played("b", rng, failing=0.1)], interleaved=True)
    assert {one.figure for one in regressions(found)} >= {"success"}
    assert "points" in found.contrasts[0].sentence


def test_where_nothing_succeeded_nothing_is_shown():
    rng = random.Random(3)
    found = verdicts(played("a", rng, failing=1.1), played("b", rng, failing=1.1))
    assert set(found.values()) == {"no difference shown"}


def test_throughput_is_left_out_where_the_schedule_sets_it():
    rng = random.Random(4)
    assert "throughput" not in verdicts(played("a", rng), played("b", rng), throughput=False)


def test_identical_sides_seldom_differ():
    rng = random.Random(5)
    shown = sum(
        set(verdicts(played("a", rng, rounds=5), played("b", rng, rounds=5)).values()) != {"no difference shown"}
        for _ in range(25)
    )
    assert shown <= 4


def test_a_comparison_needs_two_sides():
    with pytest.raises(ValueError, match="1 sides"):
        compare([played("a", random.Random(6))], interleaved=True)


def test_small_rounds_are_warned_of():
    few = Played(name="a", rounds=tuple(Round(calls=Calls(ok=3), seconds=1.0) for _ in range(3)))
    assert "3 calls in a round" in compare([few, few], interleaved=True).warnings[0]
