"""The one place for causes in a session's later life: who knows it, when it ends, what happens to its streams."""

from woolly_mcpdiag.core.causes import Cause

LOSS: tuple[Cause, ...] = (
    Cause(
        name="session.no-affinity",
        title="Several server processes, and a session lives in only one of them",
        severity="error",
        what=(
            "The same session id works on some requests and is unknown (404, or 400 from an older server) on others, "
            "from the first second on."
        ),
        why=(
            "Sessions are kept in the memory of one process. With two workers, replicas or pods and no affinity, a "
            "request lands on a process that never heard of the id. A client that keeps its connection open may be "
            "pinned to the right one by luck: then some sessions are perfect for ever and others fail at their very "
            "first use."
        ),
        sure=(
            "One id has both successes and refusals, interleaved, or new ids are refused within milliseconds of "
            "their creation while the server did not restart. Live: replay a refused id on a dozen fresh "
            "connections; any success means affinity, no success means the session is lost. One session alone proves "
            "nothing: try ten or more in parallel."
        ),
        client=(
            "Nothing durable. A retry on a new connection may reach the right process, but the answer stream of a "
            "GET will not."
        ),
        server=(
            "Make the server stateless: `stateless_http=True` (mcp 2.x `run()` and `streamable_http_app()`, mcp 1.x "
            "`FastMCP(...)`, fastmcp `http_app()`), or serve revision 2026-07-28, which has no sessions. Legacy SSE "
            "cannot be stateless."
        ),
        deployment=(
            "Run one worker (`uvicorn --workers 1`, `replicas: 1`), or let the balancer learn which process gave out "
            "the id: HAProxy `stick store-response res.hdr(mcp-session-id)` with `stick match "
            "req.hdr(mcp-session-id)`, nginx Plus `sticky learn`. Hashing the request header cannot work, because "
            "`initialize` has none. Legacy SSE announces its id inside the stream, so only affinity by cookie or "
            "client address is left, and address fails behind a shared gateway."
        ),
        references=(
            "MCP 2025-06-18, Basic, Transports, Session Management",
            "MCP 2026-07-28, Key Changes",
            "tadata-org/fastapi_mcp#56",
            "PrefectHQ/fastmcp#1003",
            "PrefectHQ/fastmcp#658",
        ),
        statuses=(404, 400),
        bodies=(
            "No valid session ID provided",
            "Session not found",
            "Could not find session",
            "Invalid or expired session ID",
        ),
    ),
    Cause(
        name="session.server-restarted",
        title="The server restarted and forgot its sessions",
        severity="error",
        what=(
            "At one moment the requests of several sessions turn from success to 404 (or 400 from an older server), "
            "and a new `initialize` works at once."
        ),
        why=(
            "Sessions live in memory. A deploy, a crash, a recycled worker (`--max-requests`) or an autoscaler ends "
            "the process, and the ids it gave out mean nothing to the next one. Clients keep using the dead id "
            "because the SDK clients do not start a new session by themselves, although the specification asks for "
            "it on 404."
        ),
        sure=(
            'The server log shows "Started server process" or "Application startup complete" just before the '
            "first refusal. Without it: the first refusals of all sessions lie close together on the clock whatever "
            "their idle times, often after a few refused connections or a 502."
        ),
        client=(
            'On 404 with a session id (and on 400 "No valid session ID provided" from mcp 1.25 and earlier or a '
            "TypeScript server) drop the session, initialise a new one and repeat the call once if it is safe to "
            "repeat. Never reuse the id."
        ),
        server=(
            "Return 404, not 400, for an unknown id: upgrade to mcp 1.26 or later. Stateless mode has nothing to "
            "forget."
        ),
        deployment=(
            "Drain before you stop (`--timeout-graceful-shutdown`), roll one replica at a time, and give workers no "
            "request limit while they hold sessions."
        ),
        references=(
            "MCP 2025-06-18, Basic, Transports, Session Management",
            "modelcontextprotocol/python-sdk#1676",
            "modelcontextprotocol/python-sdk#3556",
            "modelcontextprotocol/python-sdk#1727",
            "langchain-ai/langchain-mcp-adapters#278",
            "sparfenyuk/mcp-proxy#149",
        ),
        statuses=(404, 400),
        bodies=(
            "Session not found",
            "No valid session ID provided",
            "Session terminated",
            "Could not find session",
            "Started server process",
            "Application startup complete",
        ),
    ),
    Cause(
        name="session.idle-expired",
        title="The server closed the session because nobody used it for a while",
        severity="error",
        what=(
            "One session turns from success to 404 (or 400 from an older server) after a pause, while busier "
            "sessions go on."
        ),
        why=(
            "Servers drop sessions without traffic: mcp 2.3 after 30 minutes (`session_idle_timeout`), others after "
            "a few. A session with an open GET stream counts as used, so it hits clients that open none or whose "
            "stream a proxy has cut."
        ),
        sure=(
            "The pauses before the refusals have a common lower bound: every session with a longer pause is refused, "
            'none with a shorter one. The server logs "Session ... idle timeout". If all sessions paused equally '
            "long, a restart looks the same: see session.lost."
        ),
        client=(
            "Initialise a new session on 404, and retire pooled sessions before the server does (maximum idle time "
            "below the server's). Keep the GET stream open, or send `ping` now and then."
        ),
        server="Raise `session_idle_timeout` (seconds; `None` turns it off) on `run()` or `streamable_http_app()`.",
        deployment=(
            "Keep the proxy's idle limit above the server's ping interval so that the GET stream survives: see "
            "proxy.idle-cut."
        ),
        references=("MCP 2025-06-18, Basic, Transports, Session Management", "modelcontextprotocol/python-sdk#1676"),
        statuses=(404, 400),
        bodies=(
            "idle timeout",
            "Session not found",
            "No valid session ID provided",
            "Rejected request with unknown or expired session ID",
        ),
    ),
    Cause(
        name="session.lost",
        title="The server no longer knows a session that worked before",
        severity="error",
        what=(
            "A session answered several requests and is then refused for good (404, or 400 from an older server). "
            "The log cannot tell a restart from idle expiry."
        ),
        why=(
            "The server process ended, or it dropped the session for lack of use. Both leave the same trace where "
            "all sessions had been idle before the refusal, where only one session exists, or where the log has no "
            "times."
        ),
        sure=(
            'Look in the server\'s log at the time of the first refusal: "Started server process" means restart, '
            '"idle timeout" means expiry. Or send one request a minute on one session for longer than the longest '
            "pause seen: if it survives, it was idleness."
        ),
        client=(
            'Treat 404 with a session id as "start a new session": initialise again and repeat the call once if it '
            'is safe to repeat. Treat 400 "No valid session ID provided" alike; servers before mcp 1.26 and '
            "TypeScript servers use it."
        ),
        server="Upgrade to mcp 1.26 or later, so that an unknown id is 404, and log session ends at INFO.",
        deployment="Keep the server's log beside the client's for the same period; either answer is in it.",
        references=(
            "MCP 2025-06-18, Basic, Transports, Session Management",
            "modelcontextprotocol/python-sdk#1727",
            "modelcontextprotocol/typescript-sdk#1707",
        ),
        statuses=(404, 400),
        bodies=(
            "No valid session ID provided",
            "Session not found",
            "Invalid or expired session ID",
            "Session terminated",
            "Could not find session",
        ),
    ),
    Cause(
        name="session.used-after-close",
        title="The client uses a session that it has closed itself",
        severity="error",
        what=(
            "Requests follow on a session after its own DELETE, or after its SSE stream was closed. They get 404 "
            "(400 from a TypeScript server); a legacy SSE server before mcp 1.27.2 answers 202 and the reply is lost "
            "for ever."
        ),
        why=(
            "A pool or cache gives out a session that another task is closing, or a `async with` block ends while "
            "its session is still referenced."
        ),
        sure=(
            "The DELETE (or the end of the stream) of the same id stands before the refused request in the client's "
            'own log. Body: "Session has been terminated".'
        ),
        client=(
            "Take a session out of the pool before you close it, count its users, and close it only when the last "
            "one is done. Use one owner task per session."
        ),
        references=("MCP 2025-06-18, Basic, Transports, Session Management",),
        statuses=(404, 400, 202),
        bodies=("Session has been terminated", "Session terminated", "ClosedResourceError"),
    ),
    Cause(
        name="session.stream-conflict",
        title="A second GET stream was opened while the server still holds the first",
        severity="error",
        what=(
            "A GET with a session id answers 409. Right after a dropped stream it is a matter of milliseconds and a "
            "second try works; repeated, it stays."
        ),
        why=(
            "A session may have one GET stream. After a drop the server needs a moment to notice: re-opening in "
            "under 1 ms was refused every time, after 3 ms never. It lasts where two owners share one session, or "
            "where a proxy keeps the dead stream open towards the server. C# servers answer 400 and some hosted "
            'servers 400 "session already exists" for about two minutes instead.'
        ),
        sure=(
            "Look at the time between the end of the old stream and the 409: milliseconds mean the reconnect race, "
            "which passes; many 409s over seconds mean a second holder or a proxy."
        ),
        client=(
            "Wait 10 ms or more before you re-open, then back off. Give each session one owner. If the 409 lasts, "
            "DELETE the session and initialise a new one."
        ),
        deployment=(
            "Let the proxy close the upstream connection when the client leaves (nginx: do not set "
            "`proxy_ignore_client_abort on`)."
        ),
        references=(
            "MCP 2025-06-18, Basic, Transports, Listening for Messages from the Server",
            "danny-avila/LibreChat#14816",
            "kaeawc/auto-mobile#1942",
            "render-oss/render-mcp-server#26",
            "modelcontextprotocol/kotlin-sdk#715",
        ),
        statuses=(409, 400),
        bodies=(
            "Only one SSE stream is allowed per session",
            "session already exists",
            "Failed to open SSE stream: Conflict",
        ),
    ),
    Cause(
        name="session.stream-cut",
        title="The event stream of the session broke, and its calls are lost",
        severity="error",
        what=(
            "The SSE stream ended in the middle: `RemoteProtocolError: peer closed connection without sending "
            "complete message body (incomplete chunked read)`. Later calls on the session fail with "
            "`ClosedResourceError` without any HTTP line, or wait for ever."
        ),
        why=(
            "The server process ended, or something between closed the connection. The SDK clients do not rebuild a "
            "legacy SSE session, and a Streamable HTTP call whose answer stream was cut is not failed by every "
            "client version."
        ),
        sure=(
            'All streams break at one moment: restart or crash (look for "Started server process"). Each breaks at '
            "the same age after its last byte: an idle limit, see proxy.idle-cut. The server's log shows no end of "
            "session: the network or the proxy did it."
        ),
        client=(
            "Put a deadline on every call. When the stream ends, close the session in the task that opened it, open "
            "a new one, and repeat only calls that are safe to repeat."
        ),
        server=(
            "Send pings more often than the shortest idle limit on the way; offer resumable streams with an event "
            "store."
        ),
        deployment=(
            "Make idle limits longer than the longest silence: nginx `proxy_read_timeout 1h;`, load balancer idle "
            "time-out."
        ),
        references=(
            "MCP 2025-06-18, Basic, Transports, Resumability and Redelivery",
            "modelcontextprotocol/python-sdk#1811",
        ),
        statuses=(200, 202),
        bodies=(
            "incomplete chunked read",
            "peer closed connection without sending complete message body",
            "ClosedResourceError",
            "Error in sse_reader",
            "Connection closed",
        ),
    ),
)
