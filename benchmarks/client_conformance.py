"""The official MCP conformance suite against ``ResilientClient``, unmodified, and the client that it runs.

    python benchmarks/client_conformance.py        runs the scenarios; exit code 1 where one fails
    python benchmarks/client_conformance.py URL    is the client: lists the tools and calls each of them once

Needs Node 22 and the suite in npx's cache: ``npx @modelcontextprotocol/conformance@0.1.16 --version`` puts it there.
"""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).parent.parent))
from woolly_mcpdiag.client.resilient import ResilientClient

PACKAGE = "@modelcontextprotocol/conformance@0.1.16"
NPX = ("npx", "--offline", PACKAGE)
LEAST_NODE = 22
SCENARIOS = ("initialize", "tools_call", "sse-retry")


async def client(url: str) -> None:
    """List the tools and call each of them once."""
    async with ResilientClient(url) as pooled:
        for tool in (await pooled.list_tools()).tools:
            wanted = tool.input_schema.get("properties") or {}
            values = {name: 5 if kind.get("type") in {"number", "integer"} else "x" for name, kind in wanted.items()}
            print((await pooled.call_tool(tool.name, values, deadline=20, idempotent=True)).content)


def missing() -> str:
    """Return why the suite cannot run here, empty where it can."""
    node, npx = shutil.which("node"), shutil.which("npx")
    if node is None or npx is None:
        return "node is absent"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0]) < LEAST_NODE:
        return f"node {version}: {PACKAGE} needs {LEAST_NODE}"
    known = subprocess.run([npx, "--offline", PACKAGE, "--version"], capture_output=True, check=False)
    return "" if known.returncode == 0 else f"not installed: run once npx {PACKAGE} --version"


def command(scenario: str) -> list[str]:
    """Return what runs a scenario; the suite adds the URL to the client's command."""
    ours = shlex.join([sys.executable, str(Path(__file__).resolve())])
    return [*NPX, "client", "--scenario", scenario, "--command", ours]


def main() -> int:
    """Run the scenarios."""
    if why := missing():
        print(f"skipped: {why}")
        return 0
    return max(subprocess.run(command(scenario), check=False).returncode for scenario in SCENARIOS)


if __name__ == "__main__":
    if sys.argv[1:]:
        anyio.run(client, sys.argv[-1])
    else:
        sys.exit(main())
