"""The one shape of what is known of a block's lines while its rows are made."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.batch import Batch
from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.words import At, Flags, Words


@dataclass(slots=True)
class Lines:
    """A block's lines: their heads, which are left to the line engine, which became rows."""

    block: Block
    head: NDArray[np.int32]
    """-1 where none is known."""
    message: At
    """Where each message begins; meaningless without a head."""
    first: Words
    """The first word of each message."""
    until: At
    """Where it ends."""
    base: At
    """What the place of each line's stamp is counted from."""
    tabs: Flags
    """Lines with a tab, or the newline of a JSON string, in their message."""
    slow: Flags
    understood: Flags
    exchanges: Flags
    """Lines that could be a client's call or the answer to one, however they are written."""
    open: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))
    """Lines that may say something to the recognisers, as far as literals tell; known once they were searched for."""
    batches: list[Batch] = field(default_factory=list)
    """Rows made so far; their ``line`` is the index in the block."""

    def add(self, batch: Batch) -> None:
        """Add rows."""
        self.batches.append(batch)
        self.understood[batch.line] = True
