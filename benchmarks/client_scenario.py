"""20 agents, 12 calls each, and a server that restarts or freezes 1.2 s into the run: who gets their answers?

    python benchmarks/client_scenario.py [--runs 5] [--baselines] [--kinds http,modern,sse] [--faults restart]

``fastmcp`` and ``ts`` (server-everything of the TypeScript SDK, by npx) are further kinds; they are skipped, with the
reason, where they are not installed. Exit code 1 where ``ResilientClient`` loses a call.
"""

import argparse
import collections
import importlib.util
import json
import logging
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
from client_designs import DEADLINE, DESIGNS, Site  # noqa: E402

_FASTMCP = (
    "import sys, fastmcp\ns = fastmcp.FastMCP('scenario')\n"
    "@s.tool(annotations={'readOnlyHint': True, 'idempotentHint': True})\n"
    "def echo(message: str) -> str: return message\n"
    "@s.tool\ndef once(tag: str) -> str:\n    open(sys.argv[2], 'a').write(tag + '\\n'); return tag\n"
    "s.run(transport='http', host='127.0.0.1', port=int(sys.argv[1]), log_level='CRITICAL', show_banner=False)\n"
)


@dataclass(slots=True)
class Server:
    """A server in a child process that can be killed and frozen."""

    kind: str
    done: Path
    port: int = 0
    child: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    @property
    def site(self) -> Site:
        """Where it is reached."""
        path = {"sse": "/sse/", "fastmcp": "/mcp"}.get(self.kind, "/mcp")
        era = "modern" if self.kind == "modern" else "handshake"
        return Site(f"http://127.0.0.1:{self.port}{path}", "sse" if self.kind == "sse" else "http", era)

    def command(self) -> list[str]:
        """Return what starts it."""
        if self.kind == "ts":
            return ["npx", "--no-install", "@modelcontextprotocol/server-everything", "streamableHttp"]
        if self.kind == "fastmcp":
            return [sys.executable, "-c", _FASTMCP, str(self.port), str(self.done)]
        here = Path(__file__).with_name("client_server.py")
        return [sys.executable, str(here), str(self.port), str(self.done), "sse" if self.kind == "sse" else "http"]

    def start(self) -> None:
        """Start it and wait until its port answers."""
        env = {**os.environ, "PORT": str(self.port)}
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.child = subprocess.Popen(self.command(), env=env, start_new_session=True, **quiet)
        for _ in range(400):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.child.poll() is not None:
                break
            time.sleep(0.05)
        msg = f"server {self.kind}: did not start"
        raise SystemExit(msg)

    def signal(self, number: int) -> None:
        """Send a signal to it and its children."""
        if self.child is not None and self.child.poll() is None:
            os.killpg(self.child.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGKILL)
        if self.child is not None:
            self.child.wait()

    def sessions(self) -> int | None:
        """Return how many sessions it holds; ``None`` where it does not tell."""
        if self.kind in {"ts", "fastmcp"}:
            return None
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/sessions", timeout=5) as answer:
            return int(json.load(answer)["sessions"])


@dataclass(slots=True)
class Result:
    """What a run came to."""

    wanted: int
    ok: int = 0
    once_ok: int = 0
    once_failed: int = 0
    twice: int = 0
    lost: int = 0
    """``once`` calls that were answered and not carried out: there can be none."""
    waits: list[float] = field(default_factory=list)
    errors: "collections.Counter[str]" = field(default_factory=collections.Counter)
    sessions_left: int | None = None
    away: float = 0.0
    """Seconds from the kill until the port answered again, or as long as it was frozen."""
    took: float = 0.0

    def at(self, share: float) -> float:
        """Return a percentile of the answered calls, in seconds."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


async def chaos(server: Server, fault: str, after: float, frozen: float, result: Result) -> None:
    """Do what goes wrong."""
    if fault == "none":
        return
    await anyio.sleep(after)
    began = time.perf_counter()
    if fault == "restart":
        server.kill()
        await anyio.sleep(0.3)
        await anyio.to_thread.run_sync(server.start)
    else:
        server.signal(signal.SIGSTOP)
        await anyio.sleep(frozen)
        server.signal(signal.SIGCONT)
    result.away = time.perf_counter() - began


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much is asked, and when it goes wrong. Durations in seconds."""

    agents: int = 20
    calls: int = 12
    pause: tuple[float, float] = (0.2, 0.4)
    after: float = 1.2
    frozen: float = 2.5


