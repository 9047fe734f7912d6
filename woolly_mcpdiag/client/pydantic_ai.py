"""The one door to pydantic-ai: ``ResilientToolset`` gives an agent a server's tools through a ``ResilientClient``.

Needs the extra: ``pip install "woolly-mcpdiag[pydantic-ai]"``.
"""

import base64
import json
from collections.abc import Callable
from typing import Any, Generic, Literal

import anyio
from pydantic_core import SchemaValidator, core_schema

try:
    from pydantic_ai import RunContext, ToolDefinition
    from pydantic_ai.exceptions import ModelRetry, ToolFailed
    from pydantic_ai.messages import BinaryContent
    from pydantic_ai.tools import AgentDepsT
    from pydantic_ai.toolsets.abstract import AbstractToolset, ToolsetTool
except ImportError as missing:
    msg = "pydantic-ai is not installed: pip install 'woolly-mcpdiag[pydantic-ai]'"
    raise ImportError(msg) from missing

from woolly_mcpdiag.client.errors import ResilienceError
from woolly_mcpdiag.client.resilient import ResilientClient
from woolly_mcpdiag.wire.peer import Peer
from woolly_mcpdiag.wire.sdk import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    MCPError,
    ResourceLink,
    TextContent,
    TextResourceContents,
    Tool,
)

_PAGES = 100
"""Pages of a tool list that are read at most."""
_ANYTHING = SchemaValidator(core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema()))
"""The server checks the arguments."""


class ResilientToolset(AbstractToolset[AgentDepsT], Generic[AgentDepsT]):
    """The tools of one server, for any number of agents and runs at once.

    The client is yours: open it where the application starts. A tool's own error goes back to the model, which may try
    again; a call that the client gives up ends the run with its ``ResilienceError``, or is told to the model.
    """

    def __init__(
        self,
        client: ResilientClient,
        *,
        id: str | None = None,  # noqa: A002 - pydantic-ai's own word
        key: Callable[[RunContext[AgentDepsT]], str | None] | str | None = None,
        deadline: float | None = None,
        tools_kept: float = 300.0,
        given_up: Literal["raise", "tell"] = "raise",
        max_retries: int | None = None,
        peer: Callable[[RunContext[AgentDepsT]], Peer | None] | Peer | None = None,
    ) -> None:
        """Take the settings.

        ``key`` says whose session a call uses, as of ``call_tool``, or finds it from a run; ``deadline`` (seconds) is
        for a call with all its attempts; the list of tools is kept for ``tools_kept`` seconds; ``given_up`` says
        whether the run ends or the model is told. ``peer``, or what finds it from a run, answers what the server asks
        during a call, where the client ``offers`` that, and is told its progress.
        """
        self.client = client
        self._id, self._key, self._deadline = id, key, deadline
        self._kept, self._given_up, self._max_retries = tools_kept, given_up, max_retries
        self._peer = peer
        self._tools: tuple[float, list[Tool]] | None = None

    @property
    def id(self) -> str | None:
        """The toolset's id, where it was given one."""
        return self._id

    async def get_tools(self, ctx: RunContext[AgentDepsT]) -> dict[str, ToolsetTool[AgentDepsT]]:
        """Return the server's tools. Raises ``ResilienceError`` where none can be listed."""
        retries = ctx.max_retries if self._max_retries is None else self._max_retries
        return {
            tool.name: ToolsetTool(
                toolset=self, tool_def=_definition(tool), max_retries=retries, args_validator=_ANYTHING
            )
            for tool in await self._listed(self._key_of(ctx))
        }

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[AgentDepsT], tool: ToolsetTool[AgentDepsT]
    ) -> Any:  # noqa: ANN401 - a tool may return anything
        """Call a tool and return what it answers, in pydantic-ai's types."""
        agent = (ctx.agent.name if ctx.agent else None) or ""
        peer = self._peer(ctx) if callable(self._peer) else self._peer
        try:
            result = await self.client.call_tool(
                name, tool_args, key=self._key_of(ctx), agent=agent, deadline=self._deadline, peer=peer
            )
        except MCPError as error:
            raise ModelRetry(error.error.message) from error
        except ResilienceError as error:
            if self._given_up == "raise":
                raise
            msg = f"{name} is not available: {error.message}"
            raise ToolFailed(msg) from error
        if result.is_error:
            raise ModelRetry(_text(result) or f"{name} failed")
        return _value(result)

    async def _listed(self, key: str | None) -> list[Tool]:
        now = anyio.current_time()
        if self._tools is not None and now - self._tools[0] < self._kept:
            return self._tools[1]
        found: list[Tool] = []
        cursor: str | None = None
        for _ in range(_PAGES):
            page = await self.client.list_tools(cursor=cursor, key=key)
            found += page.tools
            if (cursor := page.next_cursor) is None:
                break
        self._tools = (now, found)
        return found

    def _key_of(self, ctx: RunContext[AgentDepsT]) -> str | None:
        return self._key(ctx) if callable(self._key) else self._key


def _definition(tool: Tool) -> ToolDefinition:
    hints = tool.annotations.model_dump(by_alias=True, exclude_none=True) if tool.annotations else None
    return ToolDefinition(
        name=tool.name,
        description=tool.description,
        parameters_json_schema=tool.input_schema,
        metadata={"meta": tool.meta, "annotations": hints},
        return_schema=tool.output_schema,
    )


def _value(result: CallToolResult) -> Any:  # noqa: ANN401 - a tool may return anything
    """Return the structured content where the texts only repeat it, else the parts, a single one by itself."""
    structured = result.structured_content
    if structured is not None and all(isinstance(part, TextContent) for part in result.content):
        return structured["result"] if set(structured) == {"result"} else structured
    parts = [_part(part) for part in result.content]
    return parts[0] if len(parts) == 1 else parts


def _part(part: ContentBlock) -> Any:  # noqa: ANN401 - JSON in a text becomes what it says
    match part:
        case TextContent(text=text):
            return _json(text) if text.startswith(("[", "{")) else text
        case ImageContent() | AudioContent():
            return BinaryContent(data=base64.b64decode(part.data), media_type=part.mime_type)
        case EmbeddedResource(resource=resource):
            return _resource(resource)
        case ResourceLink(uri=uri):
            return str(uri)


def _resource(resource: TextResourceContents | BlobResourceContents) -> str | BinaryContent:
    if isinstance(resource, TextResourceContents):
        return resource.text
    kind = resource.mime_type or "application/octet-stream"
    return BinaryContent(data=base64.b64decode(resource.blob), media_type=kind)


def _json(text: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(result: CallToolResult) -> str:
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))
