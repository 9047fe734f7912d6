"""The one place that groups the failures of a run: one group a way to fail, with its count, sample and cause."""

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from woolly_mcpdiag.core import explain
from woolly_mcpdiag.core.causes import catalogue
from woolly_mcpdiag.core.findings import Finding, Ledger
from woolly_mcpdiag.core.measures import Answer, Outcome, Series, Tally
from woolly_mcpdiag.core.runs import Sample
from woolly_mcpdiag.report.run_figures import counts
from woolly_mcpdiag.report.run_model import Failure

ANSWER = "answer"
"""In place of an outcome: an answer that failed although no call ended with it."""
SAMPLES = 3
_FAIL = 400
_TEXT = 120
"""Characters of an answer that ``mcpdiag explain`` is given."""
_FIT = 0.5
"""A cause is named by an answer's text alone only from this fit on."""
_HINT = 0.2
"""A cause that the events show is named from this fit on."""
_WORDS = {
    "rpc": "JSON-RPC error",
    "tool-error": "the tool answered with an error",
    "agent-error": "the agent answered with an error",
    "timeout": "no whole answer in time",
    "connect": "no connection",
    "tls": "no TLS connection",
    "dns": "the host name was not found",
    "disconnect": "the connection ended before the answer",
    "stream-cut": "the event stream ended before the answer",
    "protocol": "an answer that is none",
    "session": "the session could not be born",
    "pool": "no session was free in time",
    "refused-locally": "not sent: the client's breaker was open",
    "client": "the client itself failed",
    ANSWER: "no answer",
}


@dataclass(slots=True)
class _Group:
    """Calls that failed alike."""

    count: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    agents: set[str] = field(default_factory=set)
    clients: set[str] = field(default_factory=set)
    scenes: set[str] = field(default_factory=set)

    def add(self, series: Series, number: int) -> None:
        self.count += number
        self.operations[series.operation] += number
        self.agents.add(series.agent)
        self.clients.add(series.client)
        self.scenes.add(series.scene)


_Key = tuple[str, Outcome]
"""Kind of the peer, outcome."""


def failures(
    tally: Tally, samples: Sequence[Sample], findings: Sequence[Finding], ledgers: Sequence[Ledger]
) -> list[Failure]:
    """Return the groups, most frequent first: of calls, then of answers that no call ended with."""
    groups: dict[_Key, _Group] = {}
    tried: Counter[tuple[str, str]] = Counter()
    for series, calls in tally.calls.items():
        if not counts(series.scene):
            continue
        tried[series.kind, series.operation] += calls.tried
        for outcome, number in calls.outcomes.items():
            if outcome.kind != "ok":
                groups.setdefault((series.kind, outcome), _Group()).add(series, number)
    left = [sample for sample in samples if counts(sample.scene)]
    causes = _Causes(findings, ledgers)
    found = []
    for (kind, outcome), group in sorted(groups.items(), key=lambda item: (-item[1].count, item[0])):
        own = [sample for sample in left if _belongs(sample, kind, outcome, group)]
        of = sum(tried[kind, operation] for operation in group.operations)
        found.append(_failure(kind, outcome, group, of, own, causes))
    known = {(row.kind, row.status) for row in found}
    found += [_of_answers(kind, status, n, of, left, causes) for kind, status, n, of in _answers(tally, known)]
    return found


def _belongs(sample: Sample, kind: str, outcome: Outcome, group: _Group) -> bool:
    alike = sample.kind == kind and sample.outcome == outcome.kind
    same = alike and (sample.status, sample.code) == (outcome.status, outcome.code)
    return same and (not sample.operation or sample.operation in group.operations)


def _failure(
    kind: str, outcome: Outcome, group: _Group, of: int, samples: Sequence[Sample], causes: "_Causes"
) -> Failure:
    cause, how = causes.of(outcome.status, samples)
    return Failure(
        what=what(outcome.kind, outcome.status, outcome.code),
        kind=kind,
        operations=tuple(name for name, _ in group.operations.most_common() if name),
        outcome=outcome.kind,
        status=outcome.status,
        code=outcome.code,
        count=group.count,
        of=of,
        agents=_named(group.agents),
        clients=_named(group.clients),
        scenes=_named(group.scenes),
        first=min((sample.at for sample in samples), default=None),
        cause=cause,
        how=how,
        samples=_firsts(samples),
        next_step=_next(cause, outcome.status, samples),
    )


