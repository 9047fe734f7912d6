"""HTTP exchanges: httpx client lines and access-log lines."""

import re

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.core.ids import normalise, pack
from woolly_mcpdiag.logs.batch import METHOD_CODE, UNKNOWN_SIZE, Vocabulary
from woolly_mcpdiag.logs.recognise.said import Redacted

CLIENT_LITERAL = "HTTP Request: "
_METHODS = "|".join(name for name in METHOD_CODE if name)
OURS = " (mcpdiag: "
"""Behind the status of an answer that no server gave: our own client made it up, the exchange has its own line."""
CLIENT = re.compile(rf'HTTP Request: ({_METHODS}) (\S+) \\?"HTTP/[\d.]+ (\d{{3}})(?!{re.escape(OURS)})')
ACCESS = re.compile(
    rf'(?<![\w/])({_METHODS}) (\S+) HTTP/[0-9.]+(?:\\?" |["\\]?[|,;\t] ?)'
    r"(?:status=)?(\d{3})(?![\d.])(?:[ |,;\t](\d+|-)(?![\w]))?"
)
"""Also with other separators than the usual quotes and spaces, as custom formats of nginx have them."""
_SESSION = re.compile(r"[?&](?:session_?id|sessionId|mcp-session-id)=([^&#\s]+)", re.IGNORECASE)
_CACHE_LIMIT = 20_000
_LONGEST_SIZE = 15
"""Digits; a longer number is no byte count and would not fit its column."""


class Urls:
    """Raw URL → (code of its address, packed session id); remembers, since a log repeats its URLs."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._seen: dict[str, tuple[int, int, int]] = {}
        self._shown = Redacted(redact.url)

    def read(self, raw: str) -> tuple[int, int, int]:
        """Return (url code, high, low); high and low are 0 where the URL names no session."""
        found = self._seen.get(raw)
        if found is not None:
            return found
        session = _SESSION.search(raw)
        high, low = self.session(session[1]) if session else (0, 0)
        address = redact.url(raw).partition("?")[0]
        found = self._vocabulary.urls.code(address), high, low
        if len(self._seen) >= _CACHE_LIMIT:
            self._seen.clear()
        self._seen[raw] = found
        return found

    def shown(self, raw: str) -> str:
        """Return a URL as it may be shown."""
        return self._shown.text(raw)

    def session(self, text: str) -> tuple[int, int]:
        """Pack a session id as the log writes it, keeping the text of ids that are not hexadecimal."""
        session = normalise(text)
        packed = pack(session)
        if len(session) != 32 or f"{packed[0]:016x}{packed[1]:016x}" != session:
            self._vocabulary.sessions[packed] = session
        return packed


def size_of(text: str | None) -> int:
    """Return the byte count that a line names, ``UNKNOWN_SIZE`` where it has none."""
    if text is None or len(text) > _LONGEST_SIZE:
        return UNKNOWN_SIZE
    return 0 if text == "-" else int(text)
