"""Reports made by hand: one of each sort that a renderer must show well."""

import random

from woolly_mcpdiag.core.findings import Evidence, Finding, Hypothesis, Ledger, LedgerPart
from woolly_mcpdiag.core.timelines import Activity, Latency, Mark, Moment, Timeline
from woolly_mcpdiag.report.model import NextStep, Report, Source

START = 1_795_356_131.0
"""2026-11-22 14:02:11 UTC."""
AGENTS = ("simplifier", "tester", "convo_starter", "summarizer", "documentation")
GET = 'INFO:httpx:HTTP Request: GET http://localhost:8009/sse/ "HTTP/1.1 {}"'


def healthy() -> Report:
    timelines = [
        Timeline(
            name=f"{n:08x}",
            session=f"{n:032x}",
            agent=AGENTS[n % 5],
            source="app.log",
            opened=START + n,
            ready=START + n + 0.02,
            first_use=START + n + 0.03,
            closed=START + n + 1.5,
            requests=5,
            moments=(
                Moment(at=START + n, mark="opened", label="initialize 200"),
                Moment(at=START + n + 0.02, mark="ready", label="initialized 202"),
                *(Moment(at=START + n + 0.1 * k, mark="ok", label="POST 200") for k in range(1, 4)),
                Moment(at=START + n + 1.5, mark="closed", label="DELETE 200"),
            ),
        )
        for n in range(1, 11)
    ]
    return Report(
        version="0.1.0",
        verdict="Healthy: 50 requests in 10 sessions, and nothing failed.",
        sources=[
            Source(name="app.log", role="client", formats=("std",), lines=90, understood=80, ignored=10, events=60)
        ],
        requests=50,
        sessions=10,
        agents={"simplifier": 2, "tester": 2, "convo_starter": 2, "summarizer": 2, "documentation": 2},
        first=START + 1,
        last=START + 11.5,
        resolution=0.001,
        statuses={200: 40, 202: 10},
        timelines=timelines,
        timelines_of=10,
        activity=Activity(start=START + 1, width=0.5, series={"ok": [3, 2] * 10 + [3]}),
        latencies=[
            Latency(
                name="POST http://localhost:8009/mcp",
                count=40,
                buckets=((0.004, 0.008, 12), (0.008, 0.016, 20), (0.016, 0.032, 7), (0.064, 0.128, 1)),
                p50=0.0105,
                p95=0.026,
                p99=0.09,
                highest=0.0981,
            )
        ],
        next_steps=[
            NextStep(command="mcpdiag analyze-logs app.log --format html -o report.html", why="see the sessions")
        ],
    )


def seed_timelines() -> list[Timeline]:
    rng = random.Random(29)
    lanes = []
    at = 1
    for n in range(29):
        session = f"{rng.getrandbits(128):032x}"
        agent = AGENTS[n % 5]
        lanes.append(
            Timeline(
                name=session[:8],
                session=session,
                key=f"{agent}_{rng.getrandbits(32):08x}",
                agent=agent,
                source="app.log",
                opened=float(at + 1),
                first_use=float(at + 3),
                requests=2,
                failures=1,
                overlap=n % 5,
                note="200, then no answer ever",
                moments=(
                    Moment(at=float(at), mark="fail", label="GET 400"),
                    Moment(at=float(at + 1), mark="opened", label="Created new MCP session"),
                    Moment(at=float(at + 3), mark="stream", label="GET 200"),
                ),
            )
        )
        at += 4
    return lanes


