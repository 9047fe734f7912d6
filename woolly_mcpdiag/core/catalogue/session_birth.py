"""The one place for causes at the birth of a session: where its id comes from and when it may be used."""

from woolly_mcpdiag.core.causes import Cause

BIRTH: tuple[Cause, ...] = (
    Cause(
        name="session.harvested-from-400",
        title="The client took its session id from an error response and waits on the wrong transport",
        severity="error",
        what=(
            "Your client sends a GET without a session id, gets 400, reads the `mcp-session-id` header of that 400 "
            "and opens an SSE stream with it. The second GET answers 200, and then nothing ever arrives: no POST "
            "follows and no agent finishes. You see one 400 for every session, also when a single agent runs alone."
        ),
        why=(
            "The URL speaks Streamable HTTP whatever its path is called (`/sse/` is only a name). A stateful Python "
            'server answers a GET without an id with 400 "Missing session ID" and puts the id of a freshly made, '
            "never initialised session on that very error; mcp releases before 1.30 and 2.2 also keep this session, "
            "so the second GET is let in. The legacy SSE client then waits for an `endpoint` event which a "
            "Streamable HTTP server never sends, and the server's pings every 15 s keep its read time-out from "
            "firing: the 200 is a false success that hides a hang. It looks intermittent because in a parallel log "
            "one 400 and one 200 per agent interleave. So it is no race between agents (it happens at concurrency "
            "1), no matter of timing between creation and use (the id appears within milliseconds of the 400, out of "
            "that very response), and no connection-pool conflict (that ends in PoolTimeout, never in a 400). A "
            "readiness check, a session pool, a delay, a back-off or a circuit breaker cannot help, and every retry "
            "leaves one more ghost session of about 30 kB in an old server."
        ),
        sure=(
            'Count three things: GET 400, "session created" lines, GET 200. They are equal, and there is no POST '
            "to the same URL. With times, the id appears 0 to 9 ms after the 400. With httpcore at DEBUG, the 400's "
            "`receive_response_headers.complete` line contains the same id and `content-length: 105`. A server of "
            "mcp 1.30 or 2.2 and later answers 404 to the second GET instead. Proof: POST `initialize` to the same "
            "URL; it answers 200."
        ),
        client=(
            "Use the Streamable HTTP client on the same URL and never send a GET to obtain an id: pydantic-ai 0.x "
            "`MCPServerStreamableHTTP(url)`; pydantic-ai 2.x `MCPToolset(Client(StreamableHttpTransport(url)))`, "
            "because `MCPToolset(url)` picks SSE for a path that ends in `/sse`; the SDK's "
            "`streamable_http_client(url)` (mcp 2.x) or `streamablehttp_client(url)` (mcp 1.x). Remove the code that "
            "reads `mcp-session-id` itself: the SDK does it from the answer to `initialize`."
        ),
        server=(
            "Upgrade to mcp 1.30 or 2.2 and later, which keeps no ghost session for a rejected request, and serve "
            "the endpoint under `/mcp` so that no client infers SSE from the path."
        ),
        references=(
            "MCP 2025-06-18, Basic, Transports, Session Management",
            "MCP 2025-06-18, Basic, Transports, Backwards Compatibility",
            "modelcontextprotocol/python-sdk#1051",
            "modelcontextprotocol/csharp-sdk#1759",
            "QwenLM/qwen-code#8550",
        ),
        statuses=(400, 200, 404),
        bodies=("Missing session ID",),
    ),
    Cause(
        name="session.missing-id",
        title="A request reached a stateful server without a session id",
        severity="error",
        what=(
            "A POST (or DELETE) other than `initialize` came without an `mcp-session-id` header, and the server "
            "answered 400."
        ),
        why=(
            "A server that gave out an id on `initialize` may refuse every later request without it. The header is "
            "lost where a client is written by hand, where a new transport object is made for each call, where an "
            "older SDK's `initialize` answer was not read, or where a proxy or gateway drops unknown headers."
        ),
        sure=(
            "Log the request headers of one failing POST (httpcore at DEBUG shows them): the header is missing. If "
            'it is there in the client\'s log but the server still says "Missing session ID", something between '
            "them removes it. A GET without an id is another matter: see transport.mismatch."
        ),
        client=(
            "Let the SDK keep the session: one `ClientSession` (or `Client`) for `initialize` and all calls. If you "
            "write the requests yourself, copy `mcp-session-id` from the answer to `initialize` onto every later "
            "request."
        ),
        server="If you need no state between calls, run with `stateless_http=True`; then no id is asked for.",
        deployment=(
            "Let the proxy pass `Mcp-Session-Id` and `MCP-Protocol-Version` in both directions, and list them under "
            "the allowed and exposed headers of CORS."
        ),
        references=("MCP 2025-06-18, Basic, Transports, Session Management", "modelcontextprotocol/csharp-sdk#1759"),
        statuses=(400,),
        bodies=(
            "Missing session ID",
            "Mcp-Session-Id header is required",
            "session_id is required",
            "Session ID required in mcp-session-id header",
        ),
    ),
    Cause(
        name="session.used-before-ready",
        title="A request was sent before the handshake was complete",
        severity="error",
        what=(
            "A call reached the server before `notifications/initialized`. Servers before mcp 1.18 answer 200 with "
            'JSON-RPC error -32602 "Invalid request parameters"; a TypeScript server answers 400 "Server not '
            'initialized"; fastmcp 4 keeps the call waiting.'
        ),
        why=(
            "The session is handed out when it is created, not when it is ready: the handshake is three messages "
            "(`initialize`, its answer, `notifications/initialized`), and a second task may send its call between "
            "them. With legacy SSE the POSTs of two tasks can also overtake each other."
        ),
        sure=(
            'The server logs "Received request before initialization was complete". The client\'s log shows only '
            "POST 200, because the error is in the body: log the JSON-RPC messages or the calls' errors."
        ),
        client=(
            "Hand a session out only after `await session.initialize()` has returned; one task opens it, the others "
            "wait for an event. Raise the error of the call instead of treating 200 as success."
        ),
        server="Upgrade to mcp 1.18 or later, which accepts requests between `initialize` and `initialized`.",
        references=(
            "MCP 2025-06-18, Basic, Lifecycle, Initialization",
            "modelcontextprotocol/python-sdk#423",
            "PrefectHQ/fastmcp#411",
            "unclecode/crawl4ai#2233",
        ),
        statuses=(200, 400, 202),
        bodies=(
            "Received request before initialization was complete",
            "Server not initialized",
            "Invalid request parameters",
        ),
    ),
    Cause(
        name="session.reinitialized",
        title="Somebody initialised a session a second time, and it stopped working for the others",
        severity="error",
        what=(
            "A second `initialize` arrives on a live session. Python servers answer 200 and treat the session as new "
            "until the next `notifications/initialized`; meanwhile calls of other tasks fail with -32602. A "
            'TypeScript server refuses it with 400 "Server already initialized".'
        ),
        why=(
            "Two tasks share a session and each runs its own handshake, or a reconnect sends `initialize` together "
            "with the old session id."
        ),
        sure=(
            'Two `initialize` requests carry the same `mcp-session-id`. The server logs "Received request before '
            'initialization was complete" on a session that had worked.'
        ),
        client=(
            "Initialise once per session and share the ready object, or give each task its own session. When you "
            "start over, send `initialize` without the old id."
        ),
        references=("MCP 2025-06-18, Basic, Lifecycle, Initialization",),
        statuses=(200, 400),
        bodies=(
            "Server already initialized",
            "already initialized",
            "Received request before initialization was complete",
        ),
    ),
    Cause(
        name="session.leak",
        title="Sessions are opened and never closed",
        severity="warning",
        what=(
            "Many more sessions are created than closed, and the server keeps them all. Rejected requests may leave "
            "sessions behind as well."
        ),
        why=(
            "Most clients never send DELETE, a crashed client cannot, and servers before mcp 1.30 and 2.2 keep the "
            "session that they made for a request which they then refused: 300 refused requests left 300 sessions of "
            "about 30 kB each. Without an idle time-out they stay until the process ends."
        ),
        sure=(
            'Compare "Created new transport with session ID" with "Terminating session" and "idle timeout" in '
            "the server's log, and watch the memory of the process while anonymous requests arrive."
        ),
        client=(
            "Close sessions with their context manager (the SDK then sends DELETE), also on errors; reuse a session "
            "for several calls instead of opening one per call."
        ),
        server="Upgrade to mcp 1.30 or 2.2 and later, set `session_idle_timeout` and `max_sessions`.",
        deployment=(
            "Keep health checks off the MCP path: a GET every few seconds from a load balancer leaves a ghost "
            "session each time on old servers."
        ),
        references=(
            "modelcontextprotocol/python-sdk#1283",
            "modelcontextprotocol/python-sdk#2455",
            "modelcontextprotocol/python-sdk#3300",
            "PrefectHQ/fastmcp#3443",
        ),
        statuses=(400, 503),
        bodies=("Created new transport with session ID", "Too many open sessions"),
    ),
)
