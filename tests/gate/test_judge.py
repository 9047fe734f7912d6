"""Thresholds against runs: shown, refuted or undecided, and the sentence that says what was proved."""

import math

import pytest

from woolly_mcpdiag.core.measures import Answer, Series, Tally
from woolly_mcpdiag.core.runs import End, Sample
from woolly_mcpdiag.core.verdicts import overall
from woolly_mcpdiag.gate.judge import judge, sure_failures
from woolly_mcpdiag.gate.metrics import metrics
from woolly_mcpdiag.gate.thresholds import parse_all

EVERY = [
    "http_400 == 0",
    "http_400 == 0 | claim 1%",
    "http_4xx < 1%",
    "http_reqs >= 1",
    "success == 100%",
    "success >= 99%",
    "error_rate < 1%",
    "errors{kind:timeout} == 0",
    "requests <= 1000",
    "requests rate < 1000/s",
    "p95 < 1s",
    "avg < 1s",
    "max < 1s",
    "service p99 < 1s",
    "first_event p95 < 1s",
    "session_create p95 < 1s",
    "phase.connect p95 < 1s",
    "hangs == 0",
    "dropped <= 5",
    "sessions_failed == 0",
    "waves_400 == 0",
    "waves < 10",
    "checks: rate==1.0",
    "http_reqs{status:400}: count==0",
    "p95 < 1s | per agent",
]


@pytest.mark.parametrize("text", EVERY)
def test_without_a_request_nothing_is_ever_a_pass(runs, text):
    found = runs.one(text, runs.empty())
    assert found.verdict == "inconclusive"
    assert found.sentence.startswith("nothing to judge")


def test_every_metric_can_be_judged(runs):
    run = runs.steady(600)
    for metric in metrics().values():
        text = f"{metric.name} {'p95 < 1s' if metric.kind == 'duration' else '< 50%' if metric.bad else '< 9999'}"
        assert runs.one(text, run).sentence


def test_a_single_400_fails_and_is_shown(runs):
    run = runs.steady(600, failed=1)
    run.samples = [
        Sample(fingerprint="x", at=12.4, operation="GET /sse/", status=400, outcome="http", error="session not ready"),
        Sample(fingerprint="y", at=3.0, operation="ping", status=500, outcome="http"),
    ]
    found = runs.one("http_400 == 0", run)
    assert found.verdict == "fail"
    assert found.sentence == "1 of 601 requests were answered 400 (0.17 %)"
    assert found.details == ("at 12.4 s GET /sse/ http 400: session not ready",)


def test_clean_requests_state_their_bound(runs):
    found = runs.one("http_400 == 0", runs.steady(5))
    assert found.verdict == "pass"
    assert found.sentence == "0 of 5 requests were answered 400: the true rate is below 46 % per request (95 %)"


def test_a_claim_needs_its_sample(runs):
    found = runs.one("http_400 == 0 | claim 1%", runs.steady(40))
    assert (found.verdict, found.needed, found.claim) == ("inconclusive", 259, 0.01)
    assert found.sentence == (
        "0 of 40 requests were answered 400: the true rate could still be 7.3 % per request (95 %); "
        "259 requests more would show less than 1 %"
    )
    assert runs.one("http_400 == 0 | claim 1%", runs.steady(298)).verdict == "inconclusive"
    assert runs.one("http_400 == 0 | claim 1%", runs.steady(299)).verdict == "pass"


def test_a_race_is_judged_by_its_waves(runs):
    run = runs.steady(300)
    run.intervals[0].tally.counters["waves"] = 60
    found = runs.one("http_400 == 0 | claim 1%", run)
    assert (found.verdict, found.tries, found.unit, found.needed) == ("inconclusive", 60, "waves", 239)
    run.intervals[0].tally.counters["waves"] = 300
    found = runs.one("http_400 == 0 | claim 1%", run)
    assert found.verdict == "pass"
    assert found.sentence == (
        "0 of 300 requests were answered 400, in 300 waves: "
        "the true rate is below 1 % per request and below 1 % per wave (95 %)"
    )


