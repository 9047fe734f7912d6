import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from woolly_mcpdiag.client.policy import PoolLimits, Reuse
from woolly_mcpdiag.client.pool import Close, Entry, Leak, Open, Pool, Settled, Ticket, TooManyError, _fits


def pool(reuse: Reuse = "shared", seed: int = 0, **limits) -> Pool:
    return Pool(PoolLimits(**{"max_sessions": 2, "max_opening": 2, **limits}), reuse, random.Random(seed))


def opens(steps) -> list[Entry]:
    return [step.entry for step in steps if isinstance(step, Open)]


def closes(steps) -> list[tuple[int, str]]:
    return [(step.entry.number, step.reason) for step in steps if isinstance(step, Close)]


def settled(steps) -> list[Ticket]:
    return [step.ticket for step in steps if isinstance(step, Settled)]


def borrowed(p: Pool, key: str | None = None, now: float = 0.0) -> Ticket:
    ticket, steps = p.ask(now, key)
    for entry in opens(steps):
        p.opened(entry, now)
    assert ticket.entry is not None
    return ticket


def test_a_returned_session_goes_to_who_has_waited_longest_even_at_the_maximum():
    p = pool(max_sessions=1)
    first = borrowed(p)
    waiting = [p.ask(0.0)[0] for _ in range(3)]
    for ticket in waiting:
        held = first.entry
        assert settled(p.release(held, 1.0)) == [ticket]
        assert ticket.entry is held
        first = ticket


def test_who_asks_later_cannot_overtake_who_waits():
    p = pool(max_sessions=1)
    held = borrowed(p)
    early, _ = p.ask(0.0)
    late, steps = p.ask(0.0)
    assert steps == []
    p.release(held.entry, 0.0)
    assert early.settled
    assert not late.settled


def test_who_leaves_in_the_instant_of_the_hand_over_keeps_nothing():
    p = pool(max_sessions=1)
    held = borrowed(p).entry
    ticket, _ = p.ask(0.0)
    p.release(held, 1.0)
    assert ticket.entry is held
    p.cancel(ticket, 1.0)
    assert ticket.entry is None
    assert held.state == "idle"


def test_the_session_that_was_used_last_is_lent_first():
    p = pool(max_sessions=2)
    one, two = borrowed(p), borrowed(p)
    last = two.entry
    p.release(one.entry, 1.0)
    p.release(last, 2.0)
    assert borrowed(p, now=3.0).entry is last


def test_time_on_loan_and_not_age_makes_a_leak():
    p = pool(leak_after=30.0)
    p.release(borrowed(p).entry, 0.0)
    borrowed(p, now=100.0)
    assert p.tick(129.9) == []
    assert [step.held for step in p.tick(130.0) if isinstance(step, Leak)] == [30.0]


def test_a_loan_tells_how_long_its_session_had_rested():
    p = pool()
    ticket = borrowed(p, now=5.0)
    assert ticket.entry.rested == 0.0
    p.release(ticket.entry, 10.0)
    assert borrowed(p, now=50.0).entry.rested == 40.0


def test_waits_are_counted_from_the_asking():
    p = pool(max_sessions=1)
    held = borrowed(p, now=100.0).entry
    p.ask(101.0)
    p.release(held, 104.0)
    assert p.counts.wait_total == 3.0


def test_a_key_whose_session_is_to_be_closed_gets_another_without_waiting_for_it():
    p = pool("affine")
    held = borrowed(p, "a").entry
    p.evict(held, "suspect", 1.0)
    _, steps = p.ask(1.0, "a")
    assert len(opens(steps)) == 1


def test_a_failed_opening_is_told_to_who_waits_for_that_key():
    p = pool("affine")
    first, _ = p.ask(0.0, "a")
    second, steps = p.ask(0.0, "b")
    (opening,) = opens(steps)
    error = RuntimeError("no")
    p.failed(opening, error, 1.0)
    assert first.error is None
    assert second.error is error


def test_a_closing_pool_opens_nothing():
    p = pool()
    p.drain(RuntimeError)
    _, steps = p.ask(0.0)
    assert opens(steps) == []


def test_a_session_that_is_given_up_while_it_opens_is_closed_when_it_is_open():
    p = pool()
    _, steps = p.ask(0.0)
    (opening,) = opens(steps)
    p.evict(opening, "suspect", 0.5)
    assert (opening.number, "suspect") in closes(p.opened(opening, 1.0))


def test_warming_opens_no_more_at_once_than_may_be():
    p = pool(max_sessions=9, max_opening=3)
    assert len(opens(p.warm(1, 0.0))) == 1
    assert len(opens(p.warm(9, 0.0))) == 2


