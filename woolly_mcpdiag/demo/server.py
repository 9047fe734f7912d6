"""The one place for the demo's MCP server: a real ``mcp`` server with described, annotated tools."""

import logging
import time
from dataclasses import asdict
from typing import Annotated, Any

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import EmptyResult, SetLevelRequestParams, ToolAnnotations
from pydantic import Field
from starlette.applications import Starlette
from starlette.routing import Route

from woolly_mcpdiag.demo import repository
from woolly_mcpdiag.demo.plan import MESSAGE_PATH, SSE_PATH, STREAMABLE_PATH, Plan, Trouble

logger = logging.getLogger("demo.server")

READS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, destructive_hint=False, open_world_hint=False)
WRITES = ToolAnnotations(read_only_hint=False, idempotent_hint=False, destructive_hint=False, open_world_hint=False)
SLOWEST = 60.0
"""Seconds; the longest that the tool ``slow`` agrees to take."""

Repository = Annotated[str, Field(description="Name of the repository to look in")]


def build(trouble: Trouble | None = None) -> MCPServer[Any]:
    """Return a new server; its state (the counters) lives as long as ``trouble`` does."""
    state = trouble or Trouble()
    server: MCPServer[Any] = MCPServer(
        "mcpdiag-demo",
        title="mcpdiag demo server",
        description="Practice target: a code base to search, and tools that are slow, fail or count.",
        instructions="search_code, find_entities and qa_codebase answer questions about a small repository.",
        version="1.0.0",
    )
    _add_code_tools(server, state)
    _add_practice_tools(server, state)
    _add_conformance(server)
    return server


def _add_code_tools(server: MCPServer[Any], state: Trouble) -> None:
    def refuse() -> None:
        if state.failing:
            msg = "the index of this repository is damaged"
            raise ToolError(msg)

    @server.tool(annotations=READS)
    async def search_code(
        repository_name: Repository,
        query: Annotated[str, Field(description="Words to look for; a line matches if it holds one of them")],
        limit: Annotated[int, Field(description="Most lines to return", ge=1, le=50)] = 5,
    ) -> str:
        """Find lines of code that hold the words of a query."""
        refuse()
        hits = repository.search(query, limit)
        return "\n".join(f"{hit.path}:{hit.line}: {hit.text}" for hit in hits) or f"{repository_name}: nothing found"

    @server.tool(annotations=READS)
    async def find_entities(
        repository_name: Repository,
        kind: Annotated[str, Field(description='"function", "class" or "any"')] = "any",
    ) -> str:
        """List the functions and classes of a repository."""
        refuse()
        return f"{repository_name}: " + ", ".join(repository.entities(kind))

    @server.tool(annotations=READS)
    async def qa_codebase(
        repository_name: Repository,
        question: Annotated[str, Field(description="A question about the code, in plain words")],
    ) -> str:
        """Answer a question about a repository from its sources."""
        refuse()
        if state.blocked:
            time.sleep(state.blocked)  # noqa: ASYNC251 - the fault is exactly this mistake
        best = repository.search(question, 1)
        return f"{repository_name}: see {asdict(best[0])}" if best else f"{repository_name}: no answer found"


def _add_practice_tools(server: MCPServer[Any], state: Trouble) -> None:
    @server.tool(annotations=READS)
    async def slow(
        seconds: Annotated[float, Field(description="How long to take, in seconds", ge=0, le=SLOWEST)] = 1.0,
    ) -> str:
        """Answer late; for deadlines and proxies that lose patience."""
        await anyio.sleep(seconds)
        return f"answered after {seconds:g} s"

    @server.tool(annotations=READS)
    async def failing(reason: Annotated[str, Field(description="What to fail with")] = "on purpose") -> str:
        """Fail every time: the error comes back inside a successful response."""
        raise ToolError(reason)

    @server.tool(annotations=WRITES)
    async def counter(name: Annotated[str, Field(description="Which counter")] = "default") -> int:
        """Add one to a counter and return it; a call that runs twice counts twice."""
        state.counters[name] = state.counters.get(name, 0) + 1
        return state.counters[name]

    @server.tool(annotations=READS)
    async def progress(
        ctx: Context[Any, Any],
        steps: Annotated[int, Field(description="How many progress messages", ge=1, le=100)] = 3,
        pause: Annotated[float, Field(description="Seconds between them", ge=0, le=SLOWEST)] = 0.01,
    ) -> str:
        """Report progress while working: an answer that is a stream."""
        for step in range(1, steps + 1):
            await ctx.report_progress(step, steps, f"step {step} of {steps}")
            await anyio.sleep(pause)
        return f"{steps} steps done"


def _add_conformance(server: MCPServer[Any]) -> None:
    """Add what the official conformance suite's server scenarios call by name."""

    @server.tool(name="test_simple_text", annotations=READS)
    async def simple_text() -> str:
        """Return a fixed text (conformance suite)."""
        return "This is a simple text response for testing."

    @server.tool(name="test_error_handling", annotations=READS)
    async def error_handling() -> str:
        """Fail with a fixed text (conformance suite)."""
        msg = "This tool intentionally returns an error for testing"
        raise ToolError(msg)

    async def set_level(_context: object, params: SetLevelRequestParams) -> EmptyResult:
        logger.info("client asked for log level %s", params.level)
        return EmptyResult()

    # MCPServer has no public door for logging/setLevel; the handshake era still asks for it.
    server._lowlevel_server.add_request_handler("logging/setLevel", SetLevelRequestParams, set_level)


def application(plan: Plan) -> Starlette:
    """Return the ASGI application of a plan: Streamable HTTP at /mcp, and at /sse/ what its transport says.

    With "both", /sse/ is the legacy SSE transport; with "streamable" it is Streamable HTTP under that
    misleading name, as the reported server had it.
    """
    server = build(plan.trouble)
    guard = None if plan.guarded else TransportSecuritySettings(enable_dns_rebinding_protection=False)
    if plan.allowed_hosts:
        guard = TransportSecuritySettings(allowed_hosts=list(plan.allowed_hosts))
    sse = server.sse_app(sse_path=SSE_PATH, message_path=MESSAGE_PATH, transport_security=guard)
    if plan.transport == "sse":
        return sse
    app = server.streamable_http_app(
        streamable_http_path=STREAMABLE_PATH,
        stateless_http=plan.stateless,
        session_idle_timeout=None if plan.stateless else plan.idle_timeout,
        max_sessions=plan.max_sessions,
        transport_security=guard,
    )
    if plan.transport == "both":
        app.router.routes.extend(sse.routes)
    else:
        endpoint = next(route for route in app.routes if isinstance(route, Route)).endpoint
        app.router.routes.append(Route(SSE_PATH, endpoint=endpoint))
    return app
