import dataclasses
import json
import random
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from woolly_mcpdiag.cli.compare import compare
from woolly_mcpdiag.cli.errors import EdgeGroup
from woolly_mcpdiag.cli.light import LightCommand
from woolly_mcpdiag.cli.report import report
from woolly_mcpdiag.core.measures import Series, Tally
from woolly_mcpdiag.core.runs import End, Generator, Run

APP = typer.Typer(cls=EdgeGroup, rich_markup_mode=None)
APP.command("report", cls=LightCommand)(report)
APP.command("compare", cls=LightCommand)(compare)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(APP, ["compare", *map(str, arguments)])


@pytest.fixture
def load(run_samples):
    def make(median: float, seed: int, *, failed: int = 0, kind: str = "mcp", **changes) -> Run:
        rng = random.Random(seed)
        made = Run(meta=run_samples.meta(**changes))
        for n in range(20):
            tally = Tally()
            tally.calls[Series(kind=kind, client="wire", operation="ping")] = run_samples.calls(
                rng, 60 - failed, median, failed
            )
            made.intervals.append(run_samples.second(n, tally))
        made.end = End(took=20.0, complete=True, generator=Generator())
        return made

    return make


def test_a_slower_run_is_worse_and_fails_where_that_is_asked_for(load, recorded):
    base, other = recorded(load(0.03, 1), "a.jsonl"), recorded(load(0.06, 2), "b.jsonl")
    result = run(base, other)
    assert result.exit_code == 0
    assert result.stdout.startswith("✗ WORSE: b.jsonl against a.jsonl: p50 ×")
    assert "drift between runs is not controlled" in result.stdout
    failing = run(base, other, "--fail-on", "regression")
    assert failing.exit_code == 1
    assert "--fail-on regression: p50 ×" in failing.stderr
    assert run(other, base, "--fail-on", "regression").exit_code == 0


def test_the_same_load_twice_shows_no_difference(load, recorded):
    result = run(recorded(load(0.03, 1), "a.jsonl"), recorded(load(0.03, 2), "b.jsonl"), "--fail-on", "regression")
    assert result.exit_code == 0
    assert result.stdout.startswith("? INCONCLUSIVE: no difference shown between a.jsonl and b.jsonl")


def test_failures_make_a_run_worse(load, recorded):
    result = run(recorded(load(0.03, 1), "a.jsonl"), recorded(load(0.03, 2, failed=6), "b.jsonl"), "-f", "json")
    contrasts = json.loads(result.stdout)["comparison"]["contrasts"]
    assert {one["figure"]: one["verdict"] for one in contrasts}["success"] == "worse"


def test_other_hosts_and_loads_are_warned_of(load, recorded):
    changed = load(
        0.03, 2, host={"cpus": 64, "kernel": "6.8", "python": "3.11.9"}, workload={"model": "open", "rate": 9}
    )
    text = " ".join(run(recorded(load(0.03, 1), "a.jsonl"), recorded(changed, "b.jsonl")).stdout.split())
    assert "The generators' hosts differ: cpus 4 (a.jsonl), 64 (b.jsonl)." in text
    assert "The workloads differ: concurrency 5 (a.jsonl), unknown (b.jsonl)" in text
    assert "throughput" not in text


def test_speed_measured_by_a_busy_generator_shows_nothing(load, recorded):
    other = load(0.09, 2)
    other.end = dataclasses.replace(other.end, generator=Generator(bound=True))
    result = run(recorded(load(0.03, 1), "a.jsonl"), recorded(other, "b.jsonl"), "--fail-on", "regression")
    assert result.exit_code == 0
    assert "the generator was the bottleneck, so nothing is shown" in result.stdout


@pytest.mark.parametrize("suffix", ["html", "md", "xml", "github.txt", "txt", "json"])
def test_a_comparison_has_every_format_of_a_report(load, recorded, tmp_path: Path, suffix: str):
    target = tmp_path / f"out.{suffix}"
    assert run(recorded(load(0.03, 1), "a.jsonl"), recorded(load(0.06, 2), "b.jsonl"), "-o", target).exit_code == 0
    assert "b.jsonl" in target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fail-on", "p95"], "use --fail-on regression"),
        (["-c", "5"], "--concurrency: has no effect without --interleave"),
        (["--rounds", "5"], "--rounds: has no effect without --interleave"),
        (["-f", "csv"], "two are compared"),
        (["--confidence", "x"], "--confidence x"),
        (["--interleave", "--rounds", "1"], "--rounds 1"),
    ],
)
def test_wrong_usage_is_said_before_any_reading(tmp_path: Path, arguments: list[str], said: str):
    result = run(tmp_path / "missing.jsonl", tmp_path / "other.jsonl", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "missing.jsonl: " not in result.stderr


def test_runs_of_different_calls_are_not_compared(load, recorded):
    result = run(recorded(load(0.03, 1), "a.jsonl"), recorded(load(0.03, 1, kind="agent"), "b.jsonl"))
    assert result.exit_code == 2
    assert "compare runs of the same calls" in result.stderr


def test_a_run_in_which_no_call_ended_is_refused(load, recorded, run_samples):
    result = run(recorded(load(0.03, 1), "a.jsonl"), recorded(run_samples.nothing(), "b.jsonl"))
    assert result.exit_code == 2
    assert "no call ended" in result.stderr
