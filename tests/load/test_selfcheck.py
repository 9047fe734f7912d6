from collections import Counter

import pytest

from woolly_mcpdiag.core.histogram import Histogram
from woolly_mcpdiag.core.measures import Series, Tally
from woolly_mcpdiag.load.plan import Model, Plan
from woolly_mcpdiag.load.selfcheck import Fared, generator
from woolly_mcpdiag.load.travel import Snapshot


def fared(
    *,
    cpu: float = 0.2,
    at: float = 10.0,
    lag: float = 0.001,
    service: float = 0.002,
    kind="closed",
    waited=0.0,
    **counts,
) -> Fared:
    tally = Tally(counters=Counter(counts))
    tally.of(Series()).service.add(service, 100)
    tally.of(Series(scene="warmup")).service.add(9.0, 1000)
    lags = Histogram()
    lags.add(lag, 100)
    snapshots = [
        Snapshot(at=at, tally=Tally(), cpu=share * at, waited=waited * at, lag=lags.to_row()) for share in (0.1, cpu)
    ]
    return Fared(plan=Plan(calls=(), scene="", model=Model(kind=kind)), snapshots=snapshots, tally=tally)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, ""),
        ({"cpu": 0.95}, "the busiest of its processes used 95% of a core"),
        ({"cpu": 0.95, "at": 0.5}, ""),
        ({"lag": 0.02}, "its loop was 20 ms late at the 99th percentile, answers took 2.0 ms (median)"),
        ({"lag": 0.02, "service": 0.5}, ""),
        ({"lag": 0.009}, ""),
        ({"kind": "open", "started": 1000, "late": 11}, "11 of 1,000 calls (1.1%) started over 10 ms late"),
        ({"kind": "open", "started": 1000, "late": 10}, ""),
        ({"kind": "open", "started": 1000, "late": 11, "service": 0.3}, ""),
        ({"kind": "closed", "started": 1000, "late": 11}, ""),
        (
            {"cpu": 0.95, "waited": 0.3},
            "the busiest of its processes used 95% of a core; it waited 30% of the time for a core that others used",
        ),
        ({"waited": 0.3}, ""),
    ],
)
def test_the_generator_is_the_bottleneck_only_where_a_figure_says_so(facts, why):
    found = generator([fared(**facts)])
    assert found.why == why
    assert found.bound is bool(why)


def test_all_plans_are_told_together_and_the_worst_process_counts():
    found = generator([fared(late=1, dropped=2), fared(cpu=0.5, lag=0.004, **{"outage/late": 3})])
    assert (found.processes, found.late, found.dropped) == (2, 4, 2)
    assert found.cpu == pytest.approx(0.5)
    assert found.lag_max == 0.004
    assert generator([]).bound is False
