"""The official conformance suite against the demo's own server; skipped where it cannot run."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from woolly_mcpdiag.demo.process import Address, demo_process

PACKAGE = "@modelcontextprotocol/conformance@0.1.16"
LEAST_NODE = 22
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


def _missing() -> str:
    """Say why the suite cannot run here, "" where it can."""
    node, npx = shutil.which("node"), shutil.which("npx")
    if node is None or npx is None:
        return "node is absent"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0]) < LEAST_NODE:
        return f"node {version}: {PACKAGE} needs {LEAST_NODE}"
    known = subprocess.run([npx, "--offline", PACKAGE, "--version"], capture_output=True, check=False)
    return "" if known.returncode == 0 else f"not installed: run once npx {PACKAGE} --version"


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    reason = _missing()
    if reason:
        pytest.skip(reason)
    with demo_process() as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_demo_server_passes_the_official_scenario(address: Address, scenario: str) -> None:
    # The suite's DNS-rebinding scenario asks for a server that is reached as localhost.
    url = address.base.replace("127.0.0.1", "localhost") + "/mcp"
    command = ["npx", "--offline", PACKAGE, "server", "--url", url, "--scenario", scenario]
    run = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
