"""A real server of the mcp SDK in a process of its own: Streamable HTTP with event streams and with JSON, HTTP+SSE.

It prints its port once it listens. The Streamable ones speak both eras.
"""

import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route


def server() -> MCPServer:
    made = MCPServer("real", version="1.0.0", log_level="CRITICAL")

    @made.tool()
    async def echo(text: str) -> str:
        return text

    @made.tool()
    async def fail() -> str:
        message = "no"
        raise ValueError(message)

    @made.tool()
    async def chatty(context: Context) -> str:
        await context.report_progress(0.5, 1.0)
        await context.info("half way")
        return "done"

    return made


async def execute(request: Request) -> Response:
    order = await request.json()
    error = {"error": "boom"} if order["agent_type"] == "broken" else {}
    return JSONResponse({"agent_type": order["agent_type"], "content": order["user_query"], "metadata": error})


def application() -> Starlette:
    events, plain = server().streamable_http_app(), server().streamable_http_app(json_response=True)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with events.router.lifespan_context(events), plain.router.lifespan_context(plain):
            yield

    routes = [
        Route("/agents", execute, methods=["POST"]),
        Mount("/events", events),
        Mount("/plain", plain),
        Mount("/", server().sse_app()),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


if __name__ == "__main__":
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    print(listener.getsockname()[1], flush=True)  # noqa: T201 - how the test learns of it
    uvicorn.Server(uvicorn.Config(application(), log_level="critical", timeout_graceful_shutdown=1)).run([listener])