def test_one_more_than_may_wait_is_refused_at_once():
    p = pool(max_sessions=1, max_waiting=2)
    borrowed(p)
    p.ask(0.0)
    p.ask(0.0)
    with pytest.raises(TooManyError):
        p.ask(0.0)
    assert p.counts.refused == 1
    assert len(p.waiting) == 2


def test_nobody_may_wait_yet_a_session_that_can_be_opened_is():
    p = pool(max_waiting=0, max_sessions=1)
    ticket, steps = p.ask(0.0)
    assert len(opens(steps)) == 1
    with pytest.raises(TooManyError):
        p.ask(0.0)
    p.opened(opens(steps)[0], 0.0)
    assert ticket.entry


def test_no_more_are_opened_at_once_than_allowed_and_never_more_than_the_maximum():
    p = pool(max_sessions=10, max_opening=2)
    opening = []
    for _ in range(100):
        opening += opens(p.ask(0.0)[1])
    assert len(opening) == 2
    count = 0
    while opening:
        count += 1
        opening += opens(p.opened(opening.pop(0), 0.0))
        assert p.number("opening") <= 2
    assert count == p.size == 10


def test_a_failed_opening_is_told_to_exactly_one_and_the_rest_are_served():
    p = pool(max_sessions=1)
    tickets, first = [], []
    for _ in range(3):
        ticket, steps = p.ask(0.0)
        tickets.append(ticket)
        first += opens(steps)
    error = OSError("no")
    steps = p.failed(first[0], error, 0.0)
    assert [ticket.error for ticket in tickets] == [error, None, None]
    assert settled(steps) == [tickets[0]]
    again = opens(steps)
    assert len(again) == 1
    p.opened(again[0], 0.0)
    assert tickets[1].entry
    p.release(tickets[1].entry, 0.0)
    assert tickets[2].entry


def test_a_failed_opening_that_nobody_waits_for_is_not_repeated():
    p = pool()
    ticket, steps = p.ask(0.0)
    p.cancel(ticket, 0.0)
    assert p.failed(opens(steps)[0], OSError("no"), 0.0) == []
    assert p.size == 0


def test_who_leaves_is_not_served_and_does_not_hold_up_the_rest():
    p = pool(max_sessions=1)
    held = borrowed(p)
    gone, _ = p.ask(0.0)
    stays, _ = p.ask(0.0)
    p.cancel(gone, 0.0)
    p.release(held.entry, 0.0)
    assert stays.entry
    assert gone.entry is None


def test_a_session_handed_to_who_has_just_left_goes_to_the_next():
    p = pool(max_sessions=1)
    held = borrowed(p)
    gone, _ = p.ask(0.0)
    stays, _ = p.ask(0.0)
    p.release(held.entry, 0.0)
    assert gone.entry
    assert settled(p.cancel(gone, 0.0)) == [stays]
    assert p.number("leased") == 1


def test_a_session_that_dies_makes_room_and_is_replaced_only_if_somebody_waits():
    p = pool(max_sessions=1)
    held = borrowed(p)
    p.release(held.entry, 0.0)
    assert opens(p.died(p.entries[1], 0.0)) == []
    assert p.size == 0
    held = borrowed(p)
    p.ask(0.0)
    assert len(opens(p.died(held.entry, 0.0))) == 1
    assert p.release(held.entry, 0.0) == [], "a late return of the dead one changes nothing"
    assert p.died(held.entry, 0.0) == []


def test_an_evicted_session_is_closed_and_never_given_again():
    p = pool()
    held = borrowed(p).entry
    assert closes(p.release(held, 0.0, "stale")) == [(held.number, "stale")]
    assert borrowed(p).entry is not held
    assert p.counts.closed == {"stale": 1}


def test_a_session_evicted_while_on_loan_is_closed_on_return():
    p = pool()
    held = borrowed(p).entry
    assert p.evict(held, "suspect", 0.0) == []
    assert closes(p.release(held, 0.0)) == [(held.number, "suspect")]
    idle = borrowed(p).entry
    p.release(idle, 0.0)
    assert closes(p.evict(idle, "suspect", 0.0)) == [(idle.number, "suspect")]


def test_a_key_gets_its_own_session_again_and_nobody_elses():
    p = pool("affine")
    mine = borrowed(p, "a").entry
    p.release(mine, 0.0)
    assert borrowed(p, "b").entry is not mine
    assert borrowed(p, "a").entry is mine


def test_a_key_whose_session_is_on_loan_waits_for_it_although_there_is_room():
    p = pool("affine", max_sessions=5)
    mine = borrowed(p, "a")
    second, steps = p.ask(0.0, "a")
    assert steps == []
    p.release(mine.entry, 0.0)
    assert second.entry


def test_another_keys_idle_session_makes_room_at_the_maximum():
    p = pool("affine", max_sessions=1)
    mine = borrowed(p, "a").entry
    p.release(mine, 0.0)
    _, steps = p.ask(0.0, "b")
    assert closes(steps) == [(mine.number, "displaced")]
    assert len(opens(steps)) == 1


