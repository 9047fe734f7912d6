"""The one place for causes in what stands between client and server."""

from woolly_mcpdiag.core.causes import Cause

CAUSES: tuple[Cause, ...] = (
    Cause(
        name="proxy.upstream-down",
        title="The proxy could not reach the MCP server",
        severity="error",
        what='502 (or 503 "no available server") from the proxy.',
        why=(
            "The server is stopped, restarting or listening elsewhere, or it closed the connection while the proxy "
            "was sending."
        ),
        sure=(
            'nginx\'s error log says "connect() failed (111: Connection refused) while connecting to upstream" or '
            '"upstream prematurely closed connection". The body is the proxy\'s HTML page.'
        ),
        client=(
            "Back off and retry calls that are safe to repeat; expect to initialise again, because a server that was "
            "down has forgotten its sessions."
        ),
        server="Start-up checks and graceful shutdown shorten the gap.",
        deployment=(
            "Point `proxy_pass` at the right port, let the balancer check health, restart in a rolling way. "
            "Keep-alive to the upstream: its time-out below the server's (`uvicorn --timeout-keep-alive`)."
        ),
        references=("RFC 9110, Bad Gateway", "nginx, ngx_http_proxy_module, proxy_pass"),
        statuses=(502, 503),
        bodies=(
            "Bad Gateway",
            "Connection refused) while connecting to upstream",
            "upstream prematurely closed connection",
            "no live upstreams",
            "no available server",
        ),
    ),
    Cause(
        name="proxy.timeout",
        title="The proxy gave up waiting for a slow answer",
        severity="error",
        what="504 after a round number of seconds (nginx: 60).",
        why=(
            "The tool takes longer than `proxy_read_timeout`, and the server sends nothing meanwhile (JSON answers, "
            "or an SSE stream without pings)."
        ),
        sure=(
            "The durations of the 504s are all equal to the limit. nginx's error log says \"upstream timed out (110: "
            'Connection timed out) while reading response header from upstream".'
        ),
        client="Do not simply retry: the tool may still be running. Use progress and longer deadlines.",
        server="Answer as an SSE stream (no `json_response=True`) and report progress, so that bytes flow.",
        deployment="nginx `proxy_read_timeout 1h;` on the MCP location; the same for the balancer's idle limit.",
        references=("RFC 9110, Gateway Timeout", "nginx, ngx_http_proxy_module, proxy_read_timeout"),
        statuses=(504,),
        bodies=("Gateway Time-out", "Gateway Timeout", "upstream timed out", "upstream request timeout"),
    ),
    Cause(
        name="proxy.idle-cut",
        title="Something on the way closes streams that are quiet for too long",
        severity="error",
        what=(
            'Streams break at a constant age after their last byte: `incomplete chunked read` on legacy SSE, "GET '
            'stream disconnected, reconnecting" on Streamable HTTP. A call whose answer stream was cut may hang for '
            "ever."
        ),
        why=(
            "A proxy, load balancer or NAT drops connections without traffic after 30, 60 or 300 s, and the server's "
            "pings come later than that or not at all."
        ),
        sure=(
            'The time from the last byte to the cut is the same for all. nginx logs "upstream timed out ... while '
            'reading upstream". Directly to the server it does not happen.'
        ),
        client="Put a deadline on every call, and reopen the session after a cut.",
        server="Ping more often than the limit: sse-starlette pings every 15 s by default.",
        deployment=(
            "nginx `proxy_read_timeout 1h; proxy_buffering off;`; raise the idle time-out of the balancer (60 s is a "
            "common default)."
        ),
        references=("nginx, ngx_http_proxy_module, proxy_read_timeout", "modelcontextprotocol/python-sdk#1811"),
        statuses=(200,),
        bodies=("incomplete chunked read", "GET stream disconnected", "while reading upstream", "stream timeout"),
    ),
    Cause(
        name="proxy.buffering",
        title="A proxy holds the stream back until it has enough bytes",
        severity="error",
        what=(
            "A request produces no HTTP line at all, or a stream is 200 but its first event never comes; the client "
            "ends in its own time-out and nginx logs 499."
        ),
        why=(
            "nginx buffers answers by default, and its older releases speak HTTP/1.0 to the upstream; CDNs and "
            "corporate proxies buffer too. Small events never fill the buffer, and even the response headers may "
            "wait."
        ),
        sure=(
            "Ask the server directly and through the proxy with `curl -N`: the first event is immediate in one and "
            "late in the other. The server's log shows the answer long before the client does."
        ),
        client="Nothing but a deadline.",
        server="Send `X-Accel-Buffering: no` and `Cache-Control: no-transform` on event streams; the Python SDK does.",
        deployment=(
            "nginx on the MCP location: `proxy_buffering off; proxy_http_version 1.1; proxy_set_header Connection "
            '""; gzip off;`, and do not list `X-Accel-Buffering` in `proxy_ignore_headers`.'
        ),
        references=("nginx, ngx_http_proxy_module, proxy_buffering", "modelcontextprotocol/go-sdk#937"),
        statuses=(499, 200),
        bodies=("ReadTimeout", "client prematurely closed connection"),
    ),
    Cause(
        name="proxy.rate-limit",
        title="A rate limit refused the request",
        severity="error",
        what="429, or 503 with the proxy's HTML page (nginx's default for `limit_req`).",
        why=(
            "Parallel agents each open a session (four or more requests at once), which exceeds the allowed rate. A "
            '429 on `notifications/initialized` is swallowed by mcp 1.x clients: they say "connected" and fail '
            "later."
        ),
        sure=(
            'nginx\'s error log says "limiting requests, excess". A 429 with `Retry-After` names itself. A 503 with '
            '"Too many open sessions" is the server: see server.capacity.'
        ),
        client="Honour `Retry-After`, add jitter, open sessions one after the other and reuse them.",
        server="If the server limits by itself, answer 429 with `Retry-After`.",
        deployment=(
            "Raise `limit_req ... burst=` for the MCP path, set `limit_req_status 429;`, and count per user, not per "
            "address of a gateway."
        ),
        references=(
            "RFC 6585, Too Many Requests",
            "nginx, ngx_http_limit_req_module, limit_req_status",
            "modelcontextprotocol/typescript-sdk#1892",
        ),
        statuses=(429, 503),
        bodies=("Too Many Requests", "limiting requests", "rate limit", "Service Temporarily Unavailable"),
    ),
)
