"""The language of thresholds: what is taken, in which spelling, and what is refused with which advice."""

import pytest

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.gate import metrics
from woolly_mcpdiag.gate.thresholds import parse, parse_all


@pytest.mark.parametrize(
    ("text", "sense", "metric", "op", "value"),
    [
        ("http_400 == 0", "zero", "http_400", "==", 0),
        ("http_400 <= 0", "zero", "http_400", "<=", 0),
        ("http_400 < 1", "zero", "http_400", "<", 1),
        ("http_400 <= 3", "count", "http_400", "<=", 3),
        ("http_400 < 1%", "share", "http_400", "<", 0.01),
        ("success == 100%", "zero", "success", "==", 1),
        ("success >= 99.5%", "share", "success", ">=", 0.995),
        ("error_rate < 1%", "share", "error_rate", "<", 0.01),
        ("p99 < 500ms", "quantile", "duration", "<", 0.5),
        ("p(99.9)<2s", "quantile", "duration", "<", 2),
        ("duration p95 < 1s", "quantile", "duration", "<", 1),
        ("duration med < 0.5m", "quantile", "duration", "<", 30),
        ("first_event p95 < 300", "quantile", "first_event", "<", 0.3),
        ("phase.connect max < 20ms", "level", "phase.connect", "<", 0.02),
        ("avg <= 200ms", "level", "duration", "<=", 0.2),
        ("requests rate > 100/s", "pace", "requests", ">", 100),
        ("agent_runs >= 300", "count", "agent_runs", ">=", 300),
        ("hangs == 0", "zero", "hangs", "==", 0),
        ("duration p95 < +20% | vs baseline", "relative", "duration", "<", 0.2),
        ("p50 < +5ms | vs baseline", "relative", "duration", "<", 0.005),
        ("error_rate < +1pp | vs baseline", "relative", "error_rate", "<", 0.01),
        # As k6 spells them.
        ("http_req_duration: p(95)<1000", "quantile", "duration", "<", 1),
        ("http_reqs{status:400}: count==0", "zero", "http_reqs", "==", 0),
        ("http_req_failed: rate<0.01", "share", "error_rate", "<", 0.01),
        ("checks: rate==1.0", "zero", "success", "==", 1),
        ("http_reqs: rate>100", "pace", "http_reqs", ">", 100),
        ("http_req_connecting: p(95) < 20", "quantile", "phase.connect", "<", 0.02),
    ],
)
def test_a_threshold_is_read_as_it_is_meant(text, sense, metric, op, value):
    found = parse(text)
    assert (found.sense, found.metric.name, found.op) == (sense, metric, op)
    assert found.value == pytest.approx(value)
    assert found.text == text


def test_tags_and_options_are_read():
    found = parse("warn: duration{agent_type:tester, peer:agent} p95 < 1s | per operation, min 100, conf 99%, abort")
    assert found.level == "warn"
    assert found.tags == (("agent", "tester"), ("peer", "agent"))
    assert (found.per, found.least, found.confidence, found.abort) == ("operation", 100, 0.99, True)
    assert found.limit == "< 1s"


def test_over_and_claim_are_read():
    found = parse("success == 100% | over agents, claim 1%")
    assert (found.over, found.claim, found.tags) == ("agent", 0.01, (("peer", "agent"),))


def test_the_word_outage_means_every_scene_of_an_outage():
    assert parse("outage.hangs == 0").tags == (("scene", "outage-*"),)


def test_the_kind_of_an_unclassified_error_is_that_of_the_client():
    assert parse("errors{kind:unclassified} == 0").tags == (("kind", "client"),)


@pytest.mark.parametrize(
    ("text", "fact", "advice"),
    [
        ("http_40 == 0", "there is no metric http_40", "did you mean http_400?"),
        ("http_req_durations: p(95)<1", "there is no metric", "did you mean http_req_duration?"),
        ("duration{agnt:x} p95 < 1s", "duration has no tag agnt", "did you mean agent?"),
        ("duration{agent} p95 < 1s", "agent is no tag", "{tag:value}"),
        ("duration{agent:} p95 < 1s", "agent: is no tag", "{tag:value}"),
        ("http_400{agent:x} == 0", "http_400 has no tag agent", "tags of http_400: peer, scene"),
        ("errors{kind:timout} == 0", "there is no kind timout", "did you mean timeout?"),
        ("http_reqs{status:4OO} == 0", "4OO is no HTTP status", "400"),
        ("requests rat > 5", "there is no rat of requests", "did you mean rate?"),
        ("duration p95x < 1s", "there is no p95x of a duration", "aggregates: p50"),
        ("duration p0 < 1s", "there is no p0 of a duration", "p95"),
        ("duration < 1s", "a duration needs an aggregate", "p95"),
        ("degraded p95 < 2s", "there is no p95 of degraded", "count, rate"),
        ("p95 < 1h", "h is no unit of time", "us, ms, s, m"),
        ("p95 == 1s", "a duration is never ==", "<"),
        ("p95 < 0", "nothing is ever < 0", ""),
        ("success > 100%", "nothing is ever > 100%", "=="),
        ("success == 99%", "a measured share is never == 99%", "<"),
        ("success >= 150%", "150% is more than everything", "99%"),
        ("http_400 rate < 0.01", "0.01 has no unit", "1%"),
        ("requests < 5%", "requests is no share of anything", ""),
        ("http_400 = 0", "= is no comparison", "=="),
        ("http_400 == -1", "-1 is no limit", "baseline"),
        ("p95 < 20% | vs baseline", "20% needs a sign", "+20%"),
        ("http_400 == 0 | clam 1%", "there is no option clam", "did you mean claim?"),
        ("http_400 == 0 | claim 150%", "claim 150% is no rate", "claim 1%"),
        ("http_400 == 0 | over requets", "over requets", "did you mean request?"),
        ("http_400 == 0 |", "an option is missing", "claim"),
        ("p95 < 1s | min many", "min many is no number", ""),
        ("p95 < 1s | vs yesterday", "vs yesterday means nothing", "vs baseline"),
        ("p95 < 1s | per agnt", "duration has no tag agnt", "agent"),
        ("p95 < 1s | abort now", "abort takes no value", ""),
        ("duration{agent:x} p95 < 1s | per agent", "agent is fixed and split at once", ""),
        ("duration{agent:a,agent_type:b} p95 < 1s", "agent is given twice", "pattern"),
        ("", "cannot be read", "METRIC OP VALUE"),
        ("http_400", "cannot be read", "METRIC OP VALUE"),
        ("p95 < nan", "cannot be read", ""),
    ],
)
def test_what_cannot_be_meant_is_refused_with_advice(text, fact, advice):
    with pytest.raises(UsageError) as raised:
        parse_all(["http_400 == 0", text])
    assert fact in raised.value.message
    assert advice in raised.value.hint


def test_every_alias_is_a_metric_and_every_metric_says_what_it_is():
    known = metrics.metrics()
    assert set(metrics.ALIASES.values()) <= set(known)
    assert not set(metrics.ALIASES) & set(known)
    assert all(metric.about for metric in known.values())
