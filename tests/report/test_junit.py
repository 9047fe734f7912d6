import xml.etree.ElementTree as ET

from woolly_mcpdiag.report import junit
from woolly_mcpdiag.report.model import Report


def cases(report: Report) -> dict[str, ET.Element]:
    suite = ET.XML(junit.render(report).encode()).find("testsuite")
    assert suite is not None
    return {case.get("name", ""): case for case in suite.iter("testcase")}


def outcome(case: ET.Element) -> str:
    return next((child.tag for child in case if child.tag in {"failure", "skipped"}), "passed")


def test_the_counts_are_those_of_the_cases(report: Report):
    root = ET.XML(junit.render(report).encode())
    suite = root.find("testsuite")
    found = list(suite.iter("testcase"))
    assert int(suite.get("tests")) == len(found) == int(root.get("tests"))
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure")) == int(root.get("failures"))
    assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped"))


def test_causes_fail_benign_ones_pass_and_open_hypotheses_are_skipped(samples):
    assert {name: outcome(case) for name, case in cases(samples.mixed()).items()} == {
        "session.harvested-from-400": "failure",
        "session.server-restarted": "failure",
        "server.event-loop-blocked": "failure",
        "transport.era-probe": "passed",
        "no unexplained 400s": "failure",
        "no unexplained 404s": "failure",
        "race: refuted": "passed",
        "timing: refuted": "passed",
        "pool: not decidable": "skipped",
        "deterministic: supported": "passed",
    }


def test_a_healthy_log_passes_its_one_case(samples):
    assert {name: outcome(case) for name, case in cases(samples.healthy()).items()} == {"no unexplained 400s": "passed"}


def test_a_failure_tells_evidence_and_fix(samples):
    failure = cases(samples.seed())["session.harvested-from-400"].find("failure")
    assert failure.get("type") == "error"
    assert failure.get("message").startswith("29 of 29 400 responses; certain;")
    assert "app.log:5: INFO:httpx:HTTP Request: GET" in failure.text
    assert "fix (client): Use the Streamable HTTP client" in failure.text


def test_a_hostile_line_cannot_close_its_element(samples):
    failure = cases(samples.hostile())["session.lost"].find("failure")
    assert "]]> </script>" in failure.text
    assert len(failure) == 0
