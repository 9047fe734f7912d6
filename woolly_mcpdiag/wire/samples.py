"""The one place that writes down a failing exchange for people: request, response, no secret."""

import httpx2

from woolly_mcpdiag.core import redact

LONGEST = 2_000
"""Characters of a body that are kept."""
_SPEAKS = {"accept", "content-type", "content-length", "transfer-encoding", "last-event-id", "date", "server", "via"}
_OF_MCP = {"mcp-session-id", "mcp-protocol-version", "mcp-method"}
SHOWN = _SPEAKS | _OF_MCP | {"allow", "retry-after", "www-authenticate", "x-request-id"}
"""Headers that a sample shows; any other may hold a secret."""


def decoded(response: httpx2.Response, raw: bytes) -> str:
    """Return the body's text, also of one that is compressed."""
    try:
        return httpx2.Response(response.status_code, headers=response.headers, content=raw).text
    except httpx2.DecodingError:
        return raw.decode("utf-8", "replace")


def shown_request(request: httpx2.Request, url: str) -> str:
    """Return what was asked under a redacted URL."""
    try:
        body = request.content.decode("utf-8", "replace")
    except httpx2.RequestNotRead:
        body = ""
    return _shown(f"{request.method} {url}", request.headers, body)


def shown_response(response: httpx2.Response, body: str) -> str:
    """Return what was answered, with its redacted body."""
    return _shown(f"HTTP {response.status_code} {response.reason_phrase}".rstrip(), response.headers, body)


def _shown(first: str, headers: httpx2.Headers, body: str) -> str:
    lines = [f"{name}: {value}" for name, value in headers.items() if name.lower() in SHOWN]
    if (location := headers.get("location")) is not None:
        lines.append(f"location: {redact.url(location)}")
    return redact.text("\n".join([first, *lines, "", body[: 2 * LONGEST]]))[: 2 * LONGEST].rstrip()
