"""The one rule for when an answer is good without being read: it is the same as good ones but for its number."""

import re

_NUMBER = re.compile(rb'"id"[ \t]*:[ \t]*([0-9]+)(?=[ \t\r\n]*[,}])')
_TRIES = 16
"""Good answers in a row of which no two were alike, after which it is not looked for any more."""


class Likeness:
    """Learns from the whole answers, heads included, that were read and judged good.

    Two of them that differ in nothing but the digits at one place, where each has the number of its own request, show
    that this place is what is read as the answer's id: had it been read elsewhere, one of the two would have answered
    another request. A third with those bytes and the digits of its request reads the same, so it is judged the same.
    """

    __slots__ = ("_number", "_raw", "_tries", "back", "front")

    def __init__(self) -> None:
        self.front = self.back = b""
        """What stands before and after the number; empty while it is not known."""
        self._number, self._raw = 0, b""
        self._tries = _TRIES

    def fits(self, number: int) -> bool:
        """Say whether the answer to this number can be like the last ones: it has as many digits."""
        return bool(self.front) and len(str(number)) == len(str(self._number))

    def learn(self, number: int, raw: bytes) -> None:
        """An answer to a request was judged good; ``raw`` is empty where it did not come alone and in one piece."""
        if not self._tries:
            return
        digits = b"%d" % number
        if self.front and raw == self.front + digits + self.back:
            self._number, self._raw = number, raw
            return
        self.front = self.back = b""
        if raw and number != self._number and len(raw) == len(self._raw):
            before = b"%d" % self._number
            for found in _NUMBER.finditer(raw):
                front, back = raw[: found.start(1)], raw[found.end(1) :]
                if found[1] == digits and self._raw == front + before + back:
                    self.front, self.back, self._tries = front, back, _TRIES
                    break
            else:
                self._tries -= 1
        self._number, self._raw = number, raw
