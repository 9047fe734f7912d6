"""A project's own tests ask the gate."""

import subprocess
import sys
from pathlib import Path

import pytest

from woolly_mcpdiag.core.errors import TargetAwayError
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.pytest_plugin import GateResult
from woolly_mcpdiag.report.model import Report


def test_a_project_that_has_the_package_has_the_fixture(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--fixtures", str(tmp_path)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=55)
    assert "mcpdiag_gate [session scope]" in run.stdout, run.stdout + run.stderr


@pytest.mark.slow
def test_the_fixture_judges_the_demo_where_no_target_is_named(mcpdiag_gate) -> None:
    result = mcpdiag_gate(criteria=["zero-400"], waves=3, claim=0.7)
    result.check()
    assert result["zero-400"].tries > 0


def test_a_target_that_is_away_is_no_verdict(mcpdiag_gate) -> None:
    with pytest.raises(TargetAwayError, match="connection refused"):
        mcpdiag_gate(mcp="http://127.0.0.1:9/mcp", criteria=["zero-400"], waves=5, claim=0.5)


def test_what_was_not_judged_is_no_pass() -> None:
    failed = GateResult("fail", (Judgement(name="zero-400", verdict="fail", sentence="3 of 9 were"),), Report())
    with pytest.raises(AssertionError, match="the gate says fail\nfail zero-400: 3 of 9 were"):
        failed.check()
    empty = GateResult("inconclusive", (), Report())
    with pytest.raises(AssertionError, match="nothing was judged"):
        empty.check()
    with pytest.raises(KeyError):
        empty["zero-400"]
    known = Judgement(name="zero-400", verdict="fail", level="warn", sentence="known")
    GateResult("pass", (known,), Report()).check()


def test_the_plugin_loads_nothing_heavy() -> None:
    code = (
        "import sys, woolly_mcpdiag.pytest_plugin\n"
        "print([name for name in ('numpy', 'pandas', 'mcp', 'httpx', 'httpx2', 'typer') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
