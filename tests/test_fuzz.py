"""Damaged lines through reading, diagnosis and every renderer; ``benchmarks/fuzz_logs.py`` does a million of them."""

import importlib.util
import random
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from woolly_mcpdiag.logs.batch import Vocabulary
from woolly_mcpdiag.logs.lines import LineEngine

LINES = 2_000
EXAMPLES = 8


@pytest.fixture(scope="module")
def fuzzer(request: pytest.FixtureRequest) -> ModuleType:
    path = request.config.rootpath / "benchmarks" / "fuzz_logs.py"
    spec = importlib.util.spec_from_file_location("fuzz_logs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def corpus(fuzzer: ModuleType) -> list[list[bytes]]:
    found = fuzzer.corpus()
    assert len(found) > 10
    return found


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(seed=st.integers(min_value=0, max_value=1 << 32))
def test_damaged_lines_are_counted_once_each_and_nothing_raises(
    fuzzer: ModuleType, corpus: list[list[bytes]], seed: int
):
    rng = random.Random(seed)
    lines = fuzzer.mutated(corpus, LINES, rng)
    tally = fuzzer.check(lines, rng)
    fuzzer.check_scanner(lines)
    assert tally.read == tally.understood + tally.ignored + tally.not_understood == LINES


@settings(max_examples=3, deadline=None, database=None)
@given(seed=st.integers(min_value=0, max_value=1 << 32))
def test_damaged_events_and_documents_do_not_raise(fuzzer: ModuleType, corpus: list[list[bytes]], seed: int):
    rng = random.Random(seed)
    fuzzer.check_events(fuzzer.mutated(corpus, 200, rng), rng)


@settings(max_examples=200, deadline=None, database=None)
@given(
    lines=st.lists(
        st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
    )
)
def test_lines_of_anything_are_counted_once_each(lines: list[bytes]):
    engine = LineEngine(Vocabulary(), "any.log")
    for number, line in enumerate(lines, 1):
        engine.feed(line, number)
    _, tally = engine.take(end=True)
    assert tally.read == tally.understood + tally.ignored + tally.not_understood == len(lines)
