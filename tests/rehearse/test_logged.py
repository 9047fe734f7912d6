"""Failures that callers saw, met with the client's own log: one to one, or told which not."""

from dataclasses import replace

import pytest

from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.rehearse.logged import Seen, final, reconciled, seen_of

ME = "mcpdiag.load"
FACTS = {"phase": "connect", "cause": "net.refused"}


def seen(key="user_1", start=10.0, end=10.5, what="refused"):
    return Seen(key=key, start=start, end=end, what=what)


def line(at=10.4, key="user_1", kind="call.failed", agent="tester", message="gave up", **extra):
    return Event(kind=kind, time=at, key=key, agent=agent, message=message, extra={**FACTS, **extra})


def test_a_failure_with_its_line_matches():
    found = reconciled([seen()], [line()])
    assert (found.seen, found.logged, found.missing, found.extra) == (1, 1, 0, 0)
    assert (found.with_key, found.with_agent, found.with_phase, found.with_cause) == (1, 1, 1, 1)
    assert found.examples == ()


@pytest.mark.parametrize(
    ("entry", "matches"),
    [
        (line(9.01), True),
        (line(8.99), False),
        (line(11.49), True),
        (line(11.51), False),
        (line(key="user_2"), False),
        (line(key=""), True),
        (replace(line(), time=None), False),
    ],
)
def test_a_line_belongs_by_its_key_and_its_time(entry, matches):
    found = reconciled([seen()], [entry])
    assert (found.missing, found.extra) == ((0, 0) if matches else (1, 1))


def test_one_line_is_not_two_failures():
    found = reconciled([seen(what="first"), seen(end=10.6, what="second")], [line()])
    assert (found.missing, found.extra) == (1, 0)
    assert found.examples == ("not in the log: second",)


def test_two_lines_are_not_one_failure():
    found = reconciled([seen()], [line(10.3), line(10.4, message="again")])
    assert (found.missing, found.extra) == (0, 1)
    assert found.examples == ("only in the log: again",)


def test_lines_go_to_the_failures_that_end_first_so_that_neighbours_all_find_theirs():
    failures = [seen(start=number * 0.1, end=number * 0.1 + 0.1) for number in range(20)]
    lines = [line(number * 0.1 + 0.1) for number in reversed(range(20))]
    found = reconciled(failures, lines)
    assert (found.missing, found.extra) == (0, 0)


def test_a_line_without_a_key_is_left_to_who_has_no_other():
    found = reconciled([seen(), seen("user_2", end=10.6)], [line(10.2, key=""), line(10.4)])
    assert (found.missing, found.extra) == (0, 0)


def test_what_a_line_leaves_out_is_counted():
    bare = Event(kind="call.failed", time=10.4)
    found = reconciled([seen(), seen("user_2")], [bare, line(key="user_2")])
    assert (found.missing, found.extra) == (0, 0)
    assert (found.with_key, found.with_agent, found.with_phase, found.with_cause) == (1, 1, 1, 1)
    assert found.logged == 2


@pytest.mark.parametrize(
    ("event", "ends"),
    [
        (line(), True),
        (line(then="again in 0.2 s"), False),
        (line(then="gave up"), True),
        (line(kind="call.rejected"), True),
        (line(kind="call.done"), False),
        (line(kind="call.retried"), False),
    ],
)
def test_only_a_call_that_was_given_up_is_a_failure_in_the_log(event, ends):
    assert final(event) is ends
    assert reconciled([], [event]).extra == int(ends)


def test_callers_see_what_failed_or_was_answered_by_a_fallback():
    def told(kind, logger=ME, time=20.0, **extra):
        return Event(kind=kind, time=time, duration=0.5, key="k", logger=logger, message=kind, extra=extra)

    events = [
        told("call.failed"),
        told("call.rejected"),
        told("call.done", degraded=True),
        told("call.done"),
        told("call.failed", logger="mcpdiag.client"),
        told("call.failed", time=None),
    ]
    found = seen_of(events, ME)
    assert [one.what for one in found] == ["call.failed", "call.rejected", "call.done"]
    assert (found[0].start, found[0].end, found[0].key) == (19.5, 20.0, "k")


def test_examples_are_few_and_injected_failures_are_kept():
    found = reconciled([seen(what=f"w{n}", start=n * 10, end=n * 10 + 1) for n in range(9)], [], injected=9)
    assert len(found.examples) == 6
    assert (found.missing, found.injected) == (9, 9)
