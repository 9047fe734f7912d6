from woolly_mcpdiag.core.errors import TargetAwayError
from woolly_mcpdiag.core.measures import Series, Tally
from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.plan import (
    AgentTarget,
    CallSpec,
    Connection,
    Limits,
    McpTarget,
    Model,
    Plan,
    Sessions,
    Stage,
)
from woolly_mcpdiag.load.travel import (
    Snapshot,
    Task,
    error_line,
    read_error,
    read_snapshot,
    read_task,
    snapshot_line,
    task_line,
)

PLAN = Plan(
    calls=(
        CallSpec(kind="mcp", name="search", arguments={"query": "{i} ü", "deep": {"a": [1, None]}}, weight=0.5),
        CallSpec(kind="agent", method="POST", agent="tester", body="{feed.name}\n"),
    ),
    mcp=McpTarget(at=Connection(url="http://h:1/mcp", headers={"A": "b"}), tools=({"name": "search"},), modern=True),
    agent=AgentTarget(at=Connection(url="https://h:2/x", verify=False, proxy="http://p:3")),
    client="pooled",
    scene="round 1",
    model=Model(kind="open", rate=1.5, stages=(Stage(duration=1, target=2),), think=(0.1, 0.2), duration=0.1 + 0.2),
    sessions=Sessions(policy="pool", size=3),
    limits=Limits(call=1.25),
    feed=({"name": "a\u2028b"}, {"name": ""}),
    processes=2,
)


def test_a_task_is_the_same_after_its_journey_in_one_line():
    task = Task(plan=PLAN, share=Share(1, 2), wall=1795378313.1388228, engine="a:b", source="pooled")
    line = task_line(task)
    assert len(line.splitlines()) == 1
    assert read_task(line) == task
    bare = Task(plan=Plan(calls=()), share=Share(), wall=0.0, engine="")
    assert read_task(task_line(bare)) == bare


def test_a_snapshot_is_the_same_after_its_journey():
    tally = Tally()
    tally.of(Series()).latency.add(0.3)
    snapshot = Snapshot(
        at=1.5, tally=tally, in_flight=3, cpu=0.5, waited=0.1, lag={"count": 0, "units": 0, "counts": []}
    )
    assert read_snapshot(snapshot_line(snapshot)) == snapshot


def test_an_error_keeps_its_kind_and_its_exit_code():
    found = read_error(error_line(TargetAwayError("http://h:1: refused", "start it")))
    assert isinstance(found, TargetAwayError)
    assert (found.message, found.hint, found.exit_code) == ("http://h:1: refused", "start it", 4)
