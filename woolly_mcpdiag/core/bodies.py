"""The one table of error bodies: a status with a size, or a text, tells which server spoke and what it meant.

Sizes are the ``content-length`` of the body as the server sends it. Those of the JSON bodies follow from their text:
mcp 1.x wraps it with ``"id":"server-error"``, mcp 2.x with ``"id":null`` (ten bytes less).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

_NEAR = 0.82
"""Share of equal characters from which a text is another with a slip; any two texts of the table share fewer."""
_SHORTEST = 5
"""Characters below which a text is part of too many bodies to say anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One body a server is known to send."""

    status: int
    text: str
    """The message, freed of its JSON wrapping."""
    sizes: tuple[int, ...]
    """Bytes, one for each way it is wrapped; empty where the length varies."""
    causes: tuple[str, ...]
    """Names in the catalogue, likeliest first."""
    server: str
    """Which server generation sends it."""


_NO_ID = ("transport.mismatch", "session.harvested-from-400", "session.missing-id", "transport.era-probe")
_UNKNOWN = (
    "session.lost",
    "session.no-affinity",
    "session.server-restarted",
    "session.idle-expired",
    "session.used-after-close",
)
_VERSION = ("transport.protocol-version",)
_ACCEPT = ("transport.bad-accept",)


def _body(status: int, text: str, sizes: tuple[int, ...], causes: tuple[str, ...], server: str) -> Body:
    return Body(status=status, text=text, sizes=sizes, causes=causes, server=server)


BODIES: tuple[Body, ...] = (
    _body(400, "Bad Request: Missing session ID", (105,), _NO_ID, "mcp 1.x and fastmcp 2.x"),
    _body(400, "Bad Request: Missing session ID", (95,), _NO_ID, "mcp 2.x and fastmcp 4.x"),
    _body(400, "Bad Request: No valid session ID provided", (41,), _UNKNOWN, "mcp 1.25 and earlier"),
    _body(
        400,
        "Bad Request: No valid session ID provided",
        (95,),
        (*_UNKNOWN, "transport.mismatch", "transport.era-probe"),
        "the TypeScript SDK's examples",
    ),
    _body(
        400,
        "Bad Request: Mcp-Session-Id header is required",
        (110,),
        ("session.missing-id", "transport.era-probe"),
        "the TypeScript SDK",
    ),
    _body(
        400,
        "Bad Request: Server not initialized",
        (99,),
        ("session.used-before-ready", "session.missing-id", "transport.era-probe"),
        "the TypeScript SDK",
    ),
    _body(400, "Invalid Request: Server already initialized", (107,), ("session.reinitialized",), "the TypeScript SDK"),
    _body(400, "session_id is required", (22,), ("transport.mismatch", "session.missing-id"), "Python legacy SSE"),
    _body(400, "Invalid session ID", (18,), ("session.missing-id",), "Python legacy SSE"),
    _body(400, "Could not parse message", (23,), ("transport.bad-message",), "Python legacy SSE"),
    _body(400, "Parse error", (), ("transport.bad-message",), "mcp and the TypeScript SDK"),
    _body(400, "Validation error", (), ("transport.batch-refused", "transport.bad-message"), "mcp, Streamable HTTP"),
    _body(400, "Invalid Content-Type header", (27,), _ACCEPT, "mcp 1.10 and later"),
    _body(400, "Bad Request: Unsupported protocol version", (183,), _VERSION, "mcp 1.11"),
    _body(400, "Bad Request: Unsupported protocol version", (195,), _VERSION, "mcp 1.30"),
    _body(400, "Bad Request: Unsupported protocol version", (198,), _VERSION, "the TypeScript SDK"),
    _body(
        400,
        "params._meta must be an object carrying the required 'io.modelcontextprotocol/protocolVersion' and "
        "'io.modelcontextprotocol/clientCapabilities' envelope keys",
        (218,),
        _VERSION,
        "mcp 2.x, revision 2026-07-28",
    ),
    _body(
        400,
        "Mcp-Method header does not match the request body's method",
        (119,),
        _VERSION,
        "mcp 2.x, revision 2026-07-28",
    ),
    _body(400, "Unsupported protocol version", (150,), _VERSION, "mcp 2.x, revision 2026-07-28"),
    _body(400, "Session registration failed: session already exists", (), ("session.stream-conflict",), "hosted Go"),
    _body(403, "Invalid Origin header", (21,), ("transport.origin-guard",), "mcp 1.23 and later"),
    _body(404, "Session not found", (91,), _UNKNOWN, "mcp 1.26 and later"),
    _body(404, "Session not found", (81,), _UNKNOWN, "mcp 2.x and fastmcp 4.x"),
    _body(404, "Not Found: Invalid or expired session ID", (114, 104), _UNKNOWN, "mcp"),
    _body(
        404,
        "Not Found: Session has been terminated",
        (112,),
        ("session.used-after-close",),
        "mcp 1.25 and earlier",
    ),
    _body(404, "Not Found: Session has been terminated", (102,), ("session.used-after-close",), "mcp 2.x"),
    _body(404, "Could not find session", (22,), _UNKNOWN, "Python legacy SSE"),
    _body(404, "Not Found", (9,), ("transport.wrong-path",), "Starlette (no MCP endpoint at this path)"),
    _body(405, "Method Not Allowed", (18,), ("transport.mismatch", "transport.no-get-stream"), "Starlette"),
    _body(405, "Method Not Allowed", (92, 82), ("transport.no-get-stream",), "mcp, Streamable HTTP"),
    _body(
        405,
        "Method Not Allowed: Session termination not supported",
        (127, 117),
        ("transport.no-get-stream",),
        "mcp, stateless",
    ),
    _body(
        406,
        "Not Acceptable: Client must accept both application/json and text/event-stream",
        (152, 142),
        _ACCEPT,
        "mcp",
    ),
    _body(406, "Not Acceptable: Client must accept text/event-stream", (126, 116), _ACCEPT, "mcp"),
    _body(406, "Not Acceptable: Client must accept application/json", (125, 115), _ACCEPT, "mcp, json_response=True"),
    _body(
        409,
        "Conflict: Only one SSE stream is allowed per session",
        (126,),
        ("session.stream-conflict",),
        "mcp 1.x",
    ),
    _body(
        409,
        "Conflict: Only one SSE stream is allowed per session",
        (116,),
        ("session.stream-conflict",),
        "mcp 2.x and the TypeScript SDK",
    ),
    _body(413, "Request body too large", (22,), ("transport.body-too-large",), "mcp 1.29 and later"),
    _body(
        415,
        "Unsupported Media Type: Content-Type must be application/json",
        (135, 125),
        _ACCEPT,
        "mcp and the TypeScript SDK",
    ),
    _body(421, "Invalid Host header", (19,), ("transport.host-guard",), "mcp 1.23 and later"),
    _body(503, "Too many open sessions", (96, 86), ("server.capacity",), "mcp 1.30 or 2.2 and later"),
    _body(503, "Service Unavailable", (19,), ("server.capacity",), "uvicorn --limit-concurrency"),
)


@cache
def _by_size() -> dict[tuple[int, int], list[Body]]:
    index: dict[tuple[int, int], list[Body]] = {}
    for body in BODIES:
        for size in body.sizes:
            index.setdefault((body.status, size), []).append(body)
    return index


def by_size(status: int, size: int) -> list[Body]:
    """Return the bodies of that status and exactly that many bytes, in the order of the table."""
    return list(_by_size().get((status, size), ()))


def by_text(status: int | None, text: str) -> list[Body]:
    """Return the bodies that this text is, contains, is part of or nearly is, best first.

    Letter case, punctuation and a JSON-RPC wrapping do not matter. With a status only its bodies are looked at.
    """
    return [body for _, body in likeness(status, text)]


def likeness(status: int | None, text: str) -> list[tuple[float, Body]]:
    """Return what ``by_text`` returns, each with how alike the texts are: 1 is equal, never under 0.7."""
    wanted = _plain(unwrap(text))
    if len(wanted) < _SHORTEST:
        return []
    rated = ((_alike(wanted, body.text), body) for body in BODIES if status in {None, body.status})
    return sorted(((value, body) for value, body in rated if value), key=lambda pair: -pair[0])


def unwrap(text: str) -> str:
    """Return the message of a JSON-RPC error (``error.message``), or the text itself."""
    for candidate in _json_parts(text):
        try:
            document = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        error = document.get("error") if isinstance(document, dict) else None
        message = error.get("message") if isinstance(error, dict) else error
        if isinstance(message, str):
            return message
    return text


def _json_parts(text: str) -> Iterator[str]:
    start, end = text.find("{"), text.rfind("}")
    if 0 <= start < end:
        part = text[start : end + 1]
        yield part
        yield part.replace('\\"', '"')


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()


def _alike(wanted: str, text: str) -> float:
    known = _plain(text)
    if wanted == known:
        return 1.0
    if known in wanted:
        return 0.9 if len(known) > len("not found") else 0.75
    if wanted in known:
        return 0.7 + 0.25 * len(wanted) / len(known)
    bare = _plain(text.partition(": ")[2] or text)
    ratio = max(SequenceMatcher(None, wanted, form, autojunk=False).ratio() for form in {known, bare})
    return ratio * 0.95 if ratio >= _NEAR else 0.0