def test_the_unit_of_evidence_can_be_chosen(runs):
    run = runs.steady(300)
    run.intervals[0].tally.counters.update({"waves": 60, "sessions_opened": 120})
    assert runs.one("http_400 == 0 | over request", run).tries == 300
    assert runs.one("http_400 == 0 | over session", run).tries == 120
    assert runs.one("success == 100% | over agent", run).verdict == "inconclusive"


def test_refused_probes_of_the_era_are_no_400s(runs):
    run = runs.steady(300)
    run.intervals[0].tally.answers[Answer("", "mcp", 400, True)] = 7
    assert runs.one("http_400 == 0", run).observed == "0 of 300"


def test_warm_up_is_left_out(runs):
    run = runs.steady(300)
    runs.failures(run.intervals[0].tally, 3, scene="warmup")
    assert runs.one("success == 100%", run).verdict == "pass"
    assert runs.one("success{scene:warmup} == 100%", run).verdict == "fail"


def test_a_p95_is_judged_by_what_exceeds_it(runs):
    clean = runs.one("p95 < 1s", runs.steady(59))
    assert (clean.verdict, clean.observed, clean.failures) == ("pass", "p95 200 ms", 0)
    assert runs.one("p95 < 1s", runs.steady(58)).verdict == "inconclusive"
    found = runs.one("p95 < 1s", runs.steady(400, slow=4))
    assert found.sentence == "p95 200 ms; 4 of 400 calls took 1 s or longer: at most 2.3 % do (95 %); 5 % may"
    assert runs.one("p95 < 1s", runs.steady(400, slow=40)).verdict == "fail"


def test_failed_calls_took_longer_than_any_limit(runs):
    found = runs.one("p95 < 1s", runs.steady(300, failed=60))
    assert found.verdict == "fail"
    assert found.observed == "p95 never: too many failed"
    assert "60 of them failed" in found.sentence


def test_a_bucket_that_holds_the_limit_counts_both_ways(runs):
    run = runs.steady(200, seconds=1.0)
    runs.calls(run.intervals[0].tally, 1, 0.99)
    runs.calls(run.intervals[0].tally, 1, 1.01)
    found = runs.one("p95 < 1.001s", run)
    assert found.verdict == "inconclusive"


def test_an_exact_extreme_settles_the_bucket_of_the_limit(runs):
    run = runs.steady(200, seconds=1.0)
    assert runs.one("p95 <= 1s", run).verdict == "pass"
    assert runs.one("p95 < 1s", run).verdict == "fail"


def test_p95_may_be_asked_to_be_longer(runs):
    assert runs.one("p95 > 100ms", runs.steady(400)).verdict == "pass"
    assert runs.one("p95 > 300ms", runs.steady(400)).verdict == "fail"


def test_each_agent_type_is_judged_for_itself(runs):
    run = runs.steady(100)
    runs.calls(run.intervals[0].tally, 100, 3.0, agent="slow")
    runs.calls(run.intervals[0].tally, 5, agent="rare")
    found = judge(parse_all(["duration p95 < 1s | per agent_type"]), run)
    assert [(each.name.rpartition(" ")[2], each.verdict) for each in found] == [
        ("[rare]", "inconclusive"),
        ("[slow]", "fail"),
        ("[tester]", "pass"),
    ]


def test_agent_runs_do_not_drown_among_calls_of_tools(runs):
    run = runs.steady(6000)
    runs.calls(run.intervals[0].tally, 100, 3.0, kind="agent")
    found = judge(parse_all(["p95 < 1s"]), run)
    assert [(each.name, each.verdict) for each in found] == [
        ("p95 < 1s [agent runs]", "fail"),
        ("p95 < 1s [MCP calls]", "pass"),
    ]


def test_an_agent_that_never_ran_is_undecided_and_the_others_are_named(runs):
    found = runs.one("duration{agent:simplifer} p95 < 1s", runs.steady(100))
    assert found.sentence == "nothing to judge: no calls of agent simplifer in this run; it has tester"


