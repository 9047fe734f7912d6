"""The formulas against published tables, and what must hold for any counts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from woolly_mcpdiag.core.stats import (
    beta_share,
    clopper_pearson,
    difference,
    fisher,
    lower_bound,
    tries_needed,
    upper_bound,
    wilson,
    zero_failures_bound,
)

counts = st.integers(0, 3000).flatmap(lambda tries: st.tuples(st.integers(0, tries), st.just(tries)))
some = st.integers(1, 400).flatmap(lambda tries: st.tuples(st.integers(0, tries), st.just(tries)))
confidences = st.floats(0.5, 0.999)


def cdf(failures: int, tries: int, rate: float) -> float:
    """Return the binomial distribution function by adding up its terms."""
    return math.fsum(math.comb(tries, k) * rate**k * (1 - rate) ** (tries - k) for k in range(failures + 1))


# Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998) 857, table I.
@pytest.mark.parametrize(
    ("failures", "tries", "exact", "score"),
    [
        (81, 263, (0.2527, 0.3676), (0.2553, 0.3662)),
        (15, 148, (0.0578, 0.1617), (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1684), (0.0, 0.1611)),
        (1, 29, (0.0009, 0.1776), (0.0061, 0.1718)),
    ],
)
def test_intervals_of_one_proportion_match_the_published_ones(failures, tries, exact, score):
    assert clopper_pearson(failures, tries) == pytest.approx(exact, abs=5e-5)
    assert wilson(failures, tries) == pytest.approx(score, abs=5e-5)


# Newcombe, "Interval estimation for the difference between independent proportions", ibid. 873, table II, method 10.
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_difference_matches_the_published_one(first, second, low, high):
    assert difference(first, second) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("tries", "bound"), [(5, 0.451), (10, 0.259), (20, 0.139), (59, 0.0495), (100, 0.0295)])
def test_no_failure_proves_only_a_bound(tries, bound):
    assert zero_failures_bound(tries) == pytest.approx(bound, abs=5e-4)
    assert upper_bound(0, tries) == pytest.approx(zero_failures_bound(tries), rel=1e-9)


def test_the_rule_of_three_comes_out_for_many_tries():
    assert zero_failures_bound(100_000) * 100_000 == pytest.approx(-math.log(0.05), rel=1e-4)


@pytest.mark.parametrize(
    ("claim", "tries"), [(0.01, 299), (0.05, 59), (0.02, 149), (0.005, 598), (0.001, 2995), (0.1, 29), (0.5, 5)]
)
def test_a_claim_needs_so_many_clean_tries(claim, tries):
    assert tries_needed(claim) == tries


@pytest.mark.parametrize(("tries", "allowed"), [(59, 0), (100, 1), (200, 4), (300, 8), (500, 16), (1000, 38)])
def test_so_many_exceedances_still_show_the_95th_percentile(tries, allowed):
    assert upper_bound(allowed, tries) < 0.05 <= upper_bound(allowed + 1, tries)
    assert tries_needed(0.05, failures=allowed) <= tries


@pytest.mark.parametrize(
    ("first", "second", "chance"),
    [
        ((3, 4), (1, 4), 0.4857),  # the lady tasting tea: one cup of each kind wrong
        ((4, 4), (0, 4), 0.02857),  # all cups right: 1 in 70 either way
        ((1, 12), (9, 12), 0.002759),  # a table often used to teach the test
        ((2, 17), (10, 13), 0.0005367),  # Fisher's convicted twins of criminals
        ((0, 9), (0, 4), 1.0),
    ],
)
def test_fishers_test_matches_known_tables(first, second, chance):
    assert fisher(first, second) == pytest.approx(chance, rel=2e-3)


@given(counts, confidences)
def test_intervals_lie_in_0_to_1_and_contain_the_rate(count, confidence):
    failures, tries = count
    rate = failures / tries if tries else 0.5
    for low, high in (clopper_pearson(failures, tries, confidence), wilson(failures, tries, confidence)):
        assert 0 <= low <= rate <= high <= 1
    assert lower_bound(failures, tries, confidence) <= rate <= upper_bound(failures, tries, confidence)


@given(some, confidences)
def test_the_upper_bound_is_where_so_few_failures_get_as_rare_as_the_confidence_says(count, confidence):
    failures, tries = count
    bound = upper_bound(failures, tries, confidence)
    if failures < tries:
        assert cdf(failures, tries, bound) == pytest.approx(1 - confidence, rel=1e-6, abs=1e-9)


@given(some, confidences)
def test_lower_and_upper_bound_mirror_each_other(count, confidence):
    failures, tries = count
    mirrored = 1 - upper_bound(tries - failures, tries, confidence)
    assert lower_bound(failures, tries, confidence) == pytest.approx(mirrored, abs=1e-9)


@given(some, confidences)
def test_more_failures_raise_and_more_tries_lower_the_bounds(count, confidence):
    failures, tries = count
    assert upper_bound(failures, tries + 1, confidence) <= upper_bound(failures, tries, confidence)
    if failures < tries:
        assert upper_bound(failures, tries, confidence) < upper_bound(failures + 1, tries, confidence)
        assert lower_bound(failures, tries, confidence) < lower_bound(failures + 1, tries, confidence)


@given(some, st.floats(0.5, 0.99))
def test_more_confidence_widens_an_interval(count, confidence):
    narrow, wide = clopper_pearson(*count, confidence), clopper_pearson(*count, confidence + 0.009)
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


@given(some, some, confidences)
def test_a_difference_contains_the_gap_and_turns_round_with_its_sides(first, second, confidence):
    low, high = difference(first, second, confidence)
    assert -1 <= low <= first[0] / first[1] - second[0] / second[1] <= high <= 1
    assert difference(second, first, confidence) == pytest.approx((-high, -low), abs=1e-12)


@given(some, some)
def test_fishers_test_gives_a_probability_and_does_not_mind_the_order(first, second):
    assert 0 < fisher(first, second) <= 1
    assert fisher(first, second) == pytest.approx(fisher(second, first), rel=1e-9)


@given(st.floats(0.001, 0.9), st.integers(0, 6))
def test_one_try_less_than_needed_does_not_show_the_claim(claim, failures):
    tries = tries_needed(claim, failures=failures)
    assert upper_bound(failures, tries) <= claim
    assert tries == max(failures, 1) or upper_bound(failures, tries - 1) > claim


def test_without_tries_nothing_is_known():
    assert clopper_pearson(0, 0) == wilson(0, 0) == (0, 1)
    assert (lower_bound(0, 0), upper_bound(0, 0), zero_failures_bound(0)) == (0, 1, 1)
    assert difference((0, 0), (0, 0)) == (-1, 1)
    assert fisher((0, 0), (3, 7)) == 1


def test_a_billion_tries_are_no_problem():
    assert upper_bound(3, 10**9) == pytest.approx(7.7537e-9, rel=1e-4)
    low, high = clopper_pearson(500_000, 1_000_000)
    assert (low, high) == pytest.approx((0.49902, 0.50098), abs=1e-5)


def test_the_beta_share_ends_at_0_and_1():
    assert (beta_share(0, 2, 3), beta_share(1, 2, 3)) == (0, 1)
    assert beta_share(0.5, 2, 2) == pytest.approx(0.5)


@pytest.mark.parametrize(("failures", "tries"), [(-1, 5), (6, 5), (1, 0)])
def test_counts_that_cannot_be_are_refused(failures, tries):
    for refuse in (clopper_pearson, wilson, upper_bound, lower_bound):
        with pytest.raises(ValueError, match="tries"):
            refuse(failures, tries)
    with pytest.raises(ValueError, match="tries"):
        fisher((failures, tries), (0, 1))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5, math.nan])
def test_confidences_and_claims_outside_0_to_1_are_refused(share):
    with pytest.raises(ValueError, match="confidence"):
        clopper_pearson(1, 5, share)
    with pytest.raises(ValueError, match="claim"):
        tries_needed(share)
