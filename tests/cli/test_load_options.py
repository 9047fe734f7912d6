"""What the options of ``load`` come to, and every contradiction between them."""

import json

import pytest

from woolly_mcpdiag.cli.load_options import order
from woolly_mcpdiag.cli.load_plans import planned, turns, wanted, with_demo
from woolly_mcpdiag.cli.load_typed import Typed
from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.load.plan import AgentTarget, CallSpec, McpTarget, Sessions, Stage
from woolly_mcpdiag.load.preflight import Found

URL = "http://localhost:8009/sse/"
API = "http://localhost:8000/api/v1/agents/execute"


def typed(**options):
    return Typed(**{"url": URL, **options})


def of_agents(**options):
    return Typed(**{"agent": API, "agent_types": ("tester",), **options})


def test_without_a_target_the_demo_is_asked_for():
    asked = order(Typed(concurrency="5"))
    assert asked.demo
    assert (asked.model.kind, asked.model.concurrency, asked.model.duration) == ("closed", 5, 10.0)
    assert [run.agent for run in asked.runs] == ["simplifier", "tester"]
    assert asked.era == "handshake"
    aimed = with_demo(asked, URL, API)
    assert aimed.mcp is not None
    assert aimed.agent is not None
    assert wanted(aimed).prefer == ("search_code", "find_entities", "qa_codebase")


def test_client_designs_load_the_mcp_server_of_the_demo_alone():
    aimed = with_demo(order(Typed(clients=("naive,pooled",))), URL, API)
    assert aimed.agent is None
    assert aimed.mcp is not None


def test_a_url_is_loaded_for_half_a_minute_by_five_users():
    asked = order(typed())
    assert not asked.demo
    assert (asked.model.concurrency, asked.model.duration, asked.era) == (5, 30.0, "auto")
    assert asked.clients == ("wire",)


def test_a_number_of_calls_takes_the_place_of_a_duration():
    assert order(typed(requests="100")).model.duration is None
    assert order(typed(requests="100", duration="5s")).model.duration == 5.0


def test_a_rate_makes_an_open_model():
    model = order(typed(rate="10/s", arrival="poisson", max_in_flight="7", duration="1m")).model
    assert (model.kind, model.rate, model.arrival, model.max_in_flight) == ("open", 10.0, "poisson", 7)


def test_stages_ramp_users_or_arrivals():
    assert order(typed(stages=("10s:5", "20s:20", "0:0"))).model.stages == (
        Stage(duration=10, target=5),
        Stage(duration=20, target=20),
        Stage(duration=0, target=0),
    )
    model = order(typed(stages=("10s:5/s",))).model
    assert (model.kind, model.rate, model.duration) == ("open", 0.0, None)
    assert order(typed(rate="5", stages=("10s:20",))).model.kind == "open"


def test_waves_have_their_size_and_calls():
    model = order(typed(waves="60", concurrency="20", calls_per_session="3")).model
    assert (model.kind, model.waves, model.concurrency, model.calls_per_session) == ("waves", 60, 20, 3)
    assert model.duration is None


def test_sessions_limits_and_the_rest_are_read():
    asked = order(
        typed(sessions="pool:7", timeout="2s", connect_timeout="1s", event_timeout="3", think="1..2", warmup="5s",
              seed="9", processes="2", confidence="99")
    )  # fmt: skip
    assert asked.sessions == Sessions(policy="pool", size=7)
    assert (asked.limits.call, asked.limits.connect, asked.limits.event, asked.limits.drain) == (2, 1, 3, 2)
    assert (asked.model.think, asked.model.warmup, asked.model.seed) == ((1, 2), 5, 9)
    assert (asked.processes, asked.confidence) == (2, 0.99)


def test_agents_are_combined_with_repositories_and_queries():
    asked = order(of_agents(agent_types=("simplifier", "tester"), repositories=("woolly",), queries=("Test {i}", "b")))
    assert len(asked.runs) == 4
    assert asked.runs[0].arguments == {
        "agent_type": "simplifier",
        "repository_name": "woolly",
        "user_query": "Test {i}",
    }
    assert asked.mcp is None


