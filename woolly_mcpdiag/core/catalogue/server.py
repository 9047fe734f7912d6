"""The one place for causes in the server's process: limits, blocked loops, tools, silence."""

from woolly_mcpdiag.core.causes import Cause

CAUSES: tuple[Cause, ...] = (
    Cause(
        name="server.capacity",
        title="The server refuses more sessions or connections than its limit",
        severity="error",
        what='503 with "Too many open sessions", or uvicorn\'s "Exceeded concurrency limit.".',
        why=(
            "`max_sessions` of the session manager is reached (mcp 1.30 or 2.2 and later; 10,000 by default), or "
            "`uvicorn --limit-concurrency` is used up by open streams: every SSE stream counts as a running request, "
            "so a limit of 5 let 5 streams block every POST."
        ),
        sure=(
            'The server logs "Refusing to open a new session" or "Exceeded concurrency limit.". A 503 with an '
            "HTML body comes from a proxy: see proxy.rate-limit."
        ),
        client="Open fewer sessions, reuse them, and close them with DELETE. Wait before you try again.",
        server=(
            "Raise `max_sessions`, shorten `session_idle_timeout`, and set `--limit-concurrency` to at least twice "
            "the number of sessions, or leave it out."
        ),
        deployment="Add replicas only together with affinity or stateless mode: see session.no-affinity.",
        references=("MCP 2025-06-18, Basic, Transports, Session Management", "modelcontextprotocol/python-sdk#2455"),
        statuses=(503,),
        bodies=(
            "Too many open sessions",
            "Exceeded concurrency limit",
            "Refusing to open a new session",
            "Service Unavailable",
        ),
    ),
    Cause(
        name="server.event-loop-blocked",
        title="A blocking call in one tool stops the whole server",
        severity="error",
        what=(
            "All sessions fall silent at the same moment and answer in a burst afterwards; short calls take as long "
            "as the long one."
        ),
        why=(
            "A tool (or your agents API) does blocking work in the event loop: `time.sleep`, `requests`, a "
            "synchronous database driver, heavy computing. The process serves nobody meanwhile."
        ),
        sure=(
            'The gaps of all sessions coincide. `PYTHONASYNCIODEBUG=1` logs "Executing <Task ...> took 6.200 '
            'seconds" with the culprit; `py-spy dump` shows it live.'
        ),
        client=(
            "If your own process blocks, the client looks like the victim: run blocking work with "
            "`anyio.to_thread.run_sync`."
        ),
        server=(
            "Declare the tool as a plain `def`, which mcp 2.x and current fastmcp run in a thread (mcp 1.x does "
            "not), or wrap the work in `anyio.to_thread.run_sync(work)`; use asynchronous drivers."
        ),
        deployment="More workers hide it and break sessions: see session.no-affinity.",
        statuses=(200, 504),
        bodies=("Executing <Task", "blocked the event loop"),
    ),
    Cause(
        name="server.fd-exhausted",
        title="The server ran out of file descriptors",
        severity="error",
        what='New connections are closed at once or refused; the server logs "Too many open files".',
        why=(
            "Every stream and connection takes a descriptor, and the usual soft limit is 1024. Leaked sessions or "
            "connections fill it."
        ),
        sure=(
            "`OSError: [Errno 24] Too many open files` in the server's log; `ls /proc/<pid>/fd | wc -l` against "
            "`ulimit -n`."
        ),
        client="Close sessions and share HTTP clients; back off when connections break.",
        server="Limit sessions (`max_sessions`, `session_idle_timeout`).",
        deployment="Raise the limit: `ulimit -n 65536`, systemd `LimitNOFILE=65536`, Docker `--ulimit nofile=65536`.",
        references=("modelcontextprotocol/python-sdk#1283",),
        bodies=("Too many open files", "Errno 24", "EMFILE"),
    ),
    Cause(
        name="server.tool-error",
        title="The transport is fine; the tool itself failed",
        severity="error",
        what=(
            "HTTP says 200 (or 202), and the JSON-RPC answer has `isError: true` or an error: unknown tool, bad "
            "arguments, an exception in the tool."
        ),
        why="MCP reports failures of tools inside a successful answer, so status lines show nothing.",
        sure=(
            "Look at the result, not at the status: `isError` on the wire, `result.isError` in mcp 1.x and "
            "`result.is_error` in 2.x, or the server's log for \"Error calling tool\". At INFO the client's log is "
            "perfect."
        ),
        client=(
            "Check the error flag of every result, count it as a failure, and pass its text on to the model. Do not "
            "retry it as if it were a connection fault."
        ),
        server="Log exceptions of tools with their traceback; give arguments a schema that rejects early.",
        references=("MCP 2025-06-18, Server, Tools, Error Handling",),
        statuses=(200, 202),
        bodies=("isError", "Error calling tool", "Error executing tool", "Unknown tool", "ToolError"),
    ),
    Cause(
        name="server.error",
        title="The server answered with a server error of its own",
        severity="error",
        what="500 (or another 5xx without a better name here) from the application.",
        why=(
            "An exception in the application or in a middleware before MCP, a failed lifespan (the session manager "
            "was not started), or an agents API that passes on a failure of its MCP client."
        ),
        sure=(
            "The server's log has the traceback at that time. \"Task group is not initialized\" means that the app's "
            "lifespan did not run the session manager."
        ),
        client="Keep the body of the 500 in your log: it usually names the exception.",
        server=(
            "Mounted apps do not run their own lifespan: pass it on (`FastAPI(lifespan=mcp_app.lifespan)`), or enter "
            "`session_manager.run()` in yours."
        ),
        deployment="Check for a second process or an old release behind the same address.",
        references=("RFC 9110, Internal Server Error",),
        statuses=(500, 501, 505),
        bodies=(
            "Internal Server Error",
            "Exception in ASGI application",
            "Task group is not initialized",
            "Error handling POST request",
        ),
    ),
    Cause(
        name="server.silent",
        title="The server accepted the request and never answered it",
        severity="error",
        what=(
            "The POST is 200 or 202, and no answer arrives within any reasonable time. Pings may keep the stream "
            "alive, so that no read time-out fires."
        ),
        why=(
            "The tool hangs; or the answer went to a stream that is gone (a POST to a legacy SSE session whose "
            "stream is dead is 202 for ever before mcp 1.27.2); or a TypeScript SSE server got an unknown "
            "`sessionId`; or fastmcp 4 waits for `notifications/initialized`."
        ),
        sure=(
            "Ask the server's log whether the call arrived and ended. Other calls of the same session answering "
            "points to the tool or to duplicate ids; none answering points to the session."
        ),
        client=(
            "Put a deadline on every call (`read_timeout_seconds=` in the SDK), and count a call as done only on its "
            "JSON-RPC result. After a time-out replace the session."
        ),
        server="Give tools their own time limit and report progress.",
        deployment="See proxy.buffering and proxy.idle-cut if a proxy stands between.",
        references=("MCP 2025-06-18, Basic, Lifecycle, Timeouts", "modelcontextprotocol/python-sdk#1811"),
        statuses=(200, 202),
        bodies=("No transport found for sessionId", "Timed out while waiting for response", "timed out"),
    ),
)
