"""The one place that judges a recorded run again: ``gate --from``."""

from typing import TYPE_CHECKING

from woolly_mcpdiag.cli.errors import note
from woolly_mcpdiag.cli.gate_order import GateOrder

if TYPE_CHECKING:
    from woolly_mcpdiag.api.report import Recorded
    from woolly_mcpdiag.core.verdicts import Verdict


def again(order: GateOrder) -> "tuple[Recorded, Verdict]":
    """Return the run and its verdict. Raises ``InputError`` for a file that is no run log."""
    from woolly_mcpdiag.api.gate import Asked, judge_recorded

    asked = Asked(profile=order.profile, thresholds=order.thresholds, known=order.known, again=order.again)
    recorded, verdict = judge_recorded(order.from_run or "", asked)
    if recorded.run.end is None:
        note(f"{order.from_run}: has no end, so the run was killed: what is there is judged")
    return recorded, verdict