def test_a_waiting_key_does_not_hold_up_another_that_can_be_served():
    p = pool("affine", max_sessions=2)
    borrowed(p, "a")
    other = borrowed(p, "b")
    blocked, _ = p.ask(0.0, "a")
    free, _ = p.ask(0.0, "b")
    p.release(other.entry, 0.0)
    assert free.entry
    assert not blocked.settled


def test_without_keys_affine_sessions_are_shared():
    p = pool("affine")
    first = borrowed(p).entry
    p.release(first, 0.0)
    assert borrowed(p).entry is first


def test_fresh_sessions_are_never_used_twice():
    p = pool("fresh", max_sessions=1)
    first = borrowed(p).entry
    waiting, _ = p.ask(0.0)
    steps = p.release(first, 0.0)
    assert closes(steps) == [(first.number, "fresh")]
    p.opened(opens(steps)[0], 0.0)
    assert waiting.entry is not first


def test_who_asks_for_a_newer_one_gets_no_older_one_but_takes_its_room():
    p = pool(max_sessions=1)
    older = borrowed(p, now=1.0).entry
    p.release(older, 2.0)
    ticket, steps = p.ask(2.0, not_before=1.5)
    assert closes(steps) == [(older.number, "displaced")]
    p.opened(opens(steps)[0], 3.0)
    assert ticket.entry is not older
    p.release(ticket.entry, 3.0)
    again, steps = p.ask(4.0, not_before=3.0)
    assert (again.entry, steps) == (ticket.entry, [])


def test_idle_sessions_are_closed_before_the_server_forgets_them():
    p = pool(max_idle=10.0)
    entry = borrowed(p).entry
    p.release(entry, 0.0)
    assert p.tick(9.9) == []
    assert closes(p.tick(10.0)) == [(entry.number, "idle")]


def test_a_session_idle_for_too_long_is_not_lent_although_nobody_has_looked():
    p = pool(max_idle=10.0)
    entry = borrowed(p).entry
    p.release(entry, 0.0)
    ticket, steps = p.ask(10.0)
    assert closes(steps) == [(entry.number, "idle")]
    p.opened(opens(steps)[0], 10.0)
    assert ticket.entry is not entry


def test_as_many_idle_sessions_as_wanted_are_kept():
    p = pool(max_idle=10.0, min_idle=1)
    first, second = borrowed(p), borrowed(p)
    p.release(first.entry, 0.0)
    p.release(second.entry, 0.0)
    assert len(closes(p.tick(20.0))) == 1


def test_lifetimes_differ_so_that_not_all_end_at_once_and_a_used_one_ends_on_return():
    p = pool(max_sessions=50, max_opening=50, max_lifetime=100.0, max_idle=1000.0)
    tickets = [borrowed(p) for _ in range(50)]
    ends = [ticket.entry.retire_at for ticket in tickets]
    assert min(ends) >= 95.0
    assert max(ends) <= 100.0
    assert len(set(ends)) == 50
    assert p.tick(200.0) == [], "on loan"
    assert closes(p.release(tickets[0].entry, 200.0)) == [(tickets[0].entry.number, "lifetime")]


def test_a_session_on_loan_for_too_long_is_reported_once():
    p = pool(leak_after=5.0)
    entry = borrowed(p).entry
    assert p.tick(4.9) == []
    assert p.tick(5.0) == [Leak(entry, 5.0)]
    assert p.tick(50.0) == []


def test_warming_opens_no_more_than_asked_and_allowed():
    p = pool(max_sessions=3, max_opening=2)
    entries = opens(p.warm(9, 0.0))
    assert len(entries) == 2
    for entry in entries:
        p.opened(entry, 0.0)
    assert len(opens(p.warm(9, 0.0))) == 1


def test_draining_refuses_who_waits_closes_what_is_idle_and_the_rest_on_return():
    p = pool(max_sessions=2)
    held, idle = borrowed(p), borrowed(p)
    p.release(idle.entry, 0.0)
    lent = p.ask(0.0)[0]
    waiting, _ = p.ask(0.0)
    steps = p.drain(lambda: OSError("closed"))
    assert settled(steps) == [waiting]
    assert isinstance(waiting.error, OSError)
    assert closes(p.release(held.entry, 1.0)) == [(held.entry.number, "drain")]
    assert closes(p.release(lent.entry, 1.0)) == [(lent.entry.number, "drain")]
    assert p.size == 0


def test_a_session_that_becomes_ready_while_draining_is_closed():
    p = pool()
    _, steps = p.ask(0.0)
    p.drain(lambda: OSError("closed"))
    assert closes(p.opened(opens(steps)[0], 0.0)) == [(1, "drain")]


