"""The one place for a run over time as SVG: latency, rate, what was in flight and what failed, on one axis."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from woolly_mcpdiag.report import svg, wording
from woolly_mcpdiag.report.escape import printable
from woolly_mcpdiag.report.run_model import Point

LEFT, RIGHT = 74, 20
PLOT = svg.WIDTH - LEFT - RIGHT
_HEAD, _GAP, _FOOT = 26, 18, 26
_TALL, _LOW = 190, 84
_NAMES = 16
"""Height of the line of names of what is shaded."""
_LOG_FROM = 25.0
"""Times the lowest median from which on the latency axis is logarithmic."""
_FEW = 40
"""Points up to which each is marked by a dot."""
_KINDS = ("s-bad", "s-e4", "s-e5", "s-other")
_ROUND = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
_LEGEND = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of the run that is shaded: the warm-up, an outage."""

    start: float
    end: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """One of the strips."""

    top: float
    height: float
    title: str

    @property
    def base(self) -> float:
        return self.top + self.height


def draw(points: Sequence[Point], bands: Sequence[Band] = (), *, load: str = "users") -> str:
    """Return the picture; ``load`` names what ``Point.users`` are."""
    end = max(points[-1].end, 1e-6)
    start = points[0].start

    def x_of(at: float) -> float:
        return LEFT + PLOT * min(max((at - start) / (end - start or 1e-6), 0.0), 1.0)

    panels = list(_panels(points))
    base = panels[-1].base
    height = base + _FOOT + (_NAMES if bands else 0)
    parts = [*_bands(bands, x_of, base), *_ticks(start, end, x_of, (base, height))]
    for panel in panels:
        parts += _DRAWN[panel.title](panel, points, x_of, load)
    parts += [_tip(point, x_of, base) for point in points]
    return svg.frame(parts, width=svg.WIDTH, height=height, label=_alternative(points), kind="timeline run")


def _panels(points: Sequence[Point]) -> Iterator[_Panel]:
    top = float(_HEAD)
    for title in ("latency", "rate", "in flight", "failures"):
        there = any(point.failed or point.refused for point in points) if title == "failures" else True
        if title == "latency":
            there = any(point.p95 is not None for point in points)
        if there:
            tall = _TALL if title == "latency" else _LOW
            yield _Panel(top=top, height=tall, title=title)
            top += tall + _HEAD + _GAP


def _bands(bands: Sequence[Band], x_of: Callable[[float], float], base: float) -> Iterator[str]:
    for band in bands:
        left, right = x_of(band.start), x_of(band.end)
        yield svg.rect(left, 8, max(right - left, 1.0), base - 8, kind="band", tip=printable(band.label))
        if right - left > 7 * len(band.label):
            # Below the last strip, whose bars would hide it.
            yield svg.text((left + right) / 2, base + 14, printable(band.label), kind="tick", anchor="middle")


def _ticks(start: float, end: float, x_of: Callable[[float], float], bottom: tuple[float, float]) -> Iterator[str]:
    base, height = bottom
    least = (end - start) / 10
    step = next((step for step in _ROUND if step >= least), math.ceil(least / 86_400) * 86_400)
    if least < _ROUND[0]:
        step = svg.ceiling(least * 1e6) / 1e6
    for n in range(math.ceil(start / step), math.floor(end / step + 1e-9) + 1):
        x = x_of(n * step)
        yield svg.path(f"M{svg.number(x)} 8V{svg.number(base)}", kind="grid")
        anchor = "end" if x > svg.WIDTH - RIGHT - 12 else "middle"
        yield svg.text(x, height - 8, wording.duration(n * step) if n else "0 s", kind="tick", anchor=anchor)


