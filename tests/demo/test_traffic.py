from pathlib import Path

import anyio
import pytest

from woolly_mcpdiag.api import analyze_logs
from woolly_mcpdiag.demo.faults import shown, switched_on
from woolly_mcpdiag.demo.options import Options
from woolly_mcpdiag.demo.serve import serve
from woolly_mcpdiag.demo.traffic import call_in_rounds


async def _rounds(fault: str, log: Path) -> int:
    show = shown([switched_on(fault)])
    options = Options(faults=(fault,), log=log, style=show.style)
    with anyio.fail_after(15):
        async with serve(options) as running:
            await call_in_rounds(running, show)
            return running.ended


@pytest.mark.parametrize(("fault", "calls"), [("restart=5", 10), ("unknown-session", 30), ("slow-initialize=200ms", 5)])
def test_the_rounds_of_a_fault_lead_to_its_cause(fault: str, calls: int, tmp_path: Path) -> None:
    log = tmp_path / "agents.log"
    assert anyio.run(_rounds, fault, log) == calls
    named = {found.cause for found in analyze_logs(log).report.findings if not found.benign}
    assert named
    assert named <= set(switched_on(fault)[0].causes)
