"""net.env-proxy: a proxy from the environment catches requests that should go straight to the server."""

from collections.abc import Iterator

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import FAIL, Case, finding
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.diagnose.count import Count
from woolly_mcpdiag.diagnose.endpoints import parts_of

CAUSE = "net.env-proxy"
_LOCAL = ("localhost", "127.0.0.1", "::1")


def decide(case: Case) -> Iterator[Finding]:
    """Name it where httpcore connects to another place than the URL names, and requests fail."""
    wanted = {_place(case.at(cell.key.url)) for cell in case.cells}
    reached = case.notes("http.connect")
    failing = [cell for cell in case.cells if cell.key.status >= FAIL and case.left(cell)]
    if not reached or not failing or not wanted:
        return
    known = {_place(url) for url in case.urls if "://" in url}
    reached = [note for note in reached if _reached(note) not in known]
    if not reached or any(_reached(note) in wanted for note in case.notes("http.connect")):
        return
    count = case.claim(CAUSE, failing)
    place = ":".join(map(str, _reached(reached[0])))
    yield finding(
        case,
        CAUSE,
        count,
        f"{Count(count):request|requests} failed, and the client connected to {place} instead of the server: a proxy from the environment.",
        confidence="certain",
        of=case.requests,
        unit="requests",
        because=["httpcore's connect names another host or port than the URL."],
        evidence=(*case.show_notes(reached, 2), *case.show(failing, 1)),
        cells=failing,
    )


def _place(url: str) -> tuple[str, int]:
    parts = parts_of(url)
    return _host(parts.hostname or ""), parts.port or (443 if parts.scheme == "https" else 80)


def _reached(note: Note) -> tuple[str, int]:
    return _host(str(note.event.extra["host"])), int(note.event.extra["port"])


def _host(name: str) -> str:
    return _LOCAL[0] if name in _LOCAL else name
