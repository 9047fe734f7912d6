"""The one place for causes in the client's own process: pools, tasks, ids, deadlines."""

from woolly_mcpdiag.core.causes import Cause

CAUSES: tuple[Cause, ...] = (
    Cause(
        name="client.pool-exhausted",
        title="The HTTP connection pool of the client is full of open streams",
        severity="error",
        what="Calls fail with `PoolTimeout` and there is no HTTP line for them: the request never left the client.",
        why=(
            "Every legacy SSE session and every GET stream of a Streamable HTTP session occupies one connection for "
            "its whole life. When sessions share an `httpx.AsyncClient` whose `max_connections` is not well above "
            "their number, the streams take all connections and every POST waits in vain. It never shows as a 400."
        ),
        sure=(
            "Count the open sessions against `max_connections` (default 100). With one session fewer than "
            "connections everything works."
        ),
        client=(
            "Give the shared client room: `httpx.Limits(max_connections=2 * sessions + 4)` at least, or one client "
            "per session. Do not raise the pool time-out: the streams do not end."
        ),
        bodies=("PoolTimeout",),
    ),
    Cause(
        name="client.shared-object",
        title="One MCP client object is entered by several tasks at the same time",
        severity="error",
        what=(
            "Parallel agents fail with `CancelledError: Cancelled by cancel scope ...` while all HTTP answers are "
            "2xx; of each group of N one succeeds."
        ),
        why=(
            "The object opens its connection when the first task enters it and closes it when a counter falls to "
            "zero; tasks that enter together overwrite each other's streams. pydantic-ai 0.4 does so (4 of 20 agents "
            "survived); `MCPToolset` of 2.x does not (20 of 20). fastmcp's client may also refuse a re-entry with "
            '"nesting counter should be 0".'
        ),
        sure=(
            "Run the same agents one after the other, or with one object each: all succeed. A 400 or 405 right "
            "before the `CancelledError` means another cause hides behind it: see transport.mismatch."
        ),
        client=(
            "Make one `MCPServerStreamableHTTP` (or toolset, or `Client`) per agent run, or enter it once around all "
            "runs and only use it inside. Upgrade to pydantic-ai 2.x."
        ),
        references=("pydantic/pydantic-ai#2355", "pydantic/pydantic-ai#2818", "PrefectHQ/fastmcp#4825"),
        statuses=(500,),
        bodies=("Cancelled by cancel scope", "CancelledError", "nesting counter should be 0"),
    ),
    Cause(
        name="client.closed-in-other-task",
        title="A session is closed in another task than the one that opened it",
        severity="error",
        what=(
            "`RuntimeError: Attempted to exit cancel scope in a different task than it was entered in`, often "
            "followed by `CancelledError` in code that did nothing wrong, or `GeneratorExit` tracebacks at the end."
        ),
        why=(
            "The SDK's transports hold anyio task groups, and these must end in the task that began them. A pool "
            "that closes sessions from a janitor task, `asyncio.wait_for(client.__aenter__(), ...)` before Python "
            "3.12, `gather` over `__aenter__`, a FastAPI dependency with `yield`, and sessions closed in another "
            "order than opened all break it. Using a session from other tasks is fine; closing is not."
        ),
        sure=(
            "The traceback names `cancel_scope.__exit__`. Open and close in one `async with` in one task: it is gone."
        ),
        client=(
            "Give each session an owner task that enters it, waits on an event, and leaves it; others ask the owner "
            "to close. fastmcp's `Client` does this itself. Close every session explicitly; do not leave it to the "
            "garbage collector."
        ),
        references=(
            "modelcontextprotocol/python-sdk#577",
            "modelcontextprotocol/python-sdk#79",
            "pydantic/pydantic-ai#2818",
            "PrefectHQ/fastmcp#622",
            "NVIDIA/NeMo-Agent-Toolkit#1270",
        ),
        bodies=(
            "Attempted to exit cancel scope in a different task",
            "Attempted to exit a cancel scope that isn't the current task",
            "GeneratorExit",
            "asynchronous generator is already running",
        ),
    ),
    Cause(
        name="client.duplicate-request-ids",
        title="Two requests on one session used the same JSON-RPC id at the same time",
        severity="error",
        what=(
            "One of two concurrent calls gets no answer: its POST is 200 and never ends, or its answer goes to the "
            "other."
        ),
        why=(
            "The server matches answers to requests by id. Two client objects (or a hand-written client that always "
            'sends `"id": 1`) on one session collide.'
        ),
        sure=(
            "Two POSTs with the same `mcp-session-id` and the same `id` overlap in time. Needs a log of the messages "
            "or of the server."
        ),
        client="Count ids per session, never per task; give each client object its own session.",
        references=("MCP 2025-06-18, Basic, Overview, Requests",),
        statuses=(200,),
    ),
    Cause(
        name="client.gave-up",
        title="The caller stopped waiting before the answer came",
        severity="warning",
        what=(
            "The request was cancelled on the client's side: nginx logs 499, the client `CancelledError` or its own "
            "time-out."
        ),
        why=(
            "A deadline of the caller (`asyncio.timeout`, a gateway's limit, a user who left) was shorter than the "
            "call took. What made the call slow is another question."
        ),
        sure=(
            "Compare the time until the cancel with the caller's deadline: equal times mean a deadline, varied ones "
            "a user. The server's log shows whether the work went on."
        ),
        client=(
            "Set the deadline of the call below the one of the caller, so that you get an error with a reason; send "
            "`notifications/cancelled` (the SDK does)."
        ),
        server="Report progress, and stop work whose request was cancelled.",
        deployment=(
            "Order the time-outs: tool, then MCP call, then agent, then gateway, each a little longer than the one "
            "before."
        ),
        references=(
            "MCP 2025-06-18, Basic, Utilities, Cancellation",
            "nginx, ngx_http_proxy_module, proxy_ignore_client_abort",
        ),
        statuses=(499,),
        bodies=("Client Closed Request", "client prematurely closed connection", "TimeoutError"),
    ),
)
