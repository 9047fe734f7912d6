"""The one place that tells cheaply what a message cannot say, from the message without its hexadecimal digits.

Ids, counts and times are what differs between messages of one kind, so few such rests make up a log. A message that
holds a text holds it without these digits too: what its rest does not hold, the message does not hold.
"""

from dataclasses import dataclass

from woolly_mcpdiag.logs.recognise import agents, exchange, httpcore
from woolly_mcpdiag.logs.recognise.failures import HINTS
from woolly_mcpdiag.logs.recognise.message import Message
from woolly_mcpdiag.logs.recognise.messages import MESSAGES

_DIGITS = b"0123456789abcdefABCDEF"
_REMEMBERED = 1 << 14
_LONGEST = 512
"""Bytes of the longest message that is remembered."""


@dataclass(frozen=True, slots=True)
class About:
    """What a message may say; all of it is to be looked for, nothing else is in it."""

    hot: bool
    """An exchange, or httpcore's part of one."""
    rows: tuple[Message, ...]
    agent: bool
    failure: bool
    """The name of an exception, or words that mean one, or a traceback."""

    def __bool__(self) -> bool:
        """Say whether it may say anything."""
        return self.hot or self.agent or self.failure or bool(self.rows)


def _rest(text: str) -> bytes:
    return text.encode().translate(None, _DIGITS)


_HOT = tuple(map(_rest, (exchange.CLIENT_LITERAL, " HTTP/", httpcore.HEADERS_LITERAL, httpcore.CONNECT_LITERAL)))
_ROWS = tuple((_rest(row.literal), row) for row in MESSAGES)
_AGENT = _rest(agents.LITERAL)
_FAILURE = tuple(map(_rest, (*HINTS, "Traceback (most recent")))


class Abouts:
    """Remembers what messages may say."""

    def __init__(self) -> None:
        self._known: dict[bytes, About] = {}

    def of(self, message: bytes) -> About:
        """Return what a message in UTF-8 may say."""
        rest = message.translate(None, _DIGITS)
        found = self._known.get(rest)
        if found is None:
            found = About(
                any(text in rest for text in _HOT),
                tuple(row for text, row in _ROWS if text in rest),
                _AGENT in rest,
                any(text in rest for text in _FAILURE),
            )
            if len(rest) <= _LONGEST:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[rest] = found
        return found
