"""Runs made by hand: one of each sort that a report must show well, small enough to read."""

import random

from woolly_mcpdiag.core.findings import Evidence, Finding, Ledger, LedgerPart
from woolly_mcpdiag.core.measures import Answer, Calls, Outcome, Phase, Series, Step, Tally
from woolly_mcpdiag.core.runs import End, Generator, Interval, Meta, Run, Sample, Scene
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.report.assemble_run import assemble_run
from woolly_mcpdiag.report.model import Report

START = 1_795_356_131.0
"""2026-11-22 14:02:11 UTC."""
AGENTS = ("simplifier", "tester", "summarizer")
POST = "POST /api/v1/agents/execute"
SEARCH = "tools/call search_code"
TARGETS = (
    {"kind": "agent", "url": "http://localhost:8000/api/v1/agents/execute"},
    {
        "kind": "mcp",
        "url": "http://localhost:8009/mcp",
        "transport": "streamable",
        "version": "2025-11-25",
        "era": "handshake",
        "server": "demo 0.1",
        "client": "wire",
    },
)


def meta(**changes) -> Meta:
    told = {
        "run": "3f2a",
        "command": "load",
        "version": "0.1.0",
        "started": START,
        "targets": TARGETS[1:],
        "workload": {"model": "closed", "concurrency": 5, "duration": 30, "sessions": "per-worker", "seed": 1},
        "host": {"cpus": 4, "kernel": "6.8", "python": "3.11.9"},
    }
    return Meta(**told | changes)


def calls(rng: random.Random, ok: int, median: float, failed: int = 0, outcome: Outcome | None = None) -> Calls:
    found = Calls(ok=ok, failed=failed)
    for _ in range(ok):
        value = median * rng.lognormvariate(0, 0.5)
        found.latency.add(value)
        found.service.add(value)
        found.first.add(value * 0.6)
    for _ in range(failed):
        found.failing.add(median * 3)
    found.outcomes[Outcome()] += ok
    if failed:
        found.outcomes[outcome or Outcome(kind="http", status=400)] += failed
    return found


def second(n: int, tally: Tally, in_flight: int = 5, users: float = 5) -> Interval:
    return Interval(start=float(n), end=float(n + 1), tally=tally, in_flight=in_flight, users=users)


def clean() -> Run:
    """A load of 30 s after a warm-up of 3 s, in which nothing failed."""
    rng = random.Random(1)
    run = Run(meta=meta(workload={"model": "closed", "concurrency": 5, "duration": 30, "warmup": 3}))
    for n in range(33):
        scene = "warmup" if n < 3 else ""
        tally = Tally()
        tally.calls[Series(scene=scene, client="wire", operation=SEARCH)] = calls(rng, 36 + n % 7, 0.03)
        tally.answers[Answer(scene=scene, status=200)] = 42
        tally.counters["started"] = 40
        if n == 0:
            tally.counters["sessions_opened"] = 5
            for name, took in (("connect", 0.001), ("initialize", 0.012), ("initialized", 0.004)):
                phase = tally.phases[Step(client="wire", phase=name)] = Phase()
                for _ in range(5):
                    phase.took.add(took * rng.lognormvariate(0, 0.4))
        run.intervals.append(second(n, tally))
    run.end = End(took=33.0, complete=True, generator=Generator(cpu=0.31, lag_p99=0.002, lag_max=0.011))
    return run


def sample(n: int, at: float, **changes) -> Sample:
    told = {
        "fingerprint": f"agent/http/400/{n}",
        "at": at,
        "kind": "agent",
        "client": "http",
        "agent": "tester",
        "operation": POST,
        "phase": "call",
        "outcome": "http",
        "status": 400,
        "took": 0.093,
        "request": "POST http://localhost:8000/api/v1/agents/execute\ncontent-type: application/json\n\n"
        '{"agent_type": "tester"}',
        "response": "400 Bad Request\ncontent-type: application/json\n\n"
        '{"detail": "Bad Request: No valid session ID provided"}',
        "context": ("+0.41 s GET /sse/ 400 a1b2c3d4", "+0.52 s session.opened a1b2c3d4", "-0.20 s POST /mcp 200"),
    }
    return Sample(**told | changes)


