"""The one reader of HTTP/1.1 answers: bytes in, heads and bodies out, no I/O."""

import re
from dataclasses import dataclass

from woolly_mcpdiag.load.engine.failure import PeerError

MOST_HEAD = 1 << 16
"""Bytes of a head, of a chunk's size line, of all trailers."""
_MOST_CACHED = 2_000
_BLANK = b"\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?\Z")
_SESSION = re.compile(rb"\r\nmcp-session-id:[ \t]*([!-~]+)(?=\r\n)", re.IGNORECASE)
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\Z", re.DOTALL)
_HEAD, _LENGTH, _UNTIL_CLOSE, _CHUNK_SIZE, _CHUNK, _CHUNK_END, _TRAILERS, _DONE = range(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Status line and header fields of an answer."""

    raw: bytes
    """As they came, the blank line included."""
    status: int
    length: int
    """Bytes of the body; -1 where it is chunked or goes on until the connection ends."""
    chunked: bool
    keep: bool
    """True where the connection may carry another request."""
    content_type: str
    session: str
    """``Mcp-Session-Id``."""
    location: str
    retry_after: str
    events: bool
    """An event stream."""
    json: bool


_heads: dict[bytes, Head] = {}
"""A server repeats its heads: only the date changes, once a second."""


def head_of(raw: bytes) -> Head:
    """Return what a head says, the blank line at its end included. Raises ``PeerError`` where it is none."""
    found = _heads.get(raw)
    if found is None:
        session = _SESSION.search(raw)
        if session is not None:
            # One that names a session does not come again, but the same head with another session does.
            rest = head_of(raw[: session.start()] + raw[session.end() :])
            return _read_head(raw) if rest.session else _named(rest, raw, session[1].decode("ascii"))
        found = _read_head(raw)
        if len(_heads) >= _MOST_CACHED:
            _heads.clear()
        _heads[raw] = found
    return found


def at_once(data: bytes) -> tuple[Head, bytes] | None:
    """Return head and body of an answer that is all of ``data``; ``None`` where a ``Reader`` is to take it apart."""
    end = data.find(_BLANK) + len(_BLANK)
    try:
        head = head_of(data[:end])
    except PeerError:
        return None
    whole = head.status >= 200 and head.keep and not head.events and head.length == len(data) - end
    return (head, data[end:]) if whole else None


def _named(head: Head, raw: bytes, session: str) -> Head:
    return Head(
        raw=raw,
        status=head.status,
        length=head.length,
        chunked=head.chunked,
        keep=head.keep,
        content_type=head.content_type,
        session=session,
        location=head.location,
        retry_after=head.retry_after,
        events=head.events,
        json=head.json,
    )


def _read_head(raw: bytes) -> Head:
    line, *lines = raw[: -len(_BLANK)].split(b"\r\n")
    status = _STATUS.match(line)
    if status is None:
        message = f"not HTTP/1.1: {line[:60]!r}"
        raise PeerError(message)
    fields: dict[str, str] = {}
    for each in lines:
        name, colon, value = each.partition(b":")
        if not colon or not name or name[:1] in b" \t":
            message = f"not a header field: {each[:60]!r}"
            raise PeerError(message)
        key = name.decode("latin-1").strip().lower()
        text = value.decode("latin-1").strip()
        fields[key] = f"{fields[key]}, {text}" if key in fields else text
    return _made(raw, int(status[2]), fields, old=status[1] == b"0")


def _made(raw: bytes, status: int, fields: dict[str, str], *, old: bool) -> Head:
    chunked = fields.get("transfer-encoding", "").lower().rpartition(",")[2].strip() == "chunked"
    length = -1 if chunked else _length(fields.get("content-length"))
    if status in {204, 304} or status < 200:
        chunked, length = False, 0
    kept = fields.get("connection", "").lower()
    kind = fields.get("content-type", "").lower()
    return Head(
        raw=raw,
        status=status,
        length=length,
        chunked=chunked,
        keep=("keep-alive" in kept if old else "close" not in kept) and (chunked or length >= 0),
        content_type=kind,
        session=fields.get("mcp-session-id", ""),
        location=fields.get("location", ""),
        retry_after=fields.get("retry-after", ""),
        events=kind.startswith("text/event-stream"),
        json=kind.startswith("application/json"),
    )


def _length(told: str | None) -> int:
    if told is None:
        return -1
    values = {each.strip() for each in told.split(",")}
    value = values.pop()
    if values or not (value.isascii() and value.isdigit()) or len(value) > 15:
        message = f"Content-Length: {told[:40]!r} is none"
        raise PeerError(message)
    return int(value)


class Reader:
    """Reads the answers of one connection, one after the other."""

    __slots__ = ("_left", "_rest", "_state", "_trailed", "ended", "head")

    def __init__(self) -> None:
        self._rest = b""
        self.begin()

    def begin(self) -> None:
        """Expect the next answer."""
        self.head: Head | None = None
        self.ended = False
        """The answer is whole."""
        self._state = _HEAD
        self._left = 0
        self._trailed = 0

    @property
    def fresh(self) -> bool:
        """True where nothing of the answer has come yet."""
        return self.head is None and not self._rest

    @property
    def surplus(self) -> bool:
        """True where the peer sent more than its answer."""
        return self.ended and bool(self._rest)

    def feed(self, data: bytes) -> bytes:
        """Take what came and return the part of the body that is in it. Raises ``PeerError`` for what is no HTTP."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        if self._state == _HEAD:
            data = self._take_head(data)
        if self._state == _LENGTH:
            return self._take_length(data)
        if self._state == _UNTIL_CLOSE:
            return data
        if self._state in {_HEAD, _DONE}:
            self._rest = data
            return b""
        return self._take_chunks(data)

    def close(self) -> bool:
        """The peer has closed the connection: say whether the answer is whole with that."""
        if self._state == _UNTIL_CLOSE:
            self._finish()
        return self.ended

    def _finish(self) -> None:
        self._state, self.ended = _DONE, True

    def _take_head(self, data: bytes) -> bytes:
        while True:
            end = data.find(_BLANK)
            if end < 0:
                if not data.startswith(b"HTTP/1."[: len(data)]):
                    message = f"not HTTP/1.1: {data[:60]!r}"
                    raise PeerError(message)
                if len(data) > MOST_HEAD:
                    message = f"its head is longer than {MOST_HEAD} bytes"
                    raise PeerError(message)
                return data
            end += len(_BLANK)
            head = head_of(data[:end])
            data = data[end:]
            if head.status >= 200 or head.status == 101:
                break
        self.head = head
        if head.chunked:
            self._state = _CHUNK_SIZE
        elif head.length < 0:
            self._state = _UNTIL_CLOSE
        else:
            self._state, self._left = _LENGTH, head.length
        return data

    def _take_length(self, data: bytes) -> bytes:
        if len(data) < self._left:
            self._left -= len(data)
            return data
        body, self._rest = data[: self._left], data[self._left :]
        self._left = 0
        self._finish()
        return body

    def _take_chunks(self, data: bytes) -> bytes:
        parts: list[bytes] = []
        at = 0
        while self._state != _DONE:
            if self._state == _CHUNK:
                part = data[at : at + self._left]
                parts.append(part)
                at += len(part)
                self._left -= len(part)
                if self._left:
                    break
                self._state = _CHUNK_END
                continue
            end = data.find(b"\r\n", at)
            if end < 0:
                break
            self._line(data[at:end])
            at = end + 2
        self._rest = data[at:]
        if self._state != _DONE and len(self._rest) > MOST_HEAD:
            message = f"a line of its chunks is longer than {MOST_HEAD} bytes"
            raise PeerError(message)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _line(self, line: bytes) -> None:
        """Take a line between chunks, without its end."""
        if self._state == _CHUNK_END:
            if line:
                message = f"a chunk is followed by {line[:20]!r}"
                raise PeerError(message)
            self._state = _CHUNK_SIZE
        elif self._state == _CHUNK_SIZE:
            size = _SIZE.match(line)
            if size is None:
                message = f"not the size of a chunk: {line[:40]!r}"
                raise PeerError(message)
            self._left = int(size[1], 16)
            self._state = _CHUNK if self._left else _TRAILERS
        elif not line:
            self._finish()
        else:
            self._trailed += len(line)
            if self._trailed > MOST_HEAD:
                message = f"its trailers are longer than {MOST_HEAD} bytes"
                raise PeerError(message)
