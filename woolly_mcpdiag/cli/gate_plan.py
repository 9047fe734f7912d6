"""The one place that says what a gate would run and how long that takes: ``--plan``."""

import sys
from collections.abc import Sequence

from woolly_mcpdiag.cli.gate_order import GateOrder
from woolly_mcpdiag.cli.screen import columns, put
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.gate.planning import plan
from woolly_mcpdiag.gate.profile import for_targets
from woolly_mcpdiag.gate.wording import counted, duration
from woolly_mcpdiag.report.plain import BLANK, Line, paragraph, plain, to_ascii
from woolly_mcpdiag.report.terminal import needs_ascii

_WIDEST = 120
_WAVE, _DEMO_WAVE = 0.1, 0.04
"""Seconds for a wave of 5: a guess, and what the demo takes."""
_HEADS = ("criterion", "scene", "needs", "a clean run shows", "takes")


def put_plan(asked: GateOrder) -> None:
    """Print the sample sizes, what they prove, and the time."""
    kinds = ["agent"] * (asked.demo or asked.agent is not None) + ["mcp"] * (asked.demo or asked.mcp is not None)
    whole = for_targets(asked.profile, kinds)
    pace = _DEMO_WAVE if asked.demo else _WAVE
    rows = plan(whole, seconds_per_wave=pace, agent_types=len(whole.agent_types))
    table = [
        (
            row.criterion,
            row.scene,
            counted(row.tries, row.unit),
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
    told = f"about {duration(total)} in all, at {duration(pace)} a wave of 5"
    lines += ["", f"{told}; a failure is told at once, a pass needs it all"]
    put("\n".join(lines) + "\n")


def put_beside(
    first: str, mine: Sequence[Judgement], second: str, others: Sequence[Judgement], width: int | None
) -> None:
    """Print two clients' verdicts side by side, a line a criterion, and what the second one did to differ."""
    theirs = {judgement.name: judgement for judgement in others}
    size = max((len(judgement.name) for judgement in mine), default=0)
    cut = min(width or columns(sys.stdout), _WIDEST)
    lines: list[Line] = [((f"{'':{size}}  {first:<12}  {second}", ""),)]
    for judgement in mine:
        other = theirs.get(judgement.name)
        lines.append(((f"{judgement.name:{size}}  {judgement.verdict:<12}  {_told(other)}", ""),))
        if other is not None and other.verdict != judgement.verdict:
            lines += paragraph(other.sentence, cut, lead=f"  {second}: ")
    text = plain([*lines, BLANK])
    put(to_ascii(text) if needs_ascii(sys.stdout.encoding) else text)


def _told(other: Judgement | None) -> str:
    if other is None:
        return "not judged"
    return f"{other.verdict}: {', '.join(other.causes[:2])}" if other.causes else other.verdict
