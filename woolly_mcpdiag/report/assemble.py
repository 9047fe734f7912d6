"""From a diagnosis and its sources to the one Report."""

from collections.abc import Sequence

from woolly_mcpdiag.diagnose.engine import Diagnosis
from woolly_mcpdiag.report.model import NextStep, Report, Source


def assemble(found: Diagnosis, sources: Sequence[Source], about: Sequence[str], *, version: str) -> Report:
    """Build the report; ``about`` says what a reader must know about the reading itself."""
    return Report(
        version=version,
        verdict=found.verdict,
        sources=list(sources),
        requests=found.requests,
        sessions=found.sessions,
        agents=found.agents,
        other_requests=found.other_requests,
        first=found.first,
        last=found.last,
        # Where nothing was found, nobody knows whether the log has times.
        clock="time" if found.timed or not any(source.events for source in sources) else "order",
        resolution=found.resolution,
        statuses=found.statuses,
        ledgers=found.ledgers,
        findings=found.findings,
        hypotheses=found.hypotheses,
        timelines=found.timelines,
        timelines_of=found.timelines_of,
        activity=found.activity,
        latencies=found.latencies,
        invisible=found.invisible,
        notes=[*about, *found.notes],
        next_steps=_next(found, sources),
    )


def _next(found: Diagnosis, sources: Sequence[Source]) -> list[NextStep]:
    steps = [
        NextStep(
            command=f"mcpdiag explain {finding.cause}",
            why="the whole story: why it happens, how to be sure, what to do",
        )
        for finding in found.findings
        if not finding.benign
    ][:2]
    unexplained = next((ledger for ledger in found.ledgers if ledger.unexplained), None)
    if unexplained:
        steps.append(
            NextStep(
                command=f'mcpdiag explain {unexplained.status} "<the text of the answer>"',
                why="ranks causes by what the answer says",
            )
        )
    names = " ".join("-" if source.name == "stdin" else source.name for source in sources[:3])
    if found.requests:
        steps.append(
            NextStep(
                command=f"mcpdiag analyze-logs {names} -o report.html",
                why="the same with pictures, in one offline page",
            )
        )
    elif any(source.lines for source in sources):
        steps.append(
            NextStep(
                command=f"mcpdiag analyze-logs {names} --endpoint 'http://host/path*'",
                why="name the URLs that are MCP, if some are",
            )
        )
    return steps
