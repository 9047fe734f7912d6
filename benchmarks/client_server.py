"""The server of the resilience scenario: an ``mcp`` server in a process of its own that counts what it did.

    python benchmarks/client_server.py PORT DONE_FILE [http|sse]

Tools: ``echo`` and ``quick`` (may be repeated) and ``once`` (may not; each run appends its tag to DONE_FILE).
``GET /sessions`` tells how many sessions are alive.
"""

import sys
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SESSION = b"mcp-session-id"


class Counting:
    """Knows which sessions are alive, from what passes by: ids given and deleted, legacy streams open."""

    def __init__(self, app: ASGIApp, *, sse: bool) -> None:
        self.app, self.sse = app, sse
        self.ids: set[bytes] = set()
        self.streams = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"] == "/sessions":
            await JSONResponse({"sessions": self.streams if self.sse else len(self.ids)})(scope, receive, send)
            return
        asked = dict(scope["headers"]).get(SESSION, b"")

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = dict(message["headers"]).get(SESSION)
                if scope["method"] == "DELETE" and message["status"] < 300:
                    self.ids.discard(asked)
                elif scope["method"] == "POST" and given and not asked and message["status"] < 300:
                    self.ids.add(given)
            await send(message)

        stream = self.sse and scope["method"] == "GET"
        self.streams += stream
        try:
            await self.app(scope, receive, watched)
        finally:
            self.streams -= stream


def application(done: Path, transport: str) -> ASGIApp:
    """Return the server's application."""
    server: MCPServer[Any] = MCPServer("scenario", version="1.0.0", log_level="CRITICAL")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True))
    async def echo(message: str) -> str:
        """Return the message."""
        await anyio.sleep(0.005)
        return message

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True))
    async def quick(message: str) -> str:
        """Return the message without delay."""
        return message

    @server.tool(annotations=ToolAnnotations(read_only_hint=False, idempotent_hint=False))
    async def once(tag: str) -> str:
        """Do something that must not be done twice."""
        with done.open("a", encoding="utf-8") as lines:
            lines.write(tag + "\n")
        return tag

    if transport == "sse":
        return Counting(server.sse_app(sse_path="/sse/"), sse=True)
    return Counting(server.streamable_http_app(), sse=False)


if __name__ == "__main__":
    app = application(Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "http")
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical", timeout_graceful_shutdown=1)
