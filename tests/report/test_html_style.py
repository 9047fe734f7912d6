import re

from woolly_mcpdiag.report.html_style import CSS


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9]+):(#[0-9a-f]+)", block))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_has_enough_contrast_by_day_and_by_night():
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    day, night = CSS.split("@media (prefers-color-scheme:dark)")
    for palette in (colours(day), colours(night[: night.index("*{")])):
        pairs = [(name, back) for name in ("ink", "soft", "bad", "warn", "good", "info") for back in ("bg", "card")]
        pairs += [("soft", "pale"), ("bad", "badbg"), ("warn", "warnbg"), ("good", "goodbg"), ("info", "infobg")]
        assert {pair: c for pair in pairs if (c := contrast(palette[pair[0]], palette[pair[1]])) < 4.5} == {}


def test_every_colour_that_is_used_is_defined_twice():
    used = set(re.findall(r"var\(--([a-z0-9]+)\)", CSS))
    for name in used:
        assert CSS.count(f"--{name}:") == 2, name
    assert CSS.count("{") == CSS.count("}")
