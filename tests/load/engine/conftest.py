"""A real server of the SDK, scripted servers for what no real one says, and runs of the wire engine against them."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from woolly_mcpdiag.core.measures import Calls, Tally
from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.engine import factory
from woolly_mcpdiag.load.plan import AgentTarget, CallSpec, Connection, Limits, McpTarget, Model, Plan
from woolly_mcpdiag.load.recorder import ShardRecorder

MODERN = "2026-07-28"
LIMITS = Limits(call=5, connect=2, event=2, close=1, drain=5)


@dataclass
class Ran:
    """What a run has told."""

    tally: Tally
    events: list[str]
    samples: list[Any]
    in_flight: int
    steps: list[str]
    """Names of the steps that ended, in their order."""

    @property
    def calls(self) -> Calls:
        (found,) = self.tally.calls.values()
        return found

    @property
    def outcomes(self) -> dict[str, int]:
        return {outcome.kind: n for outcome, n in self.calls.outcomes.items()}

    @property
    def answers(self) -> dict[int, int]:
        return {answer.status: n for answer, n in self.tally.answers.items()}

    def counter(self, name: str) -> int:
        return self.tally.counters[name]

    def phase(self, name: str) -> tuple[int, int]:
        """Return how often a step succeeded and failed."""
        found = [each for step, each in self.tally.phases.items() if step.phase == name]
        return (found[0].took.count, found[0].failed) if found else (0, 0)


class Ordered(ShardRecorder):
    """Remembers the order of the steps, too."""

    def phase(self, name: str, took: float, *, failed: bool = False) -> None:
        self.steps = [*getattr(self, "steps", []), name]
        super().phase(name, took, failed=failed)


def run(plan: Plan, share: Share | None = None, stop_after: float | None = None) -> Ran:
    """Run a plan in this process."""
    recorder = Ordered(plan, share or Share(), wall=0.0)
    engine = factory(plan, share or Share(), recorder)
    engine.prepare()
    start = time.perf_counter()
    recorder.start(start)
    ending = plan.model.duration if stop_after is None else stop_after

    def tick() -> bool:
        recorder.flush(time.perf_counter())
        return ending is None or time.perf_counter() < start + ending

    engine.run(start, tick)
    recorder.flush(time.perf_counter(), end=True)
    steps = getattr(recorder, "steps", [])
    return Ran(recorder.tally, recorder.events, recorder.samples, recorder.in_flight, steps)


def plan_of(url: str, tool: str = "echo", **facts: Any) -> Plan:
    """Return a plan of calls of one tool; what is no field of ``Plan`` is of its target or its call."""
    target = {name: facts.pop(name) for name in ("transport", "tools") if name in facts}
    modern = facts.pop("modern", False)
    at = Connection(url=url, **{name: facts.pop(name) for name in ("headers", "verify", "ca_file") if name in facts})
    arguments = facts.pop("arguments", {"text": "hi {i}"} if tool == "echo" else {})
    made = Plan(
        calls=(CallSpec(kind="mcp", name=tool, arguments=arguments),),
        mcp=McpTarget(at=at, modern=modern, version=MODERN if modern else "2025-11-25", **target),
        limits=LIMITS,
    )
    return replace(made, **facts)


def agent_plan(url: str, agent: str = "tester", **facts: Any) -> Plan:
    """Return a plan of runs of one agent."""
    body = {"agent_type": agent, "user_query": "Test {i}"}
    made = Plan(
        calls=(CallSpec(kind="agent", method="POST", agent=agent, arguments=body),),
        agent=AgentTarget(at=Connection(url=url)),
        model=Model(concurrency=2, requests=6),
        limits=LIMITS,
    )
    return replace(made, **facts)


@pytest.fixture(scope="session")
def real() -> Iterator[str]:
    """Return the origin of a real server."""
    script = Path(__file__).with_name("real_server.py")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        yield f"http://127.0.0.1:{port}"
        child.terminate()


class Peer:
    """A server of one script: bytes of each whole request in, what to do with the connection out."""

    def __init__(self, answer: Callable[["Talk", bytes], None]) -> None:
        self.answer = answer
        self.asked: list[bytes] = []
        self.arrived: list[float] = []
        self.accepted = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._main = threading.Thread(target=self._accept)
        self._main.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with self._lock:
                    self.accepted += 1
                    self._open.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        talk = Talk(connection)
        with connection, contextlib.suppress(OSError):
            while (asked := talk.read()) is not None:
                with self._lock:
                    self.asked.append(asked)
                    self.arrived.append(time.perf_counter())
                self.answer(talk, asked)
                if talk.over:
                    return

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._main.join()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()


class Talk:
    """One connection of a scripted server."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.over = False
        self.told = 0
        self._rest = b""

    def read(self) -> bytes | None:
        while b"\r\n\r\n" not in self._rest:
            more = self.connection.recv(65536)
            if not more:
                return None
            self._rest += more
        head, _, body = self._rest.partition(b"\r\n\r\n")
        told = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        length = int(told[0].split(b":")[1]) if told else 0
        while len(body) < length:
            body += self.connection.recv(65536)
        self._rest = body[length:]
        return head + b"\r\n\r\n" + body[:length]

    def say(self, *parts: bytes) -> None:
        for part in parts:
            self.connection.sendall(part)

    def hang_up(self) -> None:
        self.over = True


def number_of(asked: bytes) -> bytes:
    """Return the JSON-RPC id of a request."""
    return asked.partition(b'"id":')[2].partition(b",")[0]


def plain(body: bytes, status: bytes = b"200 OK", more: bytes = b"", kind: bytes = b"application/json") -> bytes:
    """Return a whole answer."""
    length = b"content-length: %d\r\n" % len(body)
    return b"HTTP/1.1 " + status + b"\r\ncontent-type: " + kind + b"\r\n" + more + length + b"\r\n" + body


def result_for(asked: bytes, result: bytes = b'{"content":[]}') -> bytes:
    return b'{"jsonrpc":"2.0","id":' + number_of(asked) + b',"result":' + result + b"}"


def handshake(talk: Talk, asked: bytes) -> bool:
    """Answer what belongs to a session's birth and end; False for a call."""
    if b'"initialize"' in asked:
        born = b'{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"x","version":"1"}}'
        talk.say(plain(result_for(asked, born), more=b"mcp-session-id: 5e55\r\n"))
    elif asked.startswith(b"GET"):
        talk.say(plain(b"", b"405 Method Not Allowed"))
    elif asked.startswith(b"DELETE"):
        talk.say(plain(b""))
    elif b"notifications/" in asked:
        talk.say(plain(b"", b"202 Accepted"))
    else:
        return False
    return True


@pytest.fixture
def kit() -> SimpleNamespace:
    """Return what tests are written with."""
    return SimpleNamespace(
        run=run,
        plan=plan_of,
        agent_plan=agent_plan,
        plain=plain,
        result_for=result_for,
        number_of=number_of,
        handshake=handshake,
        limits=LIMITS,
    )


@pytest.fixture
def peer() -> Iterator[Callable[[Callable[[Talk, bytes], None]], Peer]]:
    """Return what starts a scripted server."""
    made: list[Peer] = []

    def start(answer: Callable[[Talk, bytes], None]) -> Peer:
        made.append(Peer(answer))
        return made[-1]

    yield start
    for each in made:
        each.close()
