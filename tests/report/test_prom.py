import re

import pytest

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.report import prom
from woolly_mcpdiag.report.model import Report

LINE = re.compile(r'([a-z_0-9]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? ([0-9.e+-]+)')


def parsed(text: str) -> dict[tuple[str, str], float]:
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        assert match, line
        assert (match[1], match[2]) not in found, line
        found[match[1], match[2]] = float(match[3])
    return found


def test_every_line_is_a_sample_and_none_comes_twice(run_report: Report):
    text = prom.render(run_report)
    assert parsed(text)
    names = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert len(names) == len(set(names))


def test_buckets_rise_to_the_count(run_samples):
    text = prom.render(run_samples.report("failing"))
    rows = [line for line in text.splitlines() if line.startswith("mcp_client_operation_duration_seconds_bucket")]
    counts = [int(line.rpartition(" ")[2]) for line in rows if "error_type" not in line]
    assert counts == sorted(counts)
    assert counts[-1] == 800
    assert len(counts) == len(prom.BOUNDS) + 1


def test_a_bound_counts_what_lies_below_it(run_samples):
    run = run_samples.report("clean").run
    found = parsed(prom.render(run_samples.report("clean")))
    told = next(n for (name, labels), n in found.items() if name.endswith("_bucket") and 'le="0.05"' in (labels or ""))
    sure = sum(count for _, high, count in run.series[0].latency.buckets if high <= 0.05)
    assert sure <= told <= sum(count for low, _, count in run.series[0].latency.buckets if low <= 0.05)


def test_names_follow_the_conventions_and_no_session_is_a_label(run_samples):
    report = run_samples.report("failing")
    text = prom.render(report)
    assert 'mcp_method_name="tools/call",gen_ai_tool_name="search_code"' in text
    assert 'http_request_method="POST",gen_ai_agent_name="tester"' in text
    assert "session_id" not in text
    assert 'mcpdiag_criterion_verdict{criterion="http_400 == 0",verdict="fail",level="error"} 1' in text


def test_a_report_of_logs_has_no_exposition(samples):
    with pytest.raises(UsageError, match="neither"):
        prom.render(samples.seed())