def seed() -> Report:
    """The first customer's case: 29 agents, each 400 explained, no times."""
    return Report(
        version="0.1.0",
        verdict="All 29 of the 400s come from session ids taken out of an error; the 200 after it is a false success.",
        sources=[
            Source(name="app.log", role="client", formats=("std",), lines=120, understood=116, ignored=4, events=116)
        ],
        requests=58,
        sessions=29,
        agents={"simplifier": 7, "tester": 6, "convo_starter": 6, "summarizer": 5, "documentation": 5},
        clock="order",
        statuses={200: 29, 400: 29},
        ledgers=[
            Ledger(
                status=400,
                total=29,
                parts=(LedgerPart(cause="session.harvested-from-400", count=29, benign=False),),
                unexplained=0,
            )
        ],
        findings=[seed_finding()],
        hypotheses=seed_hypotheses(),
        timelines=seed_timelines(),
        timelines_of=29,
        activity=Activity(
            start=1, width=4, series={"ok": [1] * 29, "400": [1] * 29, "other 4xx": [0] * 29, "5xx": [0] * 29}
        ),
        invisible=[
            "How long anything took: no line has a time. Use `logging.basicConfig(format='%(asctime)s %(message)s')`.",
            "Which connection carried a request: set the logger httpcore to DEBUG.",
        ],
        notes=["4 of 120 lines say nothing about MCP and were left out."],
        next_steps=[
            NextStep(command="mcpdiag explain session.harvested-from-400", why="the whole story and its references"),
            NextStep(command="mcpdiag analyze-logs app.log server.log", why="join the server's view"),
        ],
    )


def seed_finding() -> Finding:
    return Finding(
        cause="session.harvested-from-400",
        title="The session id was taken from an error response",
        severity="error",
        benign=False,
        confidence="certain",
        count=29,
        of=29,
        unit="400 responses",
        summary="Each of 29 sessions came from a GET without a session id that was answered 400; the id on that 400 "
        "was then used for a second GET. That GET got 200, but no POST ever followed: 0 of 29 agents finished.",
        because=(
            "29 GETs with 400, 29 new sessions and 29 GETs with 200: the three counts are equal.",
            "No POST line exists, so no session was ever initialised.",
            "Excluded: session.lost, because no id was in use before its 400.",
        ),
        evidence=(
            Evidence(source="app.log", line=5, text=GET.format("400 Bad Request")),
            Evidence(
                source="app.log",
                line=6,
                text="INFO:api.agents.universal:Created new MCP session "
                "76edd90fcfee4fc38b6b619560599f8f for key simplifier_edcec7aa",
            ),
            Evidence(source="app.log", line=8, text=GET.format("200 OK")),
            Evidence(source="app.log", line=9, text=GET.format("400 Bad Request")),
        ),
        client="Use the Streamable HTTP client on the same URL: MCPServerStreamableHTTP('http://localhost:8009/sse/').",
        server="Update to mcp 1.30 or later: it puts no session id on an error. Name the path /mcp.",
        confirm="curl -i -H 'Accept: text/event-stream' http://localhost:8009/sse/ shows 400 with an mcp-session-id.",
        endpoints=("http://localhost:8009/sse/",),
    )


def seed_hypotheses() -> list[Hypothesis]:
    return [
        Hypothesis(
            name="race",
            question="Is it a race between parallel agents?",
            answer="refuted",
            test="failure rate of sessions opened alone against those opened beside others",
            figures="5 of 5 alone (57–100 %), 24 of 24 with 1 to 4 in flight (86–100 %)",
        ),
        Hypothesis(
            name="timing",
            question="Is a session used before it is ready?",
            answer="refuted",
            test="whether the 400 comes before or after the session exists",
            figures="29 of 29 400s come before their session was created",
        ),
        Hypothesis(
            name="pool",
            question="Do connections of the pool get in each other's way?",
            answer="not decidable",
            test="reuse of connections before a failure",
            figures="no line names a connection",
            decide="logging.getLogger('httpcore').setLevel('DEBUG')",
        ),
        Hypothesis(
            name="deterministic",
            question="Does it fail every time?",
            answer="supported",
            test="share of new sessions whose first GET fails",
            figures="29 of 29 (88–100 %)",
        ),
    ]


