"""The one place for the words of a load or a gate: its workload, its labels, its verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.core.runs import Generator, Meta, Sample
from woolly_mcpdiag.core.verdicts import Judgement, Verdict, overall
from woolly_mcpdiag.report import wording
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.run_model import Comparison, Failure, RunPicture
from woolly_mcpdiag.report.wording import State

CLOSED = (
    "Closed loop: stalls are under-reported, since a target that stands still is asked less. "
    "`--rate` measures what arrivals would see."
)
MARKS: Mapping[Verdict, str] = {"pass": "✓", "fail": "✗", "inconclusive": "?"}
WORDS: Mapping[Verdict, str] = {"pass": "PASS", "fail": "FAIL", "inconclusive": "INCONCLUSIVE"}
STATES: Mapping[Verdict, State] = {"pass": "good", "fail": "bad", "inconclusive": "open"}
_NAMES = 3


def workload(meta: Meta) -> str:
    """Return the workload in words: "5 users, closed loop, for 30 s, sessions per-worker"."""
    told = meta.workload
    if profile := told.get("profile"):
        return f"profile {profile}, client {told.get('client', '')}, {len(set(meta.scenes))} scenes"
    parts = [_shape(told)]
    if requests := told.get("requests"):
        parts.append(f"until {requests:,} calls")
    if (length := told.get("duration")) and not told.get("stages"):
        parts.append(f"for {_seconds(length)}")
    parts += [f"stages {_stages(told['stages'])}"] if told.get("stages") else []
    parts += [f"sessions {_sessions(told['sessions'])}"] if told.get("sessions") else []
    names = told.get("clients")
    parts += [f"clients {', '.join(map(str, names))}"] if isinstance(names, list | tuple) and len(names) > 1 else []
    parts += [f"seed {told['seed']}"] if told.get("seed") else []
    return ", ".join(part for part in parts if part)


def _shape(told: Mapping[str, Any]) -> str:
    many = told.get("concurrency")
    match told.get("model"):
        case "open":
            arrival = " (Poisson)" if told.get("arrival") == "poisson" else ""
            return f"open loop, {_figure(told.get('rate', 0))}/s{arrival}"
        case "waves":
            return f"{_figure(told.get('waves', 0))} waves of {_figure(many or 0)}"
        case "closed":
            return f"{_figure(many or 0)} {'user' if many == 1 else 'users'}, closed loop"
        case other:
            return str(other or "")


def _stages(stages: object) -> str:
    rows = stages if isinstance(stages, list | tuple) else ()
    pairs = [
        (row.get("duration", 0), row.get("target", 0)) if isinstance(row, Mapping) else tuple(row)[:2] for row in rows
    ]
    return ", ".join(f"{_seconds(length)} to {_figure(target)}" for length, target in pairs)


def _sessions(told: object) -> str:
    if isinstance(told, Mapping):
        return f"pool of {told.get('size')}" if told.get("policy") == "pool" else str(told.get("policy", ""))
    return str(told)


def _seconds(value: object) -> str:
    return f"{value:g} s" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _figure(value: object) -> str:
    return f"{value:,g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def target(told: Mapping[str, Any]) -> str:
    """Return a target in words: "MCP http://localhost:8009/mcp · streamable 2025-11-25 · demo 0.1 · client wire"."""
    kind = {"mcp": "MCP", "agent": "agents API"}.get(str(told.get("kind", "")), str(told.get("kind", "")))
    speaks = " ".join(str(told[name]) for name in ("transport", "version") if told.get(name))
    era = f"{told['era']} era" if told.get("era") else ""
    client = f"client {told['client']}" if told.get("client") else ""
    side = f"{told['side']}:" if told.get("side") else ""
    head = " ".join(filter(None, (side, kind, str(told.get("url", "")))))
    return " · ".join(filter(None, (head, speaks, era, str(told.get("server", "")), client)))


def generator(found: Generator | None) -> str:
    """Return how the generator fared in one sentence."""
    if found is None:
        return "Generator: the run did not get to say how it fared."
    told = (
        f"{found.processes} {'process' if found.processes == 1 else 'processes'}, "
        f"busiest {found.cpu * 100:.0f} % of a core, loop late by {wording.duration(found.lag_p99)} (p99), "
        f"{wording.duration(found.lag_max)} (most)"
    )
    if found.late or found.dropped:
        told += f", {found.late:,} arrivals late, {found.dropped:,} dropped"
    return f"Generator {'was the bottleneck' if found.bound else 'ok'}: {told}."


def labels(run: RunPicture) -> list[str]:
    """Return what must be known before a figure of the run is believed."""
    found = []
    # The criteria of a profile say themselves what a slow generator leaves undecided.
    if run.generator is not None and run.generator.bound and not is_gate(run):
        why = f" ({run.generator.why})" if run.generator.why else ""
        found.append(f"Generator-bound{why}: these figures are the generator's, not the target's.")
    if not run.complete:
        found.append(f"Not complete: {run.reason or 'the run log has no end; the run was killed'}.")
    if dropped := run.counters.get("dropped", 0):
        started = dropped + run.counters.get("started", 0)
        found.append(
            f"{dropped:,} of {started:,} arrivals were dropped: so many calls were in flight that no more were started."
        )
    if run.model == "closed":
        found.append(CLOSED)
    return found


def is_gate(run: RunPicture) -> bool:
    """Return whether a profile was judged."""
    return bool(run.asked.get("profile"))


def doubt(run: RunPicture | None) -> str:
    """Return why a run decides nothing even where no criterion failed, "" where it does."""
    if run is None:
        return ""
    if run.generator is not None and run.generator.bound and not is_gate(run):
        why = f" ({run.generator.why})" if run.generator.why else ""
        return f"the generator was the bottleneck{why}; its figures say nothing about the target"
    return "" if run.complete else f"the run is not complete ({run.reason or 'its log has no end'})"


def concluded(judgements: Sequence[Judgement], doubtful: bool) -> Verdict:
    """Return the verdict of a run: a failure that was seen stands, a pass needs a run without ``doubt``."""
    found = overall(judgements)
    return "inconclusive" if found == "pass" and doubtful else found


def verdict(run: RunPicture, judgements: Sequence[Judgement], findings: Sequence[Finding] = ()) -> str:
    """Return the whole answer in one sentence or two, with its word first where something was judged."""
    if not any(row.tried for row in run.totals) and not judgements:
        why = f" ({run.reason})" if run.reason else ""
        return f"INCONCLUSIVE: no call ended{why}, so nothing is shown."
    doubtful = doubt(run)
    if not judgements:
        return f"{outcome(run)} {doubtful[:1].upper()}{doubtful[1:]}." if doubtful else outcome(run)
    found = concluded(judgements, bool(doubtful))
    if doubtful and found == "inconclusive":
        return f"INCONCLUSIVE: {doubtful}."
    return f"{WORDS[found]}: {_judged(found, judgements, findings)}"


def _judged(found: Verdict, judgements: Sequence[Judgement], findings: Sequence[Finding]) -> str:
    counted = [judgement for judgement in judgements if judgement.level == "error"]
    same = [judgement for judgement in counted if judgement.verdict == found]
    if found == "pass":
        many = len(same)
        return same[0].sentence if many == 1 else f"all {many} criteria are shown to hold."
    if not same:
        return "nothing was judged."
    verb = "failed" if found == "fail" else "undecided"
    names = f"{len(same)} of {len(counted)} criteria {verb}" if len(counted) > 1 else ""
    first = f"{same[0].name}: {same[0].sentence}"
    causes = list(dict.fromkeys(cause for judgement in same for cause in judgement.causes)) if found == "fail" else []
    causes = causes or ([_cause(findings)] if found == "fail" else [])
    why = f" Cause: {', '.join(causes[:2])}." if any(causes) and causes[0] not in first else ""
    told = f"{names}; {first}" if names else first
    return told.rstrip(".") + "." + why


def _cause(findings: Sequence[Finding]) -> str:
    """Return the first finding that is an error, with how sure it is."""
    real = (one for one in findings if not one.benign and one.severity == "error")
    return next((f"{one.cause} ({one.confidence})" for one in real), "")


def outcome(run: RunPicture) -> str:
    """Return what happened to the calls: "1,204 MCP calls, 14 failed (1.2 %), most with HTTP 500; p95 84 ms."."""
    told = []
    for row in run.totals:
        name = wording.count(row.tried, row.name.removesuffix("s"))
        most = next((f for f in run.failures if f.kind == row.kind and f.outcome != "answer"), None)
        failed = f"{row.failed:,} failed ({wording.percent(row.failed, row.tried)}" if row.failed else "none failed"
        why = f", {most.cause}" if most and most.cause else ""
        failed += (f"; most: {most.what}{why})" if most else ")") if row.failed else ""
        speed = f"; p95 {wording.duration(row.latency.p95)}" if row.latency else ""
        told.append(f"{name}, {failed}{speed}.")
    return " ".join(told)


def state(report: Report) -> State:
    """Return the mood of a run's report."""
    run = report.run
    if report.judgements:
        return STATES[concluded(report.judgements, bool(doubt(run)))]
    if run is not None:
        if any(row.failed for row in run.totals):
            return "bad"
        if doubt(run) or not any(row.tried for row in run.totals):
            return "open"
        return "warn" if run.failures else "good"
    verdicts = {contrast.verdict for contrast in report.comparison.contrasts} if report.comparison else set()
    return "bad" if "worse" in verdicts else "good" if "better" in verdicts else "open"


