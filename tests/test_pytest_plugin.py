"""A project's own tests ask the gate: run as such a project would, in a pytest of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.pytest_plugin import GateResult
from woolly_mcpdiag.report.model import Report

PROJECT = """
def test_no_request_of_the_pooled_client_is_answered_400(mcpdiag_gate):
    result = mcpdiag_gate(criteria=["zero-400", "parallel-success"], waves=5, claim=0.5)
    result.check()
    assert result["zero-400"].tries > 0
"""


@pytest.mark.slow
def test_a_project_gets_the_verdict_and_the_sentence(tmp_path: Path) -> None:
    (tmp_path / "test_gate.py").write_text(PROJECT, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", str(tmp_path)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=55)
    assert "1 passed" in run.stdout, run.stdout + run.stderr


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
