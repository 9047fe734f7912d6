import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from woolly_mcpdiag.api.load import Demand, load
from woolly_mcpdiag.core.errors import TargetAwayError
from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.runs import Meta, read_run
from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.plan import Model
from woolly_mcpdiag.load.processes import MODULE
from woolly_mcpdiag.load.travel import Task, task_line

META = Meta(run="r", command="load", version="1", started=0.0)
SCRIPT = """
import json, sys
from pathlib import Path
from woolly_mcpdiag.api.load import Demand, load
from woolly_mcpdiag.cli.interrupt import Interrupt
from woolly_mcpdiag.core.runs import Meta
from woolly_mcpdiag.load import processes
from woolly_mcpdiag.load.travel import read_task

processes.ENGINES = {"": "line_engine:factory"}
task = read_task(sys.stdin.readline())

def tell(state):
    if state.recent:
        print("running", flush=True)

with Interrupt() as interrupt:
    meta = Meta(run="r", command="load", version="1", started=0.0)
    loaded = load([task.plan], meta, Demand(events=Path(sys.argv[1])), on_state=tell, stopped=interrupt.asked)
print(json.dumps([loaded.interrupted, loaded.run.end.complete, loaded.run.end.reason, loaded.report.partial]))
"""


def tried(tally) -> int:
    return sum(calls.tried for calls in tally.calls.values())


def start(plan, log: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    path = os.pathsep.join([environment["PYTHONPATH"], str(Path(__file__).parent)])
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(log)],
        env={**environment, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    child.stdin.write(task_line(Task(plan=plan, share=Share(), wall=0.0, engine="")) + "\n")
    child.stdin.flush()
    assert child.stdout.readline() == "running\n"
    return child


def test_two_processes_make_exactly_the_calls_asked_for(line_server, tmp_path: Path):
    line_server.bad_every = 10
    log = tmp_path / "run.jsonl"
    plan = line_server.plan("a", "b", model=Model(concurrency=3, requests=301), processes=2, events_per_second=2000)
    run = load([plan], META, Demand(events=log)).run
    assert line_server.served == tried(run.tally) == 301
    assert sum(run.tally.answers.values()) == run.tally.counters["started"] == 301
    assert {status.status: n for status, n in run.tally.answers.items()} == {200: 271, 404: 30}
    assert sorted(calls.tried for calls in run.tally.calls.values()) == [150, 151]
    assert run.end.complete
    assert run.end.generator.processes == 2
    assert run.end.generator.cpu > 0
    assert read_run(log) == run
    events = [Event.from_json(line) for line in log.read_text().splitlines() if "mcpdiag.event/1" in line[:40]]
    kinds = [event.kind for event in events]
    assert (kinds.count("call.done"), kinds.count("call.failed"), kinds.count("session.opened")) == (271, 30, 2)


def test_a_process_that_dies_leaves_what_it_told_and_the_run_is_not_complete(line_server):
    model = Model(kind="open", rate=34, duration=1.5)
    run = load([line_server.plan("die", model=model, processes=2)], META).run
    assert not run.end.complete
    assert run.end.reason == "process 1 of 2 was killed by signal 9"
    # The other did all of its 25 calls; of the dead one those of its first second are known.
    assert 25 + 15 <= tried(run.tally) <= 25 + 19
    assert run.took == run.end.took >= 1.4


def test_an_engine_that_fails_is_named_with_its_last_words(line_server):
    run = load([line_server.plan("raise")], META).run
    assert not run.end.complete
    assert run.end.reason == "process 1 of 1 ended with code 1: ArithmeticError: five is too much"


def test_a_target_that_is_away_ends_it_before_the_log_has_a_row(line_server, tmp_path: Path):
    log = tmp_path / "run.jsonl"
    with pytest.raises(TargetAwayError) as away:
        load([line_server.plan("refuse", processes=2)], META, Demand(events=log))
    assert (away.value.message, away.value.hint) == ("target: is away", "start it")
    assert not log.exists()


def test_a_killed_parent_takes_its_processes_along_and_leaves_a_readable_log(line_server, tmp_path: Path, environment):
    log = tmp_path / "run.jsonl"
    plan = line_server.plan(model=Model(kind="open", rate=50), processes=2)
    child = start(plan, log, environment)
    for _ in range(2):
        assert line_server.connected.acquire(timeout=10)
    child.kill()
    child.communicate()
    for _ in range(2):
        assert line_server.left.acquire(timeout=10), "a load process outlives its parent"
    run = read_run(log)
    assert run.end is None
    assert tried(run.tally) > 10


def test_the_first_interrupt_ends_with_a_full_report(line_server, tmp_path: Path, environment):
    log = tmp_path / "run.jsonl"
    child = start(line_server.plan(model=Model(kind="open", rate=50), processes=2), log, environment)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=20)
    assert json.loads(out.splitlines()[-1]) == [True, False, "interrupted", True]
    run = read_run(log)
    assert run.end.reason == "interrupted"
    assert tried(run.tally) == line_server.served


def test_a_second_interrupt_ends_at_once_and_the_log_has_its_end(line_server, tmp_path: Path):
    def interrupt(state) -> None:
        if line_server.served:
            raise KeyboardInterrupt

    log = tmp_path / "run.jsonl"
    plan = line_server.plan(model=Model(kind="open", rate=50, duration=60), processes=2)
    with pytest.raises(KeyboardInterrupt):
        load([plan], META, Demand(events=log), on_state=interrupt)
    for _ in range(2):
        assert line_server.left.acquire(timeout=10), "a load process is still there"
    assert read_run(log).end.reason == "interrupted"


def test_a_load_process_loads_nothing_heavy_and_no_engine_by_itself(environment):
    unwanted = ("pandas", "rich", "typer", "mcp", "httpx", "anyio", f"{MODULE}.engine", f"{MODULE}.tasks")
    code = f"import sys, {MODULE}.child; print([name for name in {unwanted} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_secrets_are_neither_in_arguments_nor_in_the_log(line_server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[list[str]] = []
    begin = subprocess.Popen

    def watched(arguments, **options):
        seen.append([*arguments, *options["env"].values()])
        return begin(arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", watched)
    line_server.bad_every = 2
    log = tmp_path / "run.jsonl"
    load([line_server.plan()], META, Demand(events=log))
    assert seen
    assert "opensesame" not in json.dumps(seen) + log.read_text()
