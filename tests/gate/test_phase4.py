"""The five criteria, judged from the record of a run alone."""

from dataclasses import replace

import pytest

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.core.measures import Answer, Series, Tally
from woolly_mcpdiag.core.runs import End, Generator, Sample, Scene, gather, to_line
from woolly_mcpdiag.core.verdicts import overall
from woolly_mcpdiag.gate.phase4 import judge_phase4, judge_profile
from woolly_mcpdiag.gate.planning import plan_phase4
from woolly_mcpdiag.gate.profile import CRITERIA, overridden, phase4, profile

SENTENCES = """\
0 of 8,025 MCP requests were answered 400, in 358 waves:
the true rate is below 0.038 % per MCP request and below 0.84 % per wave (95 %)
at 5:
0 of 1,495 agent runs failed, in 299 waves:
the true rate is below 0.21 % per agent run and below 1 % per wave (95 %);
at 20:
0 of 1,180 agent runs failed, in 59 waves:
the true rate is below 0.26 % per agent run and below 5 % per wave (95 %)
80 calls in 4 outages:
no hang;
each answered, degraded or with a typed error, in time;
then recovery and no failure
p95 < 1 s for each of 2 agent types;
the slowest, tester:
p95 200 ms;
0 of 747 agent runs took 1 s or longer:
at most 0.41 % do (95 %);
5 % may
72 of 72 failures that callers saw are in the log, with key, agent, phase and cause"""


def verdicts(found):
    return {each.name: each.verdict for each in found}


def named(found, name):
    return next(each for each in found if each.name == name)


def test_a_clean_run_passes_all_five_and_says_what_that_proves(runs):
    found = judge_phase4(runs.gate())
    assert tuple(each.name for each in found) == CRITERIA
    assert overall(found) == "pass", [each.sentence for each in found]
    assert "\n".join(each.sentence for each in found).replace("; ", ";\n").replace(": ", ":\n") == SENTENCES


def test_a_run_log_is_judged_like_the_run_itself(runs):
    run = runs.spoiled(runs.gate(small=30), "waves-5", n=2)
    rows = [run.meta, *run.intervals, *run.samples, *run.scenes, run.end]
    again = gather([to_line(row) for row in rows], "run.jsonl")
    assert judge_phase4(again) == judge_phase4(run)


def test_nothing_run_decides_nothing(runs):
    found = judge_phase4(runs.empty())
    assert set(verdicts(found).values()) == {"inconclusive"}
    assert "did not run: waves-5, waves-20" in named(found, "zero-400").sentence
    assert "did not run (all 4 outages)" in named(found, "degradation").sentence


@pytest.mark.parametrize(
    ("said", "status", "verdict"),
    [
        ("MCP call failed: Client error '400 Bad Request' for url 'http://localhost:8009/sse/'", 500, "fail"),
        ("MCP call to http://localhost:8009/sse/ failed: status_code=400", 200, "fail"),
        ('{"type": "about:blank", "title": "Bad Request", "status": 400}', 400, "inconclusive"),
        ("McpError: Session terminated", 500, "inconclusive"),
    ],
)
def test_agents_that_quote_a_400_fail_zero_400_where_only_their_api_was_asked(runs, said, status, verdict):
    run = runs.empty()
    run.meta = replace(run.meta, targets=({"kind": "agent", "url": "http://127.0.0.1:8000/run"},))
    run.samples.append(
        Sample(fingerprint="a", at=1.0, scene="waves-5", kind="agent", agent="tester", status=status, error=said)
    )
    found = judge_phase4(run)
    zero = named(found, "zero-400")
    assert zero.verdict == verdict
    assert any("/sse/" in detail for detail in zero.details) is (verdict == "fail")
    assert "--mcp" in named(found, "degradation").next_step
    assert ("--mcp" in zero.next_step) is (verdict == "inconclusive")


def test_one_400_fails_two_criteria_with_its_cause_and_its_sample(runs):
    run = runs.spoiled(runs.gate(), "waves-5")
    found = judge_phase4(run, causes={"zero-400": ("session.used-before-ready",)})
    assert [name for name, verdict in verdicts(found).items() if verdict == "fail"] == ["zero-400", "parallel-success"]
    zero = named(found, "zero-400")
    assert zero.sentence == "1 of 8,026 MCP requests were answered 400 (0.012 %), in 1 of 358 waves"
    assert zero.causes == ("session.used-before-ready",)
    assert zero.next_step == "mcpdiag explain session.used-before-ready"
    assert zero.details[0] == "at 1.5 s GET /sse/ http 400: no"
    other = replace(run.samples[0], scene="outage-refused", fingerprint="f2", error="of another scene")
    agent = replace(run.samples[0], kind="agent", fingerprint="f3", error="of another peer")
    run.samples[:0] = [other, agent]
    assert named(judge_phase4(run), "zero-400").details == zero.details


