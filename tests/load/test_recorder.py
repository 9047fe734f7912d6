import json
from dataclasses import replace

import pytest

from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.measures import COUNTERS, Answer, Outcome, Series, Step, Tally
from woolly_mcpdiag.load.contract import Asked, Done, Exchanged, Recorder, Share, Success
from woolly_mcpdiag.load.plan import AgentTarget, CallSpec, Connection, McpTarget, Model, Plan
from woolly_mcpdiag.load.recorder import ShardRecorder
from woolly_mcpdiag.load.writing import line_of, text_of

URL = "http://h:1/mcp"
SESSION = "76edd90f-cfee-4fc3-8b6b-619560599f8f"
PLAIN = SESSION.replace("-", "")
MISSING = '{"jsonrpc":"2.0","id":17,"error":{"code":-32600,"message":"Bad Request: Missing session ID"}}'
TIMES = {"scheduled": 100.0, "sent": 100.0, "ended": 100.0, "first": 100.0}
PLAINLY = {"spec": 0, "session": "", "wave": -1, "in_flight": 0, **TIMES}
MEASURED = Series(client="wire", operation="tools/call search")
CALLS = (
    CallSpec(kind="mcp", name="search"),
    CallSpec(kind="agent", method="POST", agent="tester"),
)


def recorder(start: float = 100.0, share: Share | None = None, **facts) -> ShardRecorder:
    model = facts.pop("model", Model())
    at = Connection(url=URL, headers={"Authorization": "Bearer opensesame-77", "X-Team": "blue-lagoon"})
    plan = Plan(
        calls=CALLS,
        mcp=McpTarget(at=at),
        agent=AgentTarget(at=Connection(url="http://h:2/api/v1/agents/execute")),
        model=model,
        **facts,
    )
    made = ShardRecorder(plan, share or Share(), wall=1e9, source="s")
    made.start(start)
    return made


def done(sent: float = 100.0, took: float = 0.25, **facts) -> Done:
    ended = sent + took
    return Done(**{"spec": 0, "outcome": Outcome(), "scheduled": sent, "sent": sent, "ended": ended} | facts)


def refused(sent: float = 100.0, **facts) -> Exchanged:
    return Exchanged(
        **{
            "kind": "mcp",
            "method": "POST",
            "url": URL,
            "at": sent,
            "took": 0.1,
            "status": 400,
            "rpc": "tools/call",
            "body": MISSING,
            "request": "POST /mcp\nauthorization: Bearer opensesame-77\nx-team: blue-lagoon",
            "response": f"400\n{MISSING}",
        }
        | facts
    )


def told(made: ShardRecorder) -> list[Event]:
    return [Event.from_json(line) for line in made.events]


def test_it_is_the_recorder_of_the_contract():
    made: Recorder = recorder()
    assert made.detailed is True


def test_a_success_counts_once_in_every_place_it_belongs_to():
    made = recorder()
    made.started()
    assert made.in_flight == 1
    made.done(done(scheduled=99.5, first=100.125, attempts=2, degraded=True))
    calls = made.tally.of(MEASURED)
    assert (calls.ok, calls.failed, calls.retried, calls.degraded) == (1, 0, 1, 1)
    assert (calls.latency.sum, calls.service.sum, calls.first.sum) == (0.75, 0.25, 0.125)
    assert calls.outcomes == {Outcome(): 1}
    assert made.in_flight == 0


def test_a_failure_has_no_latency_but_a_time_until_it_failed():
    made = recorder()
    made.done(done(outcome=Outcome("timeout"), scheduled=99.0))
    calls = made.tally.of(MEASURED)
    assert (calls.failed, calls.latency.count, calls.failing.sum) == (1, 0, 1.25)


def test_quick_calls_count_like_done_ones():
    slow, quick = recorder(), recorder()
    took = [0.01 * n for n in range(1, 40)]
    for each in took:
        slow.started()
        slow.done(done(took=each, sent=0.0, scheduled=0.0))
        quick.started()
        quick.quick(0, each, each, 0.0)
    quick.flush(100.1)
    assert quick.tally == slow.tally
    many = recorder()
    many.started(len(took))
    many.quick_many(0, took, took, [0.0] * len(took))
    many.flush(100.1)
    assert many.tally == quick.tally
    assert many.in_flight == 0
    # What is the same three times is counted once.
    single, alike = recorder(), recorder()
    for each in took:
        single.quick(0, each, each, each)
    alike.quick_many(0, took, took, took)
    for made in (single, alike):
        made.flush(100.1)
    assert alike.tally == single.tally
    assert alike.in_flight == single.in_flight


