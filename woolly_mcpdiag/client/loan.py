"""The one record of a session on loan: whose it is, and where in the program it was borrowed."""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from woolly_mcpdiag.client.pool import Entry
from woolly_mcpdiag.wire.session import Session

_DEPTH = 6
"""Places of the borrower's stack that are kept."""
_OURS = str(Path(__file__).parent)
_NOT_THEIRS = ("contextlib.py", "asyncio/", "anyio/", "trio/")
"""Ends or parts of file names between the borrower and us, and below the borrower's task."""


@dataclass(slots=True, eq=False)
class Lease:
    """A session on loan; given back exactly once."""

    entry: Entry
    session: Session
    waited: float
    """Seconds."""

    @property
    def unused(self) -> bool:
        """True where nobody had it before."""
        return self.entry.uses == 1


def borrower() -> tuple[str, ...]:
    """Return where the caller's own code is now, innermost first, as ``file:line in function``.

    Reads names and numbers off the frames only, which takes microseconds; no source is looked up.
    """
    found: list[str] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and len(found) < _DEPTH:
        name = frame.f_code.co_filename
        if not name.startswith(_OURS) and not any(part in name for part in _NOT_THEIRS):
            found.append(f"{name}:{frame.f_lineno} in {frame.f_code.co_name}")
        frame = frame.f_back
    return tuple(found)