def failing() -> Run:
    """Agents and MCP together; a stall at 12 s brings 400s and a time-out."""
    rng = random.Random(2)
    run = Run(meta=meta(targets=TARGETS, workload={"model": "open", "rate": 20, "duration": 40, "arrival": "poisson"}))
    for n in range(40):
        tally = Tally()
        slow = 8 if 12 <= n < 16 else 1
        for agent in AGENTS:
            bad = 2 if slow > 1 and agent == "tester" else 0
            tally.calls[Series(kind="agent", client="http", agent=agent, operation=POST)] = calls(
                rng, 5, 0.12 * slow, bad
            )
        mine = tally.calls[Series(client="wire", operation=SEARCH)] = calls(rng, 20, 0.02 * slow)
        tally.answers[Answer(kind="agent", status=200)] = 15
        tally.answers[Answer(status=200)] = 24
        if slow > 1:
            tally.answers[Answer(kind="agent", status=400)] = 2
            tally.answers[Answer(status=400)] = 1
            mine.failed += 1
            mine.outcomes[Outcome(kind="timeout")] = 1
            mine.failing.add(5.0)
        tally.answers[Answer(status=400, benign=True)] = 1
        tally.counters.update({"started": 36, "late": n % 2, "dropped": int(n == 14) * 4, "sessions_opened": 1})
        for name, took in (("connect", 0.001), ("stream", 0.004), ("endpoint", 0.006), ("initialize", 0.009)):
            phase = tally.phases[Step(client="wire", phase=name)] = Phase(failed=int(name == "stream" and slow > 1))
            phase.took.add(took * slow * rng.lognormvariate(0, 0.4))
        run.intervals.append(second(n, tally, in_flight=4 * slow, users=20))
    run.samples += [
        sample(1, 12.4),
        sample(1, 12.9),
        sample(
            2,
            13.1,
            fingerprint="mcp/timeout",
            kind="mcp",
            client="wire",
            agent="",
            operation=SEARCH,
            outcome="timeout",
            status=0,
            took=5.0,
            error="ReadTimeout",
            response="",
            request="POST http://localhost:8009/mcp",
        ),
    ]
    run.end = End(
        took=40.0, complete=True, generator=Generator(cpu=0.62, lag_p99=0.003, lag_max=0.02, late=20, dropped=4)
    )
    return run


def judgements() -> list[Judgement]:
    """One of each verdict."""
    return [
        Judgement(
            name="http_400 == 0",
            verdict="fail",
            sentence="4 of 984 MCP requests were answered 400: the true rate is above 0.14 % (95 %).",
            observed="4 of 984",
            limit="== 0",
            tries=984,
            failures=4,
            unit="requests",
            bound=0.0014,
            causes=("session.lost",),
            details=("first at 12.4 s: POST http://localhost:8009/mcp",),
            next_step="mcpdiag explain session.lost",
        ),
        Judgement(
            name="p95 < 1s | per agent",
            verdict="inconclusive",
            sentence="tester: 11 of 40 above 1 s; could still be 14 to 44 %, the limit is 5 %.",
            observed="0.84 s",
            limit="< 1 s",
            tries=40,
            failures=11,
            unit="agent runs",
            needed=259,
        ),
        Judgement(
            name="success > 90%",
            verdict="pass",
            sentence="8 of 608 agent runs failed: at most 2.5 % do (95 %).",
            observed="98.7 %",
            limit="> 90 %",
            tries=608,
            failures=8,
            unit="agent runs",
            effective=412.0,
            bound=0.025,
        ),
        Judgement(
            name="warn: throughput > 50/s",
            verdict="fail",
            level="warn",
            sentence="35.6/s",
            observed="35.6/s",
            limit="> 50/s",
        ),
    ]