def mixed() -> Report:
    """Several causes, benign ones, one unexplained, times, server errors and latencies."""
    rng = random.Random(7)
    base = seed_finding()
    lost = Finding(
        cause="session.server-restarted",
        title="The server was restarted and forgot its sessions",
        severity="error",
        benign=False,
        confidence="likely",
        count=6,
        of=8,
        unit="404 responses",
        summary="6 sessions answered until 14:05:02 and got 404 from then on; the server's log starts anew then.",
        because=("All ids that were open at that moment fail from then on.",),
        evidence=(
            Evidence(
                source="server.log",
                line=812,
                time=START + 171,
                text='2026-11-22 14:05:02,101 INFO uvicorn.access 127.0.0.1:40312 - "POST /mcp HTTP/1.1" 404 Not Found '
                + "x" * 180,
            ),
        ),
        client="Start a new session when a request with a session id gets 404.",
        deployment="Drain before a restart.",
        confirm="mcpdiag analyze-logs client.log server.log --since 14:05",
        first=START + 171,
        last=START + 190,
    )
    slow = Finding(
        cause="server.event-loop-blocked",
        title="The server's event loop stood still",
        severity="warning",
        benign=False,
        confidence="possible",
        count=3,
        of=0,
        unit="stalls",
        summary="Three times nothing was answered for over 2 s, then 14 answers came within 5 ms.",
        server="Move blocking work into a thread.",
    )
    probe = Finding(
        cause="transport.era-probe",
        title="A modern client asked which era the server speaks",
        severity="info",
        benign=True,
        confidence="certain",
        count=3,
        of=41,
        unit="400 responses",
        summary="3 POSTs of server/discover were answered 400, and initialize followed with 200.",
        evidence=(
            Evidence(source="app.log", line=3, text='POST http://localhost:8009/mcp "HTTP/1.1 400 Bad Request"'),
        ),
    )
    marks: tuple[Mark, ...] = ("ok", "ok", "ok", "stream", "ok", "fail", "ok", "error")
    lanes = []
    for n in range(37):
        opened = START + n * 11.7
        times = sorted(opened + rng.random() * 60 for _ in range(12))
        moments = [Moment(at=opened, mark="opened", label="initialize 200")]
        moments += [Moment(at=t, mark=rng.choice(marks), label="POST 200") for t in times]
        failures = sum(m.mark in {"fail", "error"} for m in moments)
        if n % 3 == 0:
            moments.append(Moment(at=times[-1] + 4, mark="closed", label="DELETE 200"))
        lanes.append(
            Timeline(
                name=f"{rng.getrandbits(32):08x}",
                session=f"{rng.getrandbits(128):032x}",
                key="",
                agent=AGENTS[n % 5],
                source="app.log",
                opened=opened,
                ready=opened + 0.02,
                closed=times[-1] + 4 if n % 3 == 0 else None,
                requests=13,
                failures=failures,
                moments=tuple(moments),
            )
        )
    bins = 60
    return Report(
        version="0.1.0",
        verdict="37 of 41 400s come from harvested session ids, 6 of 8 404s from a restart; 3 are unexplained.",
        sources=[
            Source(
                name="app.log",
                role="client",
                formats=("json", "docker-compose"),
                lines=4_120,
                understood=4_000,
                ignored=79,
                not_understood=41,
                first_not_understood=12,
                events=512,
                first=START,
                last=START + 449,
            ),
            Source(name="server.log", role="server", formats=("uvicorn",), lines=900, understood=900, events=460),
        ],
        requests=412,
        sessions=37,
        agents=dict.fromkeys(AGENTS, 8),
        other_requests={"https://api.openai.com": 120},
        first=START,
        last=START + 449,
        resolution=0.001,
        statuses={200: 330, 202: 30, 400: 41, 404: 8, 502: 3},
        ledgers=[
            Ledger(
                status=400,
                total=41,
                parts=(
                    LedgerPart(cause="session.harvested-from-400", count=37, benign=False),
                    LedgerPart(cause="transport.era-probe", count=3, benign=True),
                ),
                unexplained=1,
                evidence=(Evidence(source="app.log", line=777, text=GET.format("400 Bad Request")),),
            ),
            Ledger(
                status=404,
                total=8,
                parts=(LedgerPart(cause="session.server-restarted", count=6, benign=False),),
                unexplained=2,
            ),
        ],
        findings=[base, lost, slow, probe],
        hypotheses=seed_hypotheses(),
        timelines=lanes,
        timelines_of=37,
        activity=Activity(
            start=START,
            width=8,
            series={
                "ok": [rng.randrange(12) for _ in range(bins)],
                "400": [rng.randrange(3) for _ in range(bins)],
                "other 4xx": [int(n > 40) for n in range(bins)],
                "5xx": [int(n == 41) * 3 for n in range(bins)],
                "errors": [0] * bins,
            },
        ),
        latencies=[
            Latency(
                name="POST http://localhost:8009/mcp",
                count=330,
                buckets=tuple((0.001 * 1.5**n, 0.001 * 1.5 ** (n + 1), 40 - abs(n - 7) * 4) for n in range(1, 16)),
                p50=0.0182,
                p95=0.211,
                p99=0.38,
                highest=0.4219,
            )
        ],
        invisible=["Which connection carried a request: set the logger httpcore to DEBUG."],
        notes=["41 of 4,120 lines of app.log fit no known format (first: line 12)."],
        next_steps=[NextStep(command="mcpdiag explain session.server-restarted", why="the whole story")],
    )