@pytest.mark.parametrize("spec", [0, 1])
@pytest.mark.parametrize("facts", [{"reused": True, "port": 7}, {"location": "http://me:hunter22@h/x"}])
@pytest.mark.parametrize("sent", [100.5, 99.0])
def test_a_success_told_at_once_counts_and_reads_like_its_exchange_and_its_end(spec, facts, sent):
    kind = "agent" if spec else "mcp"
    asked = Asked(kind=kind, method="POST", url=URL, rpc="" if spec else "tools/call", session=SESSION)
    one, two = recorder(model=Model(warmup=0.25)), recorder(model=Model(warmup=0.25))
    one.started()
    two.started()
    times = {"spec": spec, "scheduled": sent - 0.1, "sent": sent, "ended": sent + 0.0000123, "first": sent + 0.00001}
    same = {**times, "session": SESSION, "wave": spec - 1, "in_flight": 1 - spec}
    rest = {**asked._asdict(), "at": sent, "took": 0.00001, "status": 200, "facts": facts}
    one.exchanged(Exchanged(**rest))
    one.done(Done(outcome=Outcome(), **same))
    two.succeeded(Success(asked=asked, status=200, at=sent, took=0.00001, facts=facts, **same))
    assert two.events == []
    one.flush(101.0)
    two.flush(101.0)
    assert two.events == one.events
    assert len(one.events) == 2 + spec
    assert "hunter22" not in str(two.events)
    assert (two.tally, two.in_flight) == (one.tally, 0)


def test_successes_told_before_a_failure_stand_before_it():
    made = recorder()
    made.succeeded(Success(**PLAINLY))
    made.done(done(outcome=Outcome("timeout")))
    assert [event.kind for event in told(made)] == ["call.done", "call.failed"]


def test_a_success_beyond_the_ration_is_counted_and_not_told():
    made = recorder(events_per_second=10)
    for _ in range(20):
        made.succeeded(Success(**PLAINLY))
    assert made.gap() > 1000
    made.flush(100.05)
    assert (len(made.events), made.tally.counters["events_left_out"], made.tally.of(MEASURED).ok) == (10, 10, 20)


def test_the_gap_to_the_next_success_to_be_told_is_as_often_as_asking_for_each():
    made = recorder(events_per_second=1000)
    assert made.gap() == 0
    made.quick_many(0, [0.001] * 1000, [0.001] * 1000, [0.0] * 1000)
    for _ in range(600):
        made.succeeded(Success(**PLAINLY))
    made.flush(100.1)
    gaps = [made.gap() for _ in range(2000)]
    # 80 events of 1,600 calls: one in 40 is told.
    assert sum(gaps) / len(gaps) == pytest.approx(39, rel=0.15)


def test_counters_exist_at_zero_and_unknown_ones_are_refused():
    made = recorder(scene="outage")
    assert made.tally.counters == dict.fromkeys((f"outage/{name}" for name in COUNTERS), 0)
    made.count("hangs", 2)
    assert made.tally.counters["outage/hangs"] == 2
    with pytest.raises(KeyError):
        made.count("hugs")


def test_the_warm_up_is_counted_apart_by_time():
    made = recorder(model=Model(warmup=2.0))
    made.done(done(sent=101.0, took=5.0))
    made.quick(0, 0.1, 0.1, 0.0)
    made.answered("mcp", 200, 3)
    made.flush(102.0)
    made.done(done(sent=102.0))
    made.quick(0, 0.1, 0.1, 0.0)
    made.answered("mcp", 200)
    made.flush(103.0)
    warm = MEASURED._replace(scene="warmup")
    assert {series: calls.ok for series, calls in made.tally.calls.items()} == {warm: 2, MEASURED: 2}
    assert made.tally.answers == {Answer("warmup", "mcp", 200): 3, Answer("", "mcp", 200): 1}