def test_a_tag_value_that_looks_like_a_pattern_matches_itself(runs):
    run = runs.steady(100)
    runs.calls(run.intervals[0].tally, 100, agent="*")
    found = judge(parse_all(["p95 < 1s | per agent"]), run)
    assert [each.tries for each in found] == [100, 100]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("error_rate < 1%", "inconclusive"),
        ("error_rate < 10%", "pass"),
        ("error_rate < 0.1%", "fail"),
        ("success >= 90%", "pass"),
        ("success > 99.9%", "fail"),
        ("http_400 <= 3", "fail"),
        ("http_400 <= 10", "pass"),
        ("http_4xx < 10%", "pass"),
        ("http_5xx == 0", "pass"),
        ("errors{kind:http} == 0", "fail"),
        ("errors{kind:timeout} == 0", "pass"),
        ("errors{status:5xx} == 0", "pass"),
        ("errors{status:4xx} <= 6", "pass"),
        ("http_reqs{status:200} >= 90%", "pass"),
        ("requests >= 606", "pass"),
        ("requests >= 607", "fail"),
        ("requests rate >= 10/s", "pass"),
        ("requests rate >= 11/s", "fail"),
        ("max < 1s", "fail"),
        ("min < 1s", "pass"),
    ],
)
def test_six_failures_in_606_calls_are_judged(runs, text, verdict):
    assert runs.one(text, runs.steady(600, failed=6)).verdict == verdict


def test_the_value_that_is_printed_is_the_value_that_was_judged(runs):
    found = runs.one("http_400 <= 3", runs.steady(600, failed=6))
    assert (found.observed, found.limit, found.sentence) == (
        "6",
        "<= 3",
        "6 of 606 requests were answered 400; asked for <= 3",
    )


def test_a_mean_is_judged_by_its_interval(runs):
    assert runs.one("avg < 250ms", runs.steady(600)).verdict == "pass"
    assert runs.one("avg < 150ms", runs.steady(600)).verdict == "fail"
    assert runs.one("avg < 1s", runs.steady(1)).verdict == "inconclusive"
    assert "have no duration" in runs.one("avg < 250ms", runs.steady(600, failed=2)).sentence


def test_steps_are_judged_with_their_failures(runs):
    run = runs.phase(runs.steady(100), "session", 0.1, 100)
    assert runs.one("session_create p95 < 500ms", run).verdict == "pass"
    run = runs.phase(runs.steady(100), "session", 0.1, 100, failed=40)
    assert runs.one("session_create p95 < 500ms", run).verdict == "fail"


def test_a_generator_at_its_limit_decides_nothing_about_time_but_still_sees_errors(runs):
    run = runs.bound(runs.steady(600, failed=1))
    for text in ("p95 < 1s", "p95 < 10ms", "requests rate > 5/s", "avg < 1s"):
        found = runs.one(text, run)
        assert found.verdict == "inconclusive"
        assert "the generator was the bottleneck (it used 99 % of a core)" in found.sentence
    assert runs.one("http_400 == 0", run).verdict == "fail"
    assert runs.one("http_5xx == 0", run).verdict == "pass"


def test_a_run_that_is_not_complete_passes_nothing(runs):
    run = runs.steady(600)
    run.end = End(took=60.0, complete=False, reason="a process died")
    found = runs.one("success == 100%", run)
    assert found.verdict == "inconclusive"
    assert found.details == ("the run is not complete: a process died",)


def test_a_short_run_says_which_stalls_it_cannot_see(runs):
    found = runs.one("p95 < 1s", runs.steady(600, over=12))
    assert found.verdict == "pass"
    assert found.details == ("run too short to see stalls longer than 600 ms: it took 12 s, ask for 60 s",)
    assert runs.one("p95 < 1s", runs.steady(600, over=60)).details == ()


def test_a_closed_loop_is_labelled(runs):
    found = runs.one("p95 < 1s", runs.steady(600, model="closed"))
    assert found.details[0].startswith("closed loop: stalls are under-reported")