def turns(rounds: int = 6) -> Run:
    """Three clients in interleaved rounds: the naive one loses sessions, the pooled one is faster."""
    rng = random.Random(3)
    run = Run(
        meta=meta(
            workload={"model": "closed", "concurrency": 5, "requests": 100, "clients": ["naive", "sdk", "pooled"]}
        )
    )
    at = 0
    for turn in range(rounds):
        drift = rng.lognormvariate(0, 0.1)
        order = ("naive", "sdk", "pooled") if turn % 2 == 0 else ("pooled", "sdk", "naive")
        for client in order:
            scene = f"round {turn + 1} {client}"
            tally = Tally()
            bad = 30 if client == "naive" else 0
            median = (0.05 if client == "pooled" else 0.09) * drift
            tally.calls[Series(scene=scene, client=client, operation=SEARCH)] = calls(rng, 100 - bad, median, bad)
            tally.answers[Answer(scene=scene, status=200)] = 100 - bad
            if bad:
                tally.answers[Answer(scene=scene, status=400)] = bad
            run.intervals.append(second(at, tally))
            at += 1
    run.samples.append(
        sample(
            1, 0.2, kind="mcp", client="naive", agent="", operation=SEARCH, scene="round 1 naive", fingerprint="mcp/400"
        )
    )
    run.end = End(took=float(at), complete=True, generator=Generator(cpu=0.4, lag_p99=0.001, lag_max=0.004))
    return run


def outage() -> Run:
    """A gate: waves of births, then the server is away for a while."""
    rng = random.Random(4)
    run = Run(
        meta=meta(
            command="gate",
            targets=TARGETS,
            workload={"model": "waves", "waves": 60, "concurrency": 5},
            scenes=("waves", "outage"),
        )
    )
    for n in range(20):
        scene = "waves" if n < 12 else "outage"
        tally = Tally()
        bad = 5 if 14 <= n < 17 else 0
        tally.calls[Series(scene=scene, kind="agent", client="pooled", agent="tester", operation=POST)] = calls(
            rng, 25 - bad, 0.1, bad, Outcome(kind="refused-locally")
        )
        tally.answers[Answer(scene=scene, kind="agent", status=200)] = 25 - bad
        tally.counters.update({f"{scene}/waves": 5, f"{scene}/waves_400": 0})
        run.intervals.append(second(n, tally))
    run.scenes += [
        Scene(name="waves", start=0.0, end=12.0, what="60 waves of 5 sessions"),
        Scene(name="outage", start=12.0, end=20.0, what="refused from 14.0 s to 17.0 s", facts={"mode": "refuse"}),
    ]
    run.end = End(took=20.0, complete=True, generator=Generator(cpu=0.2))
    return run


def nothing() -> Run:
    """A log that was cut off before a call ended."""
    return Run(meta=meta())


def busy() -> Run:
    """The generator was the bottleneck, and somebody pressed Ctrl-C."""
    run = clean()
    run.end = End(
        took=33.0,
        complete=False,
        reason="interrupted",
        generator=Generator(cpu=0.99, lag_p99=0.4, lag_max=1.2, bound=True, why="its loop was late by 400 ms"),
    )
    return run


def five() -> Run:
    """Five calls in a fifth of a second."""
    rng = random.Random(5)
    run = Run(meta=meta(workload={"model": "closed", "concurrency": 5, "requests": 5}))
    tally = Tally()
    tally.calls[Series(client="wire", operation="ping")] = calls(rng, 5, 0.01)
    tally.answers[Answer(status=200)] = 5
    run.intervals.append(Interval(start=0.0, end=0.2, tally=tally, in_flight=0, users=5))
    run.end = End(took=0.2, complete=True)
    return run


def million() -> Run:
    """An hour at 280 calls a second: a million calls, 3,600 intervals."""
    rng = random.Random(6)
    run = Run(meta=meta(workload={"model": "open", "rate": 280, "duration": 3600}))
    shape = calls(rng, 280, 0.02)
    bad = calls(rng, 277, 0.02, 3, Outcome(kind="http", status=503))
    for n in range(3600):
        tally = Tally()
        own = bad if 1000 <= n < 1200 else shape
        tally.calls[Series(client="wire", operation=SEARCH)] = own
        tally.answers[Answer(status=200)] = own.ok
        run.intervals.append(second(n, tally, in_flight=6, users=280))
    run.end = End(took=3600.0, complete=True, generator=Generator(processes=2, cpu=0.5, lag_p99=0.001))
    return run


