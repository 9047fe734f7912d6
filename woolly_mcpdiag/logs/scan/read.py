"""The one entry of the fast engine: a stream or file to batches and counts, in the order of its lines."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import BinaryIO

from woolly_mcpdiag.logs.batch import Batch, Tally, Vocabulary
from woolly_mcpdiag.logs.blocks import SIZE, Blocks
from woolly_mcpdiag.logs.lines import LineEngine, read_lines
from woolly_mcpdiag.logs.scan.block import SLACK
from woolly_mcpdiag.logs.scan.exact import Exact
from woolly_mcpdiag.logs.scan.scanner import Scanner

WORTH_TWO = 64 << 20
"""Bytes from which a second worker is worth its start."""


def workers_for(size: int) -> int:
    """Return how many workers read a file of that many bytes when nobody says."""
    return 2 if size > WORTH_TWO and (os.cpu_count() or 1) > 1 else 1


def read(
    path: Path,
    engine: LineEngine,
    vocabulary: Vocabulary,
    *,
    name: str = "",
    workers: int = 0,
    day: date | None = None,
    span: int = 0,
) -> Iterator[tuple[Batch, Tally]]:
    """Yield (rows, counts) of a plain text file in order; their sums are those of the line engine.

    ``engine`` is a fresh line engine on ``vocabulary``: it reads what the scanner does not, and has formats and zones
    at the end. ``name`` and ``day`` are those it was made with; ``workers`` 0 chooses by the file's size; ``span`` is
    the bytes a worker reads at a time. The generator ends its workers when it is closed. Raises ``OSError``.
    """
    count = (workers or workers_for(path.stat().st_size)) if Exact(engine).plain else 1
    if count > 1:
        from woolly_mcpdiag.logs.scan import parallel  # noqa: PLC0415 - multiprocessing costs its import

        plan = parallel.Plan(path=str(path), name=name or str(path), day=day)
        todo = parallel.spans(plan.path, span or parallel.SPAN)
        if len(todo) > 1:
            with parallel.Pool(plan, todo, min(count, len(todo)), vocabulary, engine) as pool:
                yield from pool.results()
            return
    with path.open("rb", buffering=0 if Exact(engine).plain else -1) as file:
        yield from scan(file, engine, vocabulary)


def scan(
    stream: BinaryIO, engine: LineEngine, vocabulary: Vocabulary, *, size: int = SIZE, limit: int | None = None
) -> Iterator[tuple[Batch, Tally]]:
    """Yield (rows, counts) of a stream, read in this process; as ``read``.

    ``limit`` is the number of bytes to read. The stream is not closed.
    """
    exact = Exact(engine)
    if not exact.plain:
        yield from read_lines(engine, stream)
        return
    scanner = Scanner(exact, vocabulary)
    blocks = Blocks(stream, slack=SLACK, size=size, limit=limit)
    while (block := blocks.next()) is not None:
        data, whole, last = block
        batch, tally, used = scanner.block(data, whole, last=last)
        blocks.use(used)
        yield batch, tally
    yield exact.take()
