"""The one entry of the fast engine: a stream or file to batches and counts, in the order of its lines."""

from collections.abc import Iterator
from typing import BinaryIO

from woolly_mcpdiag.logs.batch import Batch, Tally, Vocabulary
from woolly_mcpdiag.logs.blocks import SIZE, Blocks
from woolly_mcpdiag.logs.lines import LineEngine
from woolly_mcpdiag.logs.scan.block import SLACK
from woolly_mcpdiag.logs.scan.exact import Exact
from woolly_mcpdiag.logs.scan.scanner import Scanner


def scan(
    stream: BinaryIO, engine: LineEngine, vocabulary: Vocabulary, *, size: int = SIZE, limit: int | None = None
) -> Iterator[tuple[Batch, Tally]]:
    """Read a stream in this process; ``engine`` reads what the scanner does not and has the formats at the end.

    ``limit`` is the number of bytes to read. The stream is not closed.
    """
    exact = Exact(engine)
    scanner = Scanner(exact, vocabulary)
    blocks = Blocks(stream, slack=SLACK, size=size, limit=limit)
    while (block := blocks.next()) is not None:
        data, whole, last = block
        batch, tally, used = scanner.block(data, whole, last=last)
        blocks.use(used)
        yield batch, tally
    yield exact.take()
