"""The engine against a real server of the SDK, on every transport and in both eras."""

from dataclasses import replace

import pytest

from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.plan import CallSpec, Model, Sessions

FEW = Model(concurrency=3, requests=12)
TARGETS = {
    "streamable, event streams": ("/events/mcp", {}),
    "streamable, JSON": ("/plain/mcp", {}),
    "legacy": ("/sse", {"transport": "sse"}),
    "modern, event streams": ("/events/mcp", {"modern": True}),
    "modern, JSON": ("/plain/mcp", {"modern": True}),
}


@pytest.fixture(params=TARGETS)
def target(request, real, kit):
    path, facts = TARGETS[request.param]

    def made(tool: str = "echo", **more):
        return kit.plan(real + path, tool, **{"model": FEW, **facts, **more})

    return made


def test_every_call_succeeds_on_each_transport_and_in_each_era(target, kit):
    ran = kit.run(target())
    assert (ran.calls.ok, ran.outcomes, ran.in_flight) == (12, {"ok": 12}, 0)
    assert set(ran.answers) <= {200, 202}
    assert ran.counter("sessions_opened") == ran.counter("sessions_closed")
    assert ran.counter("streams_cut") == ran.counter("sessions_failed") == ran.counter("unfinished") == 0


def test_a_result_with_is_error_is_no_success(target, kit):
    ran = kit.run(target("fail"))
    assert ran.outcomes == {"tool-error": 12}
    assert all("Error executing tool fail" in sample.error for sample in ran.samples)


def test_notifications_before_the_answer_do_not_count_as_it(target, kit):
    assert kit.run(target("chatty")).outcomes == {"ok": 12}


def test_a_method_that_the_server_does_not_know_is_an_rpc_error(target, kit):
    plan = replace(target(), calls=(CallSpec(kind="mcp", method="nothing/such"),))
    (outcome,) = kit.run(plan).calls.outcomes
    assert outcome.kind in {"rpc", "http"}
    assert outcome.code in {-32601, -32602}


def test_the_birth_of_a_session_is_timed_step_by_step(real, kit):
    ran = kit.run(kit.plan(real + "/events/mcp", model=FEW))
    steps = ("initialize", "initialized", "first-call", "stream", "close")
    assert {step: ran.phase(step) for step in steps} == dict.fromkeys(steps, (3, 0))
    legacy = kit.run(kit.plan(real + "/sse", transport="sse", model=FEW))
    steps = ("stream", "endpoint", "initialize", "initialized", "first-call", "close")
    assert {step: legacy.phase(step) for step in steps} == dict.fromkeys(steps, (3, 0))


@pytest.mark.parametrize(
    ("sessions", "opened"),
    [
        (Sessions(policy="per-call"), 12),
        (Sessions(policy="per-worker"), 3),
        (Sessions(policy="shared"), 1),
        (Sessions(policy="pool", size=2), 2),
    ],
)
def test_a_policy_says_how_many_sessions_are_born(real, kit, sessions, opened):
    for path, transport in (("/plain/mcp", "streamable"), ("/sse", "sse")):
        ran = kit.run(kit.plan(real + path, transport=transport, sessions=sessions, model=FEW))
        assert ran.outcomes == {"ok": 12}
        assert (ran.counter("sessions_opened"), ran.counter("sessions_closed")) == (opened, opened)


@pytest.mark.parametrize("path", ["/plain/mcp", "/sse"])
def test_a_wave_is_a_simultaneous_birth_and_the_next_one_waits_for_its_end(real, kit, path):
    model = Model(kind="waves", waves=3, concurrency=4, calls_per_session=2)
    transport = "sse" if path == "/sse" else "streamable"
    ran = kit.run(kit.plan(real + path, transport=transport, model=model))
    assert ran.outcomes == {"ok": 24}
    assert (ran.counter("waves"), ran.counter("waves_failed"), ran.counter("sessions_opened")) == (3, 0, 12)


def test_arrivals_are_called_as_they_are_due(real, kit):
    model = Model(kind="open", rate=200, requests=40, max_in_flight=30)
    ran = kit.run(kit.plan(real + "/plain/mcp", model=model))
    assert ran.calls.ok + ran.counter("dropped") == 40
    assert ran.calls.latency.greatest >= ran.calls.service.greatest


def test_shares_make_all_calls_between_them(real, kit):
    plan = kit.plan(real + "/plain/mcp", model=Model(concurrency=3, requests=11))
    done = [kit.run(plan, Share(number, 2)).calls.ok for number in (0, 1)]
    assert sum(done) == 11


def test_a_run_of_an_agent_counts_by_what_its_answer_says(real, kit):
    assert kit.run(kit.agent_plan(real + "/agents")).outcomes == {"ok": 6}
    broken = kit.run(kit.agent_plan(real + "/agents", "broken"))
    assert broken.outcomes == {"agent-error": 6}
    assert {sample.error for sample in broken.samples} == {"boom"}
