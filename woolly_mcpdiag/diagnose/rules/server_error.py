"""server.error: the server failed, and no better name is known."""

from collections.abc import Iterator
from dataclasses import replace

from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.diagnose.case import FAIL, Case
from woolly_mcpdiag.diagnose.shapes import answered
from woolly_mcpdiag.logs.recognise.failures import STATUS

_failed = answered(
    "server.error",
    (500, 501, 505, 507, 508),
    "{n:request|requests} to {urls} failed inside the server ({statuses}).",
    told=("server.error", "asgi"),
    because=["The server's own traceback has the reason."],
)


def decide(case: Case) -> Iterator[Finding]:
    """Name it for server errors; where an answer quotes what the server itself was answered, send the reader there."""
    for found in _failed(case):
        told = (match for one in found.evidence if (match := STATUS.search(one.text)))
        quoted = next((match for match in told if int(match["status"]) >= FAIL), None)
        yield found if quoted is None else _passed_on(found, quoted["status"], quoted["url"])


def _passed_on(found: Finding, status: str, url: str) -> Finding:
    return replace(
        found,
        summary=f"{found.summary} It passes on a failure of its own client: {status} at {url}.",
        because=(f"The answer quotes the request behind it: {status} at {url}. That is where to look.",),
        client=f"Ask what is behind: `mcpdiag load {url} --client naive,pooled`.",
        server="`mcpdiag analyze-logs` on the log of the application that answered (httpx at INFO) names the cause.",
        deployment="",
    )
