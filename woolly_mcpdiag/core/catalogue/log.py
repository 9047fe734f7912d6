"""The one place for what a log leaves undecided, and the logging change that would decide it."""

from woolly_mcpdiag.core.causes import Cause

CAUSES: tuple[Cause, ...] = (
    Cause(
        name="log.no-timestamps",
        title="The log has no times, so only order and counts can be judged",
        severity="info",
        benign=True,
        what="The lines carry no time (Python's default `basicConfig` prints none).",
        why="Whether a failure follows a pause, a restart or another session's start cannot be told from order alone.",
        sure="The next log will show it.",
        client=(
            "Configure logging once with times: `logging.basicConfig(level=logging.INFO, "
            'format="%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s", '
            'datefmt="%Y-%m-%dT%H:%M:%S")`.'
        ),
        deployment=(
            "`docker compose logs --timestamps`, `kubectl logs --timestamps` add the time of arrival to a log that "
            "has none."
        ),
    ),
    Cause(
        name="log.coarse-clock",
        title="The log's clock is too coarse to order requests",
        severity="info",
        benign=True,
        what="Many lines share one stamp, for instance because it has whole seconds only.",
        why=(
            "Requests of one session and of parallel sessions lie milliseconds apart; within one stamp their order "
            "and overlap are a guess."
        ),
        sure="The next log will show it.",
        client="Log milliseconds: `%(asctime)s.%(msecs)03d` with a `datefmt`, or ISO 8601 with fractions.",
        deployment=(
            "nginx: log `$msec` or `$time_iso8601` with `$request_time`; uvicorn's access log has no time of its "
            "own, give its formatter one."
        ),
    ),
    Cause(
        name="log.unattributable",
        title="Requests cannot be assigned to sessions",
        severity="info",
        benign=True,
        what="The lines of parallel sessions interleave and carry no session id.",
        why=(
            "httpx logs neither session nor connection at INFO, and Streamable HTTP keeps the id in a header. "
            "Alternating success and failure cannot then be told from two sessions of which one fails."
        ),
        sure="The next log will show it.",
        client=(
            'Turn on `logging.getLogger("mcp.client.streamable_http").setLevel(logging.INFO)` (it logs "Received '
            'session ID: ..."), add `%(taskName)s` to the format (Python 3.12 and later), or record httpcore at '
            "DEBUG for one run."
        ),
        server="Log the `mcp-session-id` header in the access log.",
        deployment=(
            "nginx: `log_format mcp '$time_iso8601 $request $status $body_bytes_sent $http_mcp_session_id "
            "$sent_http_mcp_session_id';`."
        ),
    ),
    Cause(
        name="log.unexplained-failure",
        title="Calls failed, and the log does not say why",
        severity="warning",
        what="The application says that calls or agent runs failed, while every HTTP response in the log is a success.",
        why=(
            "The reason is inside the answers (a JSON-RPC error, `isError`), in an exception whose type and text are "
            "not logged, or in a part of the application that has nothing to do with MCP."
        ),
        sure="Log the exception with its type and the message that was received; the next log names the cause.",
        client=(
            'Log failures with `logger.exception("call failed")`, so that type, text and traceback are there, and '
            'messages for one run: `logging.getLogger("mcp.client").setLevel(logging.DEBUG)`.'
        ),
        server="Read the server's log of the same time: it names requests before initialization and tools that raise.",
        references=("MCP 2025-11-25, Server, Tools, Error Handling",),
        bodies=("Invalid request parameters",),
    ),
)
