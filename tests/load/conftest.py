"""A loopback server that answers lines, and the engine that calls it (see ``line_engine``), in real processes."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from woolly_mcpdiag.load import processes
from woolly_mcpdiag.load.plan import CallSpec, Connection, McpTarget, Model, Plan

UNKNOWN = '404 {"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Session not found"}}'


class LineServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.served = 0
        self.connected = threading.Semaphore(0)
        self.left = threading.Semaphore(0)
        self.bad_from, self.bad_every = 0, 0
        self.lock = threading.Lock()

    def plan(self, *tools: str, model: Model | None = None, **facts) -> Plan:
        """A plan of calls to this server."""
        url = f"http://127.0.0.1:{self.server_address[1]}/mcp"
        return Plan(
            calls=tuple(CallSpec(kind="mcp", name=tool) for tool in tools or ("search",)),
            mcp=McpTarget(at=Connection(url=url, headers={"Authorization": "Bearer opensesame-77"})),
            model=model or Model(concurrency=2, requests=100),
            **facts,
        )

    def answer(self) -> str:
        with self.lock:
            self.served += 1
            bad = self.bad_every and self.served >= self.bad_from and self.served % self.bad_every == 0
        return UNKNOWN if bad else "200 fine"


class Answers(socketserver.StreamRequestHandler):
    server: LineServer

    def handle(self) -> None:
        self.server.connected.release()
        with contextlib.suppress(ConnectionError):
            while self.rfile.readline():
                self.wfile.write(self.server.answer().encode() + b"\n")
        self.server.left.release()


@pytest.fixture
def line_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LineServer]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setattr(processes, "ENGINES", {"": "line_engine:factory"})
    with LineServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
