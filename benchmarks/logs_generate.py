#!/usr/bin/env python3
# ruff: noqa: E501, S608 - whole log lines, some of them SQL
"""The one place for big synthetic logs: agents that talk MCP, amid the noise of a real application.

    python benchmarks/logs_generate.py --megabytes 300 --noise 0.7 --format std --out big.log

Every number comes from the seed. Beside the log stands ``<out>.truth.json`` with the counts an analysis must reproduce.
The mix of a 70 % noise file, by record: a seventh each of SQL, httpcore DEBUG, cache and step messages and MCP protocol
messages, the rest smaller; one record in 120 is a WARNING, one in 2,500 an ERROR with a traceback of nine lines.
"""

import argparse
import heapq
import itertools
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TextIO

AGENTS = ("simplifier", "tester", "universal", "reviewer", "documenter", "planner", "refactorer", "security")
REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
}
SSE = "http://localhost:8009"
STREAMABLE = "http://mcp-files:8010"
MODEL = "https://api.openai.com/v1/chat/completions"
START = 1_752_494_400_000_000
FORMATS = ("std", "json", "compose", "access", "combined")
CHUNK = 20_000


class Record(NamedTuple):
    """One record before it is laid out."""

    level: str
    logger: str
    message: str


class Http(NamedTuple):
    """One exchange; a client's log and a server's log tell it differently."""

    method: str
    base: str
    path: str
    status: int


@dataclass(slots=True)
class Truth:
    """What the file holds."""

    lines: int = 0
    exchanges: int = 0
    opened: int = 0
    sessions: set[str] = field(default_factory=set)
    status: Counter[int] = field(default_factory=Counter)


def _sql(r: random.Random) -> Record:
    text = (
        f"SELECT repositories.id AS repositories_id, repositories.name AS repositories_name, repositories.owner_id AS repositories_owner_id "
        f"FROM repositories WHERE repositories.name = %(name_1)s AND repositories.id > {r.randrange(1000)} LIMIT {r.randrange(100)}"
    )
    return Record("INFO", "sqlalchemy.engine.Engine", text)


def _cached(r: random.Random) -> Record:
    return Record(
        "INFO",
        "sqlalchemy.engine.Engine",
        f"[cached since {r.random() * 9999:.4g}s ago] {{'name_1': '{r.randbytes(6).hex()}', 'param_1': {r.randrange(100)}}}",
    )


def _pooled(r: random.Random) -> Record:
    return Record(
        "DEBUG",
        "httpcore.http11",
        f"{r.choice(('send_request_headers', 'send_request_body', 'receive_response_body', 'response_closed'))}.{r.choice(('started', 'complete'))} request=<Request [b'{r.choice(('GET', 'POST'))}']>",
    )


def _step(r: random.Random) -> Record:
    return Record(
        "INFO",
        "api.agents.universal",
        f"Step {r.randrange(17)} of {r.choice(AGENTS)} finished, tokens={r.randrange(4096)} cost={r.random():.4f} model=gpt-4o-mini",
    )


def _cache(r: random.Random) -> Record:
    return Record(
        "INFO", "api.cache", f"cache miss key=repo:{r.randbytes(8).hex()} status=400 path=/sse/ ttl={r.randrange(600)}"
    )


def _protocol(r: random.Random) -> Record:
    return Record(
        "DEBUG",
        "mcp.client.sse",
        f"Received server message: root=JSONRPCResponse(jsonrpc='2.0', id={r.randrange(100)}, result={{'content': [{{'type': 'text', 'text': 'result {r.randbytes(5).hex()}'}}]}})",
    )


def _payload(r: random.Random) -> Record:
    body = {
        "repository": r.randbytes(4).hex(),
        "chunks": r.randrange(512),
        "took": round(r.random() * 9, 3),
        "tags": ['a"b', "c\\d"],
    }
    return Record("DEBUG", "api.services.embedding", f"Embedded {json.dumps(body)}")


def _unicode_text(r: random.Random) -> Record:
    return Record("INFO", "api.ui", f"Utilisateur {r.randrange(10_000)} prêt ✅ 完了 – {r.random():.3f} ms")


def _keepalive(r: random.Random) -> Record:
    return Record("INFO", "uvicorn.error", f"connection {r.randbytes(4).hex()} keep-alive timer {r.randrange(5)}")


