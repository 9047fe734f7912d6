"""The task engine against real servers."""

from collections import Counter

import pytest

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.core.measures import Outcome
from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.plan import CallSpec, Model, Plan, Sessions, Stage
from woolly_mcpdiag.load.tasks import factory

pytestmark = pytest.mark.anyio
DESIGNS = {"sdk": 2, "shared": 1, "per-call": 4, "pooled": 2}
"""Client → sessions for four calls of two users (pooled: at most)."""


@pytest.mark.parametrize("client", DESIGNS)
async def test_a_design_makes_as_many_sessions_as_it_is_known_for(client, healthy, planned, load) -> None:
    told = await load(planned(healthy, client, sse=True))
    assert told.kinds == {"ok": 4}
    assert told.counted["started"] == 4
    opened = told.counted["sessions_opened"]
    assert opened == DESIGNS[client] or (client == "pooled" and 0 < opened <= 2)
    assert opened == told.counted["sessions_closed"] == len(told.of("session.ready"))
    assert told.counted["streams_cut"] == told.counted["unfinished"] == 0
    births = {name for name, failed in told.phases if not failed}
    assert births >= {"dns", "connect", "stream", "endpoint", "initialize", "initialized"}
    assert not [name for name, failed in told.phases if failed]


async def test_a_session_over_streamable_http_is_told_from_its_birth_to_its_end(healthy, planned, load) -> None:
    told = await load(planned(healthy, "sdk", model=Model(concurrency=1, requests=2)))
    (opened,) = told.of("session.opened")
    rpcs = [(one.method, one.rpc, one.status) for one in told.exchanges]
    assert rpcs[:2] == [("POST", "initialize", 200), ("POST", "notifications/initialized", 202)]
    assert rpcs.count(("POST", "tools/call", 200)) == 2
    assert ("GET", "", 200) in rpcs
    assert rpcs[-1] == ("DELETE", "", 200)
    assert {one.session for one in told.exchanges} == {opened.session}
    assert told.phases["first-call", False] == told.phases["close", False] == 1
    assert all(done.session == opened.session and done.first >= done.sent for done in told.calls)


async def test_no_stream_is_asked_for_where_none_is_wanted(healthy, planned, load) -> None:
    told = await load(planned(healthy, "sdk", stream=False))
    assert told.kinds == {"ok": 4}
    assert not told.answers(method="GET")


async def test_a_pool_never_opens_more_than_its_size(healthy, planned, load) -> None:
    told = await load(planned(healthy, "sdk", sessions=Sessions(policy="pool", size=1)))
    assert told.kinds == {"ok": 4}
    assert told.counted["sessions_opened"] == 1
    assert told.phases["pool", False] == 4


async def test_each_call_is_filled_in_anew(healthy, planned, load) -> None:
    failing = CallSpec(kind="mcp", name="failing", arguments={"reason": "{i} {worker} {seed} {feed.word}"})
    feed = ({"word": "a"}, {"word": "b"})
    told = await load(planned(healthy, "sdk", failing, model=Model(concurrency=1, requests=3, seed=7), feed=feed))
    said = [done.error.rpartition(": ")[2] for done in told.calls]
    assert said == ["0 0 7 a", "1 0 7 b", "2 0 7 a"]
    assert told.outcomes == {Outcome("tool-error", 200, 0, tool_error=True): 3}


async def test_agents_and_tools_run_together(healthy, planned, load) -> None:
    body = {"agent_type": "simplifier", "repository_name": "w", "user_query": "q {i}"}
    agent = CallSpec(kind="agent", method="POST", agent="simplifier", arguments=body)
    plan = planned(healthy, "pooled", agent, CallSpec(kind="mcp", method="tools/list"), agent=True)
    told = await load(plan)
    assert told.kinds == {"ok": 4}
    assert Counter(done.spec for done in told.calls) == {0: 2, 1: 2}
    assert len(told.answers(kind="agent", status=200)) == 2
    assert all(done.key.startswith("simplifier_") for done in told.calls if done.spec == 0)


async def test_where_nobody_wants_details_successes_are_only_counted(healthy, planned, load, told) -> None:
    told.detailed = False
    bad = CallSpec(kind="mcp", name="failing")
    good = CallSpec(kind="mcp", name="find_entities", arguments={"repository_name": "w"})
    await load(planned(healthy, "sdk", good, bad), told)
    assert told.kinds == {"tool-error": 2}
    assert [spec for spec, *_ in told.quick_ones] == [0, 0]
    assert all(0 < first <= latency == service for _, latency, service, first in told.quick_ones)
    assert told.counted_answers["mcp", 200] >= 4
    assert [one.rpc for one in told.exchanges].count("initialize") == len(told.of("session.opened")) == 2


