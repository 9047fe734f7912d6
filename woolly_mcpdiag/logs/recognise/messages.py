"""Messages of servers, clients, proxies and event loops as data: a literal, a pattern, and the event it means.

A pattern's named groups fill the event's fields of the same name. Each row carries its own sample.
"""

import re
from dataclasses import dataclass, field

from woolly_mcpdiag.core.events import EventKind, Role

ID = r"(?P<session>[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?=[\w.~+/=-]*\d)[\w.~+/=-]{6,128})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message text that means something."""

    literal: str
    """Must be in the text before the pattern is tried: the cheap test."""
    pattern: re.Pattern[str]
    kind: EventKind
    role: Role
    sample: str
    error: str = ""
    """A fixed name for what happened, where the text has no exception type."""
    names: dict[str, str] = field(default_factory=dict)


def _message(literal: str, pattern: str, kind: EventKind, role: Role, sample: str, error: str = "") -> Message:
    return Message(literal=literal, pattern=re.compile(pattern), kind=kind, role=role, sample=sample, error=error)


OPENED = (
    _message(
        "Created new MCP session ",
        rf"Created new MCP session {ID}(?: for key (?P<key>\S+))?",
        "session.opened",
        "app",
        "Created new MCP session 76edd90fcfee4fc38b6b619560599f8f for key simplifier_edcec7aa",
    ),
    _message(
        "Received session ID: ",
        rf"Received session ID: {ID}",
        "session.opened",
        "client",
        "Received session ID: e38a7b99ebb34a64aa21797fbeac777a",
    ),
    _message(
        "Created new transport with session ID: ",
        rf"Created new transport with session ID: {ID}",
        "session.opened",
        "server",
        "Created new transport with session ID: f966ca22616347aabb22a8f36e18ce23",
    ),
    _message(
        "Created new session with ID: ",
        rf"Created new session with ID: {ID}",
        "session.opened",
        "server",
        "Created new session with ID: 5fb91ee8-6ec3-4cdf-b9f7-258f4446d62a",
    ),
    _message(
        "ession initialized with ID: ",
        rf"[Ss]ession initialized with ID: {ID}",
        "session.opened",
        "server",
        "Session initialized with ID: 0b2c151d-b618-4883-b3e7-a5a4ea18d2c5",
    ),
    _message(
        "MCP session ",
        rf"(?i)\b(?:opened|established|created|started)(?: an?| new| the)* MCP session[:= ]+{ID}(?:.{{0,24}}\bkey[:= ]+(?P<key>\S+))?",
        "session.opened",
        "app",
        "Opened MCP session 0b2c151d-b618-4883-b3e7-a5a4ea18d2c5 for key tester_1",
    ),
)