def _head(panel: _Panel, title: str, keys: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield svg.text(LEFT, panel.top - 8, title, kind="strong")
    x = LEFT + 14 + 7.2 * len(title)
    for kind, name in keys:
        yield svg.rect(x, panel.top - 16, 10, 10, kind=kind)
        yield svg.text(x + 15, panel.top - 7, printable(name)[:24], kind="tick")
        x += max(34 + 6.6 * min(len(printable(name)), 24), _LEGEND * 0.6)


def _axis(panel: _Panel, marks: Sequence[tuple[float, str]]) -> Iterator[str]:
    for y, label in marks:
        yield svg.text(LEFT - 8, y + 4, label, kind="tick", anchor="end")
        yield svg.path(f"M{LEFT} {svg.number(y)}H{LEFT + PLOT}", kind="grid")
    yield svg.path(f"M{LEFT} {svg.number(panel.base)}H{LEFT + PLOT}", kind="axis")


def _latency(panel: _Panel, points: Sequence[Point], x_of: Callable[[float], float], _: str) -> Iterator[str]:
    seen = [point for point in points if point.p95 is not None]
    top = max(max(point.p99 or 0.0, point.p95 or 0.0) for point in seen)
    low = min(value for point in seen if (value := point.p50 or point.p95 or top) > 0) if top > 0 else 0.0
    y_of, marks = _log_scale(panel, low, top) if low and top / low > _LOG_FROM else _linear(panel, top)
    yield from _axis(panel, [(y_of(at), wording.duration(at) if at else "0") for at in marks])
    keys = (("l-p99", "p99"), ("l-p95", "p95"), ("l-p50", "p50"))
    yield from _head(panel, "Latency", keys)
    for kind, name in keys:
        yield from _line(points, [getattr(point, name) for point in points], x_of, y_of, kind)


def _linear(panel: _Panel, top: float) -> tuple[Callable[[float], float], list[float]]:
    step = svg.ceiling(top * 1e6 / 4) / 1e6
    most = step * max(math.ceil(top / step - 1e-9), 1)
    return (
        lambda value: panel.base - panel.height * min(value / most, 1.0),
        [step * n for n in range(round(most / step) + 1)],
    )


def _log_scale(panel: _Panel, low: float, top: float) -> tuple[Callable[[float], float], list[float]]:
    first, last = math.floor(math.log10(low)), math.log10(top)
    span = max(last - first, 1e-9)

    def y_of(value: float) -> float:
        return panel.base - panel.height * min(max((math.log10(max(value, 1e-9)) - first) / span, 0.0), 1.0)

    return y_of, [10.0**power for power in range(first, math.floor(last) + 1)]


def _line(
    points: Sequence[Point],
    values: Sequence[float | None],
    x_of: Callable[[float], float],
    y_of: Callable[[float], float],
    kind: str,
) -> Iterator[str]:
    d, pen, dots, end = "", "M", [], points[0].start
    for point, value in zip(points, values, strict=True):
        pen = "M" if _parted(end, point) else pen
        end = point.end
        if value is None:
            pen = "M"
            continue
        place = f"{svg.number(x_of((point.start + point.end) / 2))} {svg.number(y_of(value))}"
        d, pen = f"{d}{pen}{place}", "L"
        dots.append(f"M{place}h0")
    yield svg.path(d, kind=f"line {kind}")
    if len(points) <= _FEW:
        yield svg.path("".join(dots), kind=f"dots {kind}")


def _rate(panel: _Panel, points: Sequence[Point], x_of: Callable[[float], float], _: str) -> Iterator[str]:
    y_of, marks = _linear(panel, max(point.rate for point in points))
    yield from _axis(panel, [(y_of(at), f"{at:,g}") for at in marks[:: max(len(marks) // 2, 1)]])
    yield from _head(panel, "Calls a second", ())
    yield _area(points, [point.rate for point in points], x_of, y_of, panel.base)


def _in_flight(panel: _Panel, points: Sequence[Point], x_of: Callable[[float], float], load: str) -> Iterator[str]:
    aimed = load == "users" and any(point.users for point in points)
    top = max(max(float(point.in_flight), point.users if aimed else 0.0) for point in points)
    y_of, marks = _linear(panel, max(top, 1.0))
    yield from _axis(panel, [(y_of(at), f"{at:,g}") for at in marks[:: max(len(marks) // 2, 1)]])
    yield from _head(panel, "In flight", (("s-flight", "calls"), *((("l-users", load),) if aimed else ())))
    yield _area(points, [float(point.in_flight) for point in points], x_of, y_of, panel.base, kind="area flight")
    if aimed:
        yield _area(points, [point.users for point in points], x_of, y_of, panel.base, kind="line l-users")


def _area(
    points: Sequence[Point],
    values: Sequence[float],
    x_of: Callable[[float], float],
    y_of: Callable[[float], float],
    base: float,
    *,
    kind: str = "area",
) -> str:
    floor, end = svg.number(base), points[0].start
    d = f"M{svg.number(x_of(end))} {floor}"
    for point, value in zip(points, values, strict=True):
        if _parted(end, point):
            d += f"V{floor}H{svg.number(x_of(point.start))}"
        d += f"V{svg.number(y_of(value))}H{svg.number(x_of(point.end))}"
        end = point.end
    return svg.path(f"{d}V{floor}Z", kind=kind)


def _parted(end: float, point: Point) -> bool:
    """Say whether nothing was measured between the last stretch and this one: another part of the run began."""
    return point.start > end + 0.05 * max(point.end - point.start, 0.01)


def _failures(panel: _Panel, points: Sequence[Point], x_of: Callable[[float], float], _: str) -> Iterator[str]:
    totals: dict[str, int] = {}
    for point in points:
        for name, number in _failed(point).items():
            totals[name] = totals.get(name, 0) + number
    names = sorted(totals, key=lambda name: -totals[name])[: len(_KINDS) - 1]
    y_of, marks = _linear(panel, max(float(sum(_failed(point).values())) for point in points))
    yield from _axis(panel, [(y_of(at), f"{at:,g}") for at in marks[:: max(len(marks) // 2, 1)]])
    shown = [*names, "others"] if len(totals) > len(names) else names
    keys = [(kind, f"{name} {totals.get(name, 0) or ''}") for kind, name in zip(_KINDS, shown, strict=False)]
    yield from _head(panel, "Failures", keys)
    for point in points:
        y = panel.base
        left, width = x_of(point.start) + 0.3, max(x_of(point.end) - x_of(point.start) - 0.6, 1.2)
        kinds = _failed(point)
        rest = sum(number for name, number in kinds.items() if name not in names)
        for kind, number in zip(_KINDS, [*(kinds.get(name, 0) for name in names), rest], strict=False):
            if number:
                height = max(panel.base - y_of(number), 1.5)
                y -= height
                yield svg.rect(left, y, width, height, kind=kind)


def _failed(point: Point) -> dict[str, int]:
    """Return calls that failed by kind; where none did, the 400s that were retried on the wire."""
    if point.errors or not point.refused:
        return point.errors
    return {"400 on the wire": point.refused}


_DRAWN: dict[str, Callable[[_Panel, Sequence[Point], Callable[[float], float], str], Iterator[str]]] = {
    "latency": _latency,
    "rate": _rate,
    "in flight": _in_flight,
    "failures": _failures,
}


def _tip(point: Point, x_of: Callable[[float], float], height: float) -> str:
    parts = [f"{point.start:,.1f}–{point.end:,.1f} s", f"{wording.rate(point.rate)}, {point.ok:,} ok"]
    if point.p50 is not None and point.p95 is not None:
        parts.append(f"p50 {wording.duration(point.p50)}, p95 {wording.duration(point.p95)}")
    parts.append(f"{point.in_flight:,} in flight")
    parts += [f"{name} ×{number:,}" for name, number in point.errors.items()]
    parts += [f"{point.refused:,} answers of 400"] if point.refused else []
    left = x_of(point.start)
    return svg.rect(left, 8, max(x_of(point.end) - left, 0.5), height - 8, kind="hit", tip=" · ".join(parts))


def _alternative(points: Sequence[Point]) -> str:
    worst = max((point.p95 for point in points if point.p95 is not None), default=None)
    told = f"highest p95 {wording.duration(worst)}" if worst is not None else "nothing succeeded"
    failed = sum(point.failed for point in points)
    return f"The run over {wording.duration(points[-1].end)}: {told}, {wording.count(failed, 'call')} failed"
