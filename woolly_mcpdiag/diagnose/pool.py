"""A bounded store of rows: keeps all of them while they are few, then every second, fourth, … of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import Batch

KEPT = ("line", "time", "kind", "logger", "method", "status", "url", "source", "high", "low", "duration")


@dataclass(slots=True)
class Pool:
    """Rows of batches in their order, thinned evenly above ``cap``."""

    cap: int
    stride: int = 1
    """One row in so many is kept."""
    seen: int = 0
    """Rows offered."""
    _parts: list[dict[str, NDArray[Any]]] = field(default_factory=list)
    _kept: int = 0

    def add(self, batch: Batch, rows: NDArray[np.intp], quiet: NDArray[np.int64]) -> None:
        """Offer rows of a batch; ``quiet`` is the µs since the exchange before each, aligned with ``rows``."""
        chosen = np.arange(-self.seen % self.stride, len(rows), self.stride)
        self.seen += len(rows)
        if not len(chosen):
            return
        part = {name: getattr(batch, name)[rows[chosen]] for name in KEPT}
        part["quiet"] = quiet[chosen]
        self._parts.append(part)
        self._kept += len(chosen)
        while self._kept > self.cap:
            whole = {name: column[::2] for name, column in self.columns().items()}
            self._parts, self._kept, self.stride = [whole], len(whole["line"]), self.stride * 2

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the kept rows as columns; every row stands for ``stride`` rows."""
        if not self._parts:
            empty = Batch.empty()
            return {name: getattr(empty, name) for name in KEPT} | {"quiet": np.zeros(0, np.int64)}
        if len(self._parts) > 1:
            names = self._parts[0]
            self._parts = [{name: np.concatenate([part[name] for part in self._parts]) for name in names}]
        return self._parts[0]

    @staticmethod
    def joined(pools: Sequence["Pool"]) -> "Pool":
        """Return the rows of several pools as one; thinned pools make the others as thin as they are."""
        whole = Pool(max(pool.cap for pool in pools), stride=max(pool.stride for pool in pools))
        for pool in pools:
            step = whole.stride // pool.stride
            part = {name: column[::step] for name, column in pool.columns().items()}
            if len(part["line"]):
                whole._parts.append(part)
                whole._kept += len(part["line"])
            whole.seen += pool.seen
        return whole
