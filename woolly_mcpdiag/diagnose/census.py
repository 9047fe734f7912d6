"""Who and what is in a log: sessions, agents, other traffic, what cannot be seen, and the verdict in one sentence."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from woolly_mcpdiag.core.findings import Finding, Ledger
from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.endpoints import origin_of, path_of
from woolly_mcpdiag.diagnose.sessions import hashed
from woolly_mcpdiag.logs.batch import NO_TIME, Kind

_PIECE = 1 << 14
_SHOWN = 3
"""Inputs named in a note."""
_TIMES = (
    "so only the order of its lines is known: gaps, time-outs and what happened together "
    'cannot be measured from it. Add one: logging.basicConfig(format="%(asctime)s.%(msecs)03d %(levelname)s %(name)s '
    '%(message)s", datefmt="%Y-%m-%dT%H:%M:%S").'
)
_BEHIND_200 = (
    "Failures behind 200 and 202 do not show at INFO: tools that fail (isError), JSON-RPC errors, answers that "
    "never come, duplicate ids. "
    'Log the messages to see them: logging.getLogger("mcp.client").setLevel(logging.DEBUG).'
)
_WHOSE = (
    "Requests do not name their session at INFO, so failures cannot be traced to one. "
    'Log the response headers: logging.getLogger("httpcore").setLevel(logging.DEBUG) (httpcore2 for 2.x clients).'
)


def sessions(case: Case) -> int:
    """Count sessions: ids that exchanges or opening lines name, else handshakes, else streams."""
    used, opened = case.sessions, case.opened
    if len(used) and len(opened):
        # Both are sorted and hold each session once; piece by piece, which takes less memory.
        key = hashed(used["high"], used["low"])
        places = (slice(at, at + _PIECE) for at in range(0, len(opened), _PIECE))
        pieces = (hashed(opened["high"][place], opened["low"][place]) for place in places)
        both = (key[np.minimum(key.searchsorted(piece), len(key) - 1)] == piece for piece in pieces)
        return len(used) + len(opened) - sum(int(np.count_nonzero(one)) for one in both)
    if len(used) or len(opened):
        return len(used) + len(opened)
    return case.count("POST", 202) or case.count("GET", 200)


def agents(case: Case) -> dict[str, int]:
    """Count runs by agent type: starts where they are logged, else sessions made for them, else ends."""
    for kind in ("agent.started", "agent.done", "call.failed"):
        found = Counter(note.event.agent for note in case.notes(kind) if note.event.agent)
        if found:
            return dict(found.most_common())
    opened = case.opened
    if len(opened):
        names = case.file.vocabulary.agents.texts
        found = Counter()
        for at in range(0, len(opened), _PIECE):
            piece = np.unique(opened["agent"][at : at + _PIECE], return_index=True, return_counts=True)
            for _, code, count in sorted(zip(piece[1].tolist(), piece[0].tolist(), piece[2].tolist(), strict=True)):
                found[names[code]] += count if code else 0
        return dict((+found).most_common())
    return {}


def others(case: Case) -> dict[str, int]:
    """Count exchanges that are not MCP, by origin or path; other views of MCP exchanges are left out."""
    found: Counter[str] = Counter()
    for key, cell in case.file.cells.items():
        if key.url not in case.mcp and key.url >= 0:
            url = case.at(key.url)
            found[origin_of(url) or path_of(url) if key.kind == Kind.CALL else path_of(url)] += cell.count
    return dict(found.most_common(20))


def invisible(case: Case) -> list[str]:
    """Say what this log cannot decide and which logging change would."""
    found = []
    if case.untimed:
        found.append(f"No line carries a time in {_listed(case.untimed)}, {_TIMES}")
    elif case.file.rows and not case.timed:
        found.append(f"Many requests of this log carry no time, {_TIMES}")
    if not case.requests:
        return found
    deep = case.file.note_counts.get(("mcp.message", "")) or any(
        kind == "call.rejected" for kind, _ in case.file.note_counts
    )
    if not deep:
        found.append(_BEHIND_200)
    unnamed = not len(case.sessions)
    if (
        unnamed
        and case.view == Kind.CALL
        and any(case.harmful(cell) for cell in case.cells if cell.key.status in (400, 404))
    ):
        found.append(_WHOSE)
    return found


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def resolution(case: Case) -> float | None:
    """Return the step of the log's clock in seconds: 1, a thousandth or a millionth; ``None`` without times."""
    times = np.concatenate([case.rows(name)["time"] for name in ("ordinary", "failures")])
    times = times[times != NO_TIME]
    if not len(times):
        return None
    return next((step / 1e6 for step in (1_000_000, 1_000) if not (times % step).any()), 1e-6)


def notes(case: Case) -> list[str]:
    """Say how views were joined and whether rows were thinned."""
    found = []
    seen = dict.fromkeys((Kind.CALL, Kind.PROXIED, Kind.SERVED), 0)
    for key, cell in case.file.cells.items():
        if key.url in case.mcp:
            seen[Kind(key.kind)] += cell.count
    names = {Kind.CALL: "clients", Kind.PROXIED: "proxies", Kind.SERVED: "servers"}
    told = [f"{names[kind]} log {count}" for kind, count in seen.items() if count]
    if len(told) > 1:
        found.append(
            f"The same exchanges are seen from several sides and counted once: {', '.join(told)}; "
            f"counted are those of the {names[case.view]}."
        )
    if case.file.ordinary.stride > 1 or case.file.failures.stride > 1:
        found.append(
            "Counts are exact; pictures and rates by time use one success in "
            f"{case.file.ordinary.stride} and one failure in {case.file.failures.stride}."
        )
    return found


def verdict(findings: Sequence[Finding], ledgers: Sequence[Ledger], requests: int, *, seen: bool) -> str:
    """Return the whole answer in one sentence; ``seen`` says whether any event was found at all."""
    serious = [found for found in findings if not found.benign]
    unexplained = sum(ledger.unexplained for ledger in ledgers)
    benign = sum(part.count for ledger in ledgers for part in ledger.parts if part.benign)
    if serious:
        first = serious[0]
        more = f", and {len(serious) - 1} more" if len(serious) > 1 else ""
        return f"{first.title.rstrip('.')} ({first.cause}, {first.confidence}){more}."
    if unexplained:
        them = f"{Count(unexplained):~it|them}"
        return f"{Count(unexplained):failing response|failing responses}, and no known cause fits {them}."
    if not requests:
        return "No MCP request is in this log." if seen else "Nothing about MCP was found in this input."
    ending = f"; {benign} refused requests are benign" if benign else ""
    return f"No failure is visible in {requests} requests{ending}."