def _answers(tally: Tally, known: set[tuple[str, int]]) -> Iterable[tuple[str, int, int, int]]:
    """Yield (peer, status, count, answers of that peer) of failing answers that no call ended with."""
    totals: dict[str, int] = {}
    failing: dict[tuple[str, int], int] = {}
    for answer, number in tally.answers.items():
        if not counts(answer.scene):
            continue
        totals[answer.kind] = totals.get(answer.kind, 0) + number
        if _failing(answer):
            failing[answer.kind, answer.status] = failing.get((answer.kind, answer.status), 0) + number
    for (kind, status), number in sorted(failing.items(), key=lambda item: (-item[1], item[0])):
        if (kind, status) not in known:
            yield kind, status, number, totals[kind]


def _failing(answer: Answer) -> bool:
    return not answer.benign and answer.status >= _FAIL


def _of_answers(kind: str, status: int, number: int, of: int, samples: Sequence[Sample], causes: "_Causes") -> Failure:
    own = [sample for sample in samples if (sample.kind, sample.status) == (kind, status)]
    cause, how = causes.of(status, own)
    return Failure(
        what=what(ANSWER, status, 0),
        kind=kind,
        operations=(),
        outcome=ANSWER,
        status=status,
        code=0,
        count=number,
        of=of,
        first=min((sample.at for sample in own), default=None),
        cause=cause,
        how=how,
        samples=_firsts(own),
        next_step=_next(cause, status, own),
    )


def what(outcome: str, status: int, code: int) -> str:
    """Return how a call ended, in words: "HTTP 400", "JSON-RPC error -32602", "no whole answer in time"."""
    words = _WORDS.get(outcome, outcome)
    if outcome in {"http", ANSWER} and status:
        return f"HTTP {status}" + (f", JSON-RPC error {code}" if code else "")
    if code:
        return f"{words} {code}" if outcome == "rpc" else f"{words} (JSON-RPC error {code})"
    return f"{words} (HTTP {status})" if status and not 200 <= status < 300 else words


def _named(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if name))


def _firsts(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    first: dict[str, Sample] = {}
    for sample in sorted(samples, key=lambda sample: sample.at):
        first.setdefault(sample.fingerprint, sample)
    return tuple(first.values())[:SAMPLES]


class _Causes:
    """Which cause a group has: by the ledgers of the diagnosis, else by the text of its answers."""

    def __init__(self, findings: Sequence[Finding], ledgers: Sequence[Ledger]) -> None:
        self._findings = {finding.cause: finding for finding in findings}
        self._books = {book.status: book for book in ledgers}

    def of(self, status: int, samples: Sequence[Sample]) -> tuple[str, str]:
        """Return the cause and how it is known; both empty where nothing says."""
        book = self._books.get(status) if status >= _FAIL else None
        parts = [part for part in book.parts if not part.benign] if book else []
        if parts:
            cause = max(parts, key=lambda part: part.count).cause
            found = self._findings.get(cause)
            return cause, found.confidence if found else "likely"
        texts = [sample.error or _answer(sample) for sample in samples if sample.error or sample.response]
        ranked = explain.rank(status if status >= _FAIL else None, texts[0]) if texts else []
        # What the events show weighs more than which of several causes a text goes with best.
        seen = next((self._findings[row.cause] for row in ranked if self._shown(row)), None)
        if seen is not None:
            return seen.cause, f"{seen.confidence}, by the text of the answer too"
        # By its status alone an answer says too little.
        fits = (row.cause for row in ranked if row.score >= _FIT and not catalogue()[row.cause].benign)
        cause = next(fits, "")
        return cause, "by the text of the answer" if cause else ""

    def _shown(self, row: explain.Ranked) -> bool:
        found = self._findings.get(row.cause)
        return found is not None and not found.benign and row.score >= _HINT


def _answer(sample: Sample) -> str:
    """Return the last line that says something: the body of an answer."""
    return next((line.strip() for line in reversed(sample.response.splitlines()) if line.strip()), "")


def _next(cause: str, status: int, samples: Sequence[Sample]) -> str:
    if cause:
        return f"mcpdiag explain {cause}"
    text = next((said for sample in samples if (said := (_answer(sample) or sample.error))), "")
    if not (text or status):
        return ""
    parts = ["mcpdiag", "explain", *([str(status)] if status else []), *([text[:_TEXT]] if text else [])]
    return shlex.join(parts)
