"""The one place that says what a gate would run and how long that takes: ``--plan``."""

from collections.abc import Sequence

from woolly_mcpdiag.cli.gate_order import GateOrder
from woolly_mcpdiag.cli.screen import PLAIN_WIDTH, put
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.gate.planning import plan
from woolly_mcpdiag.gate.profile import for_targets
from woolly_mcpdiag.gate.wording import duration
from woolly_mcpdiag.report.plain import wrap

_HEADS = ("criterion", "scene", "needs", "a clean run shows", "takes")


def put_plan(asked: GateOrder) -> None:
    """Print the sample sizes, what they prove, and the time."""
    kinds = ["agent"] * (asked.demo or asked.agent is not None) + ["mcp"] * (asked.demo or asked.mcp is not None)
    whole = for_targets(asked.profile, kinds)
    rows = plan(whole, agent_types=len(whole.agent_types))
    table = [
        (
            row.criterion,
            row.scene,
            f"{row.tries:,} {row.unit}",
            row.proves,
            f"{duration(row.seconds)}" if row.seconds else "",
        )
        for row in rows
    ]
    widths = [max(len(cell) for cell in column) for column in zip(_HEADS, *table, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (_HEADS, *table)
    ]
    total = sum(row.seconds for row in rows)
    lines += [
        "",
        f"about {duration(total)} in all, at 0.1 s a wave of 5; a failure is told at once, a pass needs it all",
    ]
    put("\n".join(lines) + "\n")


def put_beside(first: str, mine: Sequence[Judgement], second: str, others: Sequence[Judgement]) -> None:
    """Print two clients' verdicts side by side, a line a criterion."""
    theirs = {judgement.name: judgement for judgement in others}
    width = max((len(judgement.name) for judgement in mine), default=0)
    lines = [f"{'':{width}}  {first:<13} {second}"]
    for judgement in mine:
        other = theirs.get(judgement.name)
        lines.append(f"{judgement.name:{width}}  {judgement.verdict:<13} {other.verdict if other else 'not judged'}")
        if other is not None and other.verdict != judgement.verdict:
            lines += [f"{'':{width}}    {second}: {line}" for line in wrap(other.sentence, PLAIN_WIDTH - width - 8)]
    put("\n".join(lines) + "\n\n")
