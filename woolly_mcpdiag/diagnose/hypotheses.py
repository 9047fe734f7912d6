"""What people believe about intermittent failures, each put to a test that can fail.

The question is never whether a belief fits, but whether the figures would look different if it were true.
"""

from collections.abc import Sequence

import numpy as np

from woolly_mcpdiag.core.findings import Answer, Hypothesis
from woolly_mcpdiag.core.stats import clopper_pearson, difference, fisher
from woolly_mcpdiag.diagnose.ages import NO_AGES, Ages, ages
from woolly_mcpdiag.diagnose.case import FAIL, Case
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.crowd import Crowd, crowd
from woolly_mcpdiag.diagnose.rules.session_harvested import CAUSE as HARVESTED
from woolly_mcpdiag.diagnose.rules.session_harvested import Births, preceded
from woolly_mcpdiag.logs.batch import METHODS, Logger

_RACE = "Is it a race between parallel agents?"
_TIMING = "Is a session used too soon after it was made?"
_POOL = "Is it a conflict in the client's connection pool?"
_SAME = "Does the same request always fail?"
_FEW = 3
_READY = 1.0
"""Seconds after which a session should be ready: later failures are not for want of waiting."""
_CHANCE = 0.05
_NOTICEABLE = 0.1
"""A difference of failure rates that would matter to a user."""
_STAMPS = (
    'give every line a time: logging.basicConfig(format="%(asctime)s.%(msecs)03d %(levelname)s %(name)s %(message)s", '
    'datefmt="%Y-%m-%dT%H:%M:%S")'
)
_IDS = 'log which session each request belongs to: logging.getLogger("httpcore").setLevel(logging.DEBUG), with times'


def test_all(case: Case) -> list[Hypothesis]:
    """Return the four hypotheses, or none where nothing failed."""
    if not any(not finding.benign for finding in case.findings) and not _unexplained(case):
        return []
    births = [
        preceded(case, url)
        for url in sorted(case.mcp)
        if case.found(HARVESTED) and not case.count("POST", url=url) and case.count("GET", 400, url=url)
    ]
    births = [found for found in births if found.matched]
    return [_race(case, births), _timing(case, births), _pool(case), _deterministic(case, births)]


def _race(case: Case, births: Sequence[Births]) -> Hypothesis:
    if case.found("client.shared-object"):
        return Hypothesis(
            name="race",
            question=_RACE,
            answer="supported",
            test="Do agents fail together while every HTTP request succeeds?",
            figures="Yes: runs are cancelled by a scope they share, a race inside the client that gives no 400.",
        )
    if births:
        alone, overlapping = sum(b.matched - b.overlapped for b in births), sum(b.overlapped for b in births)
        crowded: Crowd | None = Crowd(
            alone=(alone, alone),
            together=(overlapping, overlapping),
            unit="new sessions",
            how="while another session was being made",
        )
    elif _only_limits(case):
        return _race_answer(
            "refuted",
            "Do the refusals themselves say why?",
            "Yes: 429 and 503 are a limit on how much may come, not a race.",
        )
    else:
        crowded = crowd(case)
    if crowded is None:
        return _race_answer(
            "not decidable",
            "Do sessions fail more often beside others than alone?",
            "The log does not tell which session or agent run a failure belongs to.",
            _STAMPS if not case.timed else _IDS,
        )
    return _compared(crowded, harvested=bool(births), timed=case.timed)


def _race_answer(answer: Answer, test: str, figures: str, decide: str = "") -> Hypothesis:
    return Hypothesis(name="race", question=_RACE, answer=answer, test=test, figures=figures, decide=decide)


