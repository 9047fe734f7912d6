"""The one MCP server in memory: it hands what an SDK session asks to whoever answers in its place."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import anyio
from mcp.client.session import ClientRequestContext
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.memory import MessageStream, create_client_server_memory_streams
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    CreateMessageResultWithTools,
    ElicitRequest,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListRootsRequest,
    ListRootsResult,
    ListToolsResult,
    LoggingMessageNotification,
    LoggingMessageNotificationParams,
    PaginatedRequestParams,
    PromptsCapability,
    ReadResourceRequestParams,
    ReadResourceResult,
    ResourcesCapability,
    ServerCapabilities,
    ServerRequest,
    ToolsCapability,
)
from pydantic import BaseModel

from woolly_mcpdiag.wire.peer import Peer
from woolly_mcpdiag.wire.session import About

T = TypeVar("T")
R = TypeVar("R", bound=BaseModel)
Context = ServerRequestContext[Any]
Page = PaginatedRequestParams | None


class Answers(Protocol):
    """Who answers; a cursor asks for a further page."""

    async def list_tools(self, *, cursor: str | None = None) -> ListToolsResult:
        """List the tools."""

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        *,
        meta: dict[str, Any] | None = None,
        peer: Peer | None = None,
    ) -> CallToolResult:
        """Call a tool; ``peer`` answers what its server asks."""

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

    async def call_tool(context: Context, asked: CallToolRequestParams) -> CallToolResult:
        meta, peer = _theirs(asked.meta), _peer(context)
        return await told(answers.call_tool(asked.name, asked.arguments, meta=meta, peer=peer))

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
    if info is None or not info.name:
        # Of a server whose version was pinned nothing is known: what it has not, it refuses itself.
        can = ServerCapabilities(tools=ToolsCapability(), resources=ResourcesCapability(), prompts=PromptsCapability())
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


def _peer(context: Context) -> Peer:
    """Return who hands on what the server asks during a call to the session that made it."""
    session, call = context.session, context.request_id
    about = ServerMessageMetadata(related_request_id=call)

    async def ask(request: ServerRequest, kind: type[R]) -> R | ErrorData:
        try:
            return await session.send_request(request, kind, metadata=about)
        except MCPError as refused:
            return refused.error

    async def sampling(
        context: ClientRequestContext, params: CreateMessageRequestParams
    ) -> CreateMessageResult | CreateMessageResultWithTools | ErrorData:
        del context
        if params.tools or params.tool_choice:
            return await ask(CreateMessageRequest(params=params), CreateMessageResultWithTools)
        return await ask(CreateMessageRequest(params=params), CreateMessageResult)

    async def elicitation(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        del context
        return await ask(ElicitRequest(params=params), ElicitResult)

    async def roots(context: ClientRequestContext) -> ListRootsResult | ErrorData:
        del context
        return await ask(ListRootsRequest(), ListRootsResult)

    async def log(params: LoggingMessageNotificationParams) -> None:
        await session.send_notification(LoggingMessageNotification(params=params), call)

    return Peer(sampling=sampling, elicitation=elicitation, roots=roots, log=log, progress=session.report_progress)


def _cursor(page: Page) -> str | None:
    return page.cursor if page else None


def _theirs(meta: Any) -> dict[str, Any] | None:  # noqa: ANN401 - the SDK's model or mapping
    """Return the ``_meta`` that is the caller's own; the rest belongs to one hop."""
    if meta is None:
        return None
    row = meta if isinstance(meta, dict) else meta.model_dump(by_alias=True, exclude_none=True)
    kept = {k: v for k, v in row.items() if k != "progressToken" and not k.startswith("io.modelcontextprotocol/")}
    return kept or None
