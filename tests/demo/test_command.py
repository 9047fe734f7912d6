"""``mcpdiag demo`` as a user starts it: a process, its output, Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from woolly_mcpdiag.cli.demo import demo
from woolly_mcpdiag.cli.errors import EdgeGroup
from woolly_mcpdiag.demo.faults import faults

ALONE = """
import typer
from woolly_mcpdiag.cli.demo import demo
from woolly_mcpdiag.cli.errors import EdgeGroup
app = typer.Typer(cls=EdgeGroup, rich_markup_mode=None, pretty_exceptions_enable=False)
app.callback()(lambda: None)
app.command("demo")(demo)
app()
"""
HOST = re.compile(r"127\.0\.0\.1:\d+")
ID = re.compile(r"(?<=[ _])[0-9a-f]{8}(?:[0-9a-f]{24})?\b")
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Start the command; whatever still runs after the test is killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", ALONE, "demo", *arguments]
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, env=environment, text=True, stdout=pipe, stderr=pipe))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def _app() -> typer.Typer:
    app = typer.Typer(cls=EdgeGroup, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    app.command("demo")(demo)
    return app


def _first_object(process: "subprocess.Popen[str]") -> dict[str, object]:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def test_the_naive_client_reproduces_the_first_customers_lines_until_ctrl_c(start: Start) -> None:
    process = start("--client", "naive", "--calls", "1")
    assert process.stdout is not None
    assert process.stderr is not None
    shown, logged = [""], [""]
    while not shown[-1].startswith("Ctrl-C"):
        shown.append(process.stdout.readline().rstrip())
    while '"HTTP/1.1 200 OK"' not in logged[-1]:
        logged.append(process.stderr.readline().rstrip())
    assert shown[1].startswith("Agents API  http://127.0.0.1:")
    assert [line.split()[1] for line in shown if line.startswith("Fault")] == ["ghost-session:"]
    assert [ID.sub("ID", HOST.sub("HOST", line)) for line in logged[-4:]] == [
        'INFO:httpx:HTTP Request: GET http://HOST/sse/ "HTTP/1.1 400 Bad Request"',
        "INFO:api.agents.universal:Created new MCP session ID for key simplifier_ID",
        "INFO:api.agents.universal:Executing simplifier agent with MCP tools (session: simplifier_ID)",
        'INFO:httpx2:HTTP Request: GET http://HOST/sse/ "HTTP/1.1 200 OK"',
    ]
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=5)
    assert process.returncode == 0
    assert "Traceback" not in rest


def test_no_process_outlives_a_demo_that_was_killed(start: Start) -> None:
    process = start("--fault", "no-affinity", "--calls", "0", "-f", "json")
    _first_object(process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("this system does not list child processes")
    workers = [int(pid) for pid in children.read_text().split()]
    assert len(workers) == 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.perf_counter() + 5
    while any(_lives(pid) for pid in workers) and time.perf_counter() < deadline:
        os.sched_yield()
    assert [pid for pid in workers if _lives(pid)] == []


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "restrat"], "error: fault 'restrat': unknown\nhint: did you mean restart? choose from"),
        (["--fault", "restart=soon"], "error: fault restart: 'soon' is no number"),
        (["--host", "10.0.0.1"], "error: host 10.0.0.1: other machines could reach it\nhint: leave --host out"),
        (["--log", "/nonexistent/demo.log"], "error: /nonexistent/demo.log: No such file or directory"),
        (["--upstream", "nonsense"], "error: upstream 'nonsense': no http or https URL"),
        (["--deadline", "0"], "error: invalid value for '--deadline'"),
    ],
)
def test_bad_input_is_told_with_a_hint_and_without_a_traceback(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(_app(), ["demo", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(said)
    assert "Traceback" not in result.stderr


def test_the_list_names_every_fault_with_its_cause() -> None:
    from typer import Typer

    from woolly_mcpdiag.cli.demo import demo

    app = Typer()
    app.command()(demo)
    text = CliRunner().invoke(app, ["--list"]).output
    rows = json.loads(CliRunner().invoke(app, ["--list", "-f", "json"]).output)["faults"]
    assert [row["name"] for row in rows] == list(faults())
    for fault in faults().values():
        assert fault.what in text
        assert all(cause in text for cause in fault.causes)
