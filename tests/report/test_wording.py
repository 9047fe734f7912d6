import dataclasses

import pytest

from woolly_mcpdiag.core.findings import Ledger, LedgerPart
from woolly_mcpdiag.report import wording
from woolly_mcpdiag.report.model import Report


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0 ms"),
        (0.0000124, "12.4 µs"),
        (0.0123, "12.3 ms"),
        (0.9994, "999 ms"),
        (0.9999, "1 s"),
        (1.25, "1.25 s"),
        (59.97, "1 min 0 s"),
        (200.4, "3 min 20 s"),
        (7_500.0, "2 h 5 min"),
        (200_000.0, "2 days 7 h"),
        (float("nan"), "unknown"),
        (float("inf"), "unknown"),
    ],
)
def test_a_duration_has_the_unit_a_person_would_choose(seconds: float, shown: str):
    assert wording.duration(seconds) == shown


def test_a_ledger_reads_explained_benign_unexplained_in_that_order():
    parts = (
        LedgerPart(cause="transport.era-probe", count=3, benign=True),
        LedgerPart(cause="session.harvested-from-400", count=37, benign=False),
    )
    book = Ledger(status=400, total=41, parts=parts, unexplained=1)
    told = "41 = 37 explained by session.harvested-from-400 + 3 benign transport.era-probe + 1 unexplained"
    assert wording.ledger(book) == told


def test_a_ledger_without_causes_says_unexplained():
    assert wording.ledger(Ledger(status=500, total=2, parts=(), unexplained=2)) == "2 = 2 unexplained"


def test_the_span_names_the_day_once_and_says_when_there_are_no_times(samples):
    assert wording.span(samples.mixed()) == "2026-11-22 14:02:11–14:09:40 UTC (7 min 29 s, clock: 1 ms)"
    assert wording.span(samples.seed()) == "no times in this log: order only"
    over = Report(first=samples.START, last=samples.START + 86_400)
    assert wording.span(over) == "2026-11-22 14:02:11–2026-11-23 14:02:11 UTC (24 h 0 min)"


def test_a_time_beyond_the_calendar_is_no_error():
    assert wording.stamp(1e18) == "1000000000000000000 s"


def test_the_mood_is_bad_only_for_errors_and_unexplained_failures(samples):
    assert wording.state(samples.healthy()) == "good"
    assert wording.state(samples.seed()) == "bad"
    assert wording.state(Report()) == "unknown"
    lost = Report(requests=1, ledgers=[Ledger(status=400, total=1, parts=(), unexplained=1)])
    assert wording.state(lost) == "bad"
    mild = [dataclasses.replace(samples.seed_finding(), severity="warning")]
    assert wording.state(Report(requests=1, findings=mild)) == "warn"
    harmless = [dataclasses.replace(samples.seed_finding(), benign=True)]
    assert wording.state(Report(requests=1, findings=harmless)) == "good"


def test_a_report_without_a_verdict_still_has_a_sentence(samples):
    assert wording.verdict(Report()) == "No MCP traffic was found in this input."
    assert wording.verdict(Report(requests=3)) == wording.HEALTHY
    assert "session.harvested-from-400" in wording.verdict(Report(requests=1, findings=[samples.seed_finding()]))
    lost = Report(requests=9, ledgers=[Ledger(status=400, total=2, parts=(), unexplained=2)])
    assert wording.verdict(lost) == "2 failures without a known cause."


def test_agents_beyond_the_most_frequent_are_counted(samples):
    report = Report(agents={"b": 1, "a": 1, "c": 5, "": 2})
    assert wording.agents(report, most=3) == "9 agent runs (c 5, unnamed 2, a 1, 1 more type)"
    assert wording.agents(Report()) == ""


@pytest.mark.parametrize(
    ("number", "of", "shown"),
    [(1, 1, "1 of 1 call"), (1, 2, "1 of 2 calls"), (1, None, "1 call"), (2, None, "2 calls"), (0, None, "")],
)
def test_a_share_agrees_with_its_number(samples, number: int, of: int | None, shown: str):
    finding = dataclasses.replace(samples.seed().findings[0], count=number, of=of, unit="calls")
    assert wording.share(finding) == shown


def test_without_events_there_is_no_word_about_times():
    assert wording.span(Report()) == "no events"