def test_a_body_is_a_text_or_a_file(tmp_path):
    (tmp_path / "body.json").write_text('{"n": {i}}')
    assert order(of_agents(agent_types=(), body=f"@{tmp_path / 'body.json'}")).runs[0].body == '{"n": {i}}'
    assert order(of_agents(agent_types=(), body="q={i}")).runs[0].body == "q={i}"


def test_a_tool_has_its_arguments_or_made_up_ones(tmp_path):
    (tmp_path / "args.json").write_text('{"q": "{i}"}')
    tools = order(typed(tools=("a", "b", "c"), args=('{"x": 1}', "auto", f"@{tmp_path / 'args.json'}"))).tools
    assert [tool.arguments for tool in tools] == [{"x": 1}, None, {"q": "{i}"}]


def test_headers_are_sent_and_a_token_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("TOKEN", "abc")
    asked = order(typed(headers=("X-Team: a:b",), bearer_env="TOKEN"))
    assert asked.mcp is not None
    assert asked.mcp.headers == {"x-team": "a:b", "authorization": "Bearer abc"}


def test_a_feed_fills_what_asks_for_it(tmp_path):
    (tmp_path / "feed.csv").write_text("user\nann\n")
    asked = order(of_agents(queries=("{feed.user}",), feed=str(tmp_path / "feed.csv")))
    assert asked.feed == ({"user": "ann"},)
    assert wanted(asked).row == {"user": "ann"}
    with pytest.raises(UsageError, match="the feed has no column name"):
        order(of_agents(queries=("{feed.name}",), feed=str(tmp_path / "feed.csv")))
    with pytest.raises(UsageError, match="nothing asks for its columns"):
        order(of_agents(feed=str(tmp_path / "feed.csv")))
    with pytest.raises(UsageError, match="there is no feed"):
        order(of_agents(queries=("{feed.user}",)))