HOSTILE = (
    "\x1b]0;owned\x07\x1b[31m[bold]red[/bold] ]]> </script><script>alert(1)</script> "
    "\n::error file=a::pwned\r%0A | `tick` ``` @everyone \x00 \u202egnp.exe \ud800 [a](http://evil) "
)


def hostile() -> Run:
    """Every text that a target or a user can set carries what some format would act on."""
    run = Run(
        meta=meta(
            targets=({"kind": "mcp", "url": HOSTILE, "server": HOSTILE},),
            workload={"model": HOSTILE, "concurrency": HOSTILE, "sessions": HOSTILE, "stages": [[HOSTILE, 1]]},
            host={"kernel": HOSTILE},
            thresholds=(HOSTILE,),
        )
    )
    tally = Tally()
    where = {"client": HOSTILE, "agent": HOSTILE, "operation": HOSTILE}
    tally.calls[Series(kind="agent", **where)] = calls(random.Random(7), 2, 0.1, 1, Outcome(kind="agent-error"))
    tally.calls[Series(kind="agent", scene=HOSTILE, **where)] = calls(random.Random(7), 2, 0.1)
    tally.calls[Series(kind="agent", scene=HOSTILE, client="b")] = calls(random.Random(7), 2, 0.1)
    tally.phases[Step(client=HOSTILE, phase=HOSTILE)] = Phase(failed=1)
    run.intervals.append(second(0, tally))
    run.scenes.append(Scene(name=HOSTILE, start=0.0, end=1.0, what=HOSTILE, facts={HOSTILE: HOSTILE}))
    texts = {"error": HOSTILE, "request": HOSTILE, "response": HOSTILE, "context": (HOSTILE,), "session": HOSTILE}
    run.samples.append(sample(1, 0.5, operation=HOSTILE, outcome="agent-error", status=0, phase=HOSTILE, **texts))
    run.end = End(took=1.0, complete=False, reason=HOSTILE, generator=Generator(bound=True, why=HOSTILE))
    return run


def hostile_judgements() -> list[Judgement]:
    texts = ("name", "sentence", "observed", "limit", "unit", "next_step")
    told = dict.fromkeys(texts, HOSTILE) | {"causes": (HOSTILE,), "details": (HOSTILE,)}
    return [Judgement(verdict=verdict, **told) for verdict in ("fail", "inconclusive", "pass")]


def ledger() -> tuple[list[Finding], list[Ledger]]:
    """What a diagnosis of the failing run's events would say."""
    finding = Finding(
        cause="session.lost",
        title="The server no longer knows the session",
        severity="error",
        benign=False,
        confidence="likely",
        count=12,
        of=12,
        unit="400 responses",
        summary="12 requests with an id that had been answered before got 400 from 12.4 s on.",
        because=("All ids that were open at that moment fail from then on.",),
        evidence=(Evidence(source="run.jsonl", line=812, text="POST http://localhost:8009/mcp 400"),),
        client="Start a new session when a request with a session id gets 404 or 400.",
    )
    book = Ledger(
        status=400,
        total=52,
        parts=(
            LedgerPart(cause="session.lost", count=12, benign=False),
            LedgerPart(cause="transport.era-probe", count=40, benign=True),
        ),
        unexplained=0,
    )
    return [finding], [book]


def report(name: str) -> Report:
    """Return the report of a run by the name of its function."""
    run = RUNS[name]()
    judged = {
        "failing": judgements,
        "hostile": hostile_judgements,
        "busy": judgements,
        "clean": lambda: judgements()[2:3],
    }
    return assemble_run(run, None, judged.get(name, list)(), version="0.1.0")


RUNS = {one.__name__: one for one in (clean, failing, turns, outage, nothing, busy, five, million, hostile)}
