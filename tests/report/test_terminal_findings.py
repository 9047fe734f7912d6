import dataclasses

from woolly_mcpdiag.core.findings import Evidence
from woolly_mcpdiag.report import terminal_findings
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.plain import plain


def shown(report: Report, *, verbose: bool = False) -> str:
    return plain(terminal_findings.findings(report, 90, verbose=verbose))


def test_marks_tell_error_warning_and_benign_without_colour(samples):
    lines = shown(samples.mixed()).splitlines()
    assert "✗ session.harvested-from-400  29 of 29 400 responses · certain" in lines
    assert "! server.event-loop-blocked  3 stalls · possible" in lines
    assert any(line.startswith("· transport.era-probe (benign, 3 of 41 400 responses)") for line in lines)


def test_benign_findings_take_one_line_unless_verbose(samples):
    assert "server/discover" not in shown(samples.mixed())
    assert "server/discover" in shown(samples.mixed(), verbose=True)


def test_the_fifth_finding_is_folded_to_its_first_fix(samples):
    rows = [dataclasses.replace(samples.seed_finding(), cause=f"session.number-{n}") for n in range(5)]
    text = shown(Report(findings=rows))
    last = text[text.index("session.number-4") :]
    assert "fix client" in last
    assert "be sure" not in last
    assert "be sure" in shown(Report(findings=rows), verbose=True).partition("session.number-4")[2]


def test_evidence_stands_behind_a_gutter_with_its_place():
    rows = [Evidence(source="app.log", line=7, text="short"), Evidence(source="mem", line=0, text="z" * 200)]
    text = plain(terminal_findings.evidence(rows, 60, indent=2, verbose=False))
    lines = text.splitlines()
    assert lines[0] == "  │ app.log:7  short"
    assert lines[1] == "  │ mem"
    assert all(line.startswith("  │ ") for line in lines)
    assert len(lines) == 3


def test_an_undecided_hypothesis_says_what_would_decide_it(samples):
    text = plain(terminal_findings.hypotheses(samples.seed(), 80))
    assert "pool           not decidable" in text
    assert "to decide it: logging.getLogger('httpcore')" in text
    assert plain(terminal_findings.hypotheses(Report(), 80)) == ""


def test_a_file_named_just_above_is_named_without_its_folders():
    folder = "/srv/logs/with/a/rather/long/name"
    rows = [Evidence(source=f"{folder}/app.log", line=n, text="z" * 40) for n in (7, 8)]
    lines = plain(terminal_findings.evidence(rows, 72, indent=2, verbose=False)).splitlines()
    assert lines == [f"  │ {folder}/app.log:7", f"  │   {'z' * 40}", f"  │ …/app.log:8  {'z' * 40}"]


def test_a_title_that_the_verdict_has_said_is_not_said_again(samples):
    finding = samples.seed_finding()
    assert finding.title in shown(Report(verdict="Something else.", findings=[finding]))
    assert finding.title not in shown(Report(verdict=f"{finding.title} (certain).", findings=[finding]))


def test_a_long_way_to_be_sure_is_folded(samples):
    finding = dataclasses.replace(samples.seed_finding(), confirm="word " * 200)
    short = shown(Report(findings=[finding]))
    assert short.count("word") < 60
    assert short.rstrip().endswith("…")
    assert shown(Report(findings=[finding]), verbose=True).count("word") == 200
