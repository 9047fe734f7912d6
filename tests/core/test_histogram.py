import json
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from woolly_mcpdiag.core.histogram import HIGHEST, LOWEST, Histogram

inside = st.floats(LOWEST, HIGHEST)
durations = st.one_of(inside, st.floats(0, 1e9), st.just(0.0), st.sampled_from([LOWEST, HIGHEST]))


def of(values: list[float]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


@given(st.lists(inside, min_size=1, max_size=60), st.integers(0, 100))
def test_a_quantile_is_within_one_percent_of_the_exact_order_statistic(values, percent):
    rank = max(1, -(-percent * len(values) // 100))
    exact = sorted(values)[rank - 1]
    assert of(values).quantile(percent / 100) == pytest.approx(exact, rel=0.01)


@given(st.lists(durations, max_size=40), st.lists(durations, max_size=40))
def test_merging_is_the_same_as_counting_it_all(first, second):
    merged = of(first)
    merged.merge(of(second))
    assert merged == of(first + second) == of(second + first)


@given(st.lists(durations, min_size=1, max_size=40))
def test_count_least_greatest_and_sum_are_exact(values):
    histogram = of(values)
    assert (histogram.count, histogram.least, histogram.greatest) == (len(values), min(values), max(values))
    assert histogram.sum == pytest.approx(math.fsum(values), rel=1e-12, abs=1e-15)
    assert histogram.mean == pytest.approx(math.fsum(values) / len(values), rel=1e-12, abs=1e-15)


@given(st.lists(durations, min_size=1, max_size=40))
def test_quantiles_rise_and_stay_between_least_and_greatest(values):
    histogram = of(values)
    found = [histogram.quantile(q / 20) for q in range(21)]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (min(values), max(values))


@given(st.lists(durations, max_size=40))
def test_json_comes_back_the_same(values):
    histogram = of(values)
    assert Histogram.from_json(histogram.to_json()) == histogram


@given(durations, st.integers(1, 1000))
def test_adding_n_times_is_adding_n_times(value, n):
    histogram = Histogram()
    histogram.add(value, n)
    assert histogram == of([value] * n)


@given(st.lists(durations, min_size=1, max_size=40))
def test_buckets_ascend_without_overlap_and_hold_every_value(values):
    buckets = list(of(values).buckets())
    assert sum(count for _, _, count in buckets) == len(values)
    assert all(low <= high for low, high, _ in buckets)
    assert all(first[1] <= second[0] * (1 + 1e-9) for first, second in pairwise(buckets))
    for value in values:
        assert any(low * (1 - 1e-9) <= value <= high * (1 + 1e-9) for low, high, _ in buckets)


def test_values_outside_the_range_are_counted_and_their_ends_exact():
    histogram = of([1e-9, 0.5, 3e7])
    assert [histogram.quantile(q) for q in (0, 0.5, 1)] == [1e-9, pytest.approx(0.5, rel=0.01), 3e7]


def test_the_rank_of_seven_percent_of_a_hundred_is_seven():
    assert of([float(n) for n in range(1, 101)]).quantile(0.07) == pytest.approx(7, rel=0.01)


def test_an_empty_histogram_is_zero_everywhere():
    histogram = Histogram()
    assert (histogram.quantile(0.5), histogram.mean, histogram.sum, list(histogram.buckets())) == (0, 0, 0, [])
    assert histogram.latency("none").highest == 0
    assert Histogram.from_json(histogram.to_json()) == histogram


def test_the_picture_has_the_percentiles_people_ask_for():
    picture = of([n / 1000 for n in range(1, 1001)]).latency("POST /mcp")
    assert (picture.name, picture.count, picture.highest) == ("POST /mcp", 1000, 1.0)
    assert (picture.p50, picture.p95, picture.p99) == pytest.approx((0.5, 0.95, 0.99), rel=0.01)


@pytest.mark.parametrize(("value", "n"), [(-0.1, 1), (math.inf, 1), (math.nan, 1), (1.0, 0), (1.0, -3)])
def test_what_is_no_duration_is_refused_and_leaves_no_trace(value, n):
    histogram = Histogram()
    with pytest.raises(ValueError, match="duration"):
        histogram.add(value, n)
    assert histogram == Histogram()


@pytest.mark.parametrize("q", [-0.01, 1.01, math.nan])
def test_quantiles_outside_0_to_1_are_refused(q):
    with pytest.raises(ValueError, match="quantile"):
        of([1.0]).quantile(q)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema":"mcpdiag.histogram/1"}',
        '{"schema":"mcpdiag.histogram/1","count":"x","units":0,"counts":[]}',
        '{"schema":"mcpdiag.histogram/1","count":1,"units":0,"counts":7}',
        '{"schema":"mcpdiag.histogram/1","count":2,"units":0,"counts":[[5,1]]}',
    ],
)
def test_json_that_is_no_histogram_is_refused(text):
    with pytest.raises(ValueError, match="histogram"):
        Histogram.from_json(text)


def test_the_json_names_its_schema_and_leaves_empty_buckets_out():
    row = json.loads(of([0.5, 0.5]).to_json())
    assert row["schema"] == "mcpdiag.histogram/1"
    assert [count for _, count in row["counts"]] == [2]
