"""Known findings: set apart, never silently; an entry that no longer holds is a failure of its own."""

import pytest

from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.gate.baseline import Known, apply, load_baseline, parse_baseline

HARVESTED, RACE = "session.harvested-from-400", "session.used-before-ready"


def judged(name: str, verdict: str = "fail", *causes: str, failures: int = 3) -> Judgement:
    return Judgement(name=name, verdict=verdict, sentence="it is so", causes=causes, failures=failures)


def test_a_known_failure_is_shown_and_does_not_fail():
    known = Known(criterion="zero-400", cause=HARVESTED, reason="ticket 12")
    found = apply([known], [judged("zero-400", "fail", HARVESTED), judged("sub-second", "pass")])
    assert found.verdict == "pass"
    assert (found.judgements[0].verdict, found.judgements[0].level) == ("fail", "warn")
    assert found.judgements[0].sentence == "known (ticket 12): it is so"
    assert (found.known, found.stale) == ((known,), ())


def test_a_second_cause_is_not_excused_by_the_first():
    known = Known(cause=HARVESTED, reason="ticket 12")
    found = apply([known], [judged("zero-400", "fail", HARVESTED, RACE)])
    assert found.verdict == "fail"
    assert found.stale == ()
    both = [known, Known(criterion="zero-400", cause=RACE, reason="ticket 13")]
    assert apply(both, [judged("zero-400", "fail", HARVESTED, RACE)]).verdict == "pass"


def test_a_failure_without_a_cause_is_known_by_its_criterion_or_its_fingerprints():
    failure = [judged("zero-400")]
    assert apply([Known(criterion="zero-400", reason="r")], failure).verdict == "pass"
    known = [Known(fingerprint="f1", reason="r")]
    assert apply(known, failure, fingerprints={"zero-400": ["f1"]}).verdict == "pass"
    assert apply(known, failure, fingerprints={"zero-400": ["f1", "f2"]}).verdict == "fail"


def test_more_failures_than_known_are_not_excused():
    known = [Known(criterion="zero-400", at_most=2, reason="r")]
    assert apply(known, [judged("zero-400", failures=2)]).verdict == "pass"
    assert apply(known, [judged("zero-400", failures=3)]).verdict == "fail"


def test_a_stale_entry_fails_and_is_named():
    known = Known(criterion="zero-400", cause=HARVESTED, reason="ticket 12")
    found = apply([known], [judged("zero-400", "pass"), judged("sub-second", "pass")])
    assert found.verdict == "fail"
    assert found.judgements[-1].sentence == f"1 known finding no longer seen: zero-400 {HARVESTED}"
    assert found.judgements[-1].next_step == "remove these entries from the baseline"


def test_nothing_is_stale_where_nothing_was_decided():
    known = Known(criterion="zero-400", reason="r")
    assert apply([known], [judged("zero-400", "inconclusive")]).stale == ()
    assert apply([known], [judged("sub-second", "pass")]).stale == ()
    assert apply([Known(cause=RACE, reason="r")], [judged("a", "pass"), judged("b", "inconclusive")]).stale == ()


def test_known_failures_never_excuse_an_unknown_one():
    known = [Known(criterion="zero-400", reason="r")]
    assert apply(known, [judged("zero-400"), judged("sub-second")]).verdict == "fail"
    assert apply(known, [judged("zero-400"), judged("sub-second", "inconclusive")]).verdict == "inconclusive"


def test_without_entries_nothing_changes():
    judgements = [judged("zero-400"), judged("sub-second", "pass")]
    found = apply([], judgements)
    assert found.judgements == tuple(judgements)
    assert found.verdict == "fail"


def test_a_file_of_known_findings_is_read(tmp_path):
    path = tmp_path / "known.toml"
    path.write_text(f'[[known]]\ncriterion = "zero-400"\ncause = "{HARVESTED}"\nreason = "ticket 12"\nat_most = 4\n')
    assert load_baseline(path) == (Known(criterion="zero-400", cause=HARVESTED, reason="ticket 12", at_most=4),)


@pytest.mark.parametrize(
    ("entry", "fact", "advice"),
    [
        ({"criterion": "zero400", "reason": "r"}, "there is no criterion zero400", "did you mean zero-400?"),
        ({"cause": "session.harvested", "reason": "r"}, "there is no cause", "did you mean"),
        ({"criterion": "zero-400"}, "it has no reason", "reason"),
        ({"reason": "r"}, "it names nothing", "criterion"),
        ({"criterion": "zero-400", "resaon": "r"}, "there is no key resaon", "did you mean reason?"),
        ({"criterion": 3, "reason": "r"}, "criterion is 3, no text", "quotes"),
        ({"criterion": "zero-400", "reason": "r", "at_most": 0}, "at_most is 0", ""),
        ("zero-400", "is no table", "[[known]]"),
    ],
)
def test_an_entry_that_means_nothing_is_refused_with_advice(entry, fact, advice):
    with pytest.raises(UsageError) as raised:
        parse_baseline({"known": [entry]})
    assert fact in raised.value.message
    assert advice in raised.value.hint


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError):
        load_baseline(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("known = [")
    with pytest.raises(InputError):
        load_baseline(tmp_path / "bad.toml")
    with pytest.raises(UsageError):
        parse_baseline({"knwon": []})
    with pytest.raises(UsageError):
        parse_baseline({"known": {}})