def test_waves_phases_and_late_starts_are_counted():
    made = recorder()
    made.wave(0, failed=False, refused=False)
    made.wave(1, failed=True, refused=True)
    made.late(0.009)
    made.late(0.011)
    made.phase("initialize", 0.5)
    made.phase("initialize", 0.5, failed=True)
    seen = +made.tally.counters
    assert seen == {"waves": 2, "waves_failed": 1, "waves_400": 1, "late": 1}
    made.flush(101.0)
    step = made.tally.step(Step(client="wire", phase="initialize"))
    assert (step.took.count, step.failed) == (1, 1)


def test_a_refused_era_probe_is_benign_unless_it_is_to_count():
    for strict in (False, True):
        made = recorder(strict_probes=strict)
        made.exchanged(refused(rpc="server/discover", benign=True))
        made.exchanged(refused(method="GET", status=405, rpc="", benign=True))
        assert made.tally.answers == {
            Answer("", "mcp", 400, benign=not strict): 1,
            Answer("", "mcp", 405, benign=True): 1,
        }


def test_a_failing_exchange_is_told_with_what_rules_read():
    made = recorder()
    made.started()
    made.exchanged(refused(session=SESSION, key="tester_1", agent="tester", facts={"port": 5000}))
    (event,) = told(made)
    assert (event.kind, event.role, event.method, event.url, event.status) == (
        "http.exchange",
        "client",
        "POST",
        URL,
        400,
    )
    assert (event.session, event.key, event.agent, event.source) == (PLAIN, "tester_1", "tester", "s")
    assert (event.size, event.message) == (len(MISSING), MISSING)
    assert event.time == 1e9 + 100.1
    assert event.extra == {"rpc": "tools/call", "in_flight": 1, "port": 5000}


@pytest.mark.parametrize(
    ("outcome", "error", "phase", "kind", "name"),
    [
        ("connect", "ConnectionRefusedError", "connect", "call.failed", "ConnectError"),
        ("connect", "TimeoutError", "connect", "call.failed", "ConnectTimeout"),
        ("timeout", "", "connect", "call.failed", "ConnectTimeout"),
        ("timeout", "", "", "call.failed", "ReadTimeout"),
        ("dns", "", "", "call.failed", "gaierror"),
        ("tls", "CERTIFICATE_VERIFY_FAILED", "", "call.failed", "SSLError"),
        ("disconnect", "", "", "call.failed", "RemoteProtocolError"),
        ("pool", "", "", "call.failed", "PoolTimeout"),
        ("tool-error", "no such file", "", "call.rejected", "tool-error"),
        ("client", "CancelledError", "", "call.failed", "CancelledError"),
        ("client", "cannot do it (today)", "", "call.failed", "client"),
    ],
)
def test_a_failed_call_is_told_in_the_words_of_other_clients(outcome, error, phase, kind, name):
    made = recorder()
    made.done(done(outcome=Outcome(outcome), error=error, phase=phase, cause="net.refused"))
    (event,) = told(made)
    assert (event.kind, event.error) == (kind, name)
    assert error in event.message
    assert event.extra["outcome"] == outcome
    assert event.extra["cause"] == "net.refused"


def test_an_agent_run_is_told_with_its_start_and_its_end():
    made = recorder()
    made.done(done(spec=1))
    made.done(done(spec=1, sent=101.0, outcome=Outcome("agent-error", 200), error="no tool"))
    assert [(event.kind, event.agent, event.time - 1e9) for event in told(made)] == [
        ("agent.started", "tester", 100.0),
        ("agent.done", "tester", 100.25),
        ("agent.started", "tester", 101.0),
        ("agent.failed", "tester", 101.25),
    ]
    assert list(made.tally.calls) == [Series("", "agent", "wire", "tester", "POST /api/v1/agents/execute")]


def test_events_beyond_their_ration_are_counted_and_failures_have_ten_times_as_many():
    made = recorder(events_per_second=20, share=Share(0, 2))
    for _ in range(150):
        made.done(done(took=0.0))
        made.done(done(took=0.0, outcome=Outcome("timeout")))
    assert made.detailed is False
    kinds = [event.kind for event in told(made)]
    assert (kinds.count("call.done"), kinds.count("call.failed")) == (10, 100)
    assert made.tally.counters["events_left_out"] == 300 - 110
    made.done(done(sent=100.1, took=0.01))
    assert told(made)[-1].kind == "call.done"


