"""The formulas against published tables and against each other."""

import random

import pytest

from woolly_mcpdiag.core import stats
from woolly_mcpdiag.gate import evidence
from woolly_mcpdiag.gate.evidence import Batch


@pytest.mark.parametrize(("quantile", "tries"), [(0.5, 5), (0.9, 29), (0.95, 59), (0.99, 299), (0.999, 2995)])
def test_the_smallest_sample_for_a_quantile_is_the_published_one(quantile, tries):
    assert evidence.smallest_tries(quantile) == tries


@pytest.mark.parametrize(("tries", "most"), [(58, -1), (59, 0), (100, 1), (200, 4), (300, 8), (500, 16), (1000, 38)])
def test_the_exceedances_that_p95_allows_are_the_published_ones(tries, most):
    assert evidence.allowed(0.05, tries) == most


@pytest.mark.parametrize(
    ("tries", "percent"),
    [(5, 45.1), (10, 25.9), (20, 13.9), (50, 5.8), (59, 4.95), (100, 2.95), (149, 1.99), (299, 0.997), (2995, 0.1)],
)
def test_what_clean_tries_prove_is_the_published_bound(tries, percent):
    assert evidence.zero_bound(tries) * 100 == pytest.approx(percent, rel=0.005)


@pytest.mark.parametrize(("freedom", "value"), [(1, 6.314), (4, 2.132), (19, 1.729), (100, 1.660)])
def test_student_is_the_published_table(freedom, value):
    assert evidence.student(0.95, freedom) == pytest.approx(value, abs=0.001)


def test_two_looks_get_half_the_error_each():
    assert evidence.split_confidence(0.95, 2) == pytest.approx(0.975)
    assert evidence.split_confidence(0.95, 1) == pytest.approx(0.95)
    with pytest.raises(ValueError, match="looks: 0"):
        evidence.split_confidence(0.95, 0)


def test_independent_tries_have_no_design_effect_and_clumped_ones_have_the_size_of_the_clump():
    chance = random.Random(1)
    alone = [Batch(200, sum(chance.random() < 0.05 for _ in range(200))) for _ in range(20)]
    clumped = [Batch(200, 10 * sum(chance.random() < 0.05 for _ in range(20))) for _ in range(20)]
    assert evidence.design_effect(alone) < 1.6
    assert 4 < evidence.design_effect(clumped) < 20


def test_nothing_is_told_about_dependence_without_failures_or_with_few_batches():
    assert evidence.design_effect([Batch(100, 0)] * 20) == 1
    assert evidence.design_effect([Batch(100, 50), Batch(100, 0)]) == 1
    assert evidence.design_effect([]) == 1


def test_further_tries_are_those_that_would_do():
    more = evidence.further_tries(0, 40, 0.01, 0.95)
    assert more == 299 - 40
    assert evidence.further_tries(8, 200, 0.05, 0.95) == 1148
    assert evidence.further_tries(20, 200, 0.05, 0.95) is None


def test_the_bounds_of_an_effective_sample_prove_less():
    whole = evidence.rate_bounds((5, 5), 1000, 1.0)
    weaker = evidence.rate_bounds((5, 5), 1000, 4.0)
    assert weaker.low < whole.low < 0.005 < whole.high < weaker.high
    assert evidence.rate_bounds((0, 0), 0, 1.0) == (0, 1)


def test_the_ranks_around_a_quantile_cover_it_as_often_as_they_say():
    low, high = evidence.quantile_ranks(0.95, 200)
    assert stats.beta_share(0.95, high, 200 - high + 1) <= 0.05
    assert 1 - stats.beta_share(0.95, low, 200 - low + 1) <= 0.05
    assert low < 190 < high


def test_a_sample_too_small_for_a_bound_of_its_quantile_has_none():
    assert evidence.quantile_ranks(0.95, 20) == (17, 21)


def test_the_bounds_of_a_mean_hold_it():
    chance = random.Random(2)
    held = 0
    for _ in range(100):
        batches = [(sum(chance.expovariate(5) for _ in range(20)), 20) for _ in range(20)]
        bounds = evidence.mean_bounds(batches, 0.975)
        assert bounds is not None
        held += bounds.low < 0.2 < bounds.high
    assert held >= 88
    assert evidence.mean_bounds([(1.0, 1)] * 3) is None


def test_the_spread_of_batches_is_that_of_a_sample():
    # 10 batches of 10 tries, half of them all failed: 10 × (5 ^ 2) × 10 / 9 over 100 × 0.5 × 0.5.
    halves = [Batch(10, 10 * (n % 2)) for n in range(10)]
    assert evidence.design_effect(halves) == pytest.approx(250 * 10 / 9 / 25)
    bounds = evidence.mean_bounds([(10.0 * (n % 2), 10) for n in range(10)], 0.95)
    assert bounds is not None
    half = evidence.student(0.95, 9) * (250 * 10 / 9) ** 0.5 / 100
    assert (bounds.low, bounds.high) == pytest.approx((0.5 - half, 0.5 + half))
