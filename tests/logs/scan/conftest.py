import io
from collections.abc import Callable

import numpy as np
import pytest

from woolly_mcpdiag.logs.batch import Batch, Kind, Tally, Vocabulary
from woolly_mcpdiag.logs.lines import LineEngine, read_lines
from woolly_mcpdiag.logs.scan.read import scan

Facts = tuple[list[tuple[object, ...]], Tally, set[bool]]


def facts_of(parts: list[tuple[Batch, Tally]], vocabulary: Vocabulary, engine: LineEngine) -> Facts:
    """Everything both engines must agree on, in the order of lines."""
    rows: list[tuple[object, ...]] = []
    total = Tally()
    for batch, tally in parts:
        total.add(tally)
        for row in range(len(batch)):
            url, kind = int(batch.url[row]), int(batch.kind[row])
            duration = float(batch.duration[row])
            rows.append(
                (
                    int(batch.line[row]),
                    kind,
                    int(batch.time[row]),
                    int(batch.logger[row]),
                    int(batch.method[row]),
                    int(batch.status[row]),
                    vocabulary.urls.texts[url] if url >= 0 else "",
                    int(batch.size[row]),
                    -1.0 if np.isnan(duration) else duration,
                    int(batch.high[row]),
                    int(batch.low[row]),
                    vocabulary.agents.texts[batch.agent[row]],
                    vocabulary.sources.texts[batch.source[row]],
                    repr(batch.notes.get(row)) if kind == Kind.NOTE else "",
                )
            )
    return sorted(rows), total, {zoned for zoned, records in engine.zones.items() if records}


def slow(data: bytes) -> Facts:
    vocabulary = Vocabulary()
    engine = LineEngine(vocabulary, "app.log")
    return facts_of(list(read_lines(engine, io.BytesIO(data))), vocabulary, engine)


def fast(data: bytes, size: int = 1 << 20) -> Facts:
    vocabulary = Vocabulary()
    engine = LineEngine(vocabulary, "app.log")
    return facts_of(list(scan(io.BytesIO(data), engine, vocabulary, size=size)), vocabulary, engine)


@pytest.fixture
def agree() -> Callable[..., Facts]:
    """Check that both engines say the same of a log, and return what they say."""

    def check(data: bytes, *sizes: int) -> Facts:
        expected = slow(data)
        for size in sizes or (1 << 20,):
            got = fast(data, size)
            assert got[0] == expected[0]
            assert got[1:] == expected[1:]
        return expected

    return check


@pytest.fixture(scope="session")
def agree_with() -> Callable[[bytes], None]:
    """As ``agree``, for tests that run many times within one."""

    def check(data: bytes) -> None:
        expected = slow(data)
        got = fast(data, 1 << 10)
        assert got[0] == expected[0]
        assert got[1:] == expected[1:]

    return check
