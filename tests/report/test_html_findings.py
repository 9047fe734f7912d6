import dataclasses

from woolly_mcpdiag.core.findings import Evidence
from woolly_mcpdiag.report import html_findings
from woolly_mcpdiag.report.model import Report


def test_bars_are_as_wide_as_their_share(samples):
    text = "".join(html_findings.ledgers(samples.mixed()))
    assert 'class="bar" style="width:90.2%"' in text
    assert 'class="bar benign" style="width:7.3%"' in text
    assert 'class="bar open" style="width:2.4%"' in text
    assert "37 · 90 %" in text


def test_no_failure_is_no_section():
    assert "".join(html_findings.ledgers(Report())) == ""
    assert "".join(html_findings.hypotheses(Report())) == ""


def test_benign_findings_are_folded(samples):
    text = "".join(html_findings.findings(samples.mixed()))
    assert text.index("<details><summary>1 benign finding") < text.index("transport.era-probe")


def test_evidence_beyond_five_lines_is_folded(samples):
    lines = tuple(Evidence(source="a.log", line=n, text=f"line {n}") for n in range(1, 9))
    text = "".join(
        html_findings.findings(Report(findings=[dataclasses.replace(samples.seed_finding(), evidence=lines)]))
    )
    assert "<summary>3 more</summary>" in text
    assert text.index("line 5") < text.index("<summary>") < text.index("line 6")


def test_nothing_found_reads_differently_without_any_traffic(samples):
    assert "asks for a repair" in "".join(html_findings.findings(samples.healthy()))
    assert "nothing can be judged" in "".join(html_findings.findings(samples.empty()))
