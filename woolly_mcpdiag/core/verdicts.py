"""What a criterion is found to be: pass, fail or inconclusive, with what was seen and what that proves."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "inconclusive"]
Level = Literal["error", "warn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One criterion, judged."""

    name: str
    """Stable: ``zero-400``, or the threshold as it was written."""
    verdict: Verdict
    sentence: str
    """What was proved, with its figures; says the bound, not only the observation."""
    level: Level = "error"
    """A ``warn`` never changes the exit code."""
    observed: str = ""
    """The value that was judged, with its unit: ``3 of 1,204``, ``0.84 s``."""
    limit: str = ""
    """What was asked for: ``== 0``, ``< 1 s``."""
    tries: int = 0
    """Independent tries looked at, in ``unit``."""
    failures: int = 0
    unit: str = ""
    """calls, agent runs, waves, requests."""
    effective: float | None = None
    """Tries after autocorrelation; ``None`` where it was not looked at."""
    bound: float | None = None
    """The true rate is below this (pass, inconclusive) or above it (fail), at ``confidence``."""
    confidence: float = 0.95
    claim: float | None = None
    """The rate that a pass rules out."""
    needed: int | None = None
    """Further tries that would decide it, where it is inconclusive."""
    causes: tuple[str, ...] = ()
    """Names in the catalogue: why it failed."""
    details: tuple[str, ...] = ()
    """Further lines: parts of the criterion, first failing samples."""
    next_step: str = ""
    """A command or an action."""


def overall(judgements: Iterable[Judgement]) -> Verdict:
    """Return the worst verdict of the criteria that count: fail, else inconclusive, else pass.

    Nothing judged is inconclusive: no evidence is never a pass.
    """
    found = {judgement.verdict for judgement in judgements if judgement.level == "error"}
    if "fail" in found:
        return "fail"
    return "pass" if found == {"pass"} else "inconclusive"