def _compared(crowded: Crowd, *, harvested: bool, timed: bool) -> Hypothesis:
    test = f"Do {crowded.unit} fail more often {crowded.how} than alone?"
    fails, tries = crowded.whole
    every = tries >= _FEW and fails == tries
    if every and harvested:
        why = "The refused GET names no session, so there is nothing to race for."
        return _race_answer("refuted", test, f"Every one fails, with or without company: {_rates(crowded)}. {why}")
    if min(crowded.alone[1], crowded.together[1]) < _FEW:
        return _race_answer(
            "not decidable",
            test,
            f"Too few to compare: {_rates(crowded)}.",
            "run the same agents one at a time and in parallel" + ("" if timed else f"; {_STAMPS}"),
        )
    if every:
        low = clopper_pearson(fails, tries).low
        why = f"(true rate at least {low:.0%}, 95 %). A race would spare those that are alone."
        return _race_answer("refuted", test, f"Every one fails, with or without company: {_rates(crowded)} {why}")
    gap, chance = difference(crowded.together, crowded.alone), fisher(crowded.together, crowded.alone)
    figures = f"{_rates(crowded)}; difference {gap.low * 100:+.0f} to {gap.high * 100:+.0f} points (95 %)"
    if gap.low > 0 and chance < _CHANCE:
        return _race_answer(
            "supported", test, f"{figures}; by chance alone {_percent(chance)}: company makes it worse."
        )
    if gap.high < _NOTICEABLE or (crowded.alone[0] >= _FEW and gap.high < 2 * _NOTICEABLE):
        return _race_answer("refuted", test, f"{figures}: being alone does not help.")
    return _race_answer("not decidable", test, f"{figures}.", "a longer log, or the same agents one at a time")


def _only_limits(case: Case) -> bool:
    harmful = {cell.key.status for cell in case.cells if cell.key.status >= FAIL and case.harmful(cell)}
    return bool(harmful) and harmful <= {429, 503}


def _timing(case: Case, births: Sequence[Births]) -> Hypothesis:
    if births:
        gaps = np.concatenate([b.gaps for b in births])
        figures = "The 400 comes before the session exists, in every case: the id is read out of that very answer"
        if len(gaps):
            figures += f" ({gaps.min() * 1000:.0f} to {gaps.max() * 1000:.0f} ms earlier)"
        return Hypothesis(
            name="timing",
            question=_TIMING,
            answer="refuted",
            test="Does the failure come after the session was made, and only while it is young?",
            figures=f"{figures}. No wait between making and using a session can change it.",
        )
    test = "Are sessions younger when they fail than when they work?"
    if case.found("session.used-before-ready"):
        found = next(f for f in case.findings if f.cause == "session.used-before-ready")
        return Hypothesis(name="timing", question=_TIMING, answer="supported", test=test, figures=found.summary)
    young = _best_known(case)
    if young.known and not young.only_young and not young.mostly_young:
        return Hypothesis(
            name="timing",
            question=_TIMING,
            answer="refuted" if young.oldest_failure > _READY else "not decidable",
            test=test,
            figures=f"Requests fail up to {_span(young.oldest_failure)} after a session was made, others succeed after "
            f"{_span(young.youngest_success)} ({young.failures} against {young.successes}).",
            decide="" if young.oldest_failure > _READY else _IDS,
        )
    if not any(
        cell.key.status in (400, 404) and case.left(cell) < cell.count for cell in case.cells
    ) and not _unexplained(case):
        return Hypothesis(
            name="timing",
            question=_TIMING,
            answer="refuted",
            test="Is any failure the answer to an unknown or unready session?",
            figures="None: no request was refused for its session.",
        )
    return Hypothesis(
        name="timing",
        question=_TIMING,
        answer="not decidable",
        test=test,
        figures=f"{young.failures} failing and {young.successes} successful requests have a known age."
        if case.timed
        else "The requests have no times.",
        decide=_IDS if case.timed else _STAMPS,
    )


def _pool(case: Case) -> Hypothesis:
    waits = case.noted("call.failed", "PoolTimeout")
    test = "Do calls wait in the client (PoolTimeout), or does the server refuse them?"
    if waits:
        return Hypothesis(
            name="pool",
            question=_POOL,
            answer="supported",
            test=test,
            figures=f"{Count(waits):call|calls} gave up with PoolTimeout.",
        )
    refused = sum(case.harmful(cell) for cell in case.cells if cell.key.status >= FAIL)
    if refused:
        return Hypothesis(
            name="pool",
            question=_POOL,
            answer="refuted",
            test=test,
            figures=f"No PoolTimeout; {Count(refused):failure is an answer|failures are answers} from the other side. "
            "A full pool sends nothing, so it never gets an answer.",
        )
    named = [n for n in case.notes("call.failed") if n.event.error not in ("", "TimeoutError", "CancelledError")]
    if named:
        errors = ", ".join(sorted({n.event.error for n in named}))
        return Hypothesis(
            name="pool",
            question=_POOL,
            answer="refuted",
            test=test,
            figures=f"No PoolTimeout; the calls failed with {errors}.",
        )
    return Hypothesis(
        name="pool",
        question=_POOL,
        answer="not decidable",
        test=test,
        figures="No refusal and no named exception in the log.",
        decide='log the exception\'s type: logger.exception("call failed"), and set httpx.Timeout(pool=5)',
    )