def _selector(_r: random.Random) -> Record:
    return Record("DEBUG", "asyncio", "Using selector: EpollSelector")


def _warning(r: random.Random) -> Record:
    return Record(
        "WARNING",
        "api.agents.parallel",
        f"Queue depth {r.randrange(40)} above soft limit, draining {r.randbytes(3).hex()}",
    )


def _failure(r: random.Random) -> Record:
    frames = "".join(
        f'  File "/app/api/agents/{name}.py", line {r.randrange(400)}, in {name}\n    await self._{name}(step)\n'
        for name in ("parallel", "runner", "client")
    )
    return Record(
        "ERROR",
        "api.agents.parallel",
        f"Task {r.randbytes(4).hex()} failed\nTraceback (most recent call last):\n{frames}httpx.HTTPStatusError: Client error '400 Bad Request' for url '{SSE}/sse/'",
    )


NOISE: tuple[tuple[int, Callable[[random.Random], Record]], ...] = (
    (360, _sql), (240, _cached), (480, _pooled), (360, _step), (240, _cache), (300, _protocol), (150, _payload), (120, _unicode_text), (150, _keepalive),
    (80, _selector), (20, _warning), (1, _failure),
)  # fmt: skip


def headers(status: int, r: random.Random) -> Record:
    """httpcore's own line about the answer whose httpx line follows."""
    return Record(
        "DEBUG",
        "httpcore.http11",
        f"receive_response_headers.complete return_value=(b'HTTP/1.1', {status}, b'{REASONS[status]}', [(b'date', b'Mon, 14 Jul 2025 12:00:00 GMT'), (b'server', b'uvicorn'), (b'content-length', b'{r.randrange(9000)}')])",
    )


Step = tuple[float, "Record | Http"]


def session(r: random.Random, now: float, posts: float, truth: Truth) -> Iterator[Step]:
    """The lines of one session: SSE or Streamable HTTP, model calls between its tool calls."""
    ident = r.randbytes(16).hex()
    key = f"{r.choice(AGENTS)}_{r.randbytes(4).hex()}"
    truth.opened += 1
    truth.sessions.add(ident)
    if r.random() < 0.75:
        yield now, Record("INFO", "api.agents.universal", f"Created new MCP session {ident} for key {key}")
        now += r.lognormvariate(-3.0, 0.8)
        if r.random() < 0.05:
            yield now, Http("GET", SSE, "/sse/", 400)
            now += 0.2 + r.expovariate(20)
        yield now, Http("GET", SSE, "/sse/", 200)
        target = f"/messages/?session_id={ident}"
        base, good, end = SSE, 202, None
    else:
        yield now, Http("POST", STREAMABLE, "/mcp", 200)
        yield now + 0.001, Record("INFO", "mcp.client.streamable_http", f"Received session ID: {ident}")
        yield now + 0.004, Http("POST", STREAMABLE, "/mcp", 202)
        yield now + 0.005, Http("GET", STREAMABLE, "/mcp", 200)
        base, target, good, end = STREAMABLE, "/mcp", 200, Http("DELETE", STREAMABLE, "/mcp", 200)
    for _ in range(1 + int(r.expovariate(1 / posts))):
        now += 0.004 + r.expovariate(1.6)
        yield now, Http("POST", base, target, r.choices((good, 404, 500), (996, 3, 1))[0])
        if r.random() < 0.3:
            now += r.expovariate(1.0)
            yield now, Http("POST", "", MODEL, 429 if r.random() < 0.01 else 200)
    if end:
        yield now + 0.5, end


def story(r: random.Random, *, noise: float, rate: float, posts: float, truth: Truth) -> Iterator[Step]:
    """Records in order of time, for ever; ``noise`` is the share of records that say nothing of MCP."""
    makers = [make for _, make in NOISE]
    weights = list(itertools.accumulate(weight for weight, _ in NOISE))
    running: list[tuple[float, int, Record | Http, Iterator[Step]]] = []
    order = itertools.count()
    born = 0.0
    owed = 0.0
    while True:
        while not running or born <= running[0][0]:
            life = session(r, born, posts, truth)
            at, what = next(life)
            heapq.heappush(running, (at, next(order), what, life))
            born += r.expovariate(rate)
        at, _, what, life = running[0]
        following = next(life, None)
        if following:
            heapq.heapreplace(running, (following[0], next(order), following[1], life))
        else:
            heapq.heappop(running)
        owed += noise / (1 - noise)
        while owed >= 1:
            owed -= 1
            yield at, r.choices(makers, cum_weights=weights)[0](r)
        if isinstance(what, Http) and noise > 0 and r.random() < noise / 4:
            owed -= 1
            yield at, headers(what.status, r)
        yield at, what


