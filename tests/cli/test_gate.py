"""``mcpdiag gate`` from its command line to its exit code; nothing here starts a demo."""

import json
import os
import signal
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from woolly_mcpdiag.cli.app import app
from woolly_mcpdiag.cli.gate import exit_code
from woolly_mcpdiag.core.errors import ExitCode
from woolly_mcpdiag.core.measures import Answer, Series, Tally
from woolly_mcpdiag.core.rehearsals import LoggingFacts, OutageFacts
from woolly_mcpdiag.core.runs import End, Generator, Interval, Meta, Run, Scene
from woolly_mcpdiag.gate.profile import JUDGED, narrowed, phase4, to_row


def gate(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, ["gate", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder without a configuration, outside any workflow."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (["--criterion", "zero400"], "criterion: there is no zero400", "did you mean zero-400?"),
        (["--profile", "phase5"], "profile: there is no phase5", "did you mean phase4?"),
        (["--client", "pooles"], "--client pooles: there is none", "pooled"),
        (["--threshold", "htp_400 == 0"], "there is no metric htp_400", "did you mean http_400?"),
        (["--claim", "0"], "--claim", ""),
        (["--claim", "150%"], "--claim", ""),
        (["--confidence", "100%"], "--confidence", ""),
        (["--waves", "0"], "--waves", ""),
        (["--waves", "many"], "--waves many", ""),
        (["--on-inconclusive", "maybe"], "--on-inconclusive maybe", "pass, fail"),
        (["--fault", "nosuch"], "fault 'nosuch': unknown", ""),
        (["--fault", "down", "--mcp", "http://x/mcp"], "--fault: belongs to the demo target", "mcpdiag demo"),
        (["--mcp", "localhost:1/mcp"], "localhost:1/mcp", ""),
        (["--mcp", "http://x/mcp", "--agent-type", "a"], "--agent-type: has no effect without --agent", ""),
        (["--agent", "http://x/run"], "--agent: which agent is to run is not said", "--agent-type"),
        (["--agent", "http://x/run", "--agent-type", "a", "--tool", "t"], "--tool: has no effect without --mcp", ""),
        (["--from", "run.jsonl", "--mcp", "http://x/mcp"], "--from with a target", ""),
        (["--from", "run.jsonl", "--compare"], "--from with --compare", ""),
        (["--from", "run.jsonl", "--client", "naive"], "--from with --client", ""),
        (["--from", "run.jsonl", "--events", "new.jsonl"], "--from with --events", ""),
        (["--from", "nowhere.jsonl"], "nowhere.jsonl", ""),
        (["--compare", "--client", "naive"], "--compare with --client naive", ""),
        (["--events", "-"], "--events -: the run log needs a file", "run.jsonl"),
        (["--events", "no/such/run.jsonl"], "no/such/run.jsonl: cannot be written", ""),
        (["--config", "nowhere.toml"], "nowhere.toml: cannot be read", ""),
        (["--baseline", "nowhere.toml"], "nowhere.toml", ""),
        (["--insecure", "--ca-file", "x.pem"], "--insecure with --ca-file", ""),
        (["-f", "htlm"], "htlm", "html"),
        (["-o", "report.xyz"], "report.xyz", ""),
    ],
)
def test_what_cannot_be_meant_is_exit_2_with_what_could_be(arguments, said, hint):
    result = gate(*arguments)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert hint in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("[gate]\nclam = '1%'", "there is no key clam in [gate]", "did you mean claim?"),
        ("[gates]", "there is no key gates", "did you mean gate?"),
        ("[gate]\nprofile = 'phase3'", "profile: there is no phase3", "did you mean phase4?"),
        ("[gate.criteria.subsecond]\nlimit = 1", "there is no criterion subsecond", "did you mean sub-second?"),
        ("[gate.criteria.sub-second]\nlimits = 1", "there is no key limits", "did you mean limit?"),
        ("[gate.criteria.zero-400]\nscenes = ['waves-6']", "scene: there is no waves-6", "did you mean waves-5?"),
        ("[gate]\nclaim = 1.5", "gate.claim: '1.5' cannot be used", "0.01"),
        ("[gate", "is no TOML", ""),
    ],
)
def test_a_wrong_configuration_is_exit_2_with_the_nearest_name(tmp_path, text, said, hint):
    (tmp_path / "mcpdiag.toml").write_text(text, encoding="utf-8")
    result = gate("--plan")
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert hint in result.stderr


def test_the_plan_tells_what_is_run_and_sends_nothing():
    result = gate("--plan", "--mcp", "http://localhost:1/mcp", "--claim", "2%")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["criterion", "scene", "needs", "a", "clean", "run", "shows", "takes"]
    assert "zero-400          waves-5           149 waves      fewer than 2 % of waves of 5 fail (95 %)" in lines[1]
    assert len([line for line in lines if line.startswith("degradation")]) == 4
    assert lines[-1].startswith("about ")
    assert "a failure is told at once, a pass needs it all" in lines[-1]