CONTRADICTIONS = [
    ({"rate": "10", "concurrency": "5"}, "--rate with -c"),
    ({"rate": "10", "think": "1"}, "--rate with --think"),
    ({"rate": "10", "waves": "5"}, "--waves with --rate"),
    ({"waves": "5", "stages": ("1s:1",)}, "--waves with --stage"),
    ({"waves": "5", "duration": "5s"}, "--waves with -d"),
    ({"waves": "5", "requests": "5"}, "--waves with -n"),
    ({"waves": "5", "sessions": "shared"}, "--waves with --sessions"),
    ({"stages": ("1s:1",), "duration": "5s"}, "--stage with -d"),
    ({"stages": ("1s:1",), "concurrency": "5"}, "--stage with -c"),
    ({"stages": ("1s:1/s",), "concurrency": "5"}, "--stage with a rate with -c"),
    ({"stages": ("1s:1", "1s:1/s"), "think": "1"}, "--stage with a rate with --think"),
    ({"stages": ("1s",)}, "--stage 1s: has no target"),
    ({"stages": ("1s:0",)}, "every target is 0"),
    ({"stages": ("0:5",)}, "together they last no time"),
    ({"stages": ("1s:x",)}, "--stage 1s:x: x"),
    ({"arrival": "poisson"}, "--arrival: has no effect without --rate"),
    ({"max_in_flight": "5"}, "--max-in-flight: has no effect without --rate"),
    ({"calls_per_session": "5"}, "--calls-per-session: has no effect without --waves"),
    ({"rate": "10", "arrival": "gamma"}, "--arrival gamma"),
    ({"requests": "0"}, "-n 0: is not a whole number"),
    ({"requests": "-5"}, "-n -5"),
    ({"concurrency": "0"}, "-c 0"),
    ({"duration": "0"}, "-d 0: is no time at all"),
    ({"duration": "-5s"}, "-d -5s: not a length of time"),
    ({"duration": "5s", "warmup": "5s"}, "--warmup 5s: is not shorter"),
    ({"rate": "0"}, "--rate 0: nothing would ever start"),
    ({"processes": "0"}, "--processes 0"),
    ({"seed": "-1"}, "--seed -1"),
    ({"confidence": "100"}, "--confidence 100"),
    ({"era": "old"}, "--era old"),
    ({"sessions": "many"}, "--sessions many"),
    ({"sessions": "pool"}, "its size is not said"),
    ({"sessions": "pool:0"}, "--sessions pool: 0"),
    ({"sessions": "shared:3"}, "--sessions shared:3"),
    ({"sessions": "shared", "clients": ("naive",)}, "--sessions with --client naive"),
    ({"clients": ("fast",)}, "--client fast"),
    ({"clients": ("naive,naive",)}, "names one twice"),
    ({"clients": (",",)}, "--client: names none"),
    ({"clients": ("naive",), "driver": "sdk"}, "--driver with --client"),
    ({"clients": ("naive",), "agent": API, "agent_types": ("tester",)}, "--client with --agent"),
    ({"clients": ("naive",), "rounds": "3"}, "--rounds: has no effect"),
    ({"clients": ("naive,pooled",), "rounds": "0"}, "--rounds 0"),
    ({"driver": "http"}, "--driver http: is for the agents API"),
    ({"driver": "fast"}, "--driver fast"),
    ({"proxy": "http://localhost:3128"}, "--proxy: is for the agents API"),
    ({"agent_types": ("tester",)}, "--agent-type: has no effect without --agent URL"),
    ({"body": "{}"}, "--body: has no effect without --agent URL"),
    ({"faults": ("auth",)}, "--fault: belongs to the demo"),
    ({"tools": ("a",), "methods": ("ping",)}, "--method with --tool"),
    ({"args": ("{}",)}, "--args: has no effect without --tool"),
    ({"tools": ("a", "b"), "args": ("{}",)}, "--args: 1 for 2 tools"),
    ({"tools": ("a", "a")}, "--tool: names the same tool twice"),
    ({"tools": ("a",), "args": ("{",)}, "--args: is not JSON"),
    ({"tools": ("a",), "args": ("[1]",)}, "--args: is no JSON object"),
    ({"tools": ("a",), "args": ('{"q": "{feed.user}"}',)}, "there is no feed"),
    ({"headers": ("nothing",)}, "--header"),
    ({"headers": ("a b: c",)}, "--header"),
    ({"headers": ("a: b\r\nc: d",)}, "--header"),
    ({"bearer_env": "MCPDIAG_NO_SUCH_VARIABLE"}, "that variable is not set"),
    ({"insecure": True, "ca_file": "x"}, "--insecure with --ca-file"),
    ({"thresholds": ("http_40 == 0",)}, "http_40"),
    ({"abort_on_fail": True}, "--abort-on-fail: there is no threshold"),
    ({"thresholds": ("http_400 == 0",), "abort_delay": "5s"}, "--abort-delay: has no effect"),
    ({"url": "localhost:8009/mcp"}, "is no http or https URL"),
    ({"url": "ftp://localhost/mcp"}, "is no http or https URL"),
    ({"url": "http://"}, "no host"),
    ({"url": "http://localhost:0/"}, "no port"),
    ({"url": "http://localhost:99999/"}, "out of range"),
    ({"url": "http://local host/"}, "has a blank"),
    ({"url": "http://me:secret@localhost/"}, "has a user name"),
]


