"""The one place for a comparison as SVG: a ratio and its interval on a line each, beside the line of no difference."""

import math
from collections.abc import Iterator, Sequence

from woolly_mcpdiag.report import svg
from woolly_mcpdiag.report.escape import printable
from woolly_mcpdiag.report.plain import pad
from woolly_mcpdiag.report.run_model import Contrast

_LEFT, _RIGHT, _ROW, _TOP = 300, 130, 30, 30
_PLOT = svg.WIDTH - _LEFT - _RIGHT
_KINDS = {"better": "good", "worse": "bad", "no difference shown": "open"}
_LEAST = 1.25
"""The axis reaches at least so far to both sides of 1."""
_MOST = 20.0
_APART = 44.0
"""Units between two figures of the axis."""
_MARKS = (0.05, 0.1, 0.2, 0.5, 0.8, 1, 1.25, 2, 5, 10, 20)


def draw(contrasts: Sequence[Contrast]) -> str:
    """Return the picture of all ratios, "" where there is none. The axis is logarithmic."""
    rows = [row for row in contrasts if row.ratio is not None and row.figure != "success"]
    if not rows:
        return ""
    ends = [abs(math.log(value)) for row in rows for value in (row.low, row.ratio, row.high) if value]
    span = min(max([*ends, math.log(_LEAST)]) * 1.05, math.log(_MOST))

    def x_of(value: float) -> float:
        return _LEFT + _PLOT * (min(max(math.log(max(value, 1e-9)) / span, -1.0), 1.0) + 1) / 2

    base = _TOP + _ROW * len(rows)
    parts = [svg.path(f"M{svg.number(x_of(1))} {_TOP - 6}V{base}", kind="mark")]
    marks: list[float] = []
    # From 1 outwards, so that it is never the one that is left out.
    for at in sorted(_MARKS, key=lambda at: abs(math.log(at))):
        if abs(math.log(at)) <= span and all(abs(x_of(at) - x_of(other)) > _APART for other in marks):
            marks.append(at)
    parts += [svg.text(x_of(at), base + 18, f"×{at:g}", kind="tick", anchor="middle") for at in marks]
    for n, row in enumerate(rows):
        parts += _row(row, _TOP + _ROW * (n + 0.5), x_of(row.low or 1e-9), x_of(row.ratio or 1), x_of(row.high or 1e9))
    label = f"{len(rows)} ratios with their intervals; the list below tells them in words"
    return svg.frame(parts, width=svg.WIDTH, height=base + 28, label=label, kind="forest")


def _row(row: Contrast, y: float, low: float, middle: float, high: float) -> Iterator[str]:
    name = f"{row.figure}  {pad(printable(row.other), 16).rstrip()} / {pad(printable(row.base), 16).rstrip()}"
    kind = _KINDS[row.verdict]
    yield svg.text(8, y + 4, name, tip=printable(row.sentence))
    yield svg.path(f"M{svg.number(low)} {svg.number(y)}H{svg.number(high)}", kind=f"reach {kind}")
    yield svg.path(f"M{svg.number(middle)} {svg.number(y)}h0", kind=f"point {kind}", tip=printable(row.sentence))
    yield svg.text(svg.WIDTH - 8, y + 4, f"×{row.ratio:.2f} {row.verdict.removesuffix(' shown')}", anchor="end")