def test_successes_that_are_told_are_spread_over_time():
    made = recorder(events_per_second=1000)
    asked: list[bool] = []
    for tick in range(1, 11):
        now = 100 + tick / 10
        for _ in range(1000):
            asked.append(made.detailed)
            if asked[-1]:
                made.done(done(sent=now - 0.1, took=0.0))
            else:
                made.quick(0, 0.001, 0.001, 0.0)
        made.flush(now)
    # After the first tick, which knows nothing yet, 40 of each 1,000: two events each, 80 % of 100 a tick.
    later = asked[1000:]
    assert sum(later) == pytest.approx(360, rel=0.25)
    assert sum(later[-500:]) > 5
    assert asked[:1000] == [True] * 1000


def test_samples_hold_request_answer_and_context_without_secrets():
    made = recorder()
    made.event(Event(kind="session.opened", time=1e9 + 99.0, session=SESSION, message="token=abcdefghijkl12345"))
    made.exchanged(refused(session=SESSION))
    made.done(done(outcome=Outcome("http", 400), session=SESSION, error="Missing session ID", phase="call"))
    made.event(Event(kind="session.closed", time=1e9 + 101.0, session=SESSION))
    made.flush(101.5)
    assert made.samples == []
    made.flush(102.5)
    (sample,) = made.samples
    assert (sample.operation, sample.outcome, sample.status, sample.phase) == ("tools/call search", "http", 400, "call")
    assert (sample.at, sample.took, sample.session) == (0.25, 0.25, PLAIN)
    assert "Missing session ID" in sample.response
    assert [line.split(" s ")[1].split()[0] for line in sample.context] == [
        "session.opened",
        "http.exchange",
        "call.failed",
        "session.closed",
    ]
    assert sample.context[0].startswith("-1.250 s")
    kept = json.dumps([made.events, sample.request, sample.response, sample.context])
    for secret in ("opensesame", "blue-lagoon", "abcdefghijkl12345"):
        assert secret not in kept
    assert "x-team" in sample.request


def test_three_samples_of_a_sort_are_kept_and_ids_do_not_make_a_sort():
    made = recorder()
    for n in range(6):
        made.done(done(outcome=Outcome("rpc", 200, -32602), error=f"request {n} of {SESSION} took {n}.5 s"))
    made.done(done(outcome=Outcome("rpc", 200, -32602), error="something else"))
    made.flush(100.5, end=True)
    sorts = [sample.fingerprint for sample in made.samples]
    assert [sorts.count(sort) for sort in dict.fromkeys(sorts)] == [3, 1]
    again = recorder(start=7.0)
    again.done(done(outcome=Outcome("rpc", 200, -32602), error="request 99 of 0123456789abcdef0123 took 1 s"))
    again.flush(8.0, end=True)
    assert again.samples[0].fingerprint == sorts[0]


def test_a_refusal_that_a_retry_hid_has_a_sample_of_its_own():
    made = recorder()
    made.exchanged(refused())
    made.done(done(attempts=2))
    made.exchanged(refused(benign=True, rpc="server/discover"))
    made.flush(110.0, end=True)
    (sample,) = made.samples
    assert (sample.operation, sample.status, sample.outcome) == ("POST tools/call", 400, "http")


def test_the_tally_survives_its_journey():
    made = recorder()
    made.done(done())
    made.done(done(outcome=Outcome("timeout")))
    made.exchanged(refused())
    assert Tally.from_json(made.tally.to_json()) == made.tally


def test_a_line_is_what_the_event_itself_writes():
    event = Event(kind="call.failed", time=1e9 + 0.1, status=503, duration=0.25, error="x", message="ü", extra={"a": 1})
    assert text_of(line_of(event, "")) == event.to_json()
    assert text_of(line_of(event, "s")) == event.to_json()[:-1] + ',"source":"s"}'


def test_a_line_reads_back_as_the_event_that_it_tells():
    for event in (
        Event(kind="call.done"),
        Event(
            kind="http.exchange",
            time=1e9 + 0.1,
            duration=0.0,
            status=200,
            message="ü\u2028\x00",
            extra={"a": 1.5, "b": False},
        ),
        Event(kind="call.failed", message="half a pair: \ud800"),
    ):
        line = text_of(line_of(event, "s"))
        assert "\n" not in line
        assert Event.from_json(line) == replace(event, source="s")
