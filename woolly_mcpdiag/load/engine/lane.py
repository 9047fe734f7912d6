"""The one short cut: a user who makes the same call again and again over one connection, in one function.

It does no more and no less than ``User.work``, ``StreamableLine.start`` and ``judge``, and ``Connection.read`` and
``ask`` do together. Whatever is not an ordinary success is left to them: the exchange is kept as they would have it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from woolly_mcpdiag.load.engine.connection import Connection
from woolly_mcpdiag.load.engine.exchange import Exchange
from woolly_mcpdiag.load.engine.http import head_of
from woolly_mcpdiag.load.engine.ledger import Ledger, Whose
from woolly_mcpdiag.load.engine.likeness import Likeness
from woolly_mcpdiag.load.engine.rpc import UNREADABLE, decode

_TABLE = 1000
_SHORT = tuple(b"%d" % n for n in range(_TABLE))
_LONG = tuple(b"%03d" % n for n in range(_TABLE))
"""The last digits of numbers from 1,000 on: making them anew would cost as much as all else but I/O."""
_NOTHING = b"\0"
"""No answer begins with it."""
_BLANK = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Habit:
    """What somebody does again and again."""

    before: bytes
    """What stands before the number of his request, ``after`` what stands behind it."""
    after: bytes
    until: int
    """First number for which ``before`` is wrong."""
    likeness: Likeness
    more: Callable[[], bool]
    """Says whether to go on."""
    index: int
    """Of the call."""
    whose: Whose


def enter(connection: Connection, exchange: Exchange, habit: Habit, ledger: Ledger) -> Callable[[], int] | None:  # noqa: PLR0915, C901 - one function: calls within it would cost as much as what they do
    """Read the connection by the short cut from now on; ``None`` where its last answers do not allow that.

    The function that is returned tells the number that was used last, once the short cut has ended.
    """
    likeness, until = habit.likeness, habit.until
    alike, shape = likeness.fits(exchange.number), connection.shape()
    if not connection.plain or not (alike or shape):
        return None
    known, size, whole = shape or (_NOTHING, 0, -1)
    start = likeness.front if alike else known
    head = head_of(start[: start.index(_BLANK) + len(_BLANK)])
    if head.status != 200:
        return None
    most = 1 + max(whole, len(likeness.front) + len(str(exchange.number)) + len(likeness.back))
    """Bytes to be read: one more than an answer has, so that a longer one is seen."""
    recv, send, more = connection.recv, connection.send, habit.more
    took = ledger.times[habit.index].whole.append
    begun, limit = exchange.begun, exchange.deadline - exchange.begun
    base = exchange.number - exchange.number % _TABLE
    index = exchange.number - base
    table, last = (_LONG, _TABLE - 1) if base else (_SHORT, min(until, _TABLE) - 1)
    digits = table[index]
    stem = front = back = after = b""

    def settle() -> None:
        """Make what is the same for all numbers of a thousand."""
        nonlocal stem, front, back, after
        high = b"%d" % (base // _TABLE) if base else b""
        stem, after = habit.before + high, habit.after
        front, back = (likeness.front + high, likeness.back) if likeness.front else (_NOTHING, b"")

    def further() -> bool:
        nonlocal base, index
        number = base + index + 1
        if number >= until:
            return False
        base, index = number, -1
        settle()
        return True

    def good(data: bytes) -> bool:
        """Read an answer that is not like the others."""
        if len(data) != whole or not data.startswith(known):
            return False
        try:
            message = decode(data[size:])
        except UNREADABLE:
            return False
        if message.id != base + index or (result := message.result) is None:
            return False
        if message.error is not None or result.isError:
            return False
        likeness.learn(base + index, data)
        settle()
        return True

    def read(mask: int) -> None:
        nonlocal index, begun, digits
        try:
            data = recv(most)
        except OSError:
            leave()
            connection.read(mask)
            return
        now = monotonic()
        started = ledger.started
        if (
            (data != front + digits + back and not good(data))
            or (started >= ledger.free and not more())
            or (index == last and not further())
        ):
            leave()
            connection.got(data)
            return
        if started < ledger.free or not ledger.due:
            took(now - begun)
        else:
            note()
            exchange.head, exchange.first, exchange.ended = head, now, now
            ledger.tell(habit.index, exchange, (begun, begun), habit.whose, single=True)
            # As new: it may be handed back for the next answer.
            exchange.head, exchange.first = None, 0.0
            now = monotonic()
        ledger.started = started + 1
        begun = now
        index += 1
        digits = table[index]
        raw = stem + digits + after
        try:
            sent = send(raw)
        except OSError as problem:
            leave()
            connection.unable(exchange, raw, problem)
            return
        if sent != len(raw):
            leave()
            connection.rest(raw[sent:])

    def note() -> None:
        """Bring the exchange up to date."""
        exchange.number = number = base + index
        exchange.begun = exchange.sent = begun
        exchange.deadline = connection.deadline = begun + limit
        exchange.raw = habit.before + str(number).encode("ascii") + habit.after

    def leave() -> None:
        note()
        connection.read_by(connection.read, None)

    def number() -> int:
        return base + index

    settle()
    connection.read_by(read, note)
    return number
