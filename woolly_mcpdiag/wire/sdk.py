"""The names of ``mcp`` and ``httpx2`` that the layers above need; nothing else of these libraries is known there."""

from httpx2 import AsyncBaseTransport, Auth
from mcp import Client, ClientSession, MCPError
from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    GetPromptResult,
    ImageContent,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    ReadResourceResult,
    ResourceLink,
    TextContent,
    TextResourceContents,
    Tool,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_MODERN_VERSION, MODERN_PROTOCOL_VERSIONS

__all__ = [
    "HANDSHAKE_PROTOCOL_VERSIONS",
    "LATEST_MODERN_VERSION",
    "MODERN_PROTOCOL_VERSIONS",
    "AsyncBaseTransport",
    "AudioContent",
    "Auth",
    "BlobResourceContents",
    "CallToolResult",
    "Client",
    "ClientSession",
    "ContentBlock",
    "EmbeddedResource",
    "GetPromptResult",
    "ImageContent",
    "ListPromptsResult",
    "ListResourceTemplatesResult",
    "ListResourcesResult",
    "ListToolsResult",
    "MCPError",
    "ReadResourceResult",
    "ResourceLink",
    "TextContent",
    "TextResourceContents",
    "Tool",
]
