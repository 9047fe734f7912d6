"""The one MCP server in memory: it hands what an SDK session asks to whoever answers in its place."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import anyio
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.shared.memory import MessageStream, create_client_server_memory_streams
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
)

from woolly_mcpdiag.wire.session import About

T = TypeVar("T")
Context = ServerRequestContext[Any]
Page = PaginatedRequestParams | None


class Answers(Protocol):
    """Who answers; a cursor asks for a further page."""

    async def list_tools(self, *, cursor: str | None = None) -> ListToolsResult:
        """List the tools."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any] | None = None, *, meta: dict[str, Any] | None = None
    ) -> CallToolResult:
        """Call a tool."""

    async def list_resources(self, *, cursor: str | None = None) -> ListResourcesResult:
        """List the resources."""

    async def list_resource_templates(self, *, cursor: str | None = None) -> ListResourceTemplatesResult:
        """List the resource templates."""

    async def read_resource(self, uri: str) -> ReadResourceResult:
        """Read a resource."""

    async def list_prompts(self, *, cursor: str | None = None) -> ListPromptsResult:
        """List the prompts."""

    async def get_prompt(self, name: str, arguments: dict[str, str] | None = None) -> GetPromptResult:
        """Get a prompt."""


class Told(Protocol):
    """What an answer is awaited through."""

    async def __call__(self, answer: Awaitable[T]) -> T:
        """Return the answer. Raises ``MCPError`` in place of any error that is not one."""
        ...


@asynccontextmanager
async def relayed(about: About, answers: Answers, told: Told) -> AsyncGenerator[MessageStream]:
    """Yield the streams of a session's other end; it says what ``about`` says, and asks ``answers``."""
    server = _server(about, answers, told)
    async with create_client_server_memory_streams() as (near, (read, write)), anyio.create_task_group() as tasks:
        tasks.start_soon(server.run, read, write, server.create_initialization_options())
        try:
            yield near
        finally:
            tasks.cancel_scope.cancel()


def _server(about: About, answers: Answers, told: Told) -> Server[Any]:
    async def list_tools(_: Context, page: Page) -> ListToolsResult:
        return await told(answers.list_tools(cursor=_cursor(page)))

    async def call_tool(_: Context, asked: CallToolRequestParams) -> CallToolResult:
        return await told(answers.call_tool(asked.name, asked.arguments, meta=_theirs(asked.meta)))

    async def list_resources(_: Context, page: Page) -> ListResourcesResult:
        return await told(answers.list_resources(cursor=_cursor(page)))

    async def list_templates(_: Context, page: Page) -> ListResourceTemplatesResult:
        return await told(answers.list_resource_templates(cursor=_cursor(page)))

    async def read_resource(_: Context, asked: ReadResourceRequestParams) -> ReadResourceResult:
        return await told(answers.read_resource(str(asked.uri)))

    async def list_prompts(_: Context, page: Page) -> ListPromptsResult:
        return await told(answers.list_prompts(cursor=_cursor(page)))

    async def get_prompt(_: Context, asked: GetPromptRequestParams) -> GetPromptResult:
        return await told(answers.get_prompt(asked.name, asked.arguments))

    can, info = about.capabilities, about.info
    return Server(
        info.name if info else "",
        version=info.version if info else "",
        title=info.title if info else None,
        instructions=about.instructions,
        on_list_tools=list_tools if can.tools else None,
        on_call_tool=call_tool if can.tools else None,
        on_list_resources=list_resources if can.resources else None,
        on_list_resource_templates=list_templates if can.resources else None,
        on_read_resource=read_resource if can.resources else None,
        on_list_prompts=list_prompts if can.prompts else None,
        on_get_prompt=get_prompt if can.prompts else None,
    )


def _cursor(page: Page) -> str | None:
    return page.cursor if page else None


def _theirs(meta: Any) -> dict[str, Any] | None:  # noqa: ANN401 - the SDK's model or mapping
    """Return the ``_meta`` that is the caller's own; the rest belongs to one hop."""
    if meta is None:
        return None
    row = meta if isinstance(meta, dict) else meta.model_dump(by_alias=True, exclude_none=True)
    kept = {k: v for k, v in row.items() if k != "progressToken" and not k.startswith("io.modelcontextprotocol/")}
    return kept or None
