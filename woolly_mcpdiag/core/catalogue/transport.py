"""The one place for causes in how MCP is spoken over HTTP: transport, path, headers, revision, body."""

from woolly_mcpdiag.core.causes import Cause

CAUSES: tuple[Cause, ...] = (
    Cause(
        name="transport.mismatch",
        title="The client speaks another MCP transport than this URL",
        severity="error",
        what=(
            'A legacy SSE client meets a Streamable HTTP endpoint (GET 400 "Missing session ID"; on a stateless '
            "server GET 200 and then silence), or a Streamable HTTP client meets a legacy SSE endpoint (POST 405, or "
            "404 from a TypeScript server)."
        ),
        why=(
            "The two transports look alike but begin differently: legacy SSE opens a GET stream and waits for an "
            "`endpoint` event; Streamable HTTP begins with POST `initialize`. A path does not tell which one is "
            "behind it, and clients that infer it do so by name: fastmcp's client and pydantic-ai 2.x "
            "`MCPToolset(url)` choose SSE for a path that ends in `/sse`."
        ),
        sure=(
            "POST `initialize` to the URL: 200 means Streamable HTTP. GET with `Accept: text/event-stream`: an "
            "`endpoint` event within a second means legacy SSE; 400 means stateful Streamable HTTP; 405 or a silent "
            "200 means stateless Streamable HTTP. In a log: a GET 200 that no POST ever follows is the silent case."
        ),
        client=(
            "For a Streamable HTTP URL use `streamable_http_client(url)` (mcp 2.x), `streamablehttp_client(url)` "
            "(mcp 1.x), `MCPServerStreamableHTTP(url)` (pydantic-ai 0.x) or "
            "`MCPToolset(Client(StreamableHttpTransport(url)))` (pydantic-ai 2.x). For a legacy SSE URL use "
            "`sse_client(url)`, `MCPServerSSE(url)` or `SSETransport(url)`. Do not let the path decide."
        ),
        server=(
            "Serve Streamable HTTP under `/mcp`; if old clients must be served, mount `sse_app()` beside it under "
            "`/sse` and say which is which."
        ),
        references=(
            "MCP 2025-06-18, Basic, Transports, Backwards Compatibility",
            "modelcontextprotocol/python-sdk#1051",
            "modelcontextprotocol/csharp-sdk#1759",
            "hangwin/mcp-chrome#9",
            "shiwenwen/hope-agent#421",
            "QwenLM/qwen-code#8550",
            "n8n-io/n8n#18938",
            "pydantic/pydantic-ai#1880",
        ),
        statuses=(400, 405, 404, 200),
        bodies=(
            "Missing session ID",
            "Method Not Allowed",
            "session_id is required",
            "No valid session ID provided",
            "Invalid or missing MCP session ID for SSE",
            "SSE error: Non-200 status code (400)",
        ),
    ),
    Cause(
        name="transport.era-probe",
        title="A modern client asked an older server for `server/discover`: harmless",
        severity="info",
        benign=True,
        what=(
            "Each new connection begins with one POST that is refused (400, sometimes 404 or 405), and the next "
            "POST, `initialize`, succeeds. All calls work."
        ),
        why=(
            'Clients of revision 2026-07-28 (mcp 2.x in `mode="auto"`, fastmcp 4, pydantic-ai 2.x) first ask '
            "`server/discover`. A server of the handshake era does not know it and refuses; the client then falls "
            "back to `initialize`. Nothing failed, but a gate that counts 400s must know it."
        ),
        sure=(
            "Exactly one refused POST right before a POST 200, once per connection, never later, and the log comes "
            "from an `httpx2` or mcp 2.x client. At DEBUG the refused message's method is `server/discover`."
        ),
        client=(
            'Nothing is needed. `Client(url, mode="legacy")` saves the round trip to servers that you know to be old.'
        ),
        server=(
            "Upgrade the server to mcp 2.x to answer the probe. Servers before mcp 1.30 keep a ghost session of "
            "about 30 kB for each probe."
        ),
        references=(
            "MCP 2026-07-28, Basic, Versioning, Backward Compatibility with Initialization-Based Versions",
            "modelcontextprotocol/python-sdk#2950",
            "modelcontextprotocol/csharp-sdk#1765",
            "modelcontextprotocol/csharp-sdk#1799",
            "ai-ecoverse/slicc#3001",
        ),
        statuses=(400, 404, 405),
        bodies=(
            "server/discover",
            "Missing session ID",
            "No valid session ID provided",
            "Server not initialized",
            "Mcp-Session-Id header is required",
        ),
    ),
    Cause(
        name="transport.get-stream-after-close",
        title="The client's GET stream ended because the session was closed: harmless",
        severity="info",
        benign=True,
        what=(
            'After DELETE the log still says "GET stream disconnected, reconnecting in 1000ms...", or httpcore '
            "reports `receive_response_body.failed exception=GeneratorExit()`."
        ),
        why=(
            "Closing a session ends its GET stream; the listening task notices it first and announces a reconnect "
            "that never happens."
        ),
        sure=(
            "The line stands after the DELETE of its session, or at the end of the client's `async with`, and no GET "
            "follows."
        ),
        references=("MCP 2025-06-18, Basic, Transports, Session Management",),
        bodies=("GET stream disconnected, reconnecting", "GeneratorExit()"),
    ),
    Cause(
        name="transport.no-get-stream",
        title="The server offers no GET stream or no DELETE: allowed by the specification",
        severity="info",
        benign=True,
        what="The client's GET (or DELETE) answers 405, and its POSTs go on working.",
        why=(
            "A server may decline the standalone stream and the client's end of session; stateless servers do. The "
            "client tries once and carries on."
        ),
        sure="The 405 is on GET or DELETE only, once per session, between POSTs that succeed.",
        references=("MCP 2025-06-18, Basic, Transports, Listening for Messages from the Server",),
        statuses=(405,),
        bodies=("Method Not Allowed", "Session termination not supported"),
    ),
    Cause(
        name="transport.redirect",
        title="Every request is sent twice because the URL lacks (or has) a trailing slash",
        severity="warning",
        what=(
            "Each request is answered 307 (or 308) and then repeated on the same path with or without its last "
            "slash. It works, at double the latency, until a client or proxy does not follow."
        ),
        why=(
            "Starlette and FastAPI redirect between `/mcp` and `/mcp/` when only one is routed. Which one is right "
            "depends on the release: servers of mcp 1.9 to 1.11 route `/mcp/`, newer ones `/mcp`. Behind TLS the "
            "redirect may point to `http://` and then fails, and some clients drop the body or the `Authorization` "
            "header."
        ),
        sure=(
            "The URL of the 307 and of the next request differ only in the slash. If the `location` header names "
            "another scheme or host, the proxy's forwarded headers are not understood."
        ),
        client="Write the URL exactly as the server routes it: the one that answers without 307.",
        server="Route both spellings to the endpoint.",
        deployment=(
            "Behind TLS, run uvicorn with `--proxy-headers --forwarded-allow-ips=<proxy address>` and let the proxy "
            "send `X-Forwarded-Proto`."
        ),
        references=(
            "modelcontextprotocol/python-sdk#732",
            "modelcontextprotocol/python-sdk#1168",
            "PrefectHQ/fastmcp#991",
            "PrefectHQ/fastmcp#1867",
            "langchain-ai/langchain-mcp-adapters#206",
        ),
        statuses=(307, 308, 301, 302),
        bodies=("Temporary Redirect", "Permanent Redirect", "redirect"),
    ),
    Cause(
        name="transport.wrong-path",
        title="There is no MCP endpoint at this path",
        severity="error",
        what=(
            'The first request of every connection answers 404 "Not Found" (9 bytes from Starlette), or an HTML page.'
        ),
        why="The path is wrong, the app is mounted twice (`/mcp/mcp`), or a proxy cuts or adds a prefix.",
        sure=(
            "The 404 comes on the very first request, which carries no session id, and its body is not JSON-RPC. A "
            'sibling path (`/mcp`, `/mcp/`, `/sse`, `/sse/`) answers. A 404 with "Session not found" is another '
            "matter: see session.lost."
        ),
        client="Use the path that the server prints or documents; try `/mcp` first.",
        server=(
            'If you mount the app in another one, give the inner path `/`: `mcp.http_app(path="/")` mounted under '
            '`/mcp`, or set `streamable_http_path="/"`.'
        ),
        deployment=(
            "Compare the path in the server's access log with the one in the client's log: the difference is what "
            "the proxy changed (nginx: a URI after `proxy_pass` replaces the matched prefix)."
        ),
        references=("PrefectHQ/fastmcp#1849", "nginx, ngx_http_proxy_module, proxy_pass"),
        statuses=(404,),
        bodies=("Not Found", "Cannot GET", "Cannot POST", "<!DOCTYPE html>", "Unexpected content type"),
    ),
    Cause(
        name="transport.bad-accept",
        title="The Accept or Content-Type header is not what MCP asks for",
        severity="error",
        what='406 "Not Acceptable", 415 "Unsupported Media Type", or 400 "Invalid Content-Type header".',
        why=(
            "A POST must accept both `application/json` and `text/event-stream` and be sent as `application/json`; a "
            "GET must accept `text/event-stream`. Hand-written clients, curl (`*/*`), health checks and gateways "
            "that rewrite `Accept` miss it. mcp 1.x refuses `*/*` too; 2.x takes it."
        ),
        sure="Log the request headers of one refused request and compare.",
        client=(
            "Use an SDK, or send `Accept: application/json, text/event-stream` and `Content-Type: application/json`."
        ),
        server="`json_response=True` makes a Python server content with `application/json` alone on POST.",
        deployment="Let the proxy pass `Accept` untouched; give health checks another path.",
        references=("MCP 2025-06-18, Basic, Transports, Sending Messages to the Server",),
        statuses=(406, 415, 400),
        bodies=(
            "Not Acceptable",
            "Client must accept",
            "Unsupported Media Type",
            "Invalid Content-Type header",
            "Content-Type must be application/json",
        ),
    ),
    Cause(
        name="transport.bad-message",
        title="The server could not read the request body as a JSON-RPC message",
        severity="error",
        what='400 with "Parse error", "Validation error" or "Could not parse message".',
        why=(
            "The body is no JSON, or no JSON-RPC 2.0 message of this protocol revision: an empty body, a form, a "
            "message without `jsonrpc`, or one altered on the way."
        ),
        sure="Send the same request with an SDK; if that works, print what your client sends.",
        client=(
            "Send one JSON-RPC 2.0 object per POST, encoded in UTF-8, with `jsonrpc`, `method` and (for a request) "
            "`id`."
        ),
        references=("MCP 2025-06-18, Basic, Transports, Sending Messages to the Server",),
        statuses=(400,),
        bodies=("Parse error", "Validation error", "Could not parse message"),
    ),
    Cause(
        name="transport.batch-refused",
        title="The server does not accept JSON-RPC batches",
        severity="error",
        what="A POST whose body is a JSON array answers 400 with JSON-RPC error -32602.",
        why=(
            "Batches existed in revision 2025-03-26 only and were removed in 2025-06-18. Python servers refuse them; "
            "TypeScript servers still accept them."
        ),
        sure="The body of the refused POST begins with `[`.",
        client="Send one message per POST.",
        references=("MCP 2025-06-18, Key Changes", "MCP 2025-03-26, Basic, Transports, Sending Messages to the Server"),
        statuses=(400,),
        bodies=("Validation error",),
    ),
    Cause(
        name="transport.host-guard",
        title="The server's guard against DNS rebinding refused the Host header",
        severity="error",
        what='421 "Invalid Host header" (19 bytes), for every request under this name.',
        why=(
            "From mcp 1.23 on, a server made for localhost accepts only `localhost`, `127.0.0.1` and `[::1]` with a "
            "port as its Host. Behind a proxy, in Docker or Kubernetes the clients use another name, and `localhost` "
            "without a port is refused too."
        ),
        sure=(
            'The server logs "Invalid Host header: <name>", on the logger `mcp.server.transport_security`. The '
            "same request with `Host: localhost:<port>` works."
        ),
        client="Use a name that the server allows; do not forge the header in code that ships.",
        server=(
            'List your names: `TransportSecuritySettings(allowed_hosts=["mcp.example.com", "mcp.example.com:*", '
            '"localhost:*", "127.0.0.1:*"])`, given as `transport_security=` to `run()`, `streamable_http_app()` '
            "or `sse_app()` (mcp 2.x) or to `FastMCP(...)` (mcp 1.x). fastmcp: `allowed_hosts=` of `http_app()`. "
            "Entries are exact or end in `:*`."
        ),
        deployment="Or let the proxy send a name that is allowed: nginx `proxy_set_header Host localhost:8000;`.",
        references=(
            "MCP 2025-06-18, Basic, Transports, Security Warning",
            "RFC 9110, Misdirected Request",
            "modelcontextprotocol/python-sdk#1798",
            "awslabs/mcp#4507",
            "blockscout/mcp-server#333",
        ),
        statuses=(421,),
        bodies=("Invalid Host header", "Missing Host header", "Misdirected Request", "Request validation failed"),
    ),
    Cause(
        name="transport.origin-guard",
        title="The server's guard against DNS rebinding refused the Origin header",
        severity="error",
        what='403 "Invalid Origin header" (21 bytes) for requests that carry an Origin, typically from a browser.',
        why=(
            "The same guard as transport.host-guard: only `http://localhost:*`, `http://127.0.0.1:*` and "
            "`http://[::1]:*` are allowed by default. Python clients send no Origin and are not hit."
        ),
        sure=(
            'The server logs "Invalid Origin header: <origin>". A 403 with an HTML body, or from `Server: nginx`, '
            "comes from a proxy: see auth.forbidden."
        ),
        client="Do not send an Origin from a program that is no browser.",
        server=(
            "Add the origin: `TransportSecuritySettings(allowed_hosts=[...], "
            'allowed_origins=["https://app.example.com"])`.'
        ),
        deployment=(
            "A local 403 may come from a corporate proxy: set `NO_PROXY=localhost,127.0.0.1`, see net.env-proxy."
        ),
        references=("MCP 2025-06-18, Basic, Transports, Security Warning", "modelcontextprotocol/python-sdk#1798"),
        statuses=(403,),
        bodies=("Invalid Origin header", "Invalid Origin"),
    ),
    Cause(
        name="transport.protocol-version",
        title="Client and server do not agree on the protocol revision",
        severity="error",
        what=(
            '400 "Unsupported protocol version", or JSON-RPC error -32022, or -32020 where header and body '
            "disagree, or -32602 where a modern request lacks its `_meta` envelope."
        ),
        why=(
            "The `MCP-Protocol-Version` header names a revision that the server does not speak. A gateway pins it, a "
            "hand-written client invents it, or the two releases are years apart. A request under the modern header "
            "to mcp 2.x must also carry the version in `params._meta`."
        ),
        sure=(
            "The body lists the supported revisions. Compare with the `protocolVersion` that `initialize` (or "
            "`server/discover`) agreed on."
        ),
        client=(
            "Send the agreed revision on every request after `initialize`, and no other; let the SDK do it. Upgrade "
            "the older side."
        ),
        server="Upgrade so that client and server share a revision.",
        deployment="Let no proxy set or remove `MCP-Protocol-Version`.",
        references=("MCP 2025-06-18, Basic, Transports, Protocol Version Header", "MCP 2026-07-28, Key Changes"),
        statuses=(400,),
        bodies=(
            "Unsupported protocol version",
            "header does not match the request envelope's protocol version",
            "header does not match the request body's method",
            "params._meta must be an object",
            "params._meta is missing the required envelope key",
            "-32022",
            "-32020",
        ),
    ),
    Cause(
        name="transport.body-too-large",
        title="The request body is larger than somebody on the way allows",
        severity="error",
        what='413. With 22 bytes "Request body too large" it is the MCP server; with an HTML page it is a proxy.',
        why=(
            "Tool arguments (files in base64, long documents) exceed a limit: 4 MiB in mcp 1.29 and later, 1 MB in "
            "nginx by default."
        ),
        sure="Look at the body and the `server` header of the 413, and at the size of the request.",
        client="Send a reference (URL, resource) in place of the content, or split it.",
        server="`run(..., max_request_body_size=16 * 1024 * 1024)` (bytes; mcp 1.29 and later, 2.x).",
        deployment="nginx `client_max_body_size 16m;`, and the same at every gateway before it.",
        references=("RFC 9110, Content Too Large", "nginx, ngx_http_core_module, client_max_body_size"),
        statuses=(413,),
        bodies=("Request body too large", "Request Entity Too Large", "Content Too Large", "Payload Too Large"),
    ),
)
