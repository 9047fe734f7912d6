"""The one place that says beforehand what a run of a profile takes: sample sizes, waves, time."""

from dataclasses import dataclass

from woolly_mcpdiag.core.stats import tries_needed
from woolly_mcpdiag.gate.evidence import smallest_tries
from woolly_mcpdiag.gate.profile import Criterion, Profile, SceneSpec, phase4
from woolly_mcpdiag.gate.wording import duration, exact_percent, percent


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """What one criterion needs of one scene."""

    criterion: str
    scene: str
    tries: int
    unit: str
    """waves, agent runs, calls."""
    proves: str
    """What so many clean tries show."""
    seconds: float
    """Of the scene; 0 where another row of the plan has it."""


def plan_phase4(
    confidence: float = 0.95, claim: float = 0.01, *, seconds_per_wave: float = 0.1, agent_types: int = 1
) -> list[PlanRow]:
    """Return what a run of the profile will take: sample sizes, waves, time; ``seconds_per_wave`` is of five runs."""
    return plan(phase4(confidence=confidence, claim=claim), seconds_per_wave=seconds_per_wave, agent_types=agent_types)


def plan(whole: Profile, *, seconds_per_wave: float = 0.1, agent_types: int = 1) -> list[PlanRow]:
    """Return what a run of a profile will take; see ``plan_phase4``."""
    rows: list[PlanRow] = []
    counted: set[str] = set()
    for criterion in whole.criteria:
        for name in criterion.scenes:
            scene = whole.scene(name)
            tries, unit, proves = _needs(whole, criterion, scene, max(agent_types, 1))
            seconds = scene.seconds or scene.waves * seconds_per_wave * scene.size / 5
            rows.append(
                PlanRow(
                    criterion=criterion.id,
                    scene=name,
                    tries=tries,
                    unit=unit,
                    proves=proves,
                    seconds=0.0 if name in counted else round(seconds, 3),
                )
            )
            counted.add(name)
    return rows


def _needs(whole: Profile, criterion: Criterion, scene: SceneSpec, agent_types: int) -> tuple[int, str, str]:
    confidence = criterion.confidence or whole.confidence
    sure = percent(confidence)
    if scene.outage:
        unit = "failures" if criterion.id == "error-logging" else "calls"
        return 1, unit, "each one is found in the log" if unit == "failures" else "no hang, typed errors, recovery"
    if criterion.id == "sub-second":
        needed = smallest_tries(criterion.quantile, confidence)
        runs = scene.waves * scene.size // agent_types
        enough = "" if runs >= needed else f"; only {runs:,} per type are planned"
        limit = duration(criterion.limit or 1.0)
        return needed * agent_types, "agent runs", f"p{criterion.quantile * 100:g} < {limit} per type ({sure}){enough}"
    claim = criterion.claim or scene.claim
    needed = tries_needed(claim, confidence)
    return needed, "waves", f"fewer than {exact_percent(claim)} of waves of {scene.size} fail ({sure})"
