"""Reports made by hand, for every test of a renderer."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from woolly_mcpdiag.report.model import Report


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"report_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_SAMPLES = _load("samples")
_RUNS = _load("run_samples")


@pytest.fixture
def samples() -> ModuleType:
    return _SAMPLES


@pytest.fixture(params=["healthy", "seed", "mixed", "empty", "hostile"])
def report(request: pytest.FixtureRequest) -> Report:
    """Each sort of report in turn; the big one is asked for by name."""
    return _SAMPLES.ALL[request.param]()


@pytest.fixture(scope="session")
def big() -> Report:
    return _SAMPLES.big()


@pytest.fixture
def run_samples() -> ModuleType:
    return _RUNS


@pytest.fixture(scope="session")
def long_run() -> Report:
    """A million calls in an hour."""
    return _RUNS.report("million")


@pytest.fixture(params=["clean", "failing", "turns", "outage", "nothing", "busy", "five", "hostile"])
def run_report(request: pytest.FixtureRequest) -> Report:
    """Each sort of run in turn; the long one is asked for by name."""
    return _RUNS.report(request.param)
