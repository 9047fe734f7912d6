import pytest

from woolly_mcpdiag.cli.criteria import checked, matches, undecidable
from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.core.findings import Finding, Ledger
from woolly_mcpdiag.report.model import Report


def finding(cause: str, *, benign: bool = False) -> Finding:
    return Finding(
        cause=cause,
        title="",
        severity="error",
        benign=benign,
        confidence="certain",
        count=3,
        of=3,
        unit="400 responses",
        summary="",
    )


REPORT = Report(
    requests=9,
    findings=[finding("session.no-affinity"), finding("transport.era-probe", benign=True)],
    ledgers=[Ledger(status=400, total=4, parts=(), unexplained=1)],
)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("session.no-affinity", ["session.no-affinity ×3"]),
        ("session", ["session.no-affinity ×3"]),
        ("net", []),
        ("session.lost", []),
        ("unexplained", ["unexplained 400 ×1"]),
        ("any", ["session.no-affinity ×3", "unexplained 400 ×1"]),
        ("transport", []),
        ("transport.era-probe", ["transport.era-probe ×3"]),
    ],
)
def test_a_criterion_matches_what_it_names_and_benign_findings_only_by_name(asked: str, found: list[str]):
    assert matches(REPORT, (asked,)) == found


def test_nothing_asked_for_matches_nothing():
    assert matches(REPORT, ()) == []


def test_causes_families_and_words_are_accepted():
    names = ["session.harvested-from-400", "proxy", "any", "unexplained"]
    assert checked(names) == tuple(names)


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(UsageError, match="no such cause") as caught:
        checked(["session.harvested-from-40"])
    assert "session.harvested-from-400" in caught.value.hint


def test_a_name_like_nothing_is_answered_with_the_families():
    with pytest.raises(UsageError) as caught:
        checked(["zzzz"])
    assert "session" in caught.value.hint
    assert "unexplained" in caught.value.hint


def test_without_mcp_traffic_nothing_can_be_decided():
    assert "no MCP traffic" in undecidable(Report())
    assert "7 other requests" in undecidable(Report(other_requests={"http://example.org": 7}))
    assert undecidable(REPORT) == ""
