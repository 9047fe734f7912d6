"""The one memory of what a server's answers tell about its configuration; each thing is told once for a client."""

import logging
from collections import Counter
from collections.abc import Callable

from woolly_mcpdiag.client.errors import remedy
from woolly_mcpdiag.core.redact import url as redacted_url
from woolly_mcpdiag.wire.exchange import Finding

_EARLY = ("session.used-before-ready", logging.WARNING, "a new session's first, with an error, and taken later")
_KNOWN = {
    ("GET", 405): ("transport.no-get-stream", logging.INFO, "the server has no standing stream, which it need not"),
    ("GET", 409): ("session.stream-conflict", logging.WARNING, "the session has another standing stream already"),
    ("POST", 200): _EARLY,
    ("POST", 400): _EARLY,
    ("POST", 404): _EARLY,
    ("DELETE", 405): ("", logging.INFO, "the server does not let sessions be ended, which it need not"),
}


class Findings:
    """Counts findings and tells the first of each kind."""

    def __init__(self, tell: Callable[[int, str], None]) -> None:
        self.counts: Counter[str] = Counter()
        """How often, by HTTP method and status."""
        self._tell = tell

    def __call__(self, finding: Finding) -> bool:
        """Take a finding. Returns False where the same request would only be refused again."""
        name = f"{finding.verb} {finding.status}"
        self.counts[name] += 1
        if self.counts[name] == 1:
            self._tell(*_told(finding))
        return (finding.verb, finding.status) != ("GET", 405)

    def forget(self) -> None:
        """Begin anew: the server is not what it was."""
        self.counts.clear()


def _told(finding: Finding) -> tuple[int, str]:
    cause, level, fact = _KNOWN.get((finding.verb, finding.status), ("", logging.WARNING, ""))
    if 300 <= finding.status < 400:
        cause = "transport.redirect"
        what = "each such request is sent twice" if finding.followed else "not followed, another origin"
        fact = f"{what}; it leads to {redacted_url(finding.location)}"
    todo = remedy(cause) if level > logging.INFO else ""
    said = f"configuration: {finding.verb} is answered {finding.status}: {fact}"
    return level, f"{said}{f' [{cause}]' if cause else ''}{f'; {todo}' if todo else ''}"
