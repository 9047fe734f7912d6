"""What became of the calls of an outage, from events made by hand."""

import pytest

from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.rehearse.outage import Outage, outage_facts

ME = "mcpdiag.load"
AWAY, BACK = 100.0, 102.0
OUTAGE = Outage(away=AWAY, back=BACK, deadline=1.5, recovery_time=2.0)


def ended(kind, start, took, *, logger=ME, message="", **extra):
    return Event(
        kind=kind, time=start + took, duration=took, logger=logger, role="client", message=message, extra=extra
    )


def done(start, took=0.1, **extra):
    return ended("call.done", start, took, **extra)


def failed(start, took=0.1, **extra):
    return ended("call.failed", start, took, **extra)


def facts(*events):
    return outage_facts(events, OUTAGE, ME)


@pytest.mark.parametrize(
    ("event", "fate"),
    [
        (done(100.5), "ok"),
        (done(100.5, degraded=True), "degraded"),
        (failed(100.5, cause="net.refused", outcome="connect"), "typed_errors"),
        (failed(100.5, cause="net.read-timeout", outcome="timeout"), "typed_errors"),
        (ended("call.rejected", 100.5, 0.0, outcome="refused-locally"), "typed_errors"),
        (failed(100.5, outcome="timeout"), "hangs"),
        (failed(100.5, outcome="connect"), "untyped_errors"),
        (failed(100.5), "untyped_errors"),
    ],
)
def test_each_call_has_one_fate(event, fate):
    row = facts(event).to_row()
    assert row["calls"] == 1
    assert {name: row[name] for name in ("ok", "degraded", "typed_errors", "untyped_errors", "hangs")} == {
        **dict.fromkeys(("ok", "degraded", "typed_errors", "untyped_errors", "hangs"), 0),
        fate: 1,
    }


@pytest.mark.parametrize(
    ("start", "took", "during"),
    [
        (99.0, 0.5, False),
        (99.0, 1.0, False),
        (99.9, 0.2, True),
        (101.99, 5.0, True),
        (102.0, 0.1, False),
        (99.0, 9.0, True),
    ],
)
def test_a_call_belongs_to_the_outage_if_a_part_of_it_does(start, took, during):
    assert facts(done(start, took)).calls == int(during)


def test_recovery_is_the_first_success_that_ends_after_the_return():
    found = facts(done(99.5), failed(101.0, cause="c"), done(101.9, 0.4), done(102.6), done(102.7))
    assert found.recovered_after == pytest.approx(0.3)
    assert found.calls_after_recovery == 2
    assert found.failures_after_recovery == 0


def test_a_fallback_is_no_recovery_and_a_failure_afterwards():
    found = facts(done(102.5, degraded=True), done(103.0), done(103.5, degraded=True), failed(103.6, cause="c"))
    assert found.recovered_after == pytest.approx(1.1)
    assert (found.calls_after_recovery, found.failures_after_recovery) == (2, 2)


def test_without_a_success_there_is_no_recovery():
    found = facts(done(99.0), failed(103.0, cause="c"))
    assert found.recovered_after is None
    assert (found.calls_after_recovery, found.failures_after_recovery) == (0, 0)


def test_a_success_within_the_outage_is_none_after_it():
    assert facts(done(100.5, 0.2)).recovered_after is None


def test_the_slowest_call_is_measured_against_its_deadline_wherever_it_was():
    assert facts(done(100.1, 1.2)).worst_over == 0.0
    assert facts(done(99.0, 0.1), failed(103.0, 2.25, cause="c")).worst_over == pytest.approx(0.75)
    assert facts().worst_over == 0.0


def test_the_pace_is_that_of_calls_outside_the_outage_that_succeeded():
    ordinary = [done(90.0 + n / 10, 0.1) for n in range(8)]
    others = [done(100.5, 1.0), failed(99.0, 0.9, cause="c"), done(102.1, 0.1), done(103.0, 0.3), done(104.0, 0.4)]
    assert facts(*ordinary, *others).pace == pytest.approx(0.3)
    assert facts(failed(99.0, 0.5, cause="c")).pace == 0.0


def test_only_a_breaker_that_opens_counts_as_one():
    def changed(to):
        return Event(kind="breaker.changed", time=101.0, logger="mcpdiag.client", extra={"from": "closed", "to": to})

    assert facts(changed("open")).breaker_opened
    assert not facts(changed("half-open"), changed("closed")).breaker_opened


def test_what_others_tell_is_no_end_of_a_call():
    stranger = ended("call.failed", 100.5, 0.1, logger="mcpdiag.client", outcome="connect")
    timeless = Event(kind="call.failed", time=None, duration=0.1, logger=ME)
    assert facts(stranger, timeless, Event(kind="call.retried", time=100.5, logger=ME)).calls == 0


def test_examples_are_of_what_is_not_wanted_and_each_is_told_once():
    bad = [failed(100.1 + n / 100, outcome="connect", message=f"refused {n % 8}") for n in range(20)]
    found = facts(
        *bad, failed(100.2, cause="c", message="typed"), done(102.1), done(102.5, degraded=True, message="old")
    )
    assert found.examples == tuple(f"refused {n}" for n in range(6))
    assert facts(done(102.1), done(102.5, degraded=True, message="old")).examples == ("old",)