OTHERS = (
    _message(
        "Initialized MCP session",
        rf"Initialized MCP session {ID}(?: for key (?P<key>\S+))?",
        "session.ready",
        "app",
        "Initialized MCP session 76edd90fcfee4fc38b6b619560599f8f for key simplifier_edcec7aa [rate-limited]",
    ),
    _message(
        "Negotiated protocol version",
        r"Negotiated protocol version: (?P<version>\S+)",
        "session.ready",
        "client",
        "Negotiated protocol version: 2025-06-18",
    ),
    _message(
        "Cleaned up ",
        rf"Cleaned up (?:MCP )?session[:= ]+{ID}(?: for key (?P<key>\S+))?",
        "session.closed",
        "app",
        "Cleaned up MCP session 76edd90fcfee4fc38b6b619560599f8f for key simplifier_edcec7aa",
    ),
    _message(
        "Terminating session: ",
        rf"Terminating session: (?!None){ID}",
        "session.closed",
        "server",
        "Terminating session: f966ca22616347aabb22a8f36e18ce23",
    ),
    _message(
        " idle timeout",
        rf"Session {ID} idle timeout",
        "session.expired",
        "server",
        "Session f966ca22616347aabb22a8f36e18ce23 idle timeout",
    ),
    _message(
        "unknown or expired session",
        rf"unknown or expired session(?: ID)?: {ID}",
        "session.refused",
        "server",
        "Rejected request with unknown or expired session ID: f966ca22616347aabb22a8f36e18ce23",
        "unknown-session",
    ),
    _message(
        "Could not find session for ID: ",
        rf"Could not find session for ID: {ID}",
        "session.refused",
        "server",
        "Could not find session for ID: 5fb91ee8-6ec3-4cdf-b9f7-258f4446d62a",
        "unknown-session",
    ),
    _message(
        "No transport found for sessionId",
        rf"No transport found for sessionId:? {ID}",
        "session.refused",
        "server",
        "No transport found for sessionId 5fb91ee8-6ec3-4cdf-b9f7-258f4446d62a",
        "unknown-session",
    ),
    _message(
        "No valid session ID provided",
        r"No valid session ID provided",
        "call.rejected",
        "",
        "Bad Request: No valid session ID provided",
        "unknown-session",
    ),
    _message(
        "Missing session ID",
        r"Missing session ID",
        "call.rejected",
        "",
        "Bad Request: Missing session ID",
        "missing-session",
    ),
    _message("Session not found", r"Session not found", "call.rejected", "", "Session not found", "unknown-session"),
    _message(
        "Session has been terminated",
        r"Session has been terminated",
        "call.rejected",
        "",
        "Not Found: Session has been terminated",
        "terminated-session",
    ),
    _message(
        "Only one SSE stream",
        r"Only one SSE stream",
        "call.rejected",
        "",
        "Conflict: Only one SSE stream is allowed per session",
        "second-stream",
    ),
    _message(
        "Server not initialized",
        r"Server not initialized",
        "call.rejected",
        "",
        "Bad Request: Server not initialized",
        "not-initialized",
    ),
    _message(
        "Unsupported protocol version",
        r"Unsupported protocol version",
        "call.rejected",
        "",
        "Bad Request: Unsupported protocol version: 2099-01-01",
        "protocol-version",
    ),
    _message(
        "must accept ",
        r"Not Acceptable: Client must accept",
        "call.rejected",
        "",
        "Not Acceptable: Client must accept both application/json and text/event-stream",
        "bad-accept",
    ),
    _message(
        "Invalid Content-Type header",
        r"Invalid Content-Type header",
        "call.rejected",
        "",
        "Invalid Content-Type header",
        "bad-accept",
    ),
    _message(
        "Refusing to open a new session",
        r"Refusing to open a new session: (?P<count>\d+)",
        "session.refused",
        "server",
        "Refusing to open a new session: 3 sessions are already open",
        "too-many-sessions",
    ),
    _message(
        "Too many open sessions",
        r"Too many open sessions",
        "call.rejected",
        "",
        "Too many open sessions",
        "too-many-sessions",
    ),
    _message(
        "before initialization was complete",
        r"before initialization was complete",
        "call.rejected",
        "server",
        "Failed to validate request: Received request before initialization was complete",
        "not-initialized",
    ),
    _message(
        "Session termination failed",
        r"Session termination failed: (?P<status>\d{3})",
        "session.closed",
        "client",
        "Session termination failed: 429",
        "termination-failed",
    ),
    _message(
        " stream disconnected",
        r"(?:GET|SSE) stream disconnected, reconnecting",
        "stream.lost",
        "client",
        "GET stream disconnected, reconnecting in 1000ms...",
    ),
    _message(
        "Sending client message",
        r"Sending client message: .*?method='(?P<method>server/discover|initialize)'",
        "mcp.message",
        "client",
        "Sending client message: root=JSONRPCRequest(method='initialize', params={}, jsonrpc='2.0', id=0)",
    ),
    _message(
        "isError",
        r"""isError["']?\s*[:=]\s*[Tt]rue""",
        "call.rejected",
        "",
        "SSE message: root=JSONRPCResponse(jsonrpc='2.0', id=3, result={'content': [], 'isError': True})",
        "tool-error",
    ),
    _message(
        "-326",
        r"""code["']?\s*[:=]\s*(?P<code>-326\d\d).{0,40}?message["']?\s*[:=]\s*["'](?P<said>[^"']{0,120})""",
        "call.rejected",
        "",
        "SSE message: root=JSONRPCError(jsonrpc='2.0', id=1, error=ErrorData(code=-32602, message='Invalid request parameters', data=''))",
        "rpc-error",
    ),
    _message(
        "running on http",
        r"(?:Uvicorn|Hypercorn|Server|server) (?:is )?running on (?P<url>https?://\S+)",
        "server.listening",
        "server",
        "Uvicorn running on http://127.0.0.1:8009 (Press CTRL+C to quit)",
    ),
    _message(
        "Listening at: ",
        r"Listening at: (?P<url>https?://\S+)",
        "server.listening",
        "server",
        "Listening at: http://127.0.0.1:8009 (4890)",
    ),
    _message(
        "Started server process",
        r"Started server process \[(?P<pid>\d+)\]",
        "server.started",
        "server",
        "Started server process [4892]",
    ),
    _message(
        "Booting worker with pid",
        r"Booting worker with pid: (?P<pid>\d+)",
        "server.started",
        "server",
        "Booting worker with pid: 4892",
    ),
    _message(
        "Finished server process",
        r"Finished server process \[(?P<pid>\d+)\]",
        "server.stopped",
        "server",
        "Finished server process [4892]",
    ),
    _message(
        "Worker exiting",
        r"Worker exiting \(pid: (?P<pid>\d+)\)",
        "server.stopped",
        "server",
        "Worker exiting (pid: 4892)",
    ),
    _message(
        "WORKER TIMEOUT",
        r"WORKER TIMEOUT \(pid:(?P<pid>\d+)\)",
        "loop.blocked",
        "server",
        "WORKER TIMEOUT (pid:4892)",
        "worker-timeout",
    ),
    _message(
        "xceeded concurrency limit",
        r"[Ee]xceeded concurrency limit",
        "server.error",
        "server",
        "Exceeded concurrency limit.",
        "concurrency-limit",
    ),
    _message(
        "Too many open files",
        r"Too many open files",
        "server.error",
        "",
        "OSError: [Errno 24] Too many open files",
        "too-many-files",
    ),
    _message(
        "Invalid HTTP request received",
        r"Invalid HTTP request received",
        "server.error",
        "server",
        "Invalid HTTP request received.",
        "not-http",
    ),
    _message(
        "Invalid Host header",
        r"Invalid Host header",
        "server.error",
        "server",
        "Invalid Host header: mcp-lab.test:8316",
        "bad-host",
    ),
    _message(
        "Invalid Origin header",
        r"Invalid Origin header",
        "server.error",
        "server",
        "Invalid Origin header: http://evil.example",
        "bad-origin",
    ),
    _message(
        "Stateless session crashed",
        r"Stateless session crashed",
        "server.error",
        "server",
        "Stateless session crashed",
        "session-crashed",
    ),
    _message(
        "Exception in ASGI application",
        r"Exception in ASGI application",
        "server.error",
        "server",
        "Exception in ASGI application",
        "asgi",
    ),
    _message(
        " took ",
        r"Executing <.*> took (?P<seconds>\d+(?:\.\d+)?) seconds",
        "loop.blocked",
        "",
        "Executing <Task pending name='Task-9' coro=<main() running>> took 2.345 seconds",
        "slow-callback",
    ),
    _message(
        "upstream timed out",
        r"upstream timed out .*?while (?P<phase>reading response header from upstream|reading upstream|connecting to upstream|SSL handshaking)",
        "proxy.error",
        "proxy",
        "*5 upstream timed out (110: Connection timed out) while reading upstream, client: 127.0.0.1",
        "upstream-timeout",
    ),
    _message(
        "limiting requests",
        r"limiting requests",
        "proxy.error",
        "proxy",
        '*9 limiting requests, excess: 3.1 by zone "z"',
        "rate-limit",
    ),
    _message(
        "limiting connections",
        r"limiting connections",
        "proxy.error",
        "proxy",
        '*9 limiting connections by zone "z"',
        "rate-limit",
    ),
    _message(
        "connect() failed",
        r"connect\(\) (?:to \S+ )?failed",
        "proxy.error",
        "proxy",
        "*1 connect() failed (111: Connection refused) while connecting to upstream",
        "upstream-down",
    ),
    _message(
        "no live upstreams",
        r"no live upstreams",
        "proxy.error",
        "proxy",
        "*1 no live upstreams while connecting to upstream",
        "upstream-down",
    ),
    _message(
        "upstream prematurely closed",
        r"upstream prematurely closed",
        "proxy.error",
        "proxy",
        "*1 upstream prematurely closed connection while reading response header from upstream",
        "upstream-down",
    ),
    _message(
        "too large body",
        r"client intended to send too large (?:chunked )?body",
        "proxy.error",
        "proxy",
        "*1 client intended to send too large body: 5000000 bytes",
        "body-too-large",
    ),
)
MESSAGES = OPENED + OTHERS
REQUEST = re.compile(r'request: "(?P<method>[A-Z]+) (?P<url>\S+) HTTP')
"""The request an nginx error line speaks of."""
HOST = re.compile(r'host: "(?P<host>[^"]+)"')
