"""The one place for how the gate writes figures. A bound is never rounded to its good side."""

import math
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Literal

Side = Literal["up", "down", "near"]


def percent(rate: float, side: Side = "near") -> str:
    """Return a rate as per cent with two digits that count: ``1.6 %``; rounded up, down or to the nearest."""
    value = rate * 100
    if value <= 0 or not math.isfinite(value):
        return "0 %"
    scale = 10.0 ** (1 - math.floor(math.log10(value)))
    # A hair's breadth keeps 5 % from becoming 5.1 % for want of a binary digit.
    digits = {
        "up": math.ceil(value * scale - 1e-9),
        "down": math.floor(value * scale + 1e-9),
        "near": round(value * scale),
    }[side]
    return f"{digits / scale:.12g} %"


def exact_percent(rate: float) -> str:
    """Return a rate that somebody has chosen, as it was written: ``1 %``, ``0.25 %``."""
    return f"{rate * 100:.6g} %"


def duration(seconds: float) -> str:
    """Return seconds with three digits that count: ``840 ms``, ``1.2 s``."""
    if seconds == math.inf:
        return "never"
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 999.5 else f"{seconds:,.0f} s"


def of(failures: int, tries: int) -> str:
    """Return ``3 of 1,204``."""
    return f"{failures:,} of {tries:,}"


def counted(number: int, plural: str) -> str:
    """Return ``1 wave``, ``300 waves``."""
    one = {"tries": "try", "births": "birth", "processes": "process"}.get(plural, plural.removesuffix("s"))
    return f"{number:,} {one if number == 1 else plural}"


def did_you_mean(name: str, names: Sequence[str], what: str) -> str:
    """Return a hint that names the nearest of the names, or all of them."""
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"{what}: {', '.join(sorted(names))}"