def lay_out(form: str, at: float, what: Record | Http, r: random.Random) -> str:
    """One record as the given format writes it, without the last line break."""
    micros = START + int(at * 1e6)
    seconds, fraction = divmod(micros, 1_000_000)
    day = _day(seconds)
    if isinstance(what, Http):
        line = f"{what.method} {what.path} HTTP/1.1"
        if form == "access":
            return f'INFO:     127.0.0.1:{r.randrange(32768, 60999)} - "{line}" {what.status} {REASONS[what.status]}'
        if form == "combined":
            when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(seconds))
            return f'10.0.{r.randrange(4)}.{r.randrange(250)} - - [{when}] "{line}" {what.status} {r.randrange(9000)} "-" "python-httpx/0.28.1"'
        what = Record(
            "INFO",
            "httpx",
            f'HTTP Request: {what.method} {what.base}{what.path} "HTTP/1.1 {what.status} {REASONS[what.status]}"',
        )
    level, logger, message = what
    if form == "std":
        return f"{day.replace('T', ' ')},{fraction // 1000:03d} {level} {logger}: {message}"
    if form == "json":
        row = {"timestamp": f"{day}.{fraction:06d}Z", "level": level, "logger": logger, "message": message}
        return json.dumps(row, ensure_ascii=False)
    text = f"{level}:{logger}:{message}" if form == "compose" else f"{level + ':':<9} {message}"
    if form == "access":
        return text
    prefix = f"agents-1  | {day}.{fraction:06d}000Z "
    return prefix + text.replace("\n", "\n" + prefix)


_days: dict[int, str] = {}


def _day(seconds: int) -> str:
    found = _days.get(seconds)
    if found is None:
        _days.clear()
        found = _days[seconds] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return found


def write(out: TextIO, form: str, steps: Iterator[Step], size: int, r: random.Random, truth: Truth) -> None:
    """Write whole records until the file has ``size`` bytes."""
    written = 0
    lines: list[str] = []
    for at, what in steps:
        served = isinstance(what, Http) and what.base
        if (form == "combined" and not served) or (form == "access" and isinstance(what, Http) and not served):
            continue
        if isinstance(what, Http):
            truth.exchanges += 1
            truth.status[what.status] += 1
        text = lay_out(form, at, what, r)
        lines.append(text)
        written += len(text) + 1
        truth.lines += text.count("\n") + 1
        if len(lines) >= CHUNK or written >= size:
            out.write("\n".join(lines) + "\n")
            lines.clear()
        if written >= size:
            return


def main() -> None:
    """Read the command line and write both files."""
    parser = argparse.ArgumentParser(description="Write a synthetic log and its truth.")
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument(
        "--noise", type=float, default=0.7, help="share of records that say nothing of MCP, 0 to below 1"
    )
    parser.add_argument("--format", choices=FORMATS, default="std")
    parser.add_argument("--rate", type=float, default=25, help="new sessions a second")
    parser.add_argument("--posts", type=float, default=4, help="mean tool calls of a session")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    r = random.Random(chosen.seed)
    truth = Truth()
    steps = story(r, noise=chosen.noise, rate=chosen.rate, posts=chosen.posts, truth=truth)
    with chosen.out.open("w", encoding="utf-8", newline="\n") as out:
        write(out, chosen.format, steps, int(chosen.megabytes * 1e6), r, truth)
    facts = {
        "lines": truth.lines,
        "exchanges": truth.exchanges,
        "opened_at_least": truth.opened,
        "status": dict(sorted(truth.status.items())),
    }
    Path(f"{chosen.out}.truth.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    json.dump(facts, sys.stdout)
    print()


if __name__ == "__main__":
    main()
