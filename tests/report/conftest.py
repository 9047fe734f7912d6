"""Reports made by hand, for every test of a renderer."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from woolly_mcpdiag.report.model import Report


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("report_samples", Path(__file__).with_name("samples.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_SAMPLES = _load()


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
