"""The one place that finds lines which a container runtime cut: a piece, and all up to the line that ends it."""

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.logs.reader import DOCKER_CUT, Reader
from woolly_mcpdiag.logs.scan.block import Block
from woolly_mcpdiag.logs.scan.heads import Head
from woolly_mcpdiag.logs.scan.words import At, Flags, where

_CUTTING = frozenset({"cri", "docker-json"})
_MARKS = (b" stdout P", b" stderr P")
_PIECE = re.compile(rb"(?P<before>.{0,400}?)\d{4}-\d\d-\d\dT[^ ]{1,40} std(?:out|err) P(?:[ :]|\Z)", re.DOTALL)
_LOOKED_AT = 512
"""Bytes of a line within which its framing ends."""


def is_cut(framing: str) -> bool:
    """Say whether lines under a framing may be pieces of longer ones."""
    return not _CUTTING.isdisjoint(framing.split("/"))


class Pieces:
    """Finds what the line engine joins, so that no part of it is read alone."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._cutting = np.zeros(1, np.bool_)
        """By head, and at last for lines without one."""
        self._some = False

    def find(self, block: Block, head: NDArray[np.int32], heads: list[Head]) -> At:
        """Return the lines that the line engine may join with others, and those between them."""
        if len(self._cutting) != len(heads) + 1:
            self._cutting = np.array([*(is_cut(one.framing) for one in heads), False])
            self._some = bool(self._cutting.any())
        out = np.zeros(len(head), np.bool_)
        if not self._some:
            return where(out)
        ends, done = where(self._cutting[head]), 0
        for row, before in sorted([*self._held(), *self._begun(block, head, self._cutting[head])]):
            if row < done and not before:
                continue
            place = int(np.searchsorted(ends, row, "right"))
            after = (int(end) for end in ends[place:])
            done = next((end for end in after if _goes_with(block, end, before, heads[head[end]])), len(head) - 1) + 1
            out[max(row, 0) : done] = True
        return where(out)

    def _held(self) -> Iterator[tuple[int, bytes]]:
        """Yield the pieces that the line engine holds from the block before."""
        for stream in self._reader.cut():
            yield -1, _before(stream.encode())

    def _begun(self, block: Block, head: NDArray[np.int32], cutting: Flags) -> Iterator[tuple[int, bytes]]:
        data = block.data[: block.size].tobytes()
        for mark in _MARKS:
            at = data.find(mark)
            while at >= 0:
                row = int(np.searchsorted(block.end, at))
                line = block.line(row)[:_LOOKED_AT]
                if head[row] < 0 and _PIECE.match(line):
                    yield row, _before(line)
                at = data.find(mark, at + 1)
        long = where((block.end - block.start >= DOCKER_CUT) & ((head < 0) | cutting))
        yield from ((row, b"") for row in long.tolist())


def _before(line: bytes) -> bytes:
    """Return what stands before the framing that cut a line."""
    found = _PIECE.match(line)
    return found["before"] if found else b""


def _goes_with(block: Block, row: int, before: bytes, head: Head) -> bool:
    """Say whether a line may be the last piece of one that began with ``before`` and its framing."""
    return ("/" in head.framing) == (before != b"") and block.line(row)[: len(before)] == before
