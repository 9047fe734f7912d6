"""The one place for causes below HTTP: addresses, names, connections, TLS, proxies of the environment."""

from woolly_mcpdiag.core.causes import Cause

CAUSES: tuple[Cause, ...] = (
    Cause(
        name="net.refused",
        title="Nothing listens at this address",
        severity="error",
        what=(
            '`ConnectError: All connection attempts failed` or "Connection refused": the TCP connection was turned '
            "down at once."
        ),
        why=(
            "The server is not running (yet), crashed, or listens on another port or interface. In a container "
            "`localhost` is the container itself; a server bound to `127.0.0.1` is not reachable from another one; "
            "`localhost` may mean `::1` where the server has only IPv4."
        ),
        sure="`curl -v <url>` from the same machine or container. Refusals between successes mark a restart.",
        client=(
            "Check host and port; in Docker use the service name or `host.docker.internal`. Back off and retry "
            "during start-up; a circuit breaker spares the wait."
        ),
        server="Listen where clients come from: `--host 0.0.0.0` inside a container (then mind transport.host-guard).",
        deployment="Start clients after the server's health check, and publish the port.",
        bodies=(
            "All connection attempts failed",
            "Connection refused",
            "ECONNREFUSED",
            "Errno 111",
            "Connect call failed",
        ),
    ),
    Cause(
        name="net.dns",
        title="The host name cannot be resolved",
        severity="error",
        what=(
            '`ConnectError` with "Name or service not known", "nodename nor servname provided" or "getaddrinfo failed".'
        ),
        why=(
            "A typing error, a service name of another Docker network or namespace, a missing search domain, or a "
            "resolver that is down."
        ),
        sure="`getent hosts <name>` in the same container.",
        client="Correct the name; do not retry fast, the answer is cached.",
        deployment=(
            "Put both containers on one network, use the full service name (`svc.namespace.svc.cluster.local`)."
        ),
        bodies=(
            "Name or service not known",
            "nodename nor servname provided",
            "getaddrinfo failed",
            "Temporary failure in name resolution",
            "No address associated with hostname",
            "Errno -2",
            "Errno -3",
            "ENOTFOUND",
        ),
    ),
    Cause(
        name="net.connect-timeout",
        title="The connection attempt got no reply at all",
        severity="error",
        what="`ConnectTimeout`: no acceptance and no refusal within the connect time-out.",
        why=(
            "A firewall or security group drops the packets, the address belongs to no machine, the server's accept "
            "queue is full, or its event loop is blocked."
        ),
        sure=(
            "From the same machine: a plain TCP connect (`nc -vz host port`) that hangs means network; one that "
            "succeeds means the server's queue. Time-outs only under load point to the server."
        ),
        client=(
            "Keep the connect time-out short (5 s) and retry with back-off; nothing was sent, so it is safe to repeat."
        ),
        server="See server.event-loop-blocked; raise `--backlog`.",
        deployment="Open the port in firewalls, security groups and network policies.",
        bodies=("ConnectTimeout", "ETIMEDOUT", "Errno 110"),
    ),
    Cause(
        name="net.read-timeout",
        title="No bytes came within the client's own time-out; the cause is open",
        severity="error",
        what="`ReadTimeout` at the client. The request was sent, the reply was not complete in time.",
        why=(
            "Many things look like this: a slow tool, a blocked server, a proxy that buffers, a transport mismatch "
            "that waits for an event, a lost answer. A time-out alone decides nothing, and least of all a session "
            "fault."
        ),
        sure=(
            "Find the same request in the server's log: finished, running or never arrived decides between slow, "
            "silent and held back. Log times and, for one run, httpcore at DEBUG."
        ),
        client=(
            "Set the read time-out above the longest tool and put a deadline on each call; pass `sse_read_timeout` "
            "for streams. Repeat only what is safe to repeat: the server may have done it."
        ),
        server="Log the start and end of each tool call.",
        references=("MCP 2025-06-18, Basic, Lifecycle, Timeouts",),
        bodies=("ReadTimeout", "Read timed out", "timed out"),
    ),
    Cause(
        name="net.tls-mismatch",
        title="One side speaks TLS and the other does not, or the certificate is not trusted",
        severity="error",
        what=(
            '`ConnectError` with "WRONG_VERSION_NUMBER" or "CERTIFICATE_VERIFY_FAILED"; the server logs '
            '"Invalid HTTP request received.".'
        ),
        why=(
            "`https://` was used on a plain HTTP port (or the reverse), or a private certificate authority is "
            "unknown to the client."
        ),
        sure="Try the other scheme on the same port. For certificates: `openssl s_client -connect host:port`.",
        client=(
            "Correct the scheme. For a private authority pass `verify=ssl.create_default_context(cafile=...)`; do "
            "not turn verification off."
        ),
        deployment="End TLS at the proxy and use `http://` behind it.",
        bodies=(
            "WRONG_VERSION_NUMBER",
            "CERTIFICATE_VERIFY_FAILED",
            "Invalid HTTP request received",
            "SSLError",
            "_ssl.c",
        ),
    ),
    Cause(
        name="net.keepalive-race",
        title="A kept connection was closed by the server just as the client reused it",
        severity="error",
        what=(
            "`ReadError`, `ConnectionResetError` or `RemoteProtocolError: Server disconnected without sending a "
            "response` on a request that follows a pause about as long as the server's keep-alive time."
        ),
        why=(
            "uvicorn closes idle connections after 5 s. A request sent in the same moment meets a closed connection. "
            "It is rare (0.6 % of 840 in a test made for it) and truly transient."
        ),
        sure=(
            "The pause before each failure is close to the server's keep-alive time-out; at DEBUG no `connect_tcp` "
            "precedes the failed request, because the connection was reused."
        ),
        client=(
            "Retry once on a new connection if the call is safe to repeat, and let connections expire earlier than "
            "the server does: `httpx.Limits(keepalive_expiry=4)`."
        ),
        server="Keep idle connections longer: `uvicorn --timeout-keep-alive 75`.",
        deployment="Each hop should keep connections longer than the hop before it: client, proxy, server.",
        bodies=(
            "Server disconnected without sending a response",
            "ReadError",
            "ConnectionResetError",
            "Connection reset by peer",
            "Errno 104",
            "ECONNRESET",
        ),
    ),
    Cause(
        name="net.connection-cut",
        title="The connection ended after the request and before the answer",
        severity="error",
        what=(
            "`RemoteProtocolError: Server disconnected without sending a response`, `ReadError` or "
            "`ConnectionResetError` while a request was on its way, whatever the pause before it."
        ),
        why=(
            "The server process ended or was restarted, a worker was killed (memory, time limit of gunicorn), or a "
            "proxy, load balancer or firewall reset the connection. The server may have done what was asked."
        ),
        sure=(
            "Look at the server's log at that second: a new start, a worker time-out, an exit code. Refused "
            "connections right behind it say that the process was gone; none say that something in between cut it."
        ),
        client=(
            "Repeat only calls that are safe to repeat, on a new connection; report the others as in doubt. Mark tools "
            "as idempotent or read-only where they are, so that clients may repeat them."
        ),
        server="Let running requests end before the process does: `uvicorn --timeout-graceful-shutdown 30`.",
        deployment="Drain connections before a pod or worker is taken away; check memory limits and worker time-outs.",
        bodies=("Server disconnected without sending a response", "RemoteProtocolError", "Connection reset by peer"),
    ),
    Cause(
        name="net.env-proxy",
        title="A proxy from the environment catches requests to a local server",
        severity="error",
        what=(
            "A local URL answers 403, 407, 502 or 503 that the server never sent: its access log has no such request."
        ),
        why=(
            "httpx and most clients honour `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY`. Without `NO_PROXY` the "
            "request to `localhost` goes to the corporate proxy."
        ),
        sure=(
            "At DEBUG the `connect_tcp` line names another host and port than the URL. `env | grep -i proxy` shows "
            "the variables; with `NO_PROXY=*` it works."
        ),
        client="`httpx.AsyncClient(trust_env=False)` for local servers.",
        deployment="`NO_PROXY=localhost,127.0.0.1` (and the service names) in the environment of the client.",
        statuses=(403, 407, 502, 503),
        bodies=("Proxy Authentication Required", "ProxyError", "Tunnel connection failed"),
    ),
)
