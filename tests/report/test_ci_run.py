"""What a CI system reads of a run: JUnit, annotations, the step summary."""

import dataclasses
import re
import xml.etree.ElementTree as ET

import pytest

from woolly_mcpdiag.report import github, junit, markdown
from woolly_mcpdiag.report.model import Report

ALLOWED = {
    "testsuites": ({"testsuite"}, {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
        {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package"},
    ),
    "testcase": (
        {"skipped", "error", "failure", "system-out", "system-err"},
        {"name", "time", "classname", "group"},
    ),
    "properties": ({"property"}, set()),
    "property": (set(), {"name", "value"}),
    "failure": (set(), {"type", "message"}),
    "skipped": (set(), {"type", "message"}),
    "system-out": (set(), set()),
}
"""Children and attributes of each element in the schema junit-10 of Jenkins' xUnit plugin."""
NEEDED = {"testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name"}, "property": {"name", "value"}}
COMMAND = re.compile(r"::(error|warning|notice) title=[^:,\r\n]*::.*")


def parsed(report: Report, **options) -> ET.Element:
    return ET.XML(junit.render(report, **options).encode("utf-8", "backslashreplace"))


def test_junit_has_only_what_the_schema_of_jenkins_allows(run_report: Report):
    root = parsed(run_report)
    assert root.tag == "testsuites"
    for node in root.iter():
        children, attributes = ALLOWED[node.tag]
        assert {child.tag for child in node} <= children
        assert set(node.attrib) <= attributes
        assert NEEDED.get(node.tag, set()) <= set(node.attrib)
    for node in (root, *root):
        assert re.fullmatch(r"\d+\.\d{3}", node.get("time"))
    suite = root.find("testsuite")
    assert int(suite.get("tests")) == len(suite.findall("testcase")) >= 1
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))


def outcomes(report: Report, **options) -> dict[str, str]:
    found = {}
    for case in parsed(report, **options).iter("testcase"):
        failure = case.find("failure")
        skipped = "skipped" if case.find("skipped") is not None else "passed"
        found[case.get("name")] = skipped if failure is None else failure.get("type")
    return found


def test_a_criterion_is_a_case_and_an_open_one_fails_unless_it_is_told_not_to(run_samples):
    report = run_samples.report("failing")
    expected = {
        "http_400 == 0": "fail",
        "p95 < 1s | per agent": "inconclusive",
        "success > 90%": "passed",
        "warn: throughput > 50/s": "skipped",
    }
    assert outcomes(report) == expected
    assert outcomes(report, open_fails=False) == expected | {"p95 < 1s | per agent": "skipped"}


@pytest.mark.parametrize(
    ("name", "outcome"), [("turns", "failed"), ("five", "passed"), ("nothing", "inconclusive"), ("outage", "failed")]
)
def test_a_run_without_criteria_is_still_a_case(run_samples, name: str, outcome: str):
    assert outcomes(run_samples.report(name)) == {"every call succeeded": outcome}


def test_a_failed_criterion_has_the_samples_in_its_output(run_samples):
    text = next(parsed(run_samples.report("failing")).iter("system-out")).text
    assert "No valid session ID provided" in text
    assert "session.opened a1b2c3d4" in text


def test_figures_are_properties(run_samples):
    told = {node.get("name"): node.get("value") for node in parsed(run_samples.report("failing")).iter("property")}
    assert told["http_400 == 0: observed"] == "4 of 984"
    assert told["agent runs failed"] == "8"


def test_every_line_is_one_annotation(run_report: Report):
    lines = github.render(run_report).splitlines()
    assert [line for line in lines if not COMMAND.fullmatch(line)] == []


def test_a_step_shows_all_annotations_of_a_run_and_how_many_are_left_out(run_samples):
    report = run_samples.report("failing")
    report.judgements = [dataclasses.replace(report.judgements[0], name=f"n{n}") for n in range(20)]
    lines = github.render(report).splitlines()
    assert len([line for line in lines if line.startswith("::error")]) <= 10
    assert "… 15 more" in lines[-2]
    assert lines[-1].startswith("::error title=mcpdiag load::FAIL")


def test_one_annotation_stands_for_each_open_criterion_and_each_way_to_fail(run_samples):
    lines = github.render(run_samples.report("failing")).splitlines()
    titles = [line.partition("::")[2].partition("title=")[2].partition("::")[0] for line in lines]
    assert [title.split(" ")[0] for title in titles] == [
        "FAIL",
        "INCONCLUSIVE",
        "FAIL",
        "HTTP",
        "no",
        "HTTP",
        "mcpdiag",
    ]


def test_a_step_summary_is_never_too_big_and_keeps_its_fences_closed(run_samples):
    report = run_samples.report("failing")
    report.notes = ["x" * 1000] * 1500
    text = github.summary(report)
    assert 900_000 < len(text.encode()) <= 1_000_000
    assert sum(line.strip().startswith("```") for line in text.splitlines()) % 2 == 0
    assert text.endswith("a step summary holds a megabyte.\n")


def test_markdown_has_a_row_for_each_criterion(run_report: Report):
    text = markdown.render(run_report)
    assert text.startswith("## ")
    rows = [line for line in text.splitlines() if line.startswith(("| ✅", "| ❌", "| ❔", "| ⚠️"))]
    assert len(rows) == len(run_report.judgements)
    assert {line.count("|") - line.count("\\|") for line in rows} <= {6}
