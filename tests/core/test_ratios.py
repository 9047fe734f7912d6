import math
import random

import pytest

from woolly_mcpdiag.core import ratios


@pytest.mark.parametrize(
    ("confidence", "freedom", "t"),
    [(0.95, 1, 12.706), (0.95, 9, 2.262), (0.95, 30, 2.042), (0.99, 5, 4.032), (0.9, 4, 2.132)],
)
def test_student_is_that_of_the_published_table(confidence: float, freedom: int, t: float):
    assert ratios.student(confidence, freedom) == pytest.approx(t, abs=0.0006)


@pytest.mark.parametrize(("confidence", "freedom"), [(0.0, 3), (1.0, 3), (0.95, 0)])
def test_student_refuses_what_has_no_meaning(confidence: float, freedom: int):
    with pytest.raises(ValueError, match="degrees of freedom"):
        ratios.student(confidence, freedom)


def test_rounds_that_drift_together_show_their_ratio():
    drift = [1.0, 3.0, 0.5, 8.0, 2.0]
    found = ratios.paired(drift, [1.2 * value for value in drift])
    assert found.value == pytest.approx(1.2)
    assert found.low == pytest.approx(1.2)
    assert found.differs
    assert not ratios.separate(drift, [1.2 * value for value in drift]).differs


def test_a_single_round_shows_nothing():
    found = ratios.paired([1.0], [9.0])
    assert (found.low, found.high, found.differs) == (0.0, math.inf, False)
    assert not ratios.separate([1.0], [9.0, 9.1]).differs


def test_rounds_in_which_nothing_succeeded_are_left_out():
    assert ratios.paired([1.0, 0.0, 2.0], [2.0, 5.0, 4.0]).rounds == 2
    with pytest.raises(ValueError, match="no round"):
        ratios.paired([0.0], [1.0])
    with pytest.raises(ValueError, match="no measurement"):
        ratios.separate([0.0], [1.0])


@pytest.mark.parametrize("compare", [ratios.paired, ratios.separate])
def test_the_same_twice_is_told_apart_as_often_as_the_confidence_allows(compare):
    rng = random.Random(1)

    def rounds() -> list[float]:
        return [rng.lognormvariate(0, 0.3) for _ in range(8)]

    false = sum(compare(rounds(), rounds()).differs for _ in range(200))
    assert false <= 200 * 0.1


def test_welch_agrees_with_a_worked_example():
    # Logs 0, 1, 2 against 3, 5, 7, 9: gap 5, standard error sqrt(1/3 + 20/12), 4.09 degrees of freedom, t = 2.749.
    found = ratios.separate([math.exp(x) for x in (0, 1, 2)], [math.exp(x) for x in (3, 5, 7, 9)])
    assert math.log(found.value) == pytest.approx(5)
    assert math.log(found.high) - 5 == pytest.approx(2.749 * math.sqrt(2), abs=0.02)


def test_noise_takes_three_rounds():
    assert ratios.noise([1.0, 2.0]) is None
    assert ratios.noise([1.0, 1.0, 1.0]) == pytest.approx(1.0)
    assert ratios.noise([1.0, 2.0, 1.5]) > 2
