"""session.harvested-from-400: the client takes its session id out of an error response.

Measured (mcp up to 1.25): a GET without a session id on a Streamable HTTP endpoint is answered 400, and that 400
carries a fresh ``mcp-session-id``. A client that takes it opens a stream with it (200, from mcp 1.30 on 404) and
waits for an ``endpoint`` event that such a server never sends.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.anonymous import MISSING_ID
from woolly_mcpdiag.diagnose.case import Case, finding
from woolly_mcpdiag.diagnose.casefile import Cell
from woolly_mcpdiag.diagnose.columns import median
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.fates import posts_messages
from woolly_mcpdiag.logs.batch import METHOD_CODE, NO_TIME, Kind, Logger

CAUSE = "session.harvested-from-400"
_AT_ONCE = 0.1
"""Seconds from a refusal to its session where other requests are about: measured 0 to 9 ms."""
_MOST = 0.8
"""Share of new sessions that must follow a refused GET: a log may start in the middle of some."""


def decide(case: Case) -> Iterator[Finding]:
    """Name the cause where new sessions follow anonymous GETs that were refused, and no message was ever posted."""
    for url in sorted(case.mcp):
        refused = [cell for cell in case.select("GET", 400, url=url) if case.left(cell)]
        if not refused:
            continue
        births = preceded(case, url)
        if case.count("POST", range(200, 300), url=url):
            if _beside(case, url, births):
                yield _finding(case, url, refused, births)
        elif births.matched and births.matched >= _MOST * births.sessions:
            yield _finding(case, url, refused, births)
        elif not births.sessions and case.count("GET", (200, 404), url=url) and not posts_messages(case, url):
            yield _unnamed(case, url, refused)


class Births:
    """New sessions matched with the refused GETs before them, first in first out."""

    def __init__(self, sessions: int, matched: int, gaps: NDArray[np.float64], overlapped: int) -> None:
        self.sessions = sessions
        self.matched = matched
        self.gaps = gaps
        """Seconds from a refused GET to its new session; empty without times."""
        self.overlapped = overlapped
        """Matches during which another session was being made."""


def _others(case: Case, url: int) -> int:
    return case.opened_by(Logger.MCP_CLIENT, url) + case.opened_by(Logger.MCP_SERVER, url)


def _beside(case: Case, url: int, births: Births) -> bool:
    """Say whether harvested sessions stand beside sound ones: each has its own refusal at once, and no handshake of its own."""
    return (
        births.matched == births.sessions > 2
        and len(births.gaps) == births.matched
        and float(births.gaps.max()) < _AT_ONCE
        and case.count("POST", 202, url=url) < births.sessions + _others(case, url)
    )


def preceded(case: Case, url: int) -> Births:
    """Match every session that the application made with a refused GET on the address."""
    bad, new = case.rows("failures"), case.openings(url)
    mine = (bad["url"] == url) & (bad["method"] == METHOD_CODE["GET"]) & (bad["status"] == 400)
    refused, refused_at = bad["line"][mine].tolist(), bad["time"][mine].tolist()
    # A log that begins in the middle lacks the refusals of the sessions before its first one.
    made = (new["logger"] == Logger.APP) & (new["line"] > (refused[0] if len(refused) else 0))
    pairs: list[tuple[int, int]] = []
    gaps = []
    before = np.searchsorted(bad["line"][mine], new["line"][made]).tolist()
    for line, time, earlier in zip(new["line"][made].tolist(), new["time"][made].tolist(), before, strict=True):
        index = len(pairs)
        if index < earlier:
            pairs.append((refused[index], line))
            if NO_TIME not in (time, refused_at[index]):
                gaps.append((time - refused_at[index]) / 1e6)
    overlapped = sum(
        1
        for index, (start, end) in enumerate(pairs)
        if (index and pairs[index - 1][1] > start) or (index + 1 < len(pairs) and pairs[index + 1][0] < end)
    )
    stride = case.file.openings.stride
    return Births(int(np.count_nonzero(made)) * stride, len(pairs) * stride, np.array(gaps), overlapped * stride)


def _finding(case: Case, url: int, refused: list[Cell], births: Births) -> Finding:
    beside = case.count("POST", range(200, 300), url=url) > 0
    failures = births.matched if beside else _total(refused)
    streams, gone = case.select("GET", 200, url=url), case.select("GET", 404, url=url)
    claimed = case.claim(CAUSE, refused, births.matched if beside else None)
    case.claim(CAUSE, gone, births.matched if beside else None)
    sized = any(size in cell.sizes for cell in refused for size in MISSING_ID)
    because = _because(case, url, births, failures, sized=sized)
    return finding(
        case,
        CAUSE,
        claimed,
        _summary(case.at(url), failures, births.sessions, _total(streams), _total(gone)),
        confidence="certain" if failures == births.sessions or sized else "likely",
        of=case.count(status=400),
        unit="400 responses",
        because=because,
        evidence=(*case.show(refused, 1), *case.show_openings(Logger.APP, 1), *case.show(streams + gone, 1)),
        cells=[*refused, *streams, *gone],
        client=_client(case.at(url)),
    )


def _unnamed(case: Case, url: int, refused: list[Cell]) -> Finding:
    """Build the finding of a log that does not name the sessions, such as a server's access log."""
    streams = case.select("GET", (200, 404), url=url)
    failures, opened = _total(refused), _total(streams)
    case.claim(CAUSE, [*refused, *streams])
    return finding(
        case,
        CAUSE,
        failures,
        f"{Count(failures):GET|GETs} of {case.at(url)} {Count(failures):~was|were} refused with 400 and {opened} then answered "
        f"{_statuses(streams)}, yet nothing was ever posted: the ids of those streams can only come out of the refusals.",
        confidence="likely",
        of=case.count(status=400),
        unit="400 responses",
        because=[
            "A stream on such an endpoint needs a session, and a session is made by a POST; there is none.",
            "A line of the application that names each session makes it certain (`--session-pattern`), or httpcore at DEBUG."
            if case.view == Kind.CALL
            else "The client's own log (the line that names the session) makes it certain.",
        ],
        cells=[*refused, *streams],
        client=_client(case.at(url)),
    )