def _deterministic(case: Case, births: Sequence[Births]) -> Hypothesis:
    if births:
        fails = tries = sum(b.matched for b in births)
        what = "new sessions"
    else:
        worst = _worst(case)
        if worst is None:
            return Hypothesis(
                name="deterministic",
                question=_SAME,
                answer="not decidable",
                test="How often does the same kind of request fail?",
                figures="No failing request is in the log.",
                decide=_IDS,
            )
        fails, tries, what = worst
    test = f"Of all {what}, how many fail?"
    bound = clopper_pearson(fails, tries)
    figures = f"{fails} of {tries} ({fails / tries:.0%}; true rate {bound.low:.0%} to {bound.high:.0%}, 95 %)"
    if fails == tries and tries >= _FEW:
        return Hypothesis(
            name="deterministic",
            question=_SAME,
            answer="supported",
            test=test,
            figures=f"{figures}: it is not intermittent, it happens each time.",
        )
    if fails < tries and tries >= _FEW:
        return Hypothesis(
            name="deterministic",
            question=_SAME,
            answer="refuted",
            test=test,
            figures=f"{figures}: the same request works at other times.",
        )
    return Hypothesis(
        name="deterministic",
        question=_SAME,
        answer="not decidable",
        test=test,
        figures=f"{figures}: too few.",
        decide="a longer log",
    )


def _worst(case: Case) -> tuple[int, int, str] | None:
    """Return (failures, tries, what) of the kind of request that fails most, benign failures left out."""
    totals: dict[tuple[int, int], list[int]] = {}
    for cell in case.cells:
        both = totals.setdefault((cell.key.method, cell.key.url), [0, 0])
        both[1] += cell.count
        if cell.key.status >= FAIL:
            both[0] += case.harmful(cell)
    ranked = sorted(((fails, tries, key) for key, (fails, tries) in totals.items() if fails > 0), reverse=True)
    if not ranked:
        return None
    fails, tries, (method, url) = ranked[0]
    what = f"{METHODS[method]} {case.at(url)}"
    handshake = _handshake(case, url) if METHODS[method] == "POST" else 0
    return (fails, tries - handshake, f"{what} after the handshake") if handshake else (fails, tries, what)


def _handshake(case: Case, url: int) -> int:
    """Return how many successful POSTs only open sessions, where none of the others that are left succeeds.

    A call that always fails is not intermittent because initialize works before it.
    """
    served, accepted = case.count("POST", 200, url=url), case.count("POST", 202, url=url)
    named = len(case.openings(url)["line"]) * case.file.openings.stride
    if case.opened_by(Logger.MCP_SERVER, url):  # which makes a transport for many a refused request as well
        named -= case.count(status=FAIL, url=url)
    # Where no request has its session id, none but initialize can succeed.
    opened = served if case.found("session.missing-id") and not accepted else max(accepted, named)
    return served + accepted if 0 < served <= opened else 0


def _unexplained(case: Case) -> bool:
    return any(case.left(cell) for cell in case.cells if cell.key.status >= FAIL)


def _best_known(case: Case) -> Ages:
    return max((ages(case, url) for url in sorted(case.mcp)), key=lambda found: found.failures, default=NO_AGES)


def _span(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _rates(found: Crowd) -> str:
    return f"alone {_rate(*found.alone)}, {found.how} {_rate(*found.together)}"


def _percent(share: float) -> str:
    if 0 < share < 0.001:
        return "under 0.1%"
    if 0.999 < share < 1:
        return "over 99.9%"
    return f"{share:.1%}".replace(".0%", "%")


def _rate(fails: int, tries: int) -> str:
    return f"{fails} of {tries}" + (f" ({_percent(fails / tries)})" if tries else "")