@pytest.mark.parametrize(("slow", "seconds", "verdict"), [(1, 2.0, "pass"), (3, 90.0, "inconclusive")])
def test_a_target_that_stood_still_for_long_shows_no_p95(runs, slow, seconds, verdict):
    run = runs.gate()
    runs.calls(run.intervals[0].tally, slow, seconds, scene="waves-5", kind="agent")
    found = named(judge_phase4(run), "sub-second")
    assert found.verdict == verdict
    assert ("had one come" in found.sentence) is (verdict == "inconclusive")


def test_refused_probes_are_apart_unless_strict(runs):
    run = runs.gate()
    run.intervals[0].tally.answers[Answer("waves-5", "mcp", 400, True)] = 9
    zero = named(judge_phase4(run), "zero-400")
    assert zero.verdict == "pass"
    assert zero.details == ("9 probes of the era refused: apart, not counted (--strict counts them)",)
    assert named(judge_phase4(run, strict=True), "zero-400").observed == "9 of 8,034"


def test_400s_of_an_outage_are_told_apart(runs):
    run = runs.gate()
    run.intervals[0].tally.answers[Answer("outage-restart", "mcp", 400)] = 3
    zero = named(judge_phase4(run), "zero-400")
    assert zero.verdict == "pass"
    assert zero.details == ("3 more 400s while the server was away or coming back: see degradation",)


def test_too_few_waves_say_how_many_more(runs):
    found = judge_phase4(runs.gate(small=40))
    assert verdicts(found)["zero-400"] == "inconclusive"
    success = named(found, "parallel-success")
    assert success.verdict == "inconclusive"
    assert "259 waves more would show less than 1 %" in success.sentence


def test_a_scene_that_did_not_run_is_named(runs):
    found = judge_phase4(runs.gate(large=0, outages=("outage-refused",)))
    assert named(found, "parallel-success").sentence.startswith("did not run: waves-20; at 5: 0 of 1,495")
    assert verdicts(found)["zero-400"] == "inconclusive"
    assert verdicts(found)["degradation"] == "inconclusive"
    assert verdicts(found)["sub-second"] == "pass"


def test_an_answer_of_a_fallback_is_no_success(runs):
    run = runs.gate()
    calls = next(iter(run.intervals[0].tally.calls.values()))
    calls.degraded, calls.retried = 1, 2
    found = named(judge_phase4(run), "parallel-success")
    assert found.verdict == "fail"
    assert "1 of 1,495 agent runs were answered by a fallback only, which is no success" in found.sentence
    assert "2 of 1,495 needed a retry at 5" in found.details


def test_the_slowest_agent_type_decides(runs):
    run = runs.gate()
    runs.calls(run.intervals[0].tally, 100, 3.0, scene="waves-5", kind="agent", agent="slow")
    runs.calls(run.intervals[0].tally, 10, scene="waves-5", kind="agent", agent="rare")
    found = named(judge_phase4(run), "sub-second")
    assert found.verdict == "fail"
    assert found.sentence.startswith("p95 < 1 s (slow): p95 3 s; 100 of 100 agent runs took 1 s or longer")
    assert [each.split(":")[0] for each in found.details[:4]] == [
        "inconclusive rare",
        "pass simplifier",
        "fail slow",
        "pass tester",
    ]


def test_an_agent_type_that_must_run_and_did_not_is_named(runs):
    whole = overridden(phase4(), {}, agent_types=("tester", "reviewer"))
    found = named(judge_profile(whole, runs.gate()), "sub-second")
    assert found.verdict == "inconclusive"
    assert "no agent runs of agent reviewer in this run; it has simplifier, tester" in found.sentence


def test_without_an_agents_api_the_calls_of_tools_are_judged(runs):
    found = judge_phase4(runs.gate(kind="mcp"))
    assert overall(found) == "pass"
    assert "1,495 calls failed" in named(found, "parallel-success").sentence


def test_without_an_mcp_request_zero_400_is_undecided(runs):
    run = runs.gate()
    for interval in run.intervals:
        for answer in [answer for answer in interval.tally.answers if answer.kind == "mcp"]:
            del interval.tally.answers[answer]
    assert named(judge_phase4(run), "zero-400").sentence == "nothing to judge: no MCP requests in this run"


def test_times_below_their_limit_are_shown_even_where_the_generator_was_slow(runs):
    found = judge_phase4(runs.bound(runs.gate()))
    assert set(verdicts(found).values()) == {"pass"}
    assert any("the target is no slower" in line for line in named(found, "sub-second").details)


