"""The one place that sees when a log's clock goes back: lines out of order, or a clock that was changed."""

import numpy as np

from woolly_mcpdiag.logs.batch import NO_TIME, Batch, distinct

_SLACK = 1_000_000
"""µs that an event may be earlier than the one before it: writers that share a file differ by less."""


class Backwards:
    """Watches the times of one input, each of its services by itself."""

    def __init__(self) -> None:
        self.count = 0
        """Steps back of more than a second."""
        self.line = 0
        """1-based line of the first of them."""
        self.longest = 0.0
        """Seconds of the longest of them."""
        self._last: dict[int, int] = {}

    def watch(self, batch: Batch) -> None:
        """Take the next batch."""
        known = batch.time != NO_TIME
        if not known.any():
            return
        for source in distinct(batch.source[known]):
            rows = np.flatnonzero(known & (batch.source == source))
            times = batch.time[rows]
            before = np.concatenate(([self._last.get(source, int(times[0]))], times[:-1]))
            back = before - times
            late = np.flatnonzero(back > _SLACK)
            self._last[source] = int(times[-1])
            if len(late):
                self.line = self.line or int(batch.line[rows[late[0]]])
                self.count += len(late)
                self.longest = max(self.longest, float(back.max()) / 1e6)