async def run(design: str, server: Server, fault: str, load: Load) -> Result:
    """Run the agents once with one design."""
    result = Result(load.agents * load.calls)
    begun = time.perf_counter()
    told: list[str] = []

    async def agent(number: int, act: Callable[..., object]) -> None:
        rng = random.Random(number)
        for turn in range(load.calls):
            started = time.perf_counter()
            try:
                with anyio.fail_after(DEADLINE + 1):
                    await act("echo", {"message": f"{number}-{turn}"}, f"agent-{number}")
                result.ok += 1
                result.waits.append(time.perf_counter() - started)
            except Exception as problem:  # noqa: BLE001 - counted
                leaf: BaseException = problem
                while isinstance(leaf, BaseExceptionGroup):
                    leaf = leaf.exceptions[0]
                result.errors[f"{type(leaf).__name__}: {str(leaf)[:60]}"] += 1
            if turn % 4 == 1 and server.kind != "ts":
                await do_once(act, f"{number}-{turn}")
            await anyio.sleep(rng.uniform(*load.pause))

    async def do_once(act: Callable[..., object], tag: str) -> None:
        try:
            with anyio.fail_after(DEADLINE + 1):
                await act("once", {"tag": tag}, "once")
            result.once_ok += 1
            told.append(tag)
        except Exception:  # noqa: BLE001 - in doubt: it may have been done once
            result.once_failed += 1

    async with anyio.create_task_group() as around:
        around.start_soon(chaos, server, fault, load.after, load.frozen, result)
        async with DESIGNS[design](server.site) as act, anyio.create_task_group() as agents:
            for number in range(load.agents):
                agents.start_soon(agent, number, act)
    result.took = time.perf_counter() - begun
    counted = collections.Counter(server.done.read_text().split() if server.done.exists() else [])
    result.twice = sum(times > 1 for times in counted.values())
    result.lost = sum(tag not in counted for tag in told)
    for _ in range(20):
        result.sessions_left = server.sessions()
        if not result.sessions_left:
            break
        await anyio.sleep(0.1)
    return result


def missing(kind: str) -> str:
    """Return why a kind of server cannot run here; empty where it can."""
    if kind == "fastmcp" and importlib.util.find_spec("fastmcp") is None:
        return "fastmcp is not installed"
    if kind == "ts":
        if shutil.which("npx") is None:
            return "node is not installed"
        found = subprocess.run(
            ["npx", "--no-install", "@modelcontextprotocol/server-everything", "--help"],
            capture_output=True,
            timeout=30,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return "" if b"streamableHttp" in found.stdout + found.stderr else "server-everything is not installed"
    return ""


def once(design: str, kind: str, fault: str, load: Load) -> Result:
    """Run one cell of the table with a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(kind, Path(folder) / "done.txt")
        server.start()
        try:
            return anyio.run(run, design, server, fault, load)
        finally:
            server.kill()


def line(kind: str, fault: str, design: str, got: Result) -> str:
    """Return a row of the table."""
    times = "  ".join(f"{name} {got.at(share):.3f} s" for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1)))
    once = f"once: {got.once_ok} ok, {got.once_failed} in doubt, {got.twice} twice, {got.lost} lost"
    left = "" if got.sessions_left is None else f"sessions left {got.sessions_left}  "
    errors = ", ".join(f"{count} x {what}" for what, count in got.errors.most_common(2))
    who = f"{kind:8}{fault:9}{design:24}"
    times += f"  away {got.away:.3f} s" if got.away else ""
    return f"{who}{got.ok:4}/{got.wanted}  {times}  {once}  {left}{got.took:.1f} s  {errors}"


def main() -> int:
    """Run the table and print it."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--runs", type=int, default=1)
    asked.add_argument("--baselines", action="store_true")
    asked.add_argument("--kinds", default="http,modern,sse,fastmcp,ts")
    asked.add_argument("--log", action="store_true", help="show what the client logs")
    asked.add_argument("--faults", default="none,restart,freeze")
    args = asked.parse_args()
    logging.basicConfig(level=logging.INFO if args.log else logging.CRITICAL)
    lost = 0
    for kind in args.kinds.split(","):
        if why := missing(kind):
            print(f"{kind}: skipped, {why}", flush=True)
            continue
        for fault in args.faults.split(","):
            for design in DESIGNS if args.baselines else ["ResilientClient"]:
                for _ in range(args.runs if design == "ResilientClient" else 1):
                    got = once(design, kind, fault, Load())
                    bad = got.ok < got.wanted or got.twice or got.lost or got.sessions_left
                    lost += bool(bad) and design == "ResilientClient"
                    print(line(kind, fault, design, got), flush=True)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
