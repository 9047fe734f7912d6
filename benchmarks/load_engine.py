"""The wire engine of ``mcpdiag load`` beside other load generators, against the same cheap server, interleaved.

    python benchmarks/load_engine.py [cpu|churn|processes|arrivals|memory ...] [--runs 5] [--seconds 2] [--locust PATH]

Needs gcc. The server has core 0, the generator core 1. CPU is what all threads of a generator used between two
looks in the middle of its run, divided by the requests that the server saw between them, so neither start nor end
counts. wrk, hey, ab and locust are left out where they are absent. Only ratios within one table mean something.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

HERE = Path(__file__).parent
TOOLS = HERE / "load_peers.py"
BODY = (
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo",'
    '"arguments":{"text":"hello world, this is a small payload"}}}'
)
JSON = "application/json"
LOCUSTFILE = """
from locust import FastHttpUser, constant_throughput, task
import os
class User(FastHttpUser):
    pace = float(os.environ.get("PACE", "0"))
    if pace:
        wait_time = constant_throughput(pace)
    @task
    def call(self):
        with self.client.post("/plain", data=BODY, headers={"content-type": "application/json"}):
            pass
""".replace("BODY", repr(BODY))
WARM = 200
"""Requests after which a generator counts as running."""


@dataclass
class Server:
    """The cheap server, running."""

    port: int
    pid: int

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path: str) -> bytes:
        """Ask it."""
        with urllib.request.urlopen(self.url(path), timeout=20) as answer:  # noqa: S310 - our own server
            return answer.read()

    def stats(self) -> dict[str, int]:
        """Return its counters."""
        return json.loads(self.get("/stats"))


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Compile and run the server on core 0."""
    binary = folder / "load_server"
    subprocess.run(["gcc", "-O2", "-o", binary, HERE / "load_server.c"], check=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with subprocess.Popen(["taskset", "-c", "0", binary, str(port)], start_new_session=True) as child:
        try:
            server = Server(port, child.pid)
            for _ in range(100):
                with contextlib.suppress(OSError):
                    server.stats()
                    break
                time.sleep(0.05)
            yield server
        finally:
            child.terminate()


@contextlib.contextmanager
def running(argv: list[str], folder: Path, cores: str = "1", **more: str) -> Iterator[int]:
    """Run a generator on core 1, or on those named; give its process id."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "GOMAXPROCS": "1", **more}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        ["taskset", "-c", cores, *argv], cwd=folder, env=environment, stdout=quiet, stderr=quiet, start_new_session=True
    ) as child:
        try:
            yield child.pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def cpu_of(leader: int) -> float:
    """Return the CPU seconds that all threads of all processes of a session have used; load processes are groups."""
    used = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, ValueError, ProcessLookupError):
                if os.getsid(int(folder.name)) == leader:
                    used += sum(int((t / "schedstat").read_text().split()[0]) for t in (folder / "task").iterdir())
    return used / 1e9


def memory_of(pid: int) -> int:
    """Return the resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def gets_going(server: Server, counter: str, most: int) -> bool:
    """Wait until the server has counted so many, and half a second; False where it does not within 25 s."""
    give_up = time.perf_counter() + 25
    while server.stats()[counter] < most:
        if time.perf_counter() > give_up:
            return False
        time.sleep(0.1)
    time.sleep(0.5)
    return True


def measured(server: Server, argv: list[str], folder: Path, seconds: float, counter: str = "requests") -> float | None:
    """Return the CPU µs that a generator uses per request; ``None`` where it does not get going."""
    before = server.stats()[counter]
    with running(argv, folder) as pid:
        if not gets_going(server, counter, before + (WARM if counter == "requests" else 20)):
            return None
        first, cpu = server.stats(), cpu_of(pid)
        time.sleep(seconds)
        used, last = cpu_of(pid) - cpu, server.stats()
    own = 1 if counter == "requests" else 0
    seen = last[counter] - first[counter] - own
    return used * 1e6 / seen if seen > 0 and used > 0 else None


def peer(*words: str) -> list[str]:
    """Return the command of a generator of our own side: the engine, or the SDK's client."""
    return [sys.executable, str(TOOLS), *words]


Command = Callable[[Server, int], list[str]]


def write_scripts(folder: Path) -> None:
    """Write what the generators read."""
    (folder / "post.lua").write_text(f"wrk.method='POST'\nwrk.body='{BODY}'\nwrk.headers['Content-Type']='{JSON}'\n")
    (folder / "body.json").write_text(BODY)
    (folder / "locustfile.py").write_text(LOCUSTFILE)


def generators(locust: str) -> dict[str, Command]:
    """Return name → command of the generators that are here."""
    fast = ["--headless", "-f", "locustfile.py", "-t", "60s", "--only-summary", "--loglevel", "ERROR"]
    found: dict[str, Command] = {
        "wrk": lambda s, c: ["wrk", "-t1", f"-c{c}", "-d60s", "-s", "post.lua", s.url("/plain")],
        "mcpdiag wire, MCP calls": lambda s, c: peer("wire", s.url("/mcp"), str(c)),
        "mcpdiag wire, MCP calls, no events": lambda s, c: peer("wire", s.url("/mcp"), str(c), "0"),
        "mcpdiag wire, MCP calls, SSE answers": lambda s, c: peer("wire", s.url("/mcp-sse"), str(c)),
        "mcpdiag wire, agents API": lambda s, c: peer("agent", s.url("/plain"), str(c)),
        "ab -k": lambda s, c: [
            # In this order: -t sets the number of requests, to 50,000.
            *("ab", "-q", "-k", "-c", str(c), "-t", "60", "-n", "10000000", "-p", "body.json", "-T", JSON),
            s.url("/plain"),
        ],
        "hey": lambda s, c: ["hey", "-z", "60s", "-c", str(c), "-m", "POST", "-T", JSON, "-d", BODY, s.url("/plain")],
        "locust FastHttpUser": lambda s, c: [locust, *fast, "-u", str(c), "-r", str(c), "--host", s.url("")],
        "mcp SDK client": lambda s, c: peer("sdk", s.url("/mcp"), str(c)),
    }
    tools = {"wrk": "wrk", "ab -k": "ab", "hey": "hey", "locust FastHttpUser": locust}
    return {name: made for name, made in found.items() if shutil.which(tools.get(name, sys.executable))}


def table(title: str, rows: list[list[str]]) -> None:
    """Print a table in Markdown."""
    print(f"\n**{title}**\n\n| " + " | ".join(rows[0]) + " |\n|---|" + "--:|" * (len(rows[0]) - 1))
    for row in rows[1:]:
        print("| " + " | ".join(row) + " |")


def compare_cpu(server: Server, folder: Path, options: argparse.Namespace) -> None:
    """CPU per request at 10 and 100 connections, by turns."""
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    words = options.only.split(",")
    made = {n: c for n, c in generators(options.locust).items() if any(word in n for word in words)}
    for turn in range(options.runs):
        for connections in (10, 100):
            for name, command in made.items():
                if turn and name in {"mcp SDK client", "locust FastHttpUser"}:
                    continue
                took = measured(server, command(server, connections), folder, options.seconds)
                if took is not None:
                    found[name, connections].append(took)
    rows = [["generator", "10 connections: µs", "/ wrk", "100 connections: µs", "/ wrk"]]
    for name in made:
        row = [name]
        for connections in (10, 100):
            mine, theirs = found[name, connections], found["wrk", connections]
            row.append(f"{median(mine):.1f}" if mine else "–")
            # Neighbours in time share the noise: the median of the ratios of each turn.
            ratios = [a / b for a, b in zip(mine, theirs, strict=False)]
            row.append(f"{median(ratios):.2f}" if ratios else "–")
        rows.append(row)
    table(f"CPU µs per request, medians of {options.runs} interleaved runs of {options.seconds:g} s", rows)


def compare_churn(server: Server, folder: Path, options: argparse.Namespace) -> None:
    """CPU per whole life of a session."""
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(options.runs):
        for name, command in (("mcpdiag wire", "churn"), ("mcp SDK client", "sdk-churn")):
            took = measured(server, peer(command, server.url("/mcp"), "10"), folder, options.seconds, "deletes")
            if took is not None:
                found[name].append(took)
    ours = median(found["mcpdiag wire"])
    rows = [["client", "CPU µs per session", "/ wire"]]
    rows += [[name, f"{median(took):,.0f}", f"{median(took) / ours:.1f}"] for name, took in found.items()]
    table("A session born, initialized, called once and deleted; 10 at a time", rows)


def compare_processes(server: Server, folder: Path, options: argparse.Namespace) -> None:
    """What two processes of ``mcpdiag load`` do of what one does, on all cores, the server having one of them too.

    They drive the SDK's client, whose call costs a hundred times what it costs the server: two wire engines on two
    cores would leave the server less than it needs, and it would be the limit. Cores used say what other work left.
    """
    call = ("--tool", "echo", "--allow", "echo", "--args", json.dumps({"text": "hello world"}), "-c", "20", "-d", "60s")
    load = [sys.executable, "-m", "woolly_mcpdiag", "load", server.url("/mcp"), "--driver", "sdk", *call]
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    found: dict[int, list[tuple[float, float, float]]] = {1: [], 2: []}
    for _ in range(options.runs):
        for number, seen in found.items():
            with running([*load, "--processes", str(number)], folder, cores) as pid:
                if gets_going(server, "calls", server.stats()["calls"] + 50):
                    seen.append(paced(server, pid, options.seconds, "calls"))
    rows = [["processes", "calls/s", "/ one", "cores used", "cores used by the server"]]
    for number, seen in found.items():
        if seen:
            rate, mine, its = (median(each) for each in zip(*seen, strict=True))
            ratio = median(b[0] / a[0] for a, b in zip(found[1], seen, strict=False))
            rows.append([str(number), f"{rate:,.0f}", f"{ratio:.2f}", f"{mine:.2f}", f"{its:.2f}"])
    title = "Processes that drive the SDK's client, 20 sessions in all, on cores"
    table(f"{title} {cores}; medians of {options.runs} interleaved runs", rows)


def paced(server: Server, pid: int, seconds: float, counter: str) -> tuple[float, float, float]:
    """Return how often a second the server counts something, and the cores that generator and server use for it."""
    began, first, mine, its = time.perf_counter(), server.stats()[counter], cpu_of(pid), cpu_of(server.pid)
    time.sleep(seconds)
    took, last = time.perf_counter() - began, server.stats()[counter]
    return (last - first) / took, (cpu_of(pid) - mine) / took, (cpu_of(server.pid) - its) / took


def compare_arrivals(server: Server, folder: Path, options: argparse.Namespace) -> None:
    """How far arrivals are from an even grid, as the server saw them."""
    fast = ["--headless", "-f", "locustfile.py", "-t", "30s", "--only-summary", "--loglevel", "ERROR"]
    post = ["-m", "POST", "-d", "{}"]
    rows = [["generator", "rate asked", "rate seen", "deviation p50 ms", "p99 ms"]]
    for rate in (100, 1000, 5000):
        commands = {
            "mcpdiag wire": peer("open", server.url("/plain"), str(rate)),
            "hey -q": ["hey", "-z", "30s", "-c", "50", "-q", str(rate // 50), *post, server.url("/plain")],
            "locust constant_throughput": [options.locust, *fast, "-u", "50", "-r", "50", "--host", server.url("")],
        }
        for name, argv in commands.items():
            if not shutil.which(argv[0]):
                continue
            seen = []
            for _ in range(options.runs if argv[0] == sys.executable else 1):
                before = server.stats()["requests"]
                with running(argv, folder, PACE=str(rate / 50)):
                    give_up = time.perf_counter() + 20
                    while server.stats()["requests"] - before < WARM and time.perf_counter() < give_up:
                        time.sleep(0.1)
                    server.get("/stamps")
                    time.sleep(4)
                    stamps = np.sort(np.frombuffer(server.get("/stamps"), np.uint64).astype(float)) / 1e6
                middle = stamps[len(stamps) // 4 : len(stamps) * 3 // 4]
                if len(middle) < rate / 2:
                    continue
                # The rate's own error is taken out, so that only the jitter is left.
                index = np.arange(len(middle))
                late = middle - np.polyval(np.polyfit(index, middle, 1), index)
                late -= np.percentile(late, 1)
                real = (len(middle) - 1) / (middle[-1] - middle[0]) * 1e3
                seen.append((real, float(np.percentile(late, 50)), float(np.percentile(late, 99))))
            if seen:
                real, half, most = (median(each) for each in zip(*seen, strict=True))
                rows.append([name, str(rate), f"{real:.1f}", f"{half:.3f}", f"{most:.2f}"])
    table(f"Constant arrivals as the server saw them, medians of {options.runs} runs of ours, one of others", rows)


def compare_memory(server: Server, folder: Path, _options: argparse.Namespace) -> None:
    """Resident bytes per idle session."""
    rows = [["client", "sessions", "KB per session"]]
    for name, words, most in (
        ("mcpdiag wire, Streamable HTTP with its stream", ("idle", server.url("/mcp")), 2000),
        ("mcpdiag wire, HTTP+SSE", ("idle-sse", server.url("/sse")), 5000),
        ("mcp SDK client", ("sdk-idle", server.url("/mcp")), 100),
    ):
        sizes = []
        for number in (1, most):
            before = server.stats()
            with running(peer(*words, str(number)), folder) as pid:
                give_up = time.perf_counter() + 50
                while server.stats()["calls"] - before["calls"] < number and time.perf_counter() < give_up:
                    time.sleep(0.2)
                sizes.append(memory_of(pid))
                born = server.stats()["calls"] - before["calls"]
        rows.append([name, f"{born:,}", f"{(sizes[1] - sizes[0]) / max(born - 1, 1) / 1024:.1f}"])
    table("Memory of idle sessions", rows)


def main() -> None:
    """Run what was asked for."""
    parts = {
        "cpu": compare_cpu,
        "churn": compare_churn,
        "processes": compare_processes,
        "arrivals": compare_arrivals,
        "memory": compare_memory,
    }
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts)}; all of them by default")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", default="", help="generators whose name holds one of these words, by commas (cpu)")
    parser.add_argument("--locust", default="locust", help="its command, as in an environment of its own")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as server:
        write_scripts(Path(name))
        print(f"load average before: {os.getloadavg()[0]:.1f}")
        for part in options.parts or parts:
            parts[part](server, Path(name), options)
        print(f"\nload average after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
