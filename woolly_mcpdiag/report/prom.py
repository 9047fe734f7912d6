"""The one place for a run in the text format of Prometheus, named after OpenTelemetry's conventions for MCP.

Histograms are cumulative with fixed ``le`` bounds, so that runs and machines add up; a count at a bound is right
within 1 % of the bound. No session id, address or message is ever a label.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.report.escape import printable
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.run_model import Figures, RunPicture, Spread

BOUNDS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
)
"""Seconds: the conventions' bounds of durations, with three below 10 ms."""
_MCP = "mcp_client_operation_duration_seconds"
_HTTP = "http_client_request_duration_seconds"
_OTHER = "_OTHER"
"""The conventions' value of ``error.type`` where it is not told apart."""
Labels = Mapping[str, str]


class _Family(NamedTuple):
    """Samples of one name."""

    name: str
    kind: str
    about: str
    samples: list[str]


def render(report: Report) -> str:
    """Return the exposition. Raises ``UsageError`` where the report is of no run."""
    if report.run is None:
        message = "--format prom: it holds what a load or a gate measured, and this is neither"
        raise UsageError(message, "use json or csv")
    lines = []
    for family in _families(report, report.run):
        if family.samples:
            lines += [f"# HELP {family.name} {family.about}", f"# TYPE {family.name} {family.kind}", *family.samples]
    return "\n".join(lines) + "\n"


def _families(report: Report, run: RunPicture) -> Iterator[_Family]:
    info = {"command": report.command, "version": report.version, "model": run.model, "run": run.id}
    yield _family("mcpdiag_run_info", "gauge", "What was run.", [(info, 1)])
    yield _family("mcpdiag_run_duration_seconds", "gauge", "How long the run took.", [({}, run.took)])
    yield _family("mcpdiag_run_complete", "gauge", "0 where the run was cut short.", [({}, int(run.complete))])
    yield _durations(_MCP, "Duration of the MCP request or notification as observed on the sender.", run, "mcp")
    yield _durations(_HTTP, "Duration of HTTP client requests: runs of agents.", run, "agent")
    yield _phases(run)
    failures = [
        ({"peer": row.kind, "error_type": _error(row.outcome, row.status)}, row.count)
        for row in run.failures
        if row.outcome != "answer"
    ]
    yield _family("mcpdiag_calls_failed_total", "counter", "Calls that failed, by kind of failure.", _summed(failures))
    answers = [
        (
            {
                "peer": row.kind,
                "http_response_status_code": str(row.status or "none"),
                "benign": str(row.benign).lower(),
            },
            row.count,
        )
        for row in run.answers
    ]
    yield _family("mcpdiag_http_answers_total", "counter", "HTTP answers on the wire, retries included.", answers)
    for name, number in run.counters.items():
        yield _family(f"mcpdiag_{_word(name)}_total", "counter", f"Counter {_word(name)} of the run.", [({}, number)])
    verdicts = [({"criterion": one.name, "verdict": one.verdict, "level": one.level}, 1) for one in report.judgements]
    yield _family("mcpdiag_criterion_verdict", "gauge", "1 for the verdict of each criterion.", verdicts)
    if run.generator:
        told = (("cpu_ratio", run.generator.cpu), ("lag_p99_seconds", run.generator.lag_p99))
        for name, value in (*told, ("bound", int(run.generator.bound))):
            yield _family(f"mcpdiag_generator_{name}", "gauge", "How the generator itself fared.", [({}, value)])


def _family(name: str, kind: str, about: str, samples: Iterable[tuple[Labels, float]]) -> _Family:
    return _Family(name, kind, about, [_sample(name, labels, value) for labels, value in samples])


def _summed(samples: Iterable[tuple[Labels, float]]) -> list[tuple[Labels, float]]:
    """Return samples whose labels are all different, as the format asks."""
    sums: dict[tuple[tuple[str, str], ...], float] = {}
    for labels, value in samples:
        sums[tuple(labels.items())] = sums.get(tuple(labels.items()), 0) + value
    return [(dict(labels), value) for labels, value in sums.items()]


def _durations(name: str, about: str, run: RunPicture, kind: str) -> _Family:
    samples: list[str] = []
    for row in run.series:
        if row.kind == kind:
            labels = _labels(row, run)
            samples += _histogram(name, labels, row.latency)
            samples += _histogram(name, {**labels, "error_type": _OTHER}, row.failing)
    return _Family(name, "histogram", about, samples)


def _labels(row: Figures, run: RunPicture) -> Labels:
    method, _, target = row.operation.partition(" ")
    labels = {"client": row.client}
    if row.kind == "agent":
        return labels | {"http_request_method": method or "POST", "gen_ai_agent_name": row.agent}
    labels |= {"mcp_method_name": method, "gen_ai_tool_name": target, "network_transport": "tcp"}
    told = next((target for target in run.targets if target.get("kind") == "mcp"), {})
    return labels | {"mcp_protocol_version": told.get("version", "")}


def _phases(run: RunPicture) -> _Family:
    name = "mcpdiag_phase_duration_seconds"
    samples: list[str] = []
    for row in run.phases:
        samples += _histogram(name, {"phase": row.name, "client": row.client}, row.took)
    return _Family(name, "histogram", "Steps of a connection and of a session's birth.", samples)


def _histogram(name: str, labels: Labels, spread: Spread | None) -> Iterator[str]:
    if spread is None:
        return
    seen, left = 0, list(reversed(spread.buckets))
    for bound in BOUNDS:
        while left and math.sqrt(max(left[-1][0], 1e-9) * max(left[-1][1], 1e-9)) <= bound:
            seen += left.pop()[2]
        yield _sample(f"{name}_bucket", {**labels, "le": f"{bound:g}"}, seen)
    yield _sample(f"{name}_bucket", {**labels, "le": "+Inf"}, spread.count)
    yield _sample(f"{name}_sum", labels, spread.mean * spread.count)
    yield _sample(f"{name}_count", labels, spread.count)


def _sample(name: str, labels: Labels, value: int | float) -> str:
    told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items() if text)
    figure = f"{value:.9g}" if isinstance(value, float) else str(value)
    return f"{name}{{{told}}} {figure}" if told else f"{name} {figure}"


def _escaped(text: str) -> str:
    # After printable no line break is left.
    return printable(text).replace("\\", "\\\\").replace('"', '\\"')


def _error(outcome: str, status: int) -> str:
    return str(status) if outcome == "http" and status else outcome


def _word(name: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "_" for char in name)
