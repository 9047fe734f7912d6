import dataclasses

import pytest

from woolly_mcpdiag.core.findings import Hypothesis
from woolly_mcpdiag.core.measures import Answer, Calls, Outcome, Series, Tally
from woolly_mcpdiag.core.runs import End, Generator, Interval
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.diagnose.docket import Docket
from woolly_mcpdiag.logs.batch import Vocabulary
from woolly_mcpdiag.report import run_timeline, wording
from woolly_mcpdiag.report.assemble_run import assemble_run
from woolly_mcpdiag.report.run_bins import of_buckets, of_points
from woolly_mcpdiag.report.run_failures import failures


def test_the_warm_up_is_in_no_figure_but_its_own(run_samples):
    run = run_samples.report("clean").run
    assert [row.tried for row in run.warmup] == [111]
    assert [row.tried for row in run.totals] == [1171]
    assert run.measured == pytest.approx(30)
    assert run.totals[0].rate == pytest.approx(1171 / 30)
    assert sum(row.count for row in run.answers) == 30 * 42


@pytest.mark.parametrize(
    ("name", "begins", "state"),
    [
        ("clean", "PASS: ", "good"),
        ("failing", "FAIL: 1 of 3 criteria failed; http_400 == 0: ", "bad"),
        ("busy", "FAIL: ", "bad"),
        ("nothing", "INCONCLUSIVE: no call ended", "open"),
        ("five", "5 MCP calls, none failed; p95 ", "good"),
        ("turns", "1,800 MCP calls, 180 failed (10 %; most: HTTP 400, session.lost)", "bad"),
    ],
)
def test_the_verdict_is_the_first_thing_said(run_samples, name: str, begins: str, state: str):
    report = run_samples.report(name)
    assert report.verdict.startswith(begins)
    assert wording.state(report) == state


@pytest.mark.parametrize(
    "end", [End(took=1, complete=True, generator=Generator(bound=True)), End(took=1, complete=False)]
)
def test_no_pass_comes_from_a_run_in_doubt(run_samples, end: End):
    run = run_samples.clean()
    run.end = end
    judged = [Judgement(name="a", verdict="pass", sentence="ok")]
    report = assemble_run(run, None, judged, version="")
    assert report.verdict.startswith("INCONCLUSIVE: ")
    assert wording.state(report) == "open"
    assert wording.state(assemble_run(run, None, [], version="")) == "open"


def test_closed_loop_results_say_that_stalls_are_under_reported(run_samples):
    assert any("stalls are under-reported" in label for label in run_samples.report("five").run.labels)
    assert not any("stalls" in label for label in run_samples.report("failing").run.labels)


def test_dropped_arrivals_are_said_before_the_figures(run_samples):
    assert run_samples.report("failing").run.labels == [
        "4 of 1,444 arrivals were dropped: so many calls were in flight that no more were started."
    ]


def test_events_left_out_are_said(run_samples):
    run = run_samples.five()
    run.intervals[0].tally.counters["events_left_out"] = 1200
    assert "1,200 events were not written" in assemble_run(run, None, [], version="").notes[0]


def test_failures_are_grouped_with_their_sample_and_cause(run_samples):
    first, second, wire = run_samples.report("failing").run.failures
    assert (first.what, first.count, first.of, first.agents) == ("HTTP 400", 8, 608, ("tester",))
    assert (first.cause, first.how) == ("session.lost", "by the text of the answer")
    assert [sample.at for sample in first.samples] == [12.4]
    assert (second.what, second.cause) == ("no whole answer in time", "net.read-timeout")
    assert (wire.outcome, wire.count, wire.next_step) == ("answer", 4, "mcpdiag explain 400")


def test_benign_probes_and_the_warm_up_are_no_failures():
    tally = Tally()
    tally.answers[Answer(status=400, benign=True)] = 3
    tally.answers[Answer(status=500, scene="warmup")] = 3
    tally.calls[Series(scene="warmup")] = Calls(failed=1)
    tally.calls[Series(scene="warmup")].outcomes[Outcome(kind="timeout")] = 1
    assert failures(tally, [], [], []) == []


