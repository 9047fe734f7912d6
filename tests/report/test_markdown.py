import re

from inline_snapshot import snapshot

from woolly_mcpdiag.report import markdown
from woolly_mcpdiag.report.model import Report


def test_a_healthy_report_is_short(samples):
    report = samples.healthy()
    report.agents = {}
    assert markdown.render(report) == snapshot("""\
## ✅ Healthy: 50 requests in 10 sessions, and nothing failed.

50 requests · 10 sessions · 2026-11-22 14:02:12–14:02:22 UTC (10.5 s, clock: 1 ms)

- **400s**: none (answers: 200 ×40, 202 ×10)

**Next**

- `mcpdiag analyze-logs app.log --format html -o report.html` see the sessions

<sub>mcpdiag 0.1.0 analyze-logs</sub>
""")


def test_the_table_keeps_its_columns_whatever_a_text_holds(report: Report):
    rows = [line for line in markdown.render(report).splitlines() if line.startswith("| ")]
    assert [row for row in rows if len(re.findall(r"(?<!\\)\|", row)) != 4] == []


def without_code(text: str) -> str:
    text = re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


def test_no_text_of_a_log_marks_up_or_mentions(samples):
    text = without_code(markdown.render(samples.hostile()))
    assert "@everyone" not in text
    assert not re.search(r"#1\b", text)
    assert not re.search(r"(?<!\\)<(?!br>|/?sub>)", text)
    assert not re.search(r"(?<!\\)\[a", text)


def test_evidence_stands_verbatim_in_a_block(samples):
    text = markdown.render(samples.seed())
    assert '```text\napp.log:5: INFO:httpx:HTTP Request: GET http://localhost:8009/sse/ "HTTP/1.1 400' in text


def test_unexplained_lines_are_shown(samples):
    assert "Not explained:\n\n```text\napp.log:777:" in markdown.render(samples.mixed())


def test_our_code_stays_code(samples):
    assert "Use `logging.basicConfig(format='%(asctime)s %(message)s')`." in markdown.render(samples.seed())


def test_sections_are_parted_by_one_blank_line(report: Report):
    assert "\n\n\n" not in markdown.render(report)