async def test_waves_are_born_at_once_and_gone_before_the_next(healthy, planned, load) -> None:
    model = Model(kind="waves", concurrency=2, waves=2, calls_per_session=2)
    told = await load(planned(healthy, "sdk", model=model))
    assert told.waves == [(0, False, False), (1, False, False)]
    assert Counter(done.wave for done in told.calls) == {0: 4, 1: 4}
    assert told.counted["sessions_opened"] == told.counted["sessions_closed"] == 4
    first = max(done.ended for done in told.calls if done.wave == 0)
    assert min(done.sent for done in told.calls if done.wave == 1) >= first


async def test_arrivals_count_from_their_instants_and_drop_beyond_the_limit(healthy, planned, load) -> None:
    slow = CallSpec(kind="mcp", name="slow", arguments={"seconds": 0.3})
    model = Model(kind="open", rate=50, requests=10, max_in_flight=4)
    told = await load(planned(healthy, "sdk", slow, model=model))
    assert told.counted["started"] + told.counted["dropped"] == 10
    assert told.counted["dropped"] >= 1
    assert len(told.lates) == told.counted["started"]
    assert all(done.scheduled <= done.sent for done in told.calls)
    assert max(done.in_flight for done in told.calls) == 3


async def test_users_follow_the_stages(healthy, planned, load) -> None:
    model = Model(stages=(Stage(duration=0.0, target=3), Stage(duration=0.3, target=3)))
    told = await load(planned(healthy, "shared", model=model))
    assert {done.worker for done in told.calls} == {0, 1, 2}
    assert set(told.kinds) == {"ok"}


async def test_the_end_lets_calls_finish_and_cuts_off_the_rest(faulty, planned, load, short) -> None:
    looks = iter([True])
    async with faulty("frozen") as running:
        plan = planned(running, "sdk", model=Model(concurrency=2), limits=type(short)(call=60.0, drain=0.05, close=0.2))
        told = await load(plan, tick=lambda: next(looks, False))
    assert told.calls == []
    assert told.counted["unfinished"] == told.counted["started"] == 2
    assert told.counted["sessions_failed"] == 0
    assert not told.exchanges


async def test_calls_without_an_answer_end_with_their_limit(faulty, planned, load, short) -> None:
    async with faulty("frozen") as running:
        told = await load(planned(running, "per-call", model=Model(concurrency=2, requests=2), limits=short))
    assert told.kinds == {"timeout": 2}
    assert all("no answer within 0.4 s" in done.error and done.phase == "discover" for done in told.calls)
    assert told.counted["hangs"] == 0


async def test_the_first_reported_client_gets_a_400_for_each_session(faulty, planned, load, short) -> None:
    async with faulty("ghost-session") as running:
        model = Model(kind="waves", concurrency=2, waves=1)
        told = await load(planned(running, "naive", model=model, limits=short))
    assert Counter((one.method, one.status) for one in told.exchanges) == {("GET", 400): 2, ("GET", 200): 2}
    assert told.kinds == {"timeout": 2}
    assert {done.phase for done in told.calls} == {"endpoint"}
    assert told.waves == [(0, True, True)]
    offered = {one.facts["offered"] for one in told.answers(status=400)}
    assert offered == {event.session for event in told.of("session.opened")} == {done.session for done in told.calls}


async def test_a_lost_session_is_replaced_by_the_next_call(faulty, planned, load) -> None:
    async with faulty("unknown-session=404") as running:
        told = await load(planned(running, "sdk", model=Model(concurrency=1, requests=12)))
    lost = [done for done in told.calls if done.outcome.kind == "http"]
    assert lost
    assert {done.outcome for done in lost} == {Outcome("http", 404, -32600)}
    assert all("Session not found" in done.error for done in lost)
    assert told.counted["sessions_opened"] == len(lost) + (told.calls[-1] is not lost[-1])


async def test_the_one_shared_session_is_never_replaced(faulty, planned, load) -> None:
    async with faulty("unknown-session=404") as running:
        told = await load(planned(running, "shared", model=Model(concurrency=2, requests=12)))
    assert told.kinds["http"] > 6
    assert told.counted["sessions_opened"] <= 1


async def test_the_pool_hides_lost_sessions_and_tells_its_attempts(faulty, planned, load) -> None:
    async with faulty("unknown-session=404") as running:
        told = await load(planned(running, "pooled", model=Model(concurrency=2, requests=30)))
    assert told.kinds == {"ok": 30}
    assert max(done.attempts for done in told.calls) > 1
    assert told.answers(status=404)
    assert told.of("call.retried")
    assert not told.of("http.exchange")


async def test_a_call_that_nobody_can_make_is_refused_before_anything_is_sent(healthy, planned) -> None:
    for call in (CallSpec(kind="mcp", method="roots/list"), CallSpec(kind="agent", method="POST")):
        plan: Plan = planned(healthy, "sdk", call)
        with pytest.raises(UsageError):
            factory(plan, Share(), None).prepare()
