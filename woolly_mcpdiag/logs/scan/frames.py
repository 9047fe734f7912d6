"""The one place that takes the framing off lines that go on with a framed record: same framing, another time."""

from woolly_mcpdiag.logs.batch import NO_TIME
from woolly_mcpdiag.logs.framing import FRAMINGS
from woolly_mcpdiag.logs.scan.heads import STAMP
from woolly_mcpdiag.logs.stamps import Stamps

_BY_NAME = {framing.name: framing for framing in FRAMINGS}
_TO_SECOND = len("2026-11-22T14:44:21")
_REMEMBERED = 1 << 12


class Frame:
    """The framing of a record, up to where the line begins that it frames."""

    def __init__(self, prefix: bytes) -> None:
        """``prefix`` has one time at most."""
        self.size = len(prefix)
        stamp = STAMP.search(prefix)
        self.timed = stamp is not None
        begin = stamp.start() if stamp else self.size
        self._time = slice(begin, begin + _TO_SECOND)
        fraction = stamp.span("fraction") if stamp and stamp["fraction"] else (begin, begin)
        self._fraction = slice(*fraction)
        self._fixed = tuple(
            (slice(*place), prefix[slice(*place)])
            for place in (
                (0, begin),
                (begin + _TO_SECOND, fraction[0]),
                (max(fraction[1], begin + _TO_SECOND), self.size),
            )
            if place[0] < place[1]
        )
        self._stamp_end = stamp.end() if stamp else begin
        self._zoned: dict[bytes, bool | None] = {}
        self._stamps = Stamps()

    @staticmethod
    def of(line: bytes, framing: str) -> "Frame | None":
        """Return the framing of a line, ``None`` where it cannot be told by its bytes alone."""
        text = line.decode("utf-8", "replace")
        for name in framing.split("/"):
            found = _BY_NAME[name].match(text) if name in _BY_NAME else None
            if found is None or not found["text"]:
                return None
            text = found["text"]
        inner = text.encode("utf-8", "replace")
        prefix = line[: len(line) - len(inner)]
        sure = prefix.isascii() and line == prefix + inner and len(STAMP.findall(prefix)) < 2
        return Frame(prefix) if sure else None

    def holds(self, line: bytes) -> bool:
        """Say whether a line has this framing, whatever its time."""
        for place, text in self._fixed:
            if line[place] != text:
                return False
        fraction = line[self._fraction]
        if fraction and not fraction.isdigit():
            return False
        return not self.timed or self.zoned(line) is not None

    def zoned(self, line: bytes) -> bool | None:
        """Say of a line with this framing whether its time names a zone; ``None`` where it is no time."""
        key = line[self._time]
        if key not in self._zoned:
            if len(self._zoned) >= _REMEMBERED:
                self._zoned.clear()
            time, zoned = self._stamps.text(line[self._time.start : self._stamp_end].decode("ascii", "replace"))
            self._zoned[key] = None if time == NO_TIME else zoned
        return self._zoned[key]
