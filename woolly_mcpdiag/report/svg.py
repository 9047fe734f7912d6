"""The one place for the SVG parts that every picture uses: the frame, text, tooltips and round figures of an axis."""

import math
from collections.abc import Iterable

from woolly_mcpdiag.report.escape import html

WIDTH = 1080
"""Units of a picture across the page; a unit is about a CSS pixel on a wide screen."""


def frame(parts: Iterable[str], *, width: int, height: float, label: str, kind: str) -> str:
    """Return an ``<svg>`` with a text alternative that fills the width of its place."""
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {number(height)}" role="img" aria-label="{html(label)}">'
        + "".join(parts)
        + "</svg>"
    )


def number(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def text(x: float, y: float, content: str, *, kind: str = "", anchor: str = "", tip: str = "") -> str:
    """Return a ``<text>``; the anchor is "middle" or "end"."""
    style = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{number(x)}" y="{number(y)}"{style}>{title(tip)}{html(content)}</text>'


def title(tip: str) -> str:
    """Return the tooltip element, or nothing for an empty tip."""
    return f"<title>{html(tip)}</title>" if tip else ""


def rect(x: float, y: float, width: float, height: float, *, kind: str, tip: str = "") -> str:
    """Return a ``<rect>``."""
    box = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    return f'<rect class="{kind}" {box}>{title(tip)}</rect>' if tip else f'<rect class="{kind}" {box}/>'


def path(d: str, *, kind: str, tip: str = "") -> str:
    """Return a ``<path>``."""
    return f'<path class="{kind}" d="{d}">{title(tip)}</path>' if tip else f'<path class="{kind}" d="{d}"/>'


def ceiling(value: float) -> float:
    """Return the next figure of 1, 2 or 5 times a power of ten; at least 1."""
    if value <= 1:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return float(next(size * factor for factor in (1, 2, 5, 10) if size * factor >= value * 0.999))