def test_all_sessions_lost_at_once_are_replaced_one_for_one():
    p = pool(max_sessions=5, max_opening=5)
    tickets = [borrowed(p) for _ in range(5)]
    again = []
    for ticket in tickets:
        p.release(ticket.entry, 0.0, "stale")
        again.append(p.ask(0.0, not_before=0.0))
    opened = [entry for _, steps in again for entry in opens(steps)]
    assert len(opened) == 5
    for entry in opened:
        assert opens(p.opened(entry, 0.0)) == []
    assert all(ticket.entry for ticket, _ in again)


class Machine(RuleBasedStateMachine):
    """Any order of asking, leaving, opening, failing, dying and returning."""

    @initialize(
        reuse=st.sampled_from(["shared", "affine", "fresh"]),
        size=st.integers(1, 4),
        opening=st.integers(1, 3),
        waiting=st.integers(0, 5),
    )
    def begin(self, reuse: Reuse, size: int, opening: int, waiting: int) -> None:
        limits = PoolLimits(
            max_sessions=size,
            max_opening=opening,
            max_waiting=waiting,
            max_idle=10.0,
            max_lifetime=30.0,
            leak_after=9.0,
        )
        self.pool = Pool(limits, reuse, random.Random(1))
        self.now = 0.0
        self.opening: list[Entry] = []
        self.closed: set[int] = set()
        self.tickets: list[Ticket] = []
        self.woken: set[Ticket] = set()

    def do(self, steps) -> None:
        for step in steps:
            if isinstance(step, Open):
                self.opening.append(step.entry)
            elif isinstance(step, Close):
                assert step.entry.number not in self.closed, "closed twice"
                self.closed.add(step.entry.number)
            elif isinstance(step, Settled):
                assert step.ticket not in self.woken, "woken twice"
                self.woken.add(step.ticket)

    @rule(key=st.sampled_from([None, "a", "b"]), newer=st.booleans())
    def ask(self, key, newer) -> None:
        try:
            ticket, steps = self.pool.ask(self.now, key, not_before=self.now if newer else float("-inf"))
        except TooManyError:
            return
        self.tickets.append(ticket)
        self.do(steps)

    @rule(place=st.integers(0, 20), evict=st.sampled_from(["", "", "stale"]))
    def give_back(self, place, evict) -> None:
        if self.tickets:
            ticket = self.tickets.pop(place % len(self.tickets))
            if ticket.entry is not None and not ticket.error:
                self.do(self.pool.release(ticket.entry, self.now, evict))
            else:
                self.do(self.pool.cancel(ticket, self.now))

    @rule(place=st.integers(0, 20), fails=st.booleans())
    def ends_opening(self, place, fails) -> None:
        if self.opening:
            entry = self.opening.pop(place % len(self.opening))
            if fails:
                self.do(self.pool.failed(entry, OSError("no"), self.now))
            else:
                self.do(self.pool.opened(entry, self.now))

    @rule(place=st.integers(0, 20))
    def dies(self, place) -> None:
        ready = [entry for entry in self.pool.entries.values() if entry.state in {"idle", "leased"}]
        if ready:
            self.do(self.pool.died(ready[place % len(ready)], self.now))

    @rule(place=st.integers(0, 20))
    def is_evicted(self, place) -> None:
        entries = list(self.pool.entries.values())
        if entries:
            self.do(self.pool.evict(entries[place % len(entries)], "suspect", self.now))

    @rule(step=st.sampled_from([0.0, 1.0, 5.0, 11.0]))
    def time_passes(self, step) -> None:
        self.now += step
        self.do(self.pool.tick(self.now))

    @invariant()
    def places_add_up(self) -> None:
        if not hasattr(self, "pool"):
            return
        p = self.pool
        assert p.size == p.number("idle") + p.number("leased") + p.number("opening")
        assert p.size <= p.limits.max_sessions
        assert p.number("opening") == len(self.opening) <= p.max_opening

    @invariant()
    def a_session_is_lent_to_one_at_a_time(self) -> None:
        if not hasattr(self, "pool"):
            return
        held = [
            t.entry for t in self.tickets if t.entry is not None and t.entry.state == "leased" and t.entry.ticket is t
        ]
        assert len(held) == len({entry.number for entry in held}) == self.pool.number("leased")

    @invariant()
    def nobody_waits_beside_what_would_serve_them(self) -> None:
        if not hasattr(self, "pool"):
            return
        p = self.pool
        for ticket in p.waiting:
            assert not ticket.settled
            assert not [e for e in p.entries.values() if e.state == "idle" and _fits(e, ticket)]
        if p.waiting and p.reuse != "affine":
            assert p.size == p.limits.max_sessions or p.number("opening") >= min(p.max_opening, len(p.waiting))


Machine.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
test_no_order_of_events_breaks_the_promises = Machine.TestCase