@pytest.mark.parametrize(("options", "fact"), CONTRADICTIONS)
def test_a_contradiction_is_wrong_usage_with_a_way_out(options, fact):
    with pytest.raises(UsageError) as caught:
        order(typed(**options))
    assert fact in caught.value.message
    assert caught.value.hint
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"agent_types": ()}, "which agent is to run"),
        ({"body": "{}"}, "--body with --agent-type"),
        ({"agent_types": (), "body": '{"a": }'}, "--body: is not JSON"),
        ({"tools": ("a",)}, "--tool: has no effect without the URL"),
        ({"allow": ("a",)}, "--allow: has no effect without the URL"),
        ({"sessions": "shared"}, "--sessions: has no effect without the URL"),
        ({"driver": "sdk"}, "--driver sdk: is for MCP"),
        ({"driver": "wire", "proxy": "http://localhost:1"}, "--proxy with --driver wire"),
        ({"queries": tuple(map(str, range(1001)))}, "1,001 combinations"),
    ],
)
def test_a_contradiction_about_agents_is_wrong_usage(options, fact):
    with pytest.raises(UsageError, match=fact):
        order(of_agents(**options))


def test_files_that_cannot_be_read_are_said(tmp_path):
    with pytest.raises(InputError, match="--body @none: cannot be read"):
        order(of_agents(agent_types=(), body="@none"))
    with pytest.raises(InputError, match="--ca-file none: cannot be read"):
        order(typed(ca_file="none"))
    with pytest.raises(InputError, match=r"--feed .*none.csv"):
        order(typed(feed=str(tmp_path / "none.csv")))


def test_a_proxy_chooses_the_driver_that_can():
    assert order(of_agents(proxy="http://localhost:3128")).clients == ("http",)


def test_clients_take_turns_there_and_back():
    assert [client for client, _ in turns(("naive", "pooled"), 3)] == [
        *("naive", "pooled"),
        *("pooled", "naive"),
        *("naive", "pooled"),
    ]
    assert len({scene for _, scene in turns(("naive", "pooled"), 3)}) == 6
    assert list(turns(("wire",), 1)) == [("wire", "")]


def found_for(asked):
    return Found(
        mcp=McpTarget(at=asked.mcp, server="small 1") if asked.mcp else None,
        agent=AgentTarget(at=asked.agent) if asked.agent else None,
        calls=(CallSpec(kind="mcp", name="look"),) if asked.mcp else (),
    )


def test_plans_hold_both_targets_and_the_record_says_what_was_done(tmp_path):
    asked = order(typed(agent=API, agent_types=("tester",), concurrency="3", thresholds=("http_400 == 0",)))
    plans, meta, demand = planned(asked, found_for(asked), tmp_path / "run.jsonl")
    assert [(call.kind, call.agent or call.name) for call in plans[0].calls] == [("agent", "tester"), ("mcp", "look")]
    assert [target["kind"] for target in meta.targets] == ["agent", "mcp"]
    assert meta.workload["concurrency"] == 3
    assert meta.workload["sessions"] == "per-worker"
    assert demand.thresholds == meta.thresholds == ("http_400 == 0",)
    assert demand.events == tmp_path / "run.jsonl"
    json.dumps([meta.targets, meta.workload, meta.host])


@pytest.mark.parametrize("without", [True, False])
def test_the_stream_beside_a_session_may_be_left_out(without):
    asked = order(typed(no_stream=without))
    plans, _, _ = planned(asked, found_for(asked))
    assert plans[0].stream is not without


def test_secrets_of_a_url_and_headers_are_not_recorded():
    asked = order(typed(url="http://localhost/mcp?token=abcdef123456", headers=("X-Key: topsecret99",)))
    _, meta, _ = planned(asked, found_for(asked))
    assert "abcdef123456" not in str(meta)
    assert "topsecret99" not in str(meta)


def test_each_client_has_its_own_scene_and_sessions():
    asked = order(typed(clients=("naive,shared,per-call,pooled",), rounds="1"))
    plans, meta, _ = planned(asked, found_for(asked))
    assert [(plan.client, plan.sessions.policy) for plan in plans] == [
        ("naive", "per-call"),
        ("shared", "shared"),
        ("per-call", "per-call"),
        ("pooled", "pool"),
    ]
    assert len(set(meta.scenes)) == 4
    assert plans[0].model.duration == 5.0
