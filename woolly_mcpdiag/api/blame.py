"""The one place that says why a criterion failed: the causes that are known for what is looked at in it."""

from collections.abc import Iterable, Mapping, Sequence

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.core.runs import Run
from woolly_mcpdiag.diagnose.engine import Diagnosis
from woolly_mcpdiag.gate.profile import Criterion, Profile
from woolly_mcpdiag.report.run_failures import failures

_OPEN = ("net.read-timeout", "client.gave-up")
"""They tell that something went wrong and leave open what: named only where nothing better is known."""
_NONE = "log.unexplained-failure"
"""No cause at all."""
_CERTAINTY = ("certain", "likely", "possible")


def causes(whole: Profile, run: Run, diagnosis: Diagnosis) -> Mapping[str, tuple[str, ...]]:
    """Return why each criterion would have failed, the surest first.

    Of 400s what their ledger holds; of the others what the failures of their scenes go with, then every finding that
    hurts.
    """
    found = _findings(diagnosis.findings)
    of_400 = [part.cause for book in diagnosis.ledgers if book.status == 400 for part in book.parts if not part.benign]
    told = _told(run, diagnosis)
    return {each.id: _of(each, of_400, told, found) for each in whole.criteria}


def _of(
    criterion: Criterion, of_400: Sequence[str], told: Sequence[tuple[tuple[str, ...], str]], found: Sequence[str]
) -> tuple[str, ...]:
    if criterion.id == "error-logging":
        # What made calls fail is not why the client's log is silent about it.
        return ()
    if criterion.id == "zero-400" and of_400:
        return _best(of_400)
    scenes = set(criterion.scenes)
    named = _best([*(cause for names, cause in told if scenes.intersection(names)), *found])
    if named and set(named) <= set(_OPEN):
        # Agents that never answer say nothing; what is asked of their MCP server beside them may.
        return _best([*named, *(cause for _, cause in told)])
    return named


def _findings(findings: Iterable[Finding]) -> list[str]:
    real = [finding for finding in findings if not finding.benign]
    return [finding.cause for finding in sorted(real, key=lambda each: _CERTAINTY.index(each.confidence))]


def _told(run: Run, diagnosis: Diagnosis) -> list[tuple[tuple[str, ...], str]]:
    """Return the causes that failures of the run go with, with their scenes; most frequent first."""
    rows = failures(run.tally, run.samples, diagnosis.findings, diagnosis.ledgers)
    return [(row.scenes, row.cause) for row in rows if row.cause]


def _best(names: Sequence[str]) -> tuple[str, ...]:
    known = [name for name in dict.fromkeys(names) if name != _NONE]
    return tuple([name for name in known if name not in _OPEN] or known)
