"""What a run may be given beside its plans: somebody who acts while it runs, and judges it when it is over."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from woolly_mcpdiag.core.measures import Tally
from woolly_mcpdiag.core.runs import Run
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.diagnose.engine import Diagnosis
from woolly_mcpdiag.load.plan import Plan


class Stagehand(Protocol):
    """Acts while plans run."""

    def tick(self, plan: Plan, elapsed: float) -> None:
        """Act if it is time to; asked ten times a second. ``elapsed`` is seconds since the plan's start."""

    def idle(self, plan: Plan) -> bool:
        """Return whether nothing is measured just now, so that the next plan can be made ready."""

    def enough(self, plan: Plan, tally: Tally, elapsed: float) -> bool:
        """Return whether a plan can end: more of it would change no verdict."""

    def hear(self, plan: Plan, line: str) -> bool:
        """Take an event line; True keeps it from diagnosis, because what it tells was brought about."""

    def facts(self, plan: Plan) -> Mapping[str, Any]:
        """Return what the scene of a plan that is over must tell; plain JSON."""

    def judge(self, run: Run, diagnosis: Diagnosis) -> Sequence[Judgement]:
        """Judge the whole run."""
