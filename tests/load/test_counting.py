import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from woolly_mcpdiag.core.histogram import GROWTH, HIGHEST, LOWEST, Histogram
from woolly_mcpdiag.load.counting import add_all

durations = (
    st.floats(0, 1e9)
    | st.floats(0, 1)
    | st.integers(-3, 1300).map(lambda n: LOWEST * GROWTH**n)
    | st.sampled_from([0.0, LOWEST, HIGHEST, math.nextafter(LOWEST, 0), math.nextafter(HIGHEST, 2e5), 1e300, 5e-324])
)


@settings(max_examples=150, deadline=None)
@given(values=st.lists(durations, max_size=80), before=st.lists(durations, max_size=3))
def test_counting_at_once_is_counting_one_by_one(values: list[float], before: list[float]):
    one, other = Histogram(), Histogram()
    for value in before:
        one.add(value)
        other.add(value)
    for value in values:
        one.add(value)
    add_all(other, values)
    assert other == one


def test_every_edge_of_a_bucket_falls_on_the_same_side():
    edges = [LOWEST * GROWTH**n for n in range(1290)]
    values = [near for edge in edges for near in (math.nextafter(edge, 0), edge, math.nextafter(edge, 1e9))]
    one, other = Histogram(), Histogram()
    for value in values:
        one.add(value)
    add_all(other, values)
    assert other == one


def test_below_zero_counts_as_none_and_infinity_is_refused():
    histogram = Histogram()
    add_all(histogram, [-1e-9] * 30 + [0.5] * 30)
    assert (histogram.least, histogram.count, histogram.sum) == (0, 60, 15)
    with pytest.raises(ValueError, match="inf s cannot be counted"):
        add_all(histogram, [math.inf] * 30)