def test_times_above_their_limit_are_undecided_where_the_generator_was_slow(runs):
    whole = overridden(phase4(), {"sub-second": {"limit": 0.01}})
    found = judge_profile(whole, runs.bound(runs.gate()))
    assert [name for name, verdict in verdicts(found).items() if verdict != "pass"] == ["sub-second"]
    assert named(found, "sub-second").verdict == "inconclusive"


def test_a_run_cut_short_passes_nothing_but_still_fails(runs):
    run = runs.spoiled(runs.gate(), "waves-20", outcome="timeout", status=0)
    run.end = End(took=9.0, complete=False, reason="interrupted")
    found = verdicts(judge_phase4(run))
    assert found == {
        "zero-400": "inconclusive",
        "parallel-success": "fail",
        "degradation": "inconclusive",
        "sub-second": "inconclusive",
        "error-logging": "inconclusive",
    }


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        ({"hangs": 1, "ok": 1}, "fail", "1 of 20 calls hung beyond their deadline of 2 s"),
        ({"worst_over": 3.0}, "fail", "the slowest call ended 3 s after its deadline"),
        ({"untyped_errors": 2, "ok": 0}, "fail", "2 of 20 calls failed with an error that names no cause"),
        ({"breaker_opened": False}, "fail", "the breaker did not open"),
        ({"recovered_after": None}, "fail", "no call succeeded after the server was back"),
        ({"recovered_after": 9.0}, "fail", "recovered 9 s after the server was back, 5 s allowed"),
        ({"failures_after_recovery": 4}, "fail", "4 of 30 calls failed after the recovery"),
        ({"calls": 21}, "inconclusive", "the fates of 21 calls add up to 20"),
        ({"calls": 0}, "inconclusive", "no call was made while the server was away"),
        ({"calls_after_recovery": 0}, "inconclusive", "no call was made after the recovery"),
        ({"ok": 20, "degraded": 0, "typed_errors": 0}, "inconclusive", "the outage never took place"),
    ],
)
def test_each_way_to_take_an_outage_badly_is_seen(runs, changes, verdict, words):
    found = named(judge_phase4(runs.gate(small=0, large=0, outage=replace(runs.GRACEFUL, **changes))), "degradation")
    assert found.verdict == verdict
    assert words in " ".join((found.sentence, *found.details))


def test_what_is_wrong_is_said_once_with_the_outages_that_it_is_wrong_with(runs):
    bad = replace(runs.GRACEFUL, breaker_opened=False, recovered_after=None, examples=("search: ReadTimeout",))
    found = named(judge_phase4(runs.gate(small=0, large=0, outage=bad)), "degradation")
    assert found.sentence == "no recovery (all 4 outages); the breaker did not open (refused, blackhole, frozen)"
    assert found.details[:2] == (
        "outage-refused: no call succeeded after the server was back; the breaker did not open",
        "outage-refused: such as: search: ReadTimeout",
    )
    run = runs.gate(small=0, large=0)
    run.scenes[1] = replace(
        run.scenes[1], facts={**run.scenes[1].facts, "outage": bad.to_row() | {"recovered_after": 1.0}}
    )
    found = named(judge_phase4(run), "degradation")
    assert found.sentence == "outage-blackhole: the breaker did not open"
    assert found.observed == "3 of 4 outages clean"


def test_a_restart_need_not_open_the_breaker(runs):
    run = runs.gate(small=0, large=0)
    unseen = replace(runs.GRACEFUL, ok=20, degraded=0, typed_errors=0, breaker_opened=False)
    run.scenes = [
        replace(scene, facts={**scene.facts, "outage": unseen.to_row()}) if scene.name == "outage-restart" else scene
        for scene in run.scenes
    ]
    assert verdicts(judge_phase4(run))["degradation"] == "pass"


@pytest.mark.parametrize("cause", ["pace", "lag"])
def test_what_a_time_out_alone_may_have_done_decides_nothing_where_all_is_slow(runs, cause):
    late = replace(runs.GRACEFUL, attempt=0.5, breaker_opened=False, failures_after_recovery=1)
    run = runs.gate(small=0, large=0, outage=replace(late, pace=0.6) if cause == "pace" else late)
    assert named(judge_phase4(runs.gate(small=0, large=0, outage=late)), "degradation").verdict == "fail"
    if cause == "lag":
        run.end = replace(run.end, generator=Generator(lag_max=0.3))
    found = named(judge_phase4(run), "degradation")
    assert found.verdict == "inconclusive"
    assert "where all is slow" in found.sentence
    hung = replace(late, pace=0.6, hangs=2, typed_errors=6)
    assert named(judge_phase4(runs.gate(small=0, large=0, outage=hung)), "degradation").verdict == "fail"


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        ({"missing": 1, "logged": 17}, "fail", "1 of 18 failures that a caller saw are not in the log"),
        ({"extra": 2, "logged": 20, "with_key": 20}, "fail", "2 of 20 failures in the log were seen by no caller"),
        ({"logged": 19}, "fail", "do not match one to one"),
        ({"with_key": 17}, "fail", "1 of 18 logged failures have no key"),
        ({"with_agent": 0}, "fail", "18 of 18 logged failures have no agent"),
        ({"with_phase": 10}, "fail", "8 of 18 logged failures have no phase"),
        ({"with_cause": 17}, "fail", "1 of 18 logged failures have no cause"),
        (
            dict.fromkeys(("seen", "logged", "with_key", "with_agent", "with_phase", "with_cause"), 0),
            "inconclusive",
            "no caller saw a failure",
        ),
    ],
)
def test_each_gap_in_the_log_is_seen(runs, changes, verdict, words):
    found = named(judge_phase4(runs.gate(small=0, large=0, logging=replace(runs.LOGGED, **changes))), "error-logging")
    assert found.verdict == verdict
    assert words in " ".join((found.sentence, *found.details))