def how_many(failure: Failure) -> str:
    """Return "8 of 608 agent runs", or "4 of 1,004 answers on the wire" where the calls ended otherwise."""
    if failure.outcome == "answer":
        return f"{failure.count:,} of {wording.count(failure.of, 'answer')} on the wire"
    unit = "agent run" if failure.kind == "agent" else "call"
    return f"{failure.count:,} of {wording.count(failure.of, unit)}"


def where(failure: Failure) -> list[str]:
    """Return in which agents, clients, parts and phase it happened, and when first."""
    phases = sorted({sample.phase for sample in failure.samples if sample.phase})
    named = (("agent", failure.agents), ("client", failure.clients), ("in", failure.scenes), ("phase", phases))
    told = [f"{name} {few(names)}" for name, names in named if names]
    return told + ([f"first at {failure.first:.1f} s"] if failure.first is not None else [])


def few(names: Sequence[str]) -> str:
    """Return the first three names and how many more there are."""
    shown = ", ".join(names[:_NAMES])
    return f"{shown} and {len(names) - _NAMES} more" if len(names) > _NAMES else shown


def sample_lines(sample: Sample, *, whole: bool = False) -> list[str]:
    """Return a sample as lines: what was asked, what came; with ``whole`` headers, bodies and what else happened."""
    if whole:
        lines = [*sample.request.splitlines(), *(f"← {line}" for line in sample.response.splitlines() if line.strip())]
        lines += [f"error: {sample.error}"] if sample.error else []
        return [line for line in lines if line.strip()] + [f"  {line}" for line in sample.context]
    asked, came = sample.request.splitlines(), [line for line in sample.response.splitlines() if line.strip()]
    lines = [*asked[:1], f"← {came[0]}" if came else ""]
    lines += [f"  {came[-1]}"] if len(came) > 1 else []
    known = any(line.strip() in sample.error or sample.error in line for line in came[-1:])
    lines += [f"  {sample.error}"] if sample.error and not known else []
    return [line for line in lines if line.strip()]


def compared(found: Comparison) -> str:
    """Return the answer of a comparison in one sentence: "b.jsonl is worse than a.jsonl: p95 ×1.32 (1.20–1.45) …"."""
    shown = [one for one in found.contrasts if one.verdict != "no difference shown"]
    worse = [one for one in shown if one.verdict == "worse"]
    if not shown:
        base, names = found.sides[0].name, ", ".join(dict.fromkeys(one.other for one in found.contrasts))
        return f"INCONCLUSIVE: no difference shown between {base} and {names}; the intervals say what is possible."
    first = (worse or shown)[0]
    word = "WORSE" if worse else "BETTER"
    both = " (better in other figures)" if worse and len(shown) > len(worse) else ""
    return f"{word}{both}: {first.other} against {first.base}: {first.sentence}."
