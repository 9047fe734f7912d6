"""The one place for questions to a column for which numpy would load its masked arrays: that takes 15 ms."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray


def median(values: NDArray[Any]) -> float:
    """Return the median of some numbers, the mean of the middle two where they are even in number.

    Raises ``IndexError`` where there are none.
    """
    upper = len(values) // 2
    lower = upper - 1 + len(values) % 2
    middle = np.partition(values, (lower, upper))
    return (float(middle[lower]) + float(middle[upper])) / 2


def among(values: NDArray[Any], wanted: NDArray[Any] | Collection[int]) -> NDArray[np.bool_]:
    """Say of each value whether it is one of those wanted."""
    known = np.sort(wanted if isinstance(wanted, np.ndarray) else np.array(list(wanted), np.int64))
    if not len(known):
        return np.zeros(len(values), np.bool_)
    place = np.minimum(known.searchsorted(values), len(known) - 1)
    return np.asarray(known[place] == values)
