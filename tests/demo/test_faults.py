import random
from pathlib import Path

import pytest

from woolly_mcpdiag.core.causes import catalogue
from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.demo.faults import faults, shown, switched_on
from woolly_mcpdiag.demo.options import Options, plan_of
from woolly_mcpdiag.demo.plan import Transport


def test_every_cause_that_a_fault_promises_is_in_the_catalogue() -> None:
    named = {cause for fault in faults().values() for cause in fault.causes}
    assert named - set(catalogue()) == set()


def test_a_fault_is_benign_exactly_where_its_causes_are() -> None:
    for fault in faults().values():
        assert {catalogue()[cause].benign for cause in fault.causes} == {fault.benign}, fault.name


def test_every_default_value_is_taken() -> None:
    for fault in faults().values():
        plan_of(Options(faults=(f"{fault.name}={fault.default}" if fault.default else fault.name,)))


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("rsetart", "fault 'rsetart': unknown", "did you mean restart?"),
        ("nosuch", "fault 'nosuch': unknown", "choose from ghost-session,"),
        ("zzz", "fault 'zzz': unknown", "choose from ghost-session,"),
        ("", "fault '': unknown", "choose from ghost-session,"),
        ("frozen=3", "fault frozen: takes no value, got '3'", "write --fault frozen"),
        ("restart=", "fault restart: no value after =", "the value is number of agent calls"),
        ("restart=0", "fault restart: '0' is no number from 1 to 1000000", "write restart=1"),
        ("idle-expiry=soon", "fault idle-expiry: 'soon' is no duration", "write for example 200ms or 1.5s"),
        ("idle-expiry=-1s", "fault idle-expiry: '-1s' is no duration", "write for example 200ms or 1.5s"),
        ("idle-expiry=nan", "fault idle-expiry: 'nan' is no duration", "write for example 200ms or 1.5s"),
        ("gateway=500", "fault gateway: unknown value '500'", "choose from 502, 503, 504"),
        ("gateway=502:2", "fault gateway: '2' is no share above 0 and at most 1", "write gateway=0.5"),
        ("down=up", "fault down: unknown value 'up'", "choose from refuse, blackhole"),
        ("no-affinity=1", "fault no-affinity: '1' is no number from 2 to 8", "write no-affinity=2"),
        ("unknown-session=500", "fault unknown-session: unknown value '500'", "choose from 404, 400"),
    ],
)
def test_a_bad_fault_is_told_with_what_to_write(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as told:
        plan_of(Options(faults=(text,)))
    assert told.value.message == message
    assert told.value.hint.startswith(hint)


def test_a_fault_inside_the_server_is_refused_in_front_of_another() -> None:
    with pytest.raises(UsageError) as told:
        plan_of(Options(faults=("session-limit",), upstream="http://localhost:8000/mcp"))
    assert told.value.message == "fault session-limit: needs the demo's own server"
    assert "gateway" in told.value.hint


@pytest.mark.parametrize("url", ["localhost:8000/mcp", "ftp://localhost/mcp", "http://", "nonsense"])
def test_an_upstream_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no http or https URL"):
        plan_of(Options(upstream=url))


@pytest.mark.parametrize("transport", ["sse", "both"])
def test_a_transport_that_the_fault_does_not_serve_is_refused(transport: Transport) -> None:
    with pytest.raises(UsageError, match=f"transport {transport}: ghost-session needs streamable") as told:
        plan_of(Options(client="naive", transport=transport))
    assert "--fault none" in told.value.hint
    assert plan_of(Options(client="naive", transport=transport, faults=("none",))).transport == transport


def test_what_a_fault_shows_by_itself_follows_its_value() -> None:
    assert shown([]).calls == ()
    assert shown([switched_on("restart=7")]).calls == (7, 5)
    assert shown([switched_on("restart=7")]).step == "restart"
    assert shown([switched_on("idle-expiry=200ms")]).pause > 0.2
    assert shown([switched_on("keepalive-race=3s:0.4")]).pause > 3
    assert plan_of(Options(faults=("slow-initialize=4s",))).deadline == 2
    assert plan_of(Options(faults=("slow-initialize=4s",), deadline=9.0)).deadline == 9
    assert shown([switched_on("frozen"), switched_on("blocked-loop")]).style == "debug"
    assert shown([switched_on("ghost-session")]).style == "basic"


def test_every_fault_runs_agents_that_reach_it() -> None:
    for fault in faults().values():
        show = fault.show(fault.default)
        assert sum(show.calls) >= 5, fault.name
        assert (len(show.calls) - 1) * show.pause < 8, fault.name
        assert not show.step or len(show.calls) > 1


def test_the_naive_client_brings_the_first_customers_fault() -> None:
    plan = plan_of(Options(client="naive"))
    assert (plan.dialect, plan.url_path()) == ("1.11", "/sse/")
    without = plan_of(Options(client="naive", faults=("none",)))
    assert without.dialect == "2.3"


def test_the_same_seed_gives_the_same_plan() -> None:
    draws = [plan_of(Options(faults=("unknown-session",), seed=seed)).rng.random() for seed in (7, 7, 8)]
    assert draws[0] == draws[1] != draws[2]
    assert switched_on("gateway=503:0.5")[1] == "503:0.5"
    assert isinstance(plan_of(Options()).rng, random.Random)


def test_the_manual_has_a_row_for_every_fault_with_its_causes_and_default(root: Path) -> None:
    rows = [line for line in (root / "docs/demo.md").read_text().splitlines() if line.startswith("| `")]
    for fault in faults().values():
        row = next((line for line in rows if line.startswith(f"| `{fault.name}` |")), "")
        assert fault.what in row, fault.name
        assert fault.default in row, fault.name
        assert all(f"`{cause}`" in row for cause in fault.causes), fault.name
