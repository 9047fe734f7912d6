"""The one short cut: a user who makes the same call again and again over one connection, in one function.

It does no more and no less than ``User.work``, ``StreamableLine.start`` and ``judge``, and ``Connection.read`` and
``ask`` do together. Whatever is not an ordinary success is left to them: the exchange is kept as they would have it.
"""

from collections.abc import Callable
from time import monotonic

from woolly_mcpdiag.load.engine.connection import AT_ONCE, Connection
from woolly_mcpdiag.load.engine.exchange import Exchange
from woolly_mcpdiag.load.engine.ledger import Ledger, Times
from woolly_mcpdiag.load.engine.rpc import UNREADABLE, decode


def enter(
    connection: Connection,
    exchange: Exchange,
    texts: tuple[bytes, bytes, int],
    more: Callable[[], bool],
    ledger: Ledger,
    times: Times,
) -> Callable[[int], int] | None:
    """Read the connection by the short cut from now on; ``None`` where its last answer does not allow that.

    ``texts`` are what stands before and after the number of a request, and the first number for which that is
    wrong. The function that is returned tells the number that was used last, and ends the short cut.
    """
    shape = connection.shape()
    if shape is None:
        return None
    known, size, whole = shape
    before, after, until = texts
    recv, send = connection.recv, connection.send
    number, begun, limit = exchange.number, exchange.begun, exchange.deadline - exchange.begun
    took = times.whole.append
    calm = 0
    """Calls until the ledger is asked again whether it wants one told in full."""

    def read(mask: int) -> None:
        nonlocal number, begun, calm
        try:
            data = recv(AT_ONCE)
        except OSError:
            leave(0)
            connection.read(mask)
            return
        now = monotonic()
        if len(data) != whole or not data.startswith(known):
            leave(0)
            connection.got(data)
            return
        try:
            message = decode(data[size:])
        except UNREADABLE:
            message = None
        if (
            message is None
            or message.id != number
            or (result := message.result) is None
            or message.error is not None
            or result.isError
            or number + 1 >= until
            or (not calm and ledger.wants())
            or not more()
        ):
            leave(0)
            connection.got(data)
            return
        calm = calm - 1 if calm else ledger.rest()
        took(now - begun)
        ledger.started += 1
        exchange.number = number = number + 1
        exchange.begun = exchange.sent = begun = monotonic()
        exchange.deadline = connection.deadline = begun + limit
        exchange.raw = raw = before + str(number).encode("ascii") + after
        try:
            sent = send(raw)
        except OSError as problem:
            leave(0)
            connection.unable(exchange, raw, problem)
            return
        if sent != len(raw):
            leave(0)
            connection.rest(raw[sent:])

    def leave(_mask: int) -> int:
        connection.read_by(connection.read)
        return number

    connection.read_by(read)
    return leave