def test_fewer_tries_than_asked_for_decide_nothing(runs):
    found = runs.one("http_400 == 0 | min 500", runs.steady(100))
    assert (found.verdict, found.needed) == ("inconclusive", 400)


def test_a_warning_is_judged_but_does_not_count(runs):
    found = judge(parse_all(["warn: http_400 == 0", "p95 < 1s"]), runs.steady(600, failed=2))
    assert [each.verdict for each in found] == ["fail", "pass"]
    assert overall(found) == "pass"


def test_outages_are_left_out_of_a_rehearsal_unless_they_are_asked_for(runs):
    tally = Tally()
    runs.calls(tally, 100, scene="waves-5")
    runs.failures(tally, 5, "timeout", 0, scene="outage-frozen")
    tally.counters["outage-frozen/hangs"] = 1
    run = runs.of([tally])
    assert runs.one("success == 100%", run).verdict == "pass"
    assert runs.one("hangs == 0", run).verdict == "pass"
    assert runs.one("outage.hangs == 0", run).sentence == "1 of 5 calls ran past their deadline (20 %)"


def test_a_comparison_is_judged_by_its_clients(runs):
    tally = Tally()
    for client, failed in (("naive", 3), ("pooled", 0)):
        found = tally.of(Series(scene="round-1", client=client, operation="ping"))
        found.ok, found.failed = 50, failed
    names = [(each.name, each.verdict) for each in judge(parse_all(["success == 100% | per client"]), runs.of([tally]))]
    assert names == [
        ("success == 100% | per client [naive]", "fail"),
        ("success == 100% | per client [pooled]", "pass"),
    ]


def test_only_sure_failures_stop_a_run(runs):
    texts = [
        "http_400 == 0",
        "warn: errors == 0",
        "error_rate < 0.1%",
        "error_rate < 0.9%",
        "p95 < 1s",
        "p95 < 150ms",
        "requests >= 10000",
        "requests rate > 1000/s",
        "http_400 <= 5",
        "http_400 <= 6",
        "max < 150ms",
        "avg < 150ms",
    ]
    found = sure_failures(parse_all(texts), runs.steady(600, failed=6).tally)
    assert [each.name for each in found] == [
        "http_400 == 0",
        "error_rate < 0.1%",
        "p95 < 150ms",
        "http_400 <= 5",
        "max < 150ms",
    ]
    assert sure_failures(parse_all(texts), Tally()) == []


def test_a_regression_is_judged_with_its_noise(runs):
    base = runs.steady(1500)
    again, slower = runs.steady(1500), runs.steady(1500, seconds=0.3)
    assert runs.one("p95 < +20% | vs baseline", again, baseline=base).verdict == "pass"
    found = runs.one("p95 < +20% | vs baseline", slower, baseline=base)
    assert found.verdict == "fail"
    assert "+50" in found.sentence
    assert "the baseline was stored" in found.details[0]
    assert runs.one("p95 < +200ms | vs baseline", slower, baseline=base).verdict == "pass"
    assert runs.one("p95 < +20% | vs baseline", runs.steady(20), baseline=base).verdict == "inconclusive"
    assert runs.one("error_rate < +1pp | vs baseline", runs.steady(1500, failed=60), baseline=base).verdict == "fail"
    assert runs.one("success > -1pp | vs baseline", runs.steady(1500, failed=60), baseline=base).verdict == "fail"
    assert runs.one("requests rate > -10% | vs baseline", runs.steady(1200), baseline=base).verdict == "fail"
    assert runs.one("p95 < +20% | vs baseline", again).sentence == "there is no baseline to compare with"


def test_no_bound_is_ever_a_number_that_is_none(runs):
    for run in (runs.empty(), runs.steady(1), runs.steady(0, failed=3), runs.steady(70, failed=70)):
        for found in judge(parse_all(EVERY), run):
            assert found.bound is None or math.isfinite(found.bound)
            assert found.effective is None or found.effective > 0
