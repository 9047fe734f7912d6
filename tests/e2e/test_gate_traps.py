"""The traps that other load testers fall into, on real small servers: the gate's verdict and exit code are right."""

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from woolly_mcpdiag.cli.app import app

Answering = Callable[[BaseHTTPRequestHandler, str], None]


@contextmanager
def serving(answering: Answering) -> Iterator[str]:
    """A server whose requests are answered so; yields its origin."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            try:
                answering(self, body)
            except OSError:
                self.close_connection = True

        do_GET = do_DELETE = do_POST  # noqa: N815 - their names are the protocol's

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        # Connections of calls that were given up are reset: no news.
        handle_error = staticmethod(lambda *_: None)

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def say(handler: BaseHTTPRequestHandler, status: int, row: object, **headers: str) -> None:
    body = json.dumps(row).encode() if row is not None else b""
    handler.send_response(status)
    for name, value in {"content-type": "application/json", "content-length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def answered(handler: BaseHTTPRequestHandler, _body: str) -> None:
    say(handler, 200, {"result": "done"})


def gate(*arguments: str):
    result = CliRunner().invoke(app, ["gate", "--no-live", "--quiet", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


def judged(result) -> dict[str, dict[str, object]]:
    return {row["name"]: row for row in json.loads(result.stdout)["judgements"]}


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., tuple[str, ...]]:
    """Options for few waves of five."""

    def options(*criteria: str, claim: str = "50%", limit: str = "1s", quantile: str = "p50") -> tuple[str, ...]:
        path = tmp_path / "mcpdiag.toml"
        path.write_text(
            f'[gate]\nclaim = "{claim}"\n'
            '[gate.criteria.zero-400]\nscenes = ["waves-5"]\n[gate.criteria.parallel-success]\nscenes = ["waves-5"]\n'
            f'[gate.criteria.sub-second]\nlimit = "{limit}"\nquantile = "{quantile}"\n',
            encoding="utf-8",
        )
        return ("--config", str(path), "-f", "json", *(part for name in criteria for part in ("--criterion", name)))

    return options


def endless(handler: BaseHTTPRequestHandler, _body: str) -> None:
    handler.send_response(200)
    handler.send_header("content-type", "text/event-stream")
    handler.end_headers()
    while True:
        handler.wfile.write(b": still here\n\n")
        handler.wfile.flush()
        time.sleep(0.05)


def test_t1_an_mcp_server_that_only_streams_is_not_judged(small) -> None:
    with serving(endless) as origin:
        result = gate("--mcp", f"{origin}/sse", *small("zero-400"))
    assert result.exit_code == 4
    assert "/sse" in result.stderr


def test_t2_a_stall_that_keeps_waves_waiting_is_no_pass(small) -> None:
    """One wave in 40 waits a quarter of a second: few waves, but most of the time, and so most arrivals."""
    number = itertools.count()

    def stalling(handler: BaseHTTPRequestHandler, _body: str) -> None:
        if next(number) // 5 % 40 == 39:
            time.sleep(0.25)
        answered(handler, "")

    with serving(stalling) as origin:
        waves = ("--waves", "400")
        slow = gate(
            "--agent",
            f"{origin}/run",
            "--agent-type",
            "tester",
            *small("sub-second", limit="100ms", quantile="p95"),
            *waves,
        )
    found = judged(slow)["sub-second"]
    assert found["verdict"] == "inconclusive", found
    assert "had one come" in found["sentence"]
    assert slow.exit_code == 3


def test_a_dead_port_is_exit_4_with_its_cause(small) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/mcp"
        result = gate("--mcp", url, *small("zero-400"))
    assert result.exit_code == 4
    assert "net.refused" in result.stderr


def test_a_mute_server_is_exit_4_with_its_cause(small) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        result = gate("--mcp", f"http://127.0.0.1:{mute.getsockname()[1]}/mcp", *small("zero-400"))
    assert result.exit_code == 4
    assert "net.read-timeout" in result.stderr


def server_of(bad: Callable[[int], bool]) -> Answering:
    """A Streamable HTTP server with one tool; calls of a bad number are answered 400."""
    calls, sessions = itertools.count(1), itertools.count(1)

    def answering(handler: BaseHTTPRequestHandler, body: str) -> None:
        if handler.command != "POST":
            say(handler, 405 if handler.command == "GET" else 200, None)
            return
        asked = json.loads(body)
        method, number = asked["method"], asked.get("id")
        if number is None:
            say(handler, 202, None)
        elif method == "initialize":
            version = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": NAMED}
            say(handler, 200, reply(number, version), mcp_session_id=f"{next(sessions):032x}")
        elif method == "tools/list":
            say(handler, 200, reply(number, {"tools": [TOOL]}))
        elif method != "tools/call":
            say(handler, 200, {"jsonrpc": "2.0", "id": number, "error": {"code": -32601, "message": method}})
        elif bad(next(calls)):
            say(handler, 400, {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "Bad Request"}})
        else:
            say(handler, 200, reply(number, {"content": [{"type": "text", "text": "fine"}]}))

    return answering


NAMED = {"name": "small", "version": "1"}
TOOL = {"name": "look", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}


def reply(number: object, result: object) -> object:
    return {"jsonrpc": "2.0", "id": number, "result": result}


def test_one_per_cent_of_400s_fails_though_nearly_all_calls_succeed(small) -> None:
    with serving(server_of(lambda number: number % 100 == 50)) as origin:
        result = gate("--mcp", f"{origin}/mcp", *small("zero-400", claim="5%"))
    found = judged(result)["zero-400"]
    assert (found["verdict"], result.exit_code) == ("fail", 1), found
    assert 1 <= found["failures"] <= 4


def test_a_server_that_allows_no_call_is_no_pass(small) -> None:
    with serving(deny) as origin:
        result = gate("--mcp", f"{origin}/mcp", *small("zero-400"))
    assert result.exit_code in {2, 3}


def deny(handler: BaseHTTPRequestHandler, body: str) -> None:
    if handler.command == "POST" and json.loads(body)["method"] == "tools/list":
        wild = {"name": "drop_all", "inputSchema": {"type": "object"}, "annotations": {"destructiveHint": True}}
        say(handler, 200, reply(json.loads(body)["id"], {"tools": [wild]}))
        return
    server_of(lambda _: False)(handler, body)
