"""``mcpdiag load`` from its command line to its exit code."""

import signal
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from woolly_mcpdiag.api.load import Loaded
from woolly_mcpdiag.cli.app import app
from woolly_mcpdiag.cli.load import exit_code
from woolly_mcpdiag.core.errors import ExitCode
from woolly_mcpdiag.core.measures import Outcome, Series, Tally
from woolly_mcpdiag.core.runs import End, Generator, Interval, Meta, Run
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.report.model import Report


def loaded(ok=10, outcome=None, failed=0, *, bound=False, complete=True, verdicts=(), interrupted=False) -> Loaded:
    tally = Tally()
    calls = tally.of(Series(operation="ping"))
    calls.ok, calls.failed = ok, failed
    if failed:
        calls.outcomes[outcome or Outcome(kind="http", status=400)] = failed
    judgements = [
        Judgement(name="http_400 == 0", verdict=verdict, sentence="s", observed="3 of 13") for verdict in verdicts
    ]
    run = Run(
        meta=Meta(run="r", command="load", version="0", started=0.0),
        intervals=[Interval(start=0.0, end=1.0, tally=tally)],
        judgements=judgements,
        end=End(took=1.0, complete=complete, generator=Generator(bound=bound)),
    )
    return Loaded(run=run, report=Report(), judgements=judgements, interrupted=interrupted)


AWAY = Outcome(kind="connect")


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (loaded(), ExitCode.OK),
        (loaded(failed=3), ExitCode.OK),
        (loaded(ok=0, failed=3), ExitCode.OK),
        (loaded(ok=0), ExitCode.INCONCLUSIVE),
        (loaded(ok=0, failed=3, outcome=AWAY), ExitCode.AWAY),
        (loaded(failed=3, outcome=AWAY), ExitCode.OK),
        (loaded(bound=True), ExitCode.INCONCLUSIVE),
        (loaded(complete=False), ExitCode.INCONCLUSIVE),
        (loaded(verdicts=("pass",)), ExitCode.OK),
        (loaded(verdicts=("pass", "fail")), ExitCode.NO),
        (loaded(verdicts=("pass", "inconclusive")), ExitCode.INCONCLUSIVE),
        (loaded(verdicts=("fail",), bound=True), ExitCode.NO),
        (loaded(verdicts=("pass",), bound=True), ExitCode.INCONCLUSIVE),
        (loaded(ok=0, failed=3, outcome=AWAY, verdicts=("fail",)), ExitCode.AWAY),
        (loaded(verdicts=("fail",), interrupted=True), ExitCode.INTERRUPTED),
    ],
)
def test_the_exit_code_says_what_was_shown(found, code):
    assert exit_code(found) == code


def test_what_decides_nothing_may_be_called_a_pass_or_a_failure():
    undecided = loaded(verdicts=("inconclusive",))
    assert exit_code(undecided, "pass") == ExitCode.OK
    assert exit_code(undecided, "fail") == ExitCode.NO
    assert exit_code(loaded(verdicts=("fail",)), "pass") == ExitCode.NO


def test_a_run_without_its_end_is_no_pass():
    found = loaded()
    assert exit_code(replace(found, run=replace(found.run, end=None))) == ExitCode.INCONCLUSIVE


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Return the exit code, stdout and stderr of ``mcpdiag load`` in this process."""
    with pytest.raises(SystemExit) as left:
        app(["load", *arguments], prog_name="mcpdiag")
    told = capsys.readouterr()
    return left.value.code, told.out, told.err


def test_a_target_that_is_away_is_told_with_its_cause(capsys):
    code, out, err = said(capsys, f"http://127.0.0.1:{free_port()}/mcp", "-d", "1")
    assert (code, out) == (ExitCode.AWAY, "")
    assert "connection refused (net.refused)" in err
    assert "mcpdiag explain net.refused" in err


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["--rate", "10", "-c", "5"], "--rate with -c"),
        (["--on-inconclusive", "maybe"], "--on-inconclusive maybe"),
        (["--events", "-"], "--events -: the run log needs a file"),
        (["--events", "run.json", "-o", "run.json"], "--events run.json: json goes there as well"),
        (["-o", "/none/at/all.html"], "cannot be written"),
        (["--events", "/none/at/all.jsonl"], "cannot be written"),
        (["--table", "sessions", "-f", "csv"], "--table sessions"),
    ],
)
def test_wrong_usage_and_unwritable_outputs_are_said_before_anything_is_sent(capsys, arguments, fact):
    code, out, err = said(capsys, *arguments)
    assert (code, out) == (ExitCode.USAGE, "")
    assert fact in err
    assert "demo" not in err


def test_help_names_every_exit_code_and_example(capsys):
    code, out, _ = said(capsys, "--help")
    assert code == ExitCode.OK
    assert "Exit codes:" in out
    assert "--threshold" in out


def test_one_line_loads_the_demo_and_keeps_its_record(mcpdiag, tmp_path):
    log = tmp_path / "run.jsonl"
    done = mcpdiag("load", "--concurrency", "3", "-d", "1s", "--events", log, "--on-inconclusive", "pass")
    assert done.returncode == ExitCode.OK, done.stderr
    assert "no target is named, so the demo is loaded" in done.stderr
    assert "agent runs" in done.stdout
    assert "search_code" in done.stdout
    assert '"row":"end"' in log.read_text().splitlines()[-1]


def test_ctrl_c_ends_a_load_with_its_report(environment, tmp_path):
    log = tmp_path / "run.jsonl"
    child = subprocess.Popen(
        [sys.executable, "-m", "woolly_mcpdiag", "load", "-c", "2", "-d", "5m", "--events", str(log)],
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith("loading "):
            break
    child.send_signal(signal.SIGINT)
    told, _ = child.communicate(timeout=20)
    assert child.returncode == ExitCode.INTERRUPTED
    assert "interrupted" in told
    assert '"row":"end"' in log.read_text().splitlines()[-1]
