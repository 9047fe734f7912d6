"""The one pytest fixture: a project's own tests ask the gate about their server.

It is found by its entry point; nothing heavy is loaded before it is used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from woolly_mcpdiag.core.verdicts import Judgement, Verdict
    from woolly_mcpdiag.report.model import Report


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the gate said."""

    verdict: "Verdict"
    judgements: "tuple[Judgement, ...]"
    report: "Report"

    def __getitem__(self, criterion: str) -> "Judgement":
        """Return the judgement of a criterion. Raises ``KeyError`` where it was not judged."""
        for judgement in self.judgements:
            if judgement.name == criterion:
                return judgement
        raise KeyError(criterion)

    def check(self) -> None:
        """Raise ``AssertionError`` with the sentence of each criterion that is not shown, unless all are."""
        if self.verdict != "pass":
            lines = [
                f"{one.verdict} {one.name}: {one.sentence}" for one in self.judgements if one.verdict != "pass"
            ] or ["nothing was judged"]
            raise AssertionError("\n".join([f"the gate says {self.verdict}", *lines]))


Asking = Callable[..., GateResult]


@pytest.fixture(scope="session")
def mcpdiag_gate() -> Asking:
    """Return a function that judges a server: ``mcpdiag_gate(mcp="http://localhost:8009/mcp").check()``.

    Without ``mcp`` and ``agent`` the demo is judged, with ``faults`` if any. The other arguments are those of
    ``mcpdiag gate``; rates are numbers from 0 to 1.
    """
    return _ask


def _ask(  # noqa: PLR0913 - as many as the command has options
    *,
    mcp: str | None = None,
    agent: str | None = None,
    agent_types: Sequence[str] = (),
    faults: Sequence[str] = (),
    headers: Sequence[str] = (),
    client: str | None = None,
    criteria: Sequence[str] | None = None,
    thresholds: Sequence[str] = (),
    config: str | None = None,
    baseline: str | None = None,
    strict: bool = False,
    confidence: float | None = None,
    claim: float | None = None,
    waves: int | None = None,
    events: Path | None = None,
) -> GateResult:
    from woolly_mcpdiag.cli.gate_order import gate_order  # noqa: PLC0415 - see the module
    from woolly_mcpdiag.cli.gate_run import Show, play  # noqa: PLC0415
    from woolly_mcpdiag.cli.interrupt import Interrupt  # noqa: PLC0415
    from woolly_mcpdiag.cli.load_typed import Typed  # noqa: PLC0415

    order = gate_order(
        Typed(
            url=mcp,
            agent=agent,
            agent_types=tuple(agent_types),
            faults=tuple(faults),
            headers=tuple(headers),
            thresholds=tuple(thresholds),
        ),
        client=client,
        profile=None,
        criteria=None if criteria is None else tuple(criteria),
        config=config,
        strict=strict,
        confidence=None if confidence is None else f"{confidence * 100:.12g}%",
        claim=None if claim is None else f"{claim * 100:.12g}%",
        waves=None if waves is None else str(waves),
        baseline=baseline,
        on_inconclusive=None,
        from_run=None,
    )
    gated = play(order, events, Interrupt(), Show(live=False, quiet=True))
    return GateResult(gated.verdict, tuple(gated.loaded.judgements), gated.loaded.report)
