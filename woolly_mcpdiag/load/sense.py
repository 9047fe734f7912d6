"""The one check that a plan can mean something, before anything is started."""

from collections.abc import Sequence

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.load.plan import Model, Plan


def check(plans: Sequence[Plan], *, endless: bool) -> None:
    """Raise ``UsageError`` for a plan that cannot be run; ``endless`` allows one that only a stop ends."""
    if not plans:
        message = "plans: there is none"
        raise UsageError(message, "give one at least")
    for plan in plans:
        _check_calls(plan)
        _check_model(plan.model)
        if plan.processes < 1:
            message = f"processes: {plan.processes} cannot do anything"
            raise UsageError(message, "1 or more")
        if not (endless or _ends(plan.model)):
            message = "plan: nothing ends it"
            raise UsageError(message, "give it a duration, a number of requests or of waves, or stages")


def wanted(plan: Plan) -> int | None:
    """Return how many calls a plan will make; ``None`` where time ends it."""
    model = plan.model
    if model.kind == "waves" and model.waves:
        return model.waves * model.concurrency * model.calls_per_session
    return model.requests


def _check_calls(plan: Plan) -> None:
    if not plan.calls:
        message = "calls: there are none"
        raise UsageError(message, "name a tool or an agent type")
    if any(call.weight < 0 for call in plan.calls) or not sum(call.weight for call in plan.calls):
        message = f"weights: {[call.weight for call in plan.calls]} leave nothing to draw"
        raise UsageError(message, "none may be negative, one must be above 0")
    for call in plan.calls:
        if (plan.mcp if call.kind == "mcp" else plan.agent) is None:
            message = f"{call.method} {call.name}".strip() + f": the plan has no {call.kind} target for it"
            raise UsageError(message, "give the target's URL")


def _check_model(model: Model) -> None:
    numbers = {
        "concurrency": model.concurrency,
        "calls per session": model.calls_per_session,
        "max in flight": model.max_in_flight,
        "requests": 1 if model.requests is None else model.requests,
    }
    for name, number in numbers.items():
        if number < 1:
            message = f"{name}: {number} cannot do anything"
            raise UsageError(message, "1 or more")
    if model.duration is not None and not 0 < model.duration < float("inf"):
        message = f"duration: {model.duration} s is no time"
        raise UsageError(message, "give it more than 0 seconds")
    if model.kind == "open" and not max([model.rate, *(stage.target for stage in model.stages)]) > 0:
        message = f"rate: {model.rate:g} arrivals a second never arrive"
        raise UsageError(message, "give it more than 0, such as 10/s")
    if any(stage.duration < 0 or stage.target < 0 for stage in model.stages):
        message = "stages: durations and targets below 0 mean nothing"
        raise UsageError(message, "write them as DURATION:TARGET, such as 30s:20")


def _ends(model: Model) -> bool:
    return bool(model.duration is not None or model.requests is not None or model.stages or model.waves)
