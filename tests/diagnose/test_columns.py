import numpy as np
import pytest

from woolly_mcpdiag.diagnose.columns import among, median


@pytest.mark.parametrize("values", [[3.0], [4.0, 1.0], [5.0, 1.0, 9.0], [0.25, 8.0, 2.0, 0.5]])
def test_the_median_is_that_of_numpy(values: list[float]):
    assert median(np.array(values)) == np.median(values)


def test_nothing_has_no_median():
    with pytest.raises(IndexError):
        median(np.zeros(0))


def test_among_finds_exactly_the_wanted_values():
    values = np.array([7, 1, 1 << 60, 3], np.uint64)
    assert among(values, np.array([3, 1 << 60, 9], np.uint64)).tolist() == [False, False, True, True]
    assert among(values, {7, 2}).tolist() == [True, False, False, False]
    assert among(values, ()).tolist() == [False] * 4