@pytest.mark.parametrize("facts", [{}, {"outage": {"calls": 3}}, {"outage": "no"}, {"outage": {"calls": "many"}}])
def test_facts_that_are_missing_decide_nothing(runs, facts):
    run = runs.gate(small=0, large=0)
    run.scenes[0] = Scene(name="outage-refused", start=0.0, end=1.0, facts=facts)
    found = named(judge_phase4(run), "degradation")
    assert found.verdict == "inconclusive"
    assert found.sentence == "outage-refused: its facts are missing"


def test_criteria_can_be_chosen_and_misspelt_ones_are_refused(runs):
    assert [each.name for each in judge_phase4(runs.gate(), criteria=["sub-second"])] == ["sub-second"]
    with pytest.raises(UsageError) as raised:
        judge_phase4(runs.empty(), criteria=["zero400"])
    assert raised.value.hint == "did you mean zero-400?"


def test_a_naive_client_fails_with_the_reasons(runs):
    naive = replace(runs.GRACEFUL, degraded=0, typed_errors=0, ok=2, untyped_errors=12, hangs=6, breaker_opened=False)
    run = runs.spoiled(runs.gate(outage=naive), "waves-5", n=5)
    found = verdicts(judge_phase4(run))
    assert [name for name, verdict in found.items() if verdict == "fail"] == [
        "zero-400",
        "parallel-success",
        "degradation",
    ]


def test_the_plan_says_what_a_run_takes():
    rows = plan_phase4(seconds_per_wave=0.05, agent_types=2)
    assert {(row.criterion, row.scene, row.tries, row.unit) for row in rows} >= {
        ("zero-400", "waves-5", 299, "waves"),
        ("parallel-success", "waves-20", 59, "waves"),
        ("sub-second", "waves-5", 118, "agent runs"),
        ("degradation", "outage-frozen", 1, "calls"),
    }
    assert sum(row.seconds for row in rows) == pytest.approx(299 * 0.05 + 59 * 0.2 + 3 * 5 + 3.5)
    assert next(row.proves for row in rows) == "fewer than 1 % of waves of 5 fail (95 %)"


def test_a_tighter_claim_needs_more_waves():
    assert phase4(claim=0.001).scene("waves-5").waves == 2995
    assert phase4(confidence=0.99).scene("waves-5").waves == 459
    assert phase4(waves=20).scene("waves-5").waves == 20


@pytest.mark.parametrize("options", [{"claim": 0.0}, {"confidence": 1.0}, {"waves": 0}])
def test_a_profile_that_means_nothing_is_refused(options):
    with pytest.raises(UsageError):
        profile("phase4", **options)


def test_an_unknown_profile_or_scene_is_refused_with_the_nearest():
    with pytest.raises(UsageError) as raised:
        profile("phase5")
    assert raised.value.hint == "did you mean phase4?"
    with pytest.raises(UsageError) as raised:
        overridden(phase4(), {"zero-400": {"scenes": ("waves-6",)}})
    assert raised.value.hint == "did you mean waves-5?"


def test_a_criterion_with_a_claim_of_its_own_gets_its_waves():
    tighter = {"parallel-success": {"claim": 0.005}}
    assert overridden(phase4(), tighter).scene("waves-5").waves == 598
    assert overridden(phase4(waves=9), tighter, resize=False).scene("waves-5").waves == 9


def test_calls_without_an_agent_type_are_judged_by_their_operation(runs):
    tally = Tally()
    for name in ("ping", "tools/call search"):
        calls = tally.of(Series(scene="waves-5", client="wire", operation=name))
        calls.ok = 100
        calls.latency.add(0.1, 100)
    found = named(judge_phase4(runs.of([tally])), "sub-second")
    assert found.verdict == "pass"
    assert [each.split(":")[0] for each in found.details[:2]] == ["pass ping", "pass tools/call search"]
