from dataclasses import replace
from pathlib import Path

import pytest

from woolly_mcpdiag.api import analyze_logs
from woolly_mcpdiag.api.load import Demand, State, load
from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.core.measures import Tally, merged
from woolly_mcpdiag.core.runs import Meta, read_run
from woolly_mcpdiag.load.plan import CallSpec, Model, Plan, Stage

META = Meta(run="r", command="load", version="1", started=0.0)


def tried(tally: Tally) -> int:
    return sum(calls.tried for calls in tally.calls.values())


def bare(finding: Finding) -> Finding:
    """A finding without the wording of its evidence: a report of a run tells events in words."""
    return replace(finding, evidence=tuple(replace(each, text="") for each in finding.evidence))


def test_the_log_is_judged_and_explained_as_the_run_was(line_server, tmp_path: Path):
    line_server.bad_from, line_server.bad_every = 150, 1
    log = tmp_path / "run.jsonl"
    plan = line_server.plan(model=Model(concurrency=2, requests=200), processes=2)
    loaded = load([plan], META, Demand(events=log, thresholds=("http_4xx == 0", "http_400 == 0")))
    assert [(judged.name, judged.verdict) for judged in loaded.judgements] == [
        ("http_4xx == 0", "fail"),
        ("http_400 == 0", "pass"),
    ]
    analysis = analyze_logs(log)
    assert [found.cause for found in loaded.report.findings] == ["session.lost"]
    assert [bare(found) for found in analysis.report.findings] == [bare(found) for found in loaded.report.findings]
    decided = [row for row in analysis.report.hypotheses if row.answer != "not decidable"]
    assert decided
    assert decided == [row for row in loaded.report.hypotheses if row.answer != "not decidable"]
    (source,) = analysis.report.sources
    assert (source.not_understood, source.role) == (0, "client")
    assert source.ignored == 1 + len(loaded.run.intervals) + len(loaded.run.samples) + 2 + 1
    again = read_run(log)
    assert again == loaded.run
    assert merged(row.tally for row in again.intervals) == loaded.run.tally
    assert {sample.status for sample in again.samples} == {404}
    assert again.meta.started > 1e9


def test_plans_follow_each_other_with_scenes_and_clients_of_their_own(line_server, tmp_path: Path):
    log = tmp_path / "run.jsonl"
    plans = [
        line_server.plan(client="naive", scene="round 1", model=Model(requests=20)),
        line_server.plan(client="pooled", scene="round 2", model=Model(requests=30)),
    ]
    run = load(plans, META, Demand(events=log)).run
    assert {(series.scene, series.client): calls.ok for series, calls in run.tally.calls.items()} == {
        ("round 1", "naive"): 20,
        ("round 2", "pooled"): 30,
    }
    first, second = run.scenes
    assert [(scene.name, scene.facts) for scene in run.scenes] == [
        ("round 1", {"client": "naive"}),
        ("round 2", {"client": "pooled"}),
    ]
    assert 0 == first.start < first.end < second.start < second.end
    assert [(row.start, row.end) for row in run.intervals] == [(first.start, first.end), (second.start, second.end)]
    assert run.end.took == second.end
    assert [source.name for source in analyze_logs(log).report.sources] == [str(log)]


def test_the_warm_up_is_a_scene_and_in_no_figure(line_server):
    model = Model(kind="open", rate=100, duration=0.5, warmup=0.3)
    run = load([line_server.plan(model=model)], META).run
    counted = {series.scene: calls.ok for series, calls in run.tally.calls.items()}
    assert counted == {"warmup": 30, "": 20}
    assert [(scene.name, scene.start, scene.end) for scene in run.scenes] == [("warmup", 0, 0.3)]


def test_states_tell_how_far_it_is(line_server):
    states: list[State] = []
    line_server.bad_every = 5
    model = Model(kind="open", stages=(Stage(duration=1.3, target=100),))
    plan = line_server.plan(model=model, processes=2)
    loaded = load([plan], META, Demand(thresholds=("success == 100%",)), on_state=states.append)
    assert [state.elapsed for state in states] == sorted(state.elapsed for state in states)
    last = states[-1]
    assert (last.number, last.plans, last.total, last.wanted) == (0, 1, 1.3, None)
    assert 0 < last.users <= 100
    assert 0 < last.done == tried(last.tally) < tried(loaded.run.tally)
    assert [row.end - row.start >= 0.9 for row in last.recent] == [True]
    assert [judged.verdict for judged in last.judgements] == ["fail"]
    assert last.meta.started > 1e9
    # The whole area under the ramp, whatever was shown meanwhile.
    assert tried(loaded.run.tally) == 65


def test_a_stop_before_the_start_is_a_run_of_nothing(line_server):
    loaded = load([line_server.plan()], META, Demand(thresholds=("http_400 == 0",)), stopped=lambda: True)
    assert loaded.interrupted
    assert [judged.verdict for judged in loaded.judgements] == ["inconclusive"]
    assert line_server.served == 0


def test_a_threshold_that_has_surely_failed_aborts(line_server):
    line_server.bad_every = 2
    demand = Demand(thresholds=("http_4xx == 0", "p95 < 9s"), abort=True)
    plan = line_server.plan(model=Model(kind="open", rate=100, duration=30))
    loaded = load([plan, plan], META, demand)
    assert loaded.run.end.reason == "aborted: http_4xx == 0 has failed"
    assert not loaded.interrupted
    assert tried(loaded.run.tally) < 1000


def test_what_cannot_be_written_or_meant_is_said_before_anything_is_sent(line_server, tmp_path: Path):
    plan = line_server.plan()
    with pytest.raises(InputError, match="cannot be written"):
        load([plan], META, Demand(events=tmp_path / "no" / "run.jsonl"))
    with pytest.raises(UsageError):
        load([plan], META, Demand(thresholds=("htp_400 == 0",)))
    assert line_server.served == 0


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan(calls=()), "calls: there are none"),
        (Plan(calls=(CallSpec(kind="mcp"),)), "the plan has no mcp target"),
        (Plan(calls=(CallSpec(kind="agent", weight=0.0),)), "leave nothing to draw"),
    ],
)
def test_a_plan_that_cannot_mean_anything_is_refused(plan: Plan, said: str):
    with pytest.raises(UsageError, match=said):
        load([plan], META)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Model(), "nothing ends it"),
        (Model(concurrency=0, requests=1), "concurrency: 0"),
        (Model(requests=0), "requests: 0"),
        (Model(duration=0.0), "duration: 0.0 s"),
        (Model(kind="open", duration=1.0), "rate: 0 arrivals"),
        (Model(stages=(Stage(duration=-1, target=1),)), "stages: "),
    ],
)
def test_a_model_that_cannot_mean_anything_is_refused(line_server, model: Model, said: str):
    with pytest.raises(UsageError, match=said):
        load([line_server.plan(model=model)], META)
    with pytest.raises(UsageError, match="there is none"):
        load([], META)
