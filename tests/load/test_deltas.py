from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from woolly_mcpdiag.core.measures import Answer, Outcome, Series, Step, Tally, merged
from woolly_mcpdiag.load.deltas import difference

KINDS = ("ok", "http", "timeout")
call = st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(KINDS), st.floats(0, 1e3), st.booleans())


def count(tally: Tally, done: tuple[str, str, float, bool]) -> None:
    agent, kind, took, again = done
    calls = tally.of(Series(agent=agent))
    calls.outcomes[Outcome(kind, 400 if kind == "http" else 0)] += 1
    calls.retried += again
    if kind == "ok":
        calls.ok += 1
        calls.latency.add(took)
        calls.service.add(took / 2)
        tally.step(Step(phase="connect")).took.add(took)
    else:
        calls.failed += 1
        calls.failing.add(took)
        tally.step(Step(phase="connect")).failed += 1
    tally.answers[Answer(status=200)] += 1
    tally.counters["started"] += 1


def copy(tally: Tally) -> Tally:
    return Tally.from_json(tally.to_json())


@settings(max_examples=80, deadline=None)
@given(parts=st.lists(st.lists(call, max_size=12), max_size=6))
def test_differences_of_successive_tallies_add_up_to_the_last_one(parts):
    running, before, found = Tally(), Tally(), []
    for part in parts:
        for done in part:
            count(running, done)
        found.append(difference(copy(running), before))
        before = copy(running)
    assert merged(found) == running
    assert [sum(calls.tried for calls in each.calls.values()) for each in found] == [len(part) for part in parts]


@settings(max_examples=60, deadline=None)
@given(calls=st.lists(call, max_size=40), cuts=st.lists(st.integers(0, 3), max_size=40))
def test_any_split_among_shares_merges_to_the_whole(calls, cuts):
    whole, shares = Tally(), [Tally() for _ in range(4)]
    for index, done in enumerate(calls):
        count(whole, done)
        count(shares[cuts[index] if index < len(cuts) else 0], done)
    assert merged(shares) == whole
    assert merged(reversed([copy(share) for share in shares])) == whole


def test_what_did_not_change_is_left_out():
    tally = Tally(counters=Counter({"late": 0}))
    count(tally, ("a", "ok", 1.0, False))
    same = difference(copy(tally), copy(tally))
    assert same == Tally()
    count(tally, ("b", "ok", 1.0, False))
    assert list(difference(tally, Tally(calls={Series(agent="a"): tally.calls[Series(agent="a")]})).calls) == [
        Series(agent="b")
    ]
