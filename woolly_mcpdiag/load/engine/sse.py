"""The one reader of event streams: bytes in, (name, data) out, no I/O."""

from woolly_mcpdiag.load.engine.failure import PeerError

MOST_EVENT = 1 << 24
"""Bytes of one event."""
_BOM = b"\xef\xbb\xbf"


class Events:
    """Reads one event stream, wherever it is split. Line ends may be LF, CRLF or CR."""

    __slots__ = ("_begun", "_cr", "_rest")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._cr = False
        """The last piece ended in CR: an LF that follows belongs to it."""
        self._begun = False

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Return the events that are whole now. Raises ``PeerError`` for one over 16 MB."""
        if self._cr and data[:1] == b"\n":
            data = data[1:]
            self._cr = False
        if not data:
            return []
        self._cr = data[-1:] == b"\r"
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        rest = self._rest
        if not rest and self._begun and 0 <= data.find(b"\n\n") == len(data) - 2:
            # One whole event, as most pieces are.
            found: list[tuple[bytes, bytes]] = []
            _read(data[:-2], found)
            return found
        seam = max(0, len(rest) - 1)
        rest += data
        if not self._begun:
            if not self._begin():
                return []
            seam = 0
        found = []
        start = 0
        end = rest.find(b"\n\n", seam)
        while end >= 0:
            _read(bytes(rest[start:end]), found)
            start = end + 2
            end = rest.find(b"\n\n", start)
        if start:
            del rest[:start]
        if len(rest) > MOST_EVENT:
            message = f"an event is larger than {MOST_EVENT} bytes"
            raise PeerError(message)
        return found

    def _begin(self) -> bool:
        """Drop a byte-order mark; False where it is not known yet whether there is one."""
        rest = self._rest
        if rest.startswith(_BOM):
            del rest[: len(_BOM)]
        elif len(rest) < len(_BOM) and _BOM.startswith(rest):
            return False
        self._begun = True
        return True


def _read(block: bytes, found: list[tuple[bytes, bytes]]) -> None:
    name, data, told = b"message", [], False
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if value[:1] == b" ":
            value = value[1:]
        if field == b"data":
            data.append(value)
            told = True
        elif field == b"event":
            name = value or b"message"
    if told:
        found.append((name, b"\n".join(data)))
