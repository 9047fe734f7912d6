"""The breaker beside another, interlock-cb: the same attempts at the same times leave both in the same state."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from woolly_mcpdiag.client.breaker import Breaker, Refusal
from woolly_mcpdiag.client.policy import BreakerPolicy

interlock = pytest.importorskip("interlock", reason="interlock-cb is not installed")


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


def their_attempt(theirs, ok: bool) -> bool:
    """Make an attempt with theirs; say whether it was let through."""

    def fails() -> None:
        msg = "on purpose"
        raise LookupError(msg)

    try:
        theirs.call_sync((lambda: None) if ok else fails)
    except interlock.CircuitOpenError:
        return False
    except LookupError:
        pass
    return True


@settings(max_examples=150, deadline=None)
@given(
    rate=st.sampled_from([0.3, 0.5, 0.75, 1.0]),
    window=st.integers(1, 6),
    growth=st.sampled_from([1.0, 2.0]),
    steps=st.lists(st.one_of(st.booleans(), st.sampled_from([0.5, 1.0, 2.0, 4.0])), max_size=40),
)
def test_both_are_in_the_same_state_after_every_attempt(rate, window, growth, steps):
    clock = Clock()
    config = interlock.Config(
        failure_rate_threshold=rate,
        minimum_number_of_calls=1,
        permitted_calls_in_half_open=1,
        max_concurrent_probes=1,
        wait_duration_in_open=1.0,
        wait_duration_backoff_multiplier=growth,
        wait_duration_in_open_max=8.0,
        window_size=window,
    )
    theirs = interlock.CircuitBreaker(name="oracle", config=config, clock=clock)
    ours = Breaker(
        BreakerPolicy(
            failure_threshold=1000,
            failure_rate=rate,
            window=window,
            minimum_calls=1,
            window_seconds=1e9,
            open_for=1.0,
            growth=growth,
            open_at_most=8.0,
        )
    )
    for step in steps:
        if not isinstance(step, bool):
            clock.now += step
            continue
        answer = ours.admit(clock.now)
        assert their_attempt(theirs, step) is not isinstance(answer, Refusal)
        if not isinstance(answer, Refusal):
            ours.record(answer, "ok" if step else "fail", clock.now)
        assert (
            ours.state.value == theirs.snapshot().state.value if hasattr(theirs.snapshot(), "state") else theirs.state
        )