def empty() -> Report:
    return Report(version="0.1.0", notes=["12 of 12 lines say nothing about MCP."])


HOSTILE = (
    "\x1b]0;owned\x07\x1b[31m[bold]red[/bold] ]]> </script><script>alert(1)</script> <img src=http://x/y> "
    "\n::error file=a::pwned\r%0A | `tick` ``` @everyone #1 \x00\x08 \u202egnp.exe &amp; \ud800 "
    "\udce9 ${x} [a](http://evil) "
)


def hostile() -> Report:
    """Every text field carries what some format would act on."""
    evidence = Evidence(source="a|b`c`\n::warning::x.log", line=3, text="::error::" + HOSTILE)
    finding = Finding(
        cause="session.lost",
        title=HOSTILE,
        severity="error",
        benign=False,
        confidence="likely",
        count=1,
        of=1,
        unit=HOSTILE,
        summary=HOSTILE,
        because=(HOSTILE,),
        evidence=(evidence,),
        client=HOSTILE,
        server=HOSTILE,
        deployment=HOSTILE,
        confirm=HOSTILE,
        endpoints=(HOSTILE,),
    )
    return Report(
        version="0.1.0",
        verdict=HOSTILE,
        sources=[Source(name=HOSTILE, role=HOSTILE, formats=(HOSTILE,), lines=1)],
        requests=1,
        sessions=1,
        agents={HOSTILE: 1},
        other_requests={HOSTILE: 1},
        first=START,
        last=START,
        statuses={400: 1},
        ledgers=[
            Ledger(
                status=400,
                total=1,
                parts=(LedgerPart(cause=HOSTILE, count=1, benign=False),),
                unexplained=0,
                evidence=(evidence,),
            )
        ],
        findings=[finding],
        hypotheses=[
            Hypothesis(name="race", question=HOSTILE, answer="supported", test=HOSTILE, figures=HOSTILE, decide=HOSTILE)
        ],
        timelines=[
            Timeline(
                name=HOSTILE,
                key=HOSTILE,
                agent=HOSTILE,
                source=HOSTILE,
                note=HOSTILE,
                moments=(Moment(at=START, mark="fail", label=HOSTILE),),
            )
        ],
        timelines_of=1,
        activity=Activity(start=START, width=1, series={HOSTILE: [1]}),
        latencies=[
            Latency(
                name=HOSTILE,
                count=1,
                buckets=((0.0, float("inf"), 1),),
                p50=float("nan"),
                p95=float("inf"),
                p99=0.1,
                highest=0.1,
            )
        ],
        invisible=[HOSTILE],
        notes=[HOSTILE],
        next_steps=[NextStep(command=HOSTILE, why=HOSTILE)],
        partial=True,
    )


def big(lanes: int = 5_000) -> Report:
    """100,000 requests in 5,000 sessions."""
    report = mixed()
    rng = random.Random(5)
    report.timelines = [
        Timeline(
            name=f"{n:08x}",
            session=f"{n:032x}",
            agent=AGENTS[n % 5],
            source="app.log",
            opened=START + n,
            closed=START + n + 40.0,
            requests=20,
            failures=int(n % 50 == 0),
            moments=tuple(
                Moment(at=START + n + 2 * k, mark="fail" if k == 5 and n % 50 == 0 else "ok", label="POST 200")
                for k in range(20)
            ),
        )
        for n in range(lanes)
    ]
    report.timelines_of = lanes
    report.requests, report.sessions = 20 * lanes, lanes
    report.last = START + lanes + 40.0
    width = (lanes + 40) / 2_000
    report.activity = Activity(start=START, width=width, series={"ok": [rng.randrange(90) for _ in range(2_000)]})
    return report


ALL = {f.__name__: f for f in (healthy, seed, mixed, empty, hostile, big)}