def test_the_plan_has_both_targets_only_where_there_are_both():
    assert "mcp-waves-5" in gate("--plan").stdout
    assert "mcp-waves-5" not in gate("--plan", "--agent", "http://localhost:1/run", "--agent-type", "a").stdout


def test_an_option_outweighs_the_configuration(tmp_path):
    (tmp_path / "mcpdiag.toml").write_text("[gate]\nclaim = '2%'\nmcp = 'http://localhost:1/mcp'", encoding="utf-8")
    assert "149 waves" in gate("--plan").stdout
    assert "mcp-waves" not in gate("--plan").stdout
    assert "29 waves" in gate("--plan", "--claim", "10%").stdout
    assert "mcp-waves" in gate("--plan", "--fault", "restart").stdout


def test_a_verdict_has_its_exit_code_and_only_what_is_open_can_be_told_another():
    assert [exit_code(verdict, None) for verdict in ("pass", "fail", "inconclusive")] == [0, 1, 3]
    assert [exit_code(verdict, "pass") for verdict in ("pass", "fail", "inconclusive")] == [0, 1, 0]
    assert [exit_code(verdict, "fail") for verdict in ("pass", "fail", "inconclusive")] == [0, 1, 1]


# A recorded run


GRACEFUL = OutageFacts(
    calls=9,
    ok=4,
    degraded=0,
    typed_errors=5,
    untyped_errors=0,
    hangs=0,
    deadline=1.5,
    worst_over=0.0,
    breaker_opened=True,
    recovery_time=2.0,
    recovered_after=0.4,
    calls_after_recovery=90,
    failures_after_recovery=0,
)
LOGGED = LoggingFacts(seen=5, logged=5, with_key=5, with_agent=5, with_phase=5, with_cause=5, missing=0, extra=0)


def tally(scene: str, waves: int, size: int, bad: int) -> Tally:
    found = Tally()
    series = found.of(Series(scene=scene, kind="mcp", client="pooled", agent="tester", operation="tools/call look"))
    series.ok = waves * size
    series.latency.add(0.02, waves * size)
    found.answers[Answer(scene, "mcp", 200)] = waves * size * 2
    if bad:
        found.answers[Answer(scene, "mcp", 400)] = bad
        found.counters[f"{scene}/waves_400"] = bad
    found.counters[f"{scene}/waves"] = waves
    return found


def run(*, small: int = 299, bad: int = 0, outage: OutageFacts = GRACEFUL, complete: bool = True) -> Run:
    """A run that the gate recorded."""
    facts = {"outage": outage.to_row(), "logging": LOGGED.to_row()}
    names = [f"outage-{how}" for how in ("refused", "blackhole", "frozen", "restart")]
    return Run(
        meta=Meta(
            run="r",
            command="gate",
            version="1",
            started=1.0,
            targets=({"kind": "mcp", "url": "http://localhost:8009/mcp"},),
            workload={"model": "waves", "client": "pooled", "profile": "phase4", JUDGED: to_row(phase4())},
            scenes=("waves-5", "waves-20", *names),
        ),
        intervals=[
            Interval(start=0.0, end=30.0, tally=tally("waves-5", small, 5, bad)),
            Interval(start=30.0, end=60.0, tally=tally("waves-20", 59, 20, 0)),
        ],
        scenes=[Scene(name=name, start=60.0 + n, end=61.0 + n, facts=facts) for n, name in enumerate(names)],
        end=End(took=64.0, complete=complete, reason="" if complete else "interrupted", generator=Generator()),
    )


@pytest.mark.parametrize(
    ("made", "options", "code", "word"),
    [
        (run(), (), 0, "✓ PASS: all 5 criteria are shown to hold."),
        (run(bad=3), (), 1, "✗ FAIL: 1 of 5 criteria failed; zero-400: 3 of "),
        (run(small=20), (), 3, "? INCONCLUSIVE: 2 of 5 criteria undecided"),
        (run(small=20), ("--on-inconclusive", "pass"), 0, "? INCONCLUSIVE"),
        (run(small=20), ("--on-inconclusive", "fail"), 1, "? INCONCLUSIVE"),
        (run(bad=3), ("--on-inconclusive", "pass"), 1, "✗ FAIL"),
        (run(complete=False), (), 3, "? INCONCLUSIVE"),
        (run(bad=3), ("--criterion", "sub-second"), 0, "✓ PASS"),
        (run(small=20), ("--claim", "20%"), 0, "✓ PASS"),
        (run(), ("--threshold", "p95 < 1ms"), 1, "✗ FAIL: 1 of 6 criteria failed; p95 < 1ms"),
        (run(), ("--confidence", "99%"), 3, "? INCONCLUSIVE"),
    ],
)
def test_a_recorded_run_is_judged_again_verdict_first(recorded, made, options, code, word):
    result = gate("--from", recorded(made), *options)
    assert result.exit_code == code, result.output
    assert result.stdout.startswith(word), result.stdout[:300]


