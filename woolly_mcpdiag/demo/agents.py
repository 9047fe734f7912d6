"""The one place for the agents API: ``POST /api/v1/agents/execute`` and its agents, which really call MCP tools."""

import json
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from woolly_mcpdiag.demo.clients.contract import AgentClient, ToolCall, first_error
from woolly_mcpdiag.demo.plan import AGENTS

logger = logging.getLogger("api.agents.universal")

EXECUTE = "/api/v1/agents/execute"
STREAM = "/api/v1/agents/execute/stream"
PIECE = 40
"""Characters in a chunk of a streamed answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a caller asks for."""

    agents: tuple[str, ...]
    repository: str
    query: str
    single: bool
    """True where the body named one ``agent_type``: the answer is then one object, not a list."""
    stream: bool = False


def tools_of(agent: str, repository: str, query: str) -> list[ToolCall]:
    """Return the tools that an agent type calls."""
    search = ToolCall(name="search_code", arguments={"repository_name": repository, "query": query})
    listing = ToolCall(name="find_entities", arguments={"repository_name": repository, "kind": "any"})
    question = ToolCall(name="qa_codebase", arguments={"repository_name": repository, "question": query})
    return {"tester": [listing], "convo_starter": [question], "documentation": [listing, search]}.get(agent, [search])


def read_order(body: object) -> Order | list[dict[str, Any]]:
    """Return the order in a request body, or what is wrong with it, one entry a field."""
    row = body if isinstance(body, dict) else {}
    wrong = [
        {"loc": ["body", name], "msg": "a text is required", "type": "missing"}
        for name in ("repository_name", "user_query")
        if not isinstance(row.get(name), str)
    ]
    single = "agent_types" not in row
    named = [row.get("agent_type")] if single else row.get("agent_types")
    names = named if isinstance(named, list) else []
    field = "agent_type" if single else "agent_types"
    if not names or any(name not in AGENTS for name in names):
        wrong.append({"loc": ["body", field], "msg": f"choose from {', '.join(AGENTS)}", "type": "value_error"})
    if wrong:
        return wrong
    return Order(
        agents=tuple(names),
        repository=row["repository_name"],
        query=row["user_query"],
        single=single,
        stream=row.get("stream") is True,
    )


class AgentsApi:
    """Runs agents with one MCP client design behind an HTTP API."""

    def __init__(self, client: AgentClient, rng: random.Random, ended: Callable[[], None] = lambda: None) -> None:
        self.client = client
        self.rng = rng
        self.ended = ended
        """Called after each run of an agent, good or bad."""

    def app(self) -> Starlette:
        """Return the application."""
        routes = [
            Route(EXECUTE, self.execute, methods=["POST"]),
            Route(STREAM, self.execute_stream, methods=["POST"]),
            Route("/health", self.health),
        ]
        return Starlette(routes=routes)

    async def health(self, _request: Request) -> Response:
        """Say that the API itself lives; it does not ask the MCP server."""
        return JSONResponse({"status": "ok", "agents": list(AGENTS)})

    async def execute(self, request: Request) -> Response:
        """Run the agents side by side and answer when all are done: 200 even where one failed."""
        return await self._take(request, stream=False)

    async def execute_stream(self, request: Request) -> Response:
        """Run the agents and send what they say in pieces."""
        return await self._take(request, stream=True)

    async def _take(self, request: Request, *, stream: bool) -> Response:
        try:
            order = read_order(await request.json())
        except ValueError:
            order = [{"loc": ["body"], "msg": "no JSON", "type": "json_invalid"}]
        if isinstance(order, list):
            return JSONResponse({"detail": order}, status_code=422)
        if stream or order.stream:
            return StreamingResponse(self._pieces(order), media_type="text/event-stream")
        results = await self._all(order)
        return JSONResponse(results[0] if order.single else {"results": results, "total_agents": len(results)})

    async def _all(self, order: Order) -> list[dict[str, Any]]:
        results: dict[int, dict[str, Any]] = {}

        async def one(place: int, agent: str) -> None:
            results[place] = await self.run_agent(agent, order)

        async with anyio.create_task_group() as tasks:
            for place, agent in enumerate(order.agents):
                tasks.start_soon(one, place, agent)
        return [results[place] for place in range(len(order.agents))]

    async def _pieces(self, order: Order) -> AsyncIterator[bytes]:
        for agent in order.agents:
            yield _event({"type": "start", "agent_type": agent})
            result = await self.run_agent(agent, order)
            text = result["content"]
            for start in range(0, len(text), PIECE):
                yield _event({"type": "content", "agent_type": agent, "content": text[start : start + PIECE]})
            yield _event({"type": "end", "agent_type": agent, "metadata": result["metadata"]})
        yield b"data: [DONE]\n\n"

    async def run_agent(self, agent: str, order: Order) -> dict[str, Any]:
        """Run one agent; a failure is told in ``metadata.error``."""
        key = f"{agent}_{self.rng.getrandbits(32):08x}"
        started = time.perf_counter()
        metadata: dict[str, Any] = {"session_key": key, "repository_name": order.repository}
        content = ""
        try:
            await self.client.prepare(key)
            logger.info("Executing %s agent with MCP tools (session: %s)", agent, key)
            calls = tools_of(agent, order.repository, order.query)
            texts = await self.client.run(key, calls)
            content = "\n".join(texts)
            metadata["tool_calls"] = [call.name for call in calls]
            logger.info("Agent execution successful for %s (%s) in %.3fs", agent, key, time.perf_counter() - started)
        except Exception as problem:  # noqa: BLE001 - an agents API answers 200 and tells the error inside
            cause = first_error(problem)
            metadata["error"] = f"{type(cause).__name__}: {cause}"
            took = time.perf_counter() - started
            logger.error(  # noqa: TRY400 - the customer logs one line, no traceback
                "Agent execution failed for %s (%s) after %.3fs: %s: %s", agent, key, took, type(cause).__name__, cause
            )
        finally:
            self.ended()
        metadata["duration_ms"] = round((time.perf_counter() - started) * 1000, 3)
        return {"agent_type": agent, "content": content, "metadata": metadata}


def _event(row: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(row).encode() + b"\n\n"
