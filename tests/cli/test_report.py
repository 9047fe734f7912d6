import dataclasses
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from woolly_mcpdiag.cli.compare import compare
from woolly_mcpdiag.cli.errors import EdgeGroup
from woolly_mcpdiag.cli.light import LightCommand
from woolly_mcpdiag.cli.report import report
from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.runs import to_line
from woolly_mcpdiag.core.verdicts import Judgement

APP = typer.Typer(cls=EdgeGroup, rich_markup_mode=None)
APP.command("report", cls=LightCommand)(report)
APP.command("compare", cls=LightCommand)(compare)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(APP, ["report", *map(str, arguments)])


def test_a_recorded_run_is_shown_verdict_first(run_samples, recorded):
    result = run(recorded(run_samples.failing()), "--width", "80")
    assert result.exit_code == 0
    assert result.stdout.startswith("✗ 608 agent runs, 8 failed (1.3 %; most: HTTP 400, session.lost)")
    assert result.stderr == ""


def test_its_thresholds_are_judged_again_and_others_on_request(run_samples, recorded):
    sample = run_samples.failing()
    sample.meta = dataclasses.replace(sample.meta, thresholds=("http_400 == 0",))
    log = recorded(sample)
    found = json.loads(run(log, "-f", "json").stdout)
    assert {one["verdict"] for one in found["judgements"]} == {"fail"}
    other = json.loads(run(log, "-f", "json", "--threshold", "p95 < 10s").stdout)
    assert [one["verdict"] for one in other["judgements"]] == ["pass", "pass"]
    assert all(one["name"].startswith("p95 < 10s") for one in other["judgements"])


def test_a_gate_without_thresholds_shows_its_own_judgements(run_samples, recorded):
    sample = run_samples.outage()
    sample.judgements = [Judgement(name="zero-400", verdict="pass", sentence="0 of 500")]
    assert "zero-400" in run(recorded(sample)).stdout


def test_the_events_between_the_rows_are_explained(run_samples, recorded):
    exchanges = [("initialize", 200)] + [("tools/call", 200)] * 3 + [("tools/call", 404)] * 3
    events = tuple(
        Event(
            kind="http.exchange",
            time=run_samples.START + n,
            role="client",
            method="POST",
            url="http://localhost:8009/mcp",
            status=status,
            session=f"{'a' * 31}1",
            extra={"rpc": rpc},
        )
        for n, (rpc, status) in enumerate(exchanges)
    )
    found = json.loads(run(recorded(run_samples.clean(), events=events), "-f", "json").stdout)
    assert [one["cause"].partition(".")[0] for one in found["findings"]] == ["session"]
    assert found["findings"][0]["evidence"][0]["text"].startswith("POST http://localhost:8009/mcp")
    assert found["timelines"]


def test_a_log_that_was_cut_off_shows_what_was_measured(run_samples, recorded):
    log = recorded(run_samples.clean())
    text = log.read_text(encoding="utf-8")
    log.write_text(text[: len(text) * 3 // 4], encoding="utf-8")
    result = run(log)
    assert result.exit_code == 0
    assert "Not complete: the run log has no end: the run was killed." in result.stdout


def test_every_format_can_be_made_of_a_run(run_samples, recorded, tmp_path: Path):
    names = ["a.txt", "a.json", "a.md", "a.html", "a.xml", "a.github.txt", "a.prom", "a.csv", "a.parquet"]
    outputs = [part for name in names for part in ("-o", str(tmp_path / name))]
    result = run(recorded(run_samples.clean()), *outputs)
    assert result.exit_code == 0
    assert all((tmp_path / name).stat().st_size for name in names)
    assert ET.XML((tmp_path / "a.xml").read_bytes()).tag == "testsuites"
    assert len((tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()) == 1 + 33


def test_the_table_of_calls_is_written_on_request(run_samples, recorded):
    assert len(run(recorded(run_samples.clean()), "-f", "csv", "--table", "calls").stdout.splitlines()) == 1 + 2


def test_what_cannot_be_made_does_not_keep_the_rest_from_being_written(run_samples, recorded, tmp_path: Path):
    result = run(recorded(run_samples.clean()), "-o", tmp_path / "a.trace.json", "-o", tmp_path / "a.md")
    assert result.exit_code == 2
    assert "no session of this run is known" in result.stderr
    assert (tmp_path / "a.md").read_text(encoding="utf-8").startswith("## ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "does not exist"),
        ("", "is empty"),
        ("INFO: nothing of ours\n", "is no run log"),
        ('{"schema":"mcpdiag.event/1","kind":"http.exchange"}\n', "is no run log"),
        ('{"schema":"mcpdiag.run/1","row":"meta"}\n{"schema":"mcpdiag.run/1","row":"end"}\n', "is no run log"),
        ("\x00\x01\x02", "is binary"),
    ],
)
def test_what_is_no_run_log_is_refused(tmp_path: Path, text: str | None, said: str):
    path = tmp_path / "run.jsonl"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    result = run(path)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "hint: " in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--table", "rows"], "--table rows"),
        (["-f", "jsn"], "did you mean json?"),
        (["--confidence", "200"], "--confidence 200"),
        (["-o", "/no/such/place/a.md"], "cannot be written"),
        (["--threshold", "p95 <> 3"], "p95 <> 3"),
    ],
)
def test_wrong_usage_is_said_before_any_reading(tmp_path: Path, arguments: list[str], said: str):
    result = run(tmp_path / "missing.jsonl", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "missing.jsonl" not in result.stderr


def test_the_log_is_never_overwritten(run_samples, recorded):
    log = recorded(run_samples.five())
    result = run(log, "-f", "json", "-o", log)
    assert result.exit_code == 2
    assert log.read_text(encoding="utf-8").startswith(to_line(run_samples.five().meta)[:40])