def test_the_first_screen_is_the_verdict_and_the_criteria(recorded):
    text = gate("--from", recorded(run(bad=3)), "--width", "80").stdout
    head = text.splitlines()[:24]
    marks = [line.split()[1] for line in head if line.startswith(("  ✓ ", "  ✗ ", "  ? "))]
    assert marks == ["zero-400", "parallel-success", "degradation", "sub-second", "error-logging"]
    assert max(map(len, text.splitlines())) <= 80


def test_a_run_is_judged_by_its_own_profile_unless_options_ask_for_more(recorded):
    made = run(small=20)
    lenient = phase4(claim=0.2)
    made.meta.workload[JUDGED] = to_row(narrowed(lenient, ["zero-400"]))
    assert gate("--from", recorded(made)).exit_code == 0
    assert gate("--from", recorded(made), "--claim", "1%").exit_code == 3


def test_a_log_without_its_end_is_judged_and_said_to_have_none(recorded):
    made = run()
    made.end = None
    result = gate("--from", recorded(made))
    assert result.exit_code == 3
    assert "has no end" in result.stderr


@pytest.mark.parametrize(
    "text", ["", "hello\n", '{"schema": "mcpdiag.event/1", "kind": "http.exchange"}\n', "\x00\xff"]
)
def test_what_is_no_run_log_is_exit_2(tmp_path, text):
    path = tmp_path / "log.txt"
    path.write_bytes(text.encode("latin-1"))
    result = gate("--from", path)
    assert result.exit_code == 2, result.output
    assert "log.txt" in result.stderr


def test_known_findings_do_not_fail_and_stale_ones_do(recorded, tmp_path):
    known = tmp_path / "known.toml"
    known.write_text('[[known]]\ncriterion = "zero-400"\nreason = "ticket 7"\n', encoding="utf-8")
    accepted = gate("--from", recorded(run(bad=3)), "--baseline", known)
    assert accepted.exit_code == 0, accepted.output
    stale = gate("--from", recorded(run()), "--baseline", known)
    assert stale.exit_code == 1, stale.output
    assert "zero-400" in stale.stdout


def test_a_folder_gets_every_report_and_the_text_goes_to_stdout(recorded, tmp_path):
    folder = tmp_path / "a" / "b"
    result = gate("--from", recorded(run(bad=3)), "--report-dir", folder)
    assert sorted(path.name for path in folder.iterdir()) == ["junit.xml", "report.html", "report.json", "report.md"]
    assert result.stdout.startswith("✗ FAIL")
    suites = ET.fromstring((folder / "junit.xml").read_text(encoding="utf-8"))  # noqa: S314
    assert [case.get("name") for case in suites.iter("testcase")][:2] == ["zero-400", "parallel-success"]
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["verdict"].startswith("FAIL")
    assert "<h2>Criteria</h2>" in (folder / "report.html").read_text(encoding="utf-8")
    assert "| ❌ | `zero-400` |" in (folder / "report.md").read_text(encoding="utf-8")


def test_a_folder_and_a_format_of_ones_own_go_together(recorded, tmp_path):
    result = gate("--from", recorded(run(bad=3)), "--report-dir", tmp_path / "out", "-f", "github")
    assert result.stdout.startswith("::error title=FAIL zero-400")
    assert (tmp_path / "out" / "junit.xml").exists()


def test_a_folder_that_cannot_be_made_is_said_before_the_run(recorded, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = gate("--from", recorded(run()), "--report-dir", tmp_path / "file" / "out")
    assert result.exit_code == 2
    assert "cannot be made" in result.stderr


def test_a_workflow_gets_its_step_summary_after_what_was_there(recorded, tmp_path, monkeypatch):
    place = tmp_path / "summary.md"
    place.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(place))
    gate("--from", recorded(run(bad=3)))
    text = place.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert "zero-400" in text
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "no" / "summary.md"))
    result = gate("--from", recorded(run(bad=3)))
    assert result.exit_code == 1
    assert "the step summary cannot be written" in result.stderr


# A target that is away, and Ctrl-C


def test_an_unreachable_target_is_exit_4_with_the_cause_and_no_report(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/mcp"
        result = gate("--mcp", url, "--report-dir", tmp_path / "out")
    assert result.exit_code == ExitCode.AWAY
    assert f"{url}: no connection" in result.stderr
    assert "net.refused" in result.stderr
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
def test_ctrl_c_gives_the_verdicts_so_far_and_exit_130(tmp_path):
    command = [sys.executable, "-m", "woolly_mcpdiag", "gate", "--no-live", "--criterion", "parallel-success"]
    told = dict(os.environ, PYTHONUNBUFFERED="1")
    with subprocess.Popen(
        command, cwd=tmp_path, env=told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as gating:
        assert gating.stderr is not None
        for line in gating.stderr:
            if line.startswith("judging "):
                break
        gating.send_signal(signal.SIGINT)
        out, err = gating.communicate(timeout=40)
    assert gating.returncode == ExitCode.INTERRUPTED, err
    assert "parallel-success" in out
    assert out.startswith("? INCONCLUSIVE: the run is not complete (interrupted)")
    assert "Traceback" not in err