def _statuses(cells: list[Cell]) -> str:
    return " or ".join(str(status) for status in sorted({cell.key.status for cell in cells}))


def _total(cells: list[Cell]) -> int:
    return sum(cell.count for cell in cells)


def _because(case: Case, url: int, births: Births, failures: int, *, sized: bool) -> list[str]:
    answered = case.count("GET", (200, 404), url=url)
    even = failures == births.sessions == answered
    alone = not case.count("POST", range(200, 300), url=url)
    lines = [
        f"{failures} refused GETs, {births.sessions} new sessions, {answered} GETs after them"
        + (", and not one POST that worked" if alone else "")
        + (": exactly one of each per session." if even else "."),
        f"{births.matched} of {births.sessions} new sessions follow a refused GET of their own.",
    ]
    if len(births.gaps) and median(births.gaps) < 1:
        lines.append(
            f"From a 400 to its new session pass {median(births.gaps) * 1000:.0f} ms in the median (at most "
            f"{births.gaps.max() * 1000:.0f} ms): the id came out of the 400 itself."
        )
    if sized:
        lines.append('The 400 has the size of a "Missing session ID" body: that GET carried no session id.')
    return lines


def _summary(url: str, failures: int, sessions: int, streams: int, gone: int) -> str:
    if streams >= gone:
        many = Count(streams)
        ending = (
            f"The {many:answer of 200 that follows is a false success|answers of 200 that follow are false successes}: "
            "a stream opens, but nothing is ever posted and no answer comes."
        )
    else:
        ending = f"This server does not keep such ids: the GETs that use them get 404 ({gone})."
    return (
        f"{'The one answer' if failures == 1 else f'Each of the {failures} answers'} of 400 is a GET {url} without a session id, refused by a Streamable HTTP endpoint; "
        f"{Count(sessions):time|times} the client took its session id out of that error. {ending}"
    )


def _client(url: str) -> str:
    return (
        f"Use the Streamable HTTP client on the same URL and let it make the session: pydantic-ai 0.x `MCPServerStreamableHTTP('{url}')`; "
        f"later versions `MCPToolset(Client(StreamableHttpTransport('{url}')))`{_named(url)}; "
        f"with mcp alone `streamable_http_client('{url}')`. Take out the GET that fetches an id. "
        "Pools, delays and retries cannot help: every new attempt is refused the same way, and older servers keep a dead session for each."
    )


def _named(url: str) -> str:
    """Say why the transport must be named, where pydantic-ai 2.x and fastmcp would infer HTTP+SSE from the path."""
    return (
        ", with the transport named, because a bare URL that ends in /sse is taken for SSE"
        if url.rstrip("/").endswith("/sse")
        else ""
    )
