"""What a load tells leads the rules to the same cause as the application's own log."""

import time
from pathlib import Path

import pytest

from woolly_mcpdiag.api import analyze_logs
from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.plan import Limits, Model
from woolly_mcpdiag.load.recorder import ShardRecorder

LIMITS = Limits(call=3.0, close=1.0)
pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("fault", "client", "causes"),
    [
        ("ghost-session", "naive", {"session.harvested-from-400"}),
        ("unknown-session=400", "sdk", {"session.lost", "session.server-restarted", "session.idle-expired"}),
        ("tool-error", "pooled", {"server.tool-error"}),
        ("stream-cut=100ms", "shared", {"session.stream-cut"}),
        ("wrong-transport=sse-client", "sdk", {"transport.mismatch"}),
    ],
)
async def test_a_fault_is_named(fault, client, causes, faulty, planned, load, short, tmp_path: Path) -> None:
    async with faulty(fault) as running:
        model = Model(concurrency=4, requests=4 if client == "naive" else 20, think=(0.05, 0.05))
        plan = planned(running, client, model=model, limits=short if client == "naive" else LIMITS)
        recorder = ShardRecorder(plan, Share(), wall=time.time() - time.monotonic())  # noqa: TID251 - ties two clocks
        await load(plan, recorder)
    recorder.flush(0.0, end=True)
    events = tmp_path / "run.jsonl"
    events.write_text("".join(f"{line}\n" for line in recorder.events), encoding="utf-8")
    findings = analyze_logs([str(events)]).report.findings
    named = {found.cause for found in findings if not found.benign}
    assert named & causes
    # A session whose stream was cut is unknown to the server as well, which is a finding of its own.
    assert named <= causes or "stream-cut" in fault
