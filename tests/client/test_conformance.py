"""The official conformance suite's client scenarios; skipped where the suite cannot run."""

import importlib.util
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location(
    "client_conformance", Path(__file__).parent.parent.parent / "benchmarks" / "client_conformance.py"
)
suite = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(suite)


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, "subprocess.Popen[str]"]]:
    """Start all scenarios; they wait for one another no more than they have to."""
    if reason := suite.missing():
        pytest.skip(reason)
    told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL, "text": True}
    started = {name: subprocess.Popen(suite.command(name), **told) for name in suite.SCENARIOS}
    yield started
    for run in started.values():
        if run.poll() is None:
            run.kill()
        run.wait()
        run.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize("scenario", suite.SCENARIOS)
def test_the_resilient_client_passes_the_official_scenario(runs, scenario: str):
    told, _ = runs[scenario].communicate(timeout=50)
    assert runs[scenario].returncode == 0, told
    assert "0 failed" in told
