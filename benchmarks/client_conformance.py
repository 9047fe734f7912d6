"""The client that the official MCP conformance suite runs against its scenarios.

    npx @modelcontextprotocol/conformance client --scenario NAME --command "python benchmarks/client_conformance.py"

Scenarios: initialize, tools_call, sse-retry. The suite adds the URL; its version 0.1.16 needs Node 22.
"""

import sys
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).parent.parent))
from woolly_mcpdiag.client.resilient import ResilientClient


async def main(url: str) -> None:
    """List the tools and call each of them once."""
    async with ResilientClient(url) as client:
        for tool in (await client.list_tools()).tools:
            wanted = tool.input_schema.get("properties") or {}
            values = {name: 5 if kind.get("type") in {"number", "integer"} else "x" for name, kind in wanted.items()}
            print((await client.call_tool(tool.name, values, deadline=20, idempotent=True)).content)


if __name__ == "__main__":
    anyio.run(main, sys.argv[-1])
