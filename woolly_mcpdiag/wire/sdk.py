"""The names of ``mcp`` and ``httpx2`` that the layers above need; nothing else of these libraries is known there."""

from httpx2 import AsyncBaseTransport, Auth
from mcp import Client, MCPError
from mcp_types import (
    CallToolResult,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    ReadResourceResult,
    TextContent,
    Tool,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_MODERN_VERSION, MODERN_PROTOCOL_VERSIONS

__all__ = [
    "HANDSHAKE_PROTOCOL_VERSIONS",
    "LATEST_MODERN_VERSION",
    "MODERN_PROTOCOL_VERSIONS",
    "AsyncBaseTransport",
    "Auth",
    "CallToolResult",
    "Client",
    "GetPromptResult",
    "ListPromptsResult",
    "ListResourceTemplatesResult",
    "ListResourcesResult",
    "ListToolsResult",
    "MCPError",
    "ReadResourceResult",
    "TextContent",
    "Tool",
]
