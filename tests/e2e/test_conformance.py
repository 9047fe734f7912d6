"""The official conformance suite against the demo's own server; skipped where it cannot run."""

import importlib.util
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from woolly_mcpdiag.demo.process import Address, demo_process

_SPEC = importlib.util.spec_from_file_location(
    "client_conformance", Path(__file__).parent.parent.parent / "benchmarks" / "client_conformance.py"
)
suite = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(suite)
SCENARIOS = (
    "server-initialize",
    "ping",
    "logging-set-level",
    "tools-list",
    "tools-call-simple-text",
    "tools-call-error",
    "server-sse-multiple-streams",
    "dns-rebinding-protection",
)


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    if reason := suite.missing():
        pytest.skip(reason)
    with demo_process() as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_demo_server_passes_the_official_scenario(address: Address, scenario: str) -> None:
    # The suite's DNS-rebinding scenario asks for a server that is reached as localhost.
    url = address.base.replace("127.0.0.1", "localhost") + "/mcp"
    command = [*suite.NPX, "server", "--url", url, "--scenario", scenario]
    run = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
