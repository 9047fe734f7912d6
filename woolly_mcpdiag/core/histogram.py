"""THE latency histogram: mergeable logarithmic buckets, quantiles within 1 %, exact count, least, greatest and sum."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from woolly_mcpdiag.core.timelines import Latency

SCHEMA = "mcpdiag.histogram/1"
LOWEST, HIGHEST = 1e-6, 1e5
"""Seconds between which values are told apart; those outside keep their exact least and greatest."""
GROWTH = 1.02
"""Bucket width: the middle (geometric) of a bucket is within 1 % of everything in it."""
_STEP = math.log(GROWTH)
UNIT_BITS = 60
"""Sums are whole numbers of 2^-60 s (under an attosecond), so that their order does not matter."""
_WHOLE = 2.0**53
"""From here on a float is a whole number."""
_LAST = math.ceil(math.log(HIGHEST / LOWEST) / _STEP) + 1
"""Index of the bucket above the range; 0 is the one below it."""


@dataclass(slots=True)
class Histogram:
    """Durations in seconds, counted in buckets that are 2 % wide."""

    counts: dict[int, int] = field(default_factory=dict)
    """Bucket index → count; empty buckets are absent."""
    count: int = 0
    least: float = math.inf
    greatest: float = -math.inf
    units: int = 0
    """The sum of all durations in units of 2^-60 s."""

    def add(self, value: float, n: int = 1) -> None:
        """Count a duration n times. Raises ``ValueError`` for a negative or infinite duration, or n below 1."""
        if not (0 <= value < math.inf) or n < 1:
            message = f"duration: {value} s, {n} times, cannot be counted"
            raise ValueError(message)
        bucket = bucket_of(value)
        self.counts[bucket] = self.counts.get(bucket, 0) + n
        self.count += n
        self.least = min(self.least, value)
        self.greatest = max(self.greatest, value)
        self.units += _units(value) * n

    def add_counted(self, counts: Mapping[int, int], least: float, greatest: float, units: int) -> None:
        """Count what somebody else has put into buckets (see ``bucket_of``): for arrays of durations."""
        number = 0
        for bucket, n in counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + n
            number += n
        self.count += number
        self.least = min(self.least, least)
        self.greatest = max(self.greatest, greatest)
        self.units += units

    @property
    def sum(self) -> float:
        """Seconds in all."""
        return self.units / (1 << UNIT_BITS)

    @property
    def mean(self) -> float:
        """Seconds; 0 where nothing was counted."""
        return self.units / (self.count << UNIT_BITS) if self.count else 0.0

    def merge(self, other: "Histogram") -> None:
        """Count everything that the other one counted; the result is the same as if one had counted it all."""
        for bucket, n in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + n
        self.count += other.count
        self.least = min(self.least, other.least)
        self.greatest = max(self.greatest, other.greatest)
        self.units += other.units

    def quantile(self, q: float) -> float:
        """Return a duration within 1 % of the value of rank ceil(q*count); 0 where nothing was counted.

        Between 1 µs and 100,000 s; q 0 and 1 give the exact least and greatest. Raises ``ValueError`` for q outside.
        """
        if not 0 <= q <= 1:
            message = f"quantile: {q} is not between 0 and 1"
            raise ValueError(message)
        if not self.count:
            return 0.0
        # 0.07 * 100 is 7.000000000000001 as a float, and the rank must be 7.
        rank = max(1, math.ceil(round(q * self.count, 6)))
        if rank in {1, self.count}:
            return self.least if rank == 1 else self.greatest
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= rank:
                return self._middle(bucket)
        return self.greatest

    def latency(self, name: str) -> Latency:
        """Return the picture of this histogram under a name."""
        return Latency(
            name=name,
            count=self.count,
            buckets=tuple(self.buckets()),
            p50=self.quantile(0.5),
            p95=self.quantile(0.95),
            p99=self.quantile(0.99),
            highest=self.greatest if self.count else 0.0,
        )

    def buckets(self) -> Iterator[tuple[float, float, int]]:
        """Yield (low, high, count) of the buckets that hold something, ascending; seconds."""
        for bucket in sorted(self.counts):
            low, high = _edges(bucket)
            yield low, (max(high, self.greatest) if bucket == _LAST else high), self.counts[bucket]

    def to_json(self) -> str:
        """Return one line that ``from_json`` reads back without loss."""
        return json.dumps({"schema": SCHEMA, **self.to_row()}, separators=(",", ":"))

    def to_row(self) -> dict[str, Any]:
        """Return what ``from_row`` reads back, for a line that holds more than this histogram."""
        row: dict[str, Any] = {"count": self.count, "units": self.units, "counts": sorted(self.counts.items())}
        if self.count:
            row |= {"least": self.least, "greatest": self.greatest}
        return row

    @staticmethod
    def from_row(row: dict[str, Any]) -> "Histogram":
        """Read a row of ``to_row``. Raises ``ValueError`` or ``KeyError`` where it is none."""
        found = Histogram(
            counts={int(bucket): int(n) for bucket, n in row["counts"]},
            count=int(row["count"]),
            least=float(row.get("least", math.inf)),
            greatest=float(row.get("greatest", -math.inf)),
            units=int(row["units"]),
        )
        if sum(found.counts.values()) != found.count:
            message = f"histogram: its buckets hold {sum(found.counts.values())}, its count says {found.count}"
            raise ValueError(message)
        return found

    @staticmethod
    def from_json(text: str) -> "Histogram":
        """Read what ``to_json`` wrote. Raises ``ValueError`` where the text is no histogram of this schema."""
        try:
            return _read(json.loads(text))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            message = f"not a histogram of schema {SCHEMA}: {error}"
            raise ValueError(message) from error

    def _middle(self, bucket: int) -> float:
        if bucket in {0, _LAST}:
            return self.least if bucket == 0 else self.greatest
        low, high = _edges(bucket)
        return min(max(math.sqrt(low * high), self.least), self.greatest)


def _read(row: dict[str, Any]) -> Histogram:
    if row.get("schema") != SCHEMA:
        message = f"its schema is {row.get('schema')}"
        raise ValueError(message)
    return Histogram.from_row(row)


def _units(value: float) -> int:
    return int(value) << UNIT_BITS if value >= _WHOLE else int(value * (1 << UNIT_BITS))


def bucket_of(value: float) -> int:
    """Return the index of the bucket that a duration belongs to."""
    if value < LOWEST:
        return 0
    return _LAST if value > HIGHEST else min(1 + int(math.log(value / LOWEST) / _STEP), _LAST - 1)


def _edges(bucket: int) -> tuple[float, float]:
    if bucket == 0:
        return 0.0, LOWEST
    low = LOWEST * math.exp((bucket - 1) * _STEP)
    return (HIGHEST, HIGHEST) if bucket == _LAST else (low, min(low * GROWTH, HIGHEST))
