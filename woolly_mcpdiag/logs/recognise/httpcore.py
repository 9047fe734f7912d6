"""httpcore's DEBUG lines: response headers that name size and session, and where connections really go."""

import re

from woolly_mcpdiag.logs.batch import UNKNOWN_SIZE
from woolly_mcpdiag.logs.recognise.exchange import Urls, size_of

HEADERS_LITERAL = "receive_response_headers.complete"
CONNECT_LITERAL = "connect_tcp.started"
CONNECT = re.compile(r"connect_tcp\.started host='(?P<host>[^']+)' port=(?P<port>\d{1,5})\b")
_STATUS = re.compile(r"return_value=\((?:b'HTTP/[\d.]+', )?(\d{3}),")
_LENGTH = re.compile(r"b'content-length', b'(\d+)'", re.IGNORECASE)
_SESSION = re.compile(r"b'mcp-session-id', b'([^']+)'", re.IGNORECASE)
_WAITING = 64


class Headers:
    """Response headers that wait for their httpx line.

    httpx logs in the task that just received the headers, so the youngest waiting entry of the same status is
    the right one; under concurrency this is a near-certain guess, since http11 lines carry no connection id.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, int, int]] = []

    def take(self, message: str, urls: Urls) -> bool:
        """Remember what a ``receive_response_headers.complete`` line tells; False where it cannot be read."""
        status = _STATUS.search(message)
        if not status:
            return False
        length, session = _LENGTH.search(message), _SESSION.search(message)
        high, low = urls.session(session[1]) if session else (0, 0)
        self._waiting.append((int(status[1]), size_of(length[1] if length else None), high, low))
        del self._waiting[:-_WAITING]
        return True

    def give(self, status: int) -> tuple[int, int, int]:
        """Return (size, high, low) for an httpx line of that status, nothing known where no headers wait."""
        for index in range(len(self._waiting) - 1, -1, -1):
            if self._waiting[index][0] == status:
                _, size, high, low = self._waiting.pop(index)
                return size, high, low
        return UNKNOWN_SIZE, 0, 0
