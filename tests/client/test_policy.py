import pytest

from woolly_mcpdiag.client.policy import BreakerPolicy, PoolLimits, RetryPolicy, Timeouts, simple_breaker
from woolly_mcpdiag.client.resilient import ResilientClient
from woolly_mcpdiag.core.errors import UsageError

URL = "http://localhost:1/mcp"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: PoolLimits(max_sessions=0), "max_sessions: 0 is no whole number from 1"),
        (lambda: PoolLimits(max_sessions=2, min_idle=3), "min_idle: 3 is above max_sessions, 2"),
        (lambda: PoolLimits(max_waiting=-1), "max_waiting: -1 is no whole number from 0"),
        (lambda: PoolLimits(max_idle=0), "max_idle: 0 is not above 0"),
        (lambda: Timeouts(call=float("nan")), "call: nan is not above 0"),
        (lambda: Timeouts(close=-1), "close: -1 is not above 0"),
        (lambda: RetryPolicy(attempts=0), "attempts: 0 is no whole number from 1"),
        (lambda: RetryPolicy(backoff=(2.0, 1.0)), "backoff: the base, 2 s, is above the cap, 1 s"),
        (lambda: RetryPolicy(budget=-0.1), "budget: -0.1 is below 0"),
        (lambda: BreakerPolicy(failure_rate=1.5), "failure_rate: 1.5 is no share"),
        (lambda: BreakerPolicy(growth=0.5), "growth: 0.5 is below 1"),
        (lambda: BreakerPolicy(minimum_calls=21), "minimum_calls: 21 is above window, 20"),
        (lambda: BreakerPolicy(open_for=61), "open_for: 61 s is above open_at_most, 60 s"),
        (lambda: simple_breaker(5, 0), "recovery_timeout: 0 is not above 0"),
        (lambda: ResilientClient("ftp://host/mcp"), "url ftp://host/mcp: scheme ftp is neither http nor https"),
        (lambda: ResilientClient("localhost:8009"), "url localhost:8009: scheme localhost is neither http nor https"),
        (lambda: ResilientClient("http:///mcp"), "url http:///mcp: no host"),
        (lambda: ResilientClient("http://h:99999/mcp"), "url http://h:99999/mcp: Port out of range 0-65535"),
        (lambda: ResilientClient(URL, transport="websocket"), "transport websocket: there is none of that name"),
        (lambda: ResilientClient(URL, era="2020-01-01"), "era 2020-01-01: there is none of that name"),
        (lambda: ResilientClient(URL, transport="sse", era="modern"), "era modern: the SSE transport has the"),
        (lambda: ResilientClient(URL, reuse="borrowed"), "reuse borrowed: there is none of that name"),
        (lambda: ResilientClient(URL, limits=PoolLimits(), max_sessions=3), "max_sessions: 3 is given beside limits"),
        (lambda: ResilientClient(URL, breaker=BreakerPolicy(), recovery_timeout=3), "breaker: given beside"),
    ],
)
def test_a_setting_that_cannot_mean_anything_is_refused_with_its_value_and_a_way_out(make, says: str):
    with pytest.raises(UsageError) as refused:
        make()
    assert says in refused.value.message
    assert refused.value.hint


def test_a_refused_url_does_not_show_its_credentials():
    with pytest.raises(UsageError) as refused:
        ResilientClient("ftp://user:hunter2@host/mcp?token=abc123")
    assert "hunter2" not in refused.value.message
    assert "abc123" not in refused.value.message


def test_the_simple_form_sets_the_pool_and_the_breaker():
    client = ResilientClient(URL, max_sessions=7, failure_threshold=3, recovery_timeout=60)
    assert client.limits == PoolLimits(max_sessions=7)
    assert client.breaker == BreakerPolicy(failure_threshold=3, open_for=60, open_at_most=60, growth=1, probe="call")
    assert ResilientClient(URL).limits.max_sessions == 10
    assert ResilientClient(URL).breaker.failure_threshold == 5


def test_idempotent_takes_any_collection_of_patterns():
    assert RetryPolicy(idempotent={"search*"}).idempotent == frozenset({"search*"})