def test_the_ledger_of_the_diagnosis_names_the_cause_before_any_text(run_samples):
    findings, ledgers = run_samples.ledger()
    run = run_samples.failing()
    found = failures(run.tally, run.samples, findings, ledgers)
    assert [(row.cause, row.how) for row in found if row.status == 400] == [("session.lost", "likely")] * 2


def test_a_cause_that_the_events_show_outweighs_one_that_fits_the_text_better(run_samples):
    (finding,), _ = run_samples.ledger()
    other = dataclasses.replace(finding, cause="session.no-affinity", confidence="certain")
    run = run_samples.failing()
    sample = run_samples.sample(
        1, 1.0, outcome="agent-error", status=0, error="MCPError: Session not found", response=""
    )
    tally = Tally()
    tally.calls[Series(kind="agent", operation=sample.operation)] = Calls(failed=1)
    tally.calls[Series(kind="agent", operation=sample.operation)].outcomes[Outcome(kind="agent-error")] = 1
    del run
    assert failures(tally, [sample], [finding], [])[0].cause == "session.lost"
    assert failures(tally, [sample], [other], [])[0].cause == "session.no-affinity"


def test_a_run_asks_for_another_run_and_for_no_log_lines(run_samples):
    rows = [
        Hypothesis(name="race", question="", answer="not decidable", test="", figures="", decide="log more"),
        Hypothesis(name="pool", question="", answer="not decidable", test="", figures="", decide="log more"),
        Hypothesis(name="timing", question="", answer="refuted", test="", figures=""),
    ]
    found = dataclasses.replace(Docket(Vocabulary()).diagnose(), hypotheses=rows)
    shown = assemble_run(run_samples.failing(), found, [], version="").hypotheses
    assert [row.name for row in shown] == ["timing", "race"]
    assert "mcpdiag compare" in shown[1].decide


def test_clients_in_turns_are_compared_round_by_round(run_samples):
    found = run_samples.report("turns").comparison
    assert [side.name for side in found.sides] == ["naive", "sdk", "pooled"]
    assert [side.rounds for side in found.sides] == [6, 6, 6]
    shown = {(one.other, one.figure): one.verdict for one in found.contrasts}
    assert shown["pooled", "p95"] == "better"
    assert shown["pooled", "success"] == "better"
    assert shown["sdk", "p95"] == "no difference shown"
    assert "by chance alone" in found.noise


def test_agents_and_mcp_over_different_drivers_are_no_comparison(run_samples):
    assert run_samples.report("failing").comparison is None


def test_parts_have_the_figures_of_their_own_calls(run_samples):
    waves, outage = run_samples.report("outage").run.scenes
    assert (waves.figures[0].tried, outage.figures[0].failed) == (300, 15)
    assert waves.figures[0].rate == pytest.approx(25)


def test_a_long_run_is_drawn_with_few_points_that_lose_no_call(long_run):
    points = long_run.run.timeline
    assert len(points) <= run_timeline.MOST
    assert sum(point.ok + point.failed for point in points) == 1_008_000
    assert sum(point.errors.get("HTTP 503", 0) for point in points) == 600
    assert sum(point.failed for point in of_points(points, 7)) == 600


def test_a_target_that_stands_still_takes_time_too(run_samples):
    intervals = list(run_samples.clean().intervals)
    intervals[10] = Interval(start=10.0, end=11.0, tally=Tally())
    assert run_timeline.seconds(intervals) == pytest.approx(30)


def test_eight_bars_hold_every_call(run_samples):
    spread = run_samples.report("clean").run.totals[0].latency
    bins = of_buckets(spread)
    assert len(bins) == 8
    assert sum(count for _, _, count in bins) == spread.count
    assert bins[0][0] == spread.least
    assert bins[-1][1] == pytest.approx(spread.greatest)
