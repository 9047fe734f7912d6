"""What the gate plays and how it judges, with a stand-in for the load that plays it."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from woolly_mcpdiag.api import gate as gates
from woolly_mcpdiag.api.blame import causes
from woolly_mcpdiag.api.gate import Asked, Gated, Subject, gate
from woolly_mcpdiag.api.load import Loaded
from woolly_mcpdiag.api.rehearsing import Rehearsals
from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.findings import Finding, Ledger, LedgerPart
from woolly_mcpdiag.core.measures import Outcome, Series, Tally
from woolly_mcpdiag.core.runs import End, Interval, Meta, Run, Sample
from woolly_mcpdiag.diagnose.docket import Docket
from woolly_mcpdiag.diagnose.engine import Diagnosis
from woolly_mcpdiag.gate.baseline import Known
from woolly_mcpdiag.gate.profile import Profile, narrowed, overridden, phase4
from woolly_mcpdiag.load.plan import AgentTarget, CallSpec, Connection, McpTarget, Plan
from woolly_mcpdiag.logs.batch import Vocabulary
from woolly_mcpdiag.report.model import Report

META = Meta(run="r", command="gate", version="1", started=0.0)
MCP = McpTarget(at=Connection(url="http://localhost:8009/mcp"))
AGENTS = AgentTarget(at=Connection(url="http://localhost:8000/run"))
CALLS = (
    CallSpec(kind="mcp", name="look", idempotent=True),
    CallSpec(kind="mcp", name="find", idempotent=True),
    CallSpec(kind="mcp", name="write"),
)
RUNS = tuple(CallSpec(kind="agent", method="POST", agent=agent) for agent in ("tester", "simplifier", "writer"))
BOTH = Subject(mcp=MCP, calls=CALLS, agent=AGENTS, runs=RUNS)


def diagnosed(findings: Sequence[Finding] = (), ledgers: Sequence[Ledger] = ()) -> Diagnosis:
    return replace(Docket(Vocabulary()).diagnose(), findings=list(findings), ledgers=list(ledgers))


class Outages:
    url = "http://127.0.0.1:1/mcp"

    def __init__(self) -> None:
        self.done: list[str] = []

    def away(self, how: str) -> None:
        self.done.append(how)

    def back(self) -> None:
        self.done.append("back")


@contextlib.contextmanager
def outages(upstream: str) -> Iterator[Outages]:
    assert upstream == MCP.at.url
    yield Outages()


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """The plans of the last gate; the load is a run in which nothing was called."""
    plans: list[Plan] = []

    def load(wanted: Sequence[Plan], meta: Meta, *_: object, stagehand, **__: object) -> Loaded:
        plans[:] = wanted
        run = Run(meta=meta, end=End(took=1.0, complete=True))
        run.judgements = list(stagehand.judge(run, diagnosed()))
        return Loaded(run=run, report=Report(), judgements=run.judgements)

    monkeypatch.setattr(gates, "load", load)
    return plans


def gated(subject: Subject, profile: Profile | None = None, **asked) -> Gated:
    return gate(subject, Asked(profile=profile or phase4(), **asked), META, outages=outages)


OUTAGES = ["outage-refused", "outage-blackhole", "outage-frozen", "outage-restart"]
WAVES = ["waves-5", "waves-20"]


@pytest.mark.parametrize(
    ("subject", "scenes"),
    [
        (Subject(agent=AGENTS, runs=RUNS), [(name, "agent") for name in WAVES]),
        (Subject(mcp=MCP, calls=CALLS), [(name, "mcp") for name in [*WAVES, *OUTAGES]]),
        (
            BOTH,
            [
                *((name, "agent") for name in WAVES),
                *((name, "mcp") for name in ["mcp-waves-5", "mcp-waves-20", *OUTAGES]),
            ],
        ),
    ],
    ids=["agents", "mcp", "both"],
)
def test_each_target_has_its_scenes(played, subject, scenes):
    gated(subject)
    assert [(plan.scene, "agent" if plan.agent else "mcp") for plan in played] == scenes


def test_waves_are_of_their_size_and_number_with_sessions_of_their_own(played):
    gated(BOTH)
    found = {
        plan.scene: (plan.model.kind, plan.model.concurrency, plan.model.waves, plan.client) for plan in played[:4]
    }
    assert found == {
        "waves-5": ("waves", 5, 299, "wire"),
        "waves-20": ("waves", 20, 59, "wire"),
        "mcp-waves-5": ("waves", 5, 299, "pooled"),
        "mcp-waves-20": ("waves", 20, 29, "pooled"),
    }
    assert played[0].calls == RUNS
    assert played[2].calls == CALLS
    assert (played[2].sessions.policy, played[2].sessions.size) == ("pool", 10)


def test_another_client_has_a_session_for_each_call(played):
    gated(replace(BOTH, client="naive"))
    assert {plan.client for plan in played if plan.mcp} == {"naive"}
    assert {plan.sessions.policy for plan in played if plan.mcp} == {"per-call"}


def test_only_the_scenes_of_the_criteria_are_played(played):
    gated(BOTH, narrowed(phase4(), ["zero-400"]))
    assert [plan.scene for plan in played] == ["mcp-waves-5", "mcp-waves-20"]


def test_nothing_called_is_no_pass(played):
    found = gated(BOTH)
    assert found.verdict == "inconclusive"
    assert {one.verdict for one in found.loaded.judgements} == {"inconclusive"}
    assert len(found.loaded.judgements) == 5


def test_without_the_means_to_take_a_server_away_outages_stay_undecided(played):
    found = gate(BOTH, Asked(profile=narrowed(phase4(), ["degradation"])), META)
    assert played == []
    assert found.verdict == "inconclusive"


def test_outages_are_called_through_the_proxy_safely_and_by_name(played):
    gated(BOTH)
    plan = next(plan for plan in played if plan.scene == "outage-frozen")
    assert plan.mcp.at.url == Outages.url
    assert {call.name for call in plan.calls} == {"look", "find"}
    assert {call.agent for call in plan.calls} <= {"tester", "simplifier", "writer"}
    assert plan.log.endswith("outage-frozen.jsonl")
    assert plan.limits.call < 1.9 < plan.model.duration
    gated(Subject(mcp=MCP, calls=CALLS[2:]))
    assert [(call.name, call.agent) for call in played[-1].calls] == [("write", "agent")]


def test_a_baseline_is_applied_to_what_was_judged(played):
    known = (Known(criterion="zero-400", reason="ticket 7"),)
    found = gated(BOTH, known=known)
    assert found.applied is not None
    assert found.verdict == found.applied.verdict


# What acts while plans run


def bench(profile: Profile | None = None) -> gates._Bench:
    whole = profile or phase4()
    return gates._Bench(Rehearsals({}, None), Asked(profile=whole), whole)


@pytest.mark.parametrize(
    ("scene", "failed", "elapsed", "ends"),
    [
        ("waves-20", 0, 99.0, False),
        ("waves-20", 1, 3.9, False),
        ("waves-20", 1, 4.0, True),
        ("waves-20", 3, 0.1, True),
        ("waves-5", 1, 99.0, False),
        ("waves-5", 2, 4.0, True),
    ],
)
def test_a_scene_ends_when_failed_waves_have_shown_enough(scene, failed, elapsed, ends):
    plan = Plan(calls=RUNS, agent=AGENTS, scene=scene)
    tally = Tally()
    tally.counters[f"{scene}/waves_failed"] = failed
    acting = bench()
    assert acting.enough(plan, tally, elapsed) is ends
    assert ("stopped" in acting.facts(plan)) is ends
    assert acting.enough(plan, Tally(), 0.0) is ends


def rehearsing(**changes) -> tuple[Rehearsals, Outages, Plan]:
    scene = replace(phase4().scene("outage-refused"), **{"steady": 0.5, "gone": 0.0, **changes})
    made = Outages()
    playing = Rehearsals({scene.name: scene}, lambda _: contextlib.nullcontext(made))
    playing.__enter__()
    plan = playing.plan(scene, MCP, CALLS, "pooled")
    assert plan is not None
    return playing, made, plan


def test_the_server_goes_after_a_while_and_comes_back():
    playing, made, plan = rehearsing()
    with contextlib.closing(contextlib.ExitStack()) as stack:
        stack.push(playing.__exit__)
        playing.tick(plan, 0.4)
        assert made.done == []
        playing.tick(plan, 0.5)
        assert made.done == ["refused"]
        assert playing.idle(plan)
        playing.tick(plan, 0.6)
        assert not playing.idle(plan)
        playing.tick(plan, 0.7)
        assert made.done == ["refused", "back"]


def test_a_server_that_never_went_leaves_no_facts_and_one_that_stays_away_is_let_back():
    playing, made, plan = rehearsing(gone=60.0)
    assert playing.facts(plan) == {}
    playing.tick(plan, 1.0)
    playing.tick(plan, 1.1)
    assert playing.facts(plan) == {}
    assert made.done == ["refused", "back"]
    playing.__exit__()


def test_what_an_outage_did_is_told_from_its_events_which_no_diagnosis_hears():
    playing, _, plan = rehearsing()
    playing.tick(plan, 1.0)
    playing.tick(plan, 1.1)
    away = playing._times[plan.scene][0]
    failed = Event(
        kind="call.failed",
        time=away + 0.1,
        duration=0.2,
        logger="mcpdiag.load",
        key="user_1",
        message="refused",
        extra={"outcome": "connect"},
    )
    assert playing.hear(plan, failed.to_json())
    assert not playing.hear(replace(plan, scene="waves-5"), failed.to_json())
    facts = playing.facts(plan)
    assert facts["outage"]["untyped_errors"] == 1
    assert facts["outage"]["recovered_after"] is None
    assert (facts["logging"]["seen"], facts["logging"]["missing"], facts["logging"]["logged"]) == (1, 1, 0)
    assert facts["away"] <= facts["back"]
    playing.__exit__()


# Why a criterion failed


def finding(cause: str, confidence: str = "certain", *, benign: bool = False) -> Finding:
    return Finding(
        cause=cause,
        title=cause,
        confidence=confidence,
        severity="error",
        benign=benign,
        count=1,
        of=1,
        unit="calls",
        summary="",
    )


def failed_run(scene: str, error: str) -> Run:
    tally = Tally()
    calls = tally.of(Series(scene=scene, kind="agent", client="wire", agent="tester", operation="POST /run"))
    calls.failed = 3
    calls.outcomes[Outcome("agent-error", 200)] = 3
    sample = Sample(
        fingerprint="f", at=1.0, scene=scene, kind="agent", operation="POST /run", outcome="agent-error", status=200
    )
    return Run(meta=META, intervals=[Interval(start=0.0, end=1.0, tally=tally)], samples=[replace(sample, error=error)])


def why(run: Run, *findings: Finding, ledgers: Sequence[Ledger] = ()) -> dict[str, tuple[str, ...]]:
    return dict(causes(phase4(), run, diagnosed(findings, ledgers)))


def test_the_surest_cause_comes_first_and_what_leaves_it_open_only_alone():
    quiet = Run(meta=META)
    found = why(quiet, finding("net.read-timeout", "possible"), finding("a.b", "likely"), finding("session.lost"))
    assert found["parallel-success"] == ("session.lost", "a.b")
    assert why(quiet, finding("net.read-timeout", "possible"))["sub-second"] == ("net.read-timeout",)
    assert why(quiet, finding("log.unexplained-failure"))["sub-second"] == ()
    assert why(quiet, finding("transport.era-probe", benign=True))["zero-400"] == ()


def test_agents_that_never_answer_are_explained_by_what_their_mcp_server_says():
    run = failed_run("mcp-waves-5", "OpenFailedError: http://localhost/mcp: HTTP 400 Bad Request: Missing session ID")
    found = why(run, finding("net.read-timeout", "possible"))
    assert found["parallel-success"] == ("transport.mismatch",)


def test_what_an_agent_says_went_wrong_names_the_cause_where_no_event_does():
    run = failed_run("waves-5", "OpenFailedError: http://localhost/mcp: HTTP 400 Bad Request: Missing session ID")
    found = why(run, finding("log.unexplained-failure"))
    assert found["parallel-success"] == ("transport.mismatch",)
    assert found["degradation"] == ()
    elsewhere = overridden(phase4(), {"parallel-success": {"scenes": ("waves-20",)}})
    assert causes(elsewhere, run, diagnosed())["parallel-success"] == ()


def test_of_400s_their_ledger_says_why():
    parts = [
        LedgerPart(cause="session.harvested-from-400", count=9, benign=False),
        LedgerPart(cause="transport.era-probe", count=1, benign=True),
    ]
    book = Ledger(status=400, total=10, parts=tuple(parts), unexplained=0)
    found = why(Run(meta=META), finding("session.lost"), ledgers=[book])
    assert found["zero-400"] == ("session.harvested-from-400",)
    assert found["parallel-success"] == ("session.lost",)


def test_a_silent_log_has_no_cause_among_those_of_failed_calls():
    assert why(Run(meta=META), finding("session.lost"))["error-logging"] == ()
