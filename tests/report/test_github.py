import dataclasses
import re

from woolly_mcpdiag.report import github
from woolly_mcpdiag.report.model import Report

COMMAND = re.compile(r"::(error|warning|notice) (?:file=[^:,]*,(?:line=\d+,)?)?title=[^:,]*::.*")


def test_every_line_is_one_command(report: Report):
    lines = github.render(report).splitlines()
    assert lines
    assert [line for line in lines if not COMMAND.fullmatch(line)] == []


def test_a_finding_is_placed_at_its_first_evidence(samples):
    first = github.render(samples.seed()).splitlines()[0]
    assert first.startswith(
        "::error file=app.log,line=5,title=session.harvested-from-400 (29 of 29 400 responses%2C certain)::"
    )
    assert "%0AFix (client): Use the Streamable" in first


def test_levels_follow_severity_and_benign_is_a_notice(samples):
    levels = [line.split(" ")[0] for line in github.render(samples.mixed()).splitlines()]
    assert levels == ["::error"] * 4 + ["::warning"] + ["::notice"] * 2


def test_no_level_has_more_than_ten_and_the_last_says_how_many_more(samples):
    rows = [dataclasses.replace(samples.seed_finding(), cause=f"session.n{n}") for n in range(14)]
    lines = github.render(Report(requests=1, findings=rows)).splitlines()
    errors = [line for line in lines if line.startswith("::error")]
    assert len(errors) == 10
    assert errors[-1] == "::error title=mcpdiag::and 5 more"


def test_the_verdict_is_never_dropped(samples):
    rows = [dataclasses.replace(samples.seed_finding(), benign=True) for _ in range(14)]
    lines = github.render(Report(requests=1, verdict="All is well.", findings=rows)).splitlines()
    assert len(lines) == 10
    assert lines[-1].endswith("::All is well.")


def test_the_step_summary_is_markdown(samples):
    assert github.summary(samples.seed()).startswith("## ❌ All 29 of the 400s")
