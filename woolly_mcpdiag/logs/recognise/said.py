"""The one place that redacts what logs say: texts that differ only in ids and numbers are redacted once.

Redaction looks at names, punctuation and the kind of each word: how long it is, whether digits and letters are mixed.
So a word of hexadecimal digits stands for every other of its length and kind, wherever redaction leaves it or takes it.
"""

import re
from collections.abc import Callable

_WORDS = re.compile(r"(?<![A-Za-z0-9])([0-9a-f]{4,})(?![A-Za-z0-9])")
"""Words that may vary, but for those of letters alone."""
_REMEMBERED = 1 << 12
_MOST = 99
"""Words in one text; one with more is redacted for itself."""
_Shape = tuple[str | tuple[int, bool], ...]


class Redacted:
    """Remembers texts redacted by one function of ``core.redact``."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._known: dict[_Shape, tuple[str | int, ...]] = {}

    def text(self, text: str) -> str:
        """Return the redacted text."""
        parts = _WORDS.split(text)
        if len(parts) > 2 * _MOST:
            return self._redact(text)
        shape: list[str | tuple[int, bool]] = [*parts]
        for at in range(1, len(parts), 2):
            word = parts[at]
            if not word.isalpha():
                shape[at] = len(word), word.isdigit()
        key = tuple(shape)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._learn(shape)
        if len(found) == 1:
            return found[0] if isinstance(found[0], str) else parts[found[0]]
        return "".join([each if isinstance(each, str) else parts[each] for each in found])

    def _learn(self, shape: list[str | tuple[int, bool]]) -> tuple[str | int, ...]:
        """Return the redacted text in pieces, each a text or the number of the part that stands there."""
        stand_ins = [each if isinstance(each, str) else _stand_in(at, *each) for at, each in enumerate(shape)]
        numbers = {stand_ins[at]: at for at, each in enumerate(shape) if not isinstance(each, str)}
        pieces: list[str | int] = [
            numbers.get(piece, piece) for piece in _WORDS.split(self._redact("".join(stand_ins)))
        ]
        return tuple(piece for piece in pieces if piece != "") or ("",)


def _stand_in(number: int, size: int, digits: bool) -> str:
    """Return a word that no other part of the text is."""
    return f"{number:0{size}d}" if digits else f"a{number:03d}".ljust(size, "0")
