"""The one HTTP/1.1 connection: opened, asked, read, reused; it never blocks and never raises."""

import socket
import ssl
from collections.abc import Callable
from time import monotonic

from woolly_mcpdiag.load.contract import Recorder
from woolly_mcpdiag.load.engine import failure
from woolly_mcpdiag.load.engine.exchange import Exchange
from woolly_mcpdiag.load.engine.failure import Failure, PeerError
from woolly_mcpdiag.load.engine.http import Head, Reader, at_once
from woolly_mcpdiag.load.engine.loop import NEVER, READ, WRITE, Loop
from woolly_mcpdiag.load.engine.opening import Opening, is_open
from woolly_mcpdiag.load.engine.place import Place
from woolly_mcpdiag.load.engine.sse import Events
from woolly_mcpdiag.load.plan import Limits

MOST_BODY = 1 << 24
"""Bytes of an answer that is no event stream."""
AT_ONCE, MOST_RAW = 1 << 16, 1 << 13
"""Bytes read at a time; of an answer that is kept as it came."""
_LOOK_AFTER = 0.005
"""Seconds of idleness after which a connection is looked at before it is used again."""
_WAIT = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_NO_HEAD = b"\0"
"""No answer begins with it."""


class Connection:
    """A connection to a place. ``home`` is the list of free ones that it returns to."""

    __slots__ = (
        "_events",
        "_exchange",
        "_fd",
        "_freed",
        "_head",
        "_known",
        "_loop",
        "_note",
        "_opening",
        "_out",
        "_parts",
        "_place",
        "_reader",
        "_recorder",
        "_sink",
        "_size",
        "_sock",
        "_used",
        "_whole",
        "deadline",
        "home",
        "limits",
        "on_lost",
        "port",
        "raw",
        "recv",
        "send",
    )

    def __init__(self, loop: Loop, place: Place, limits: Limits, recorder: Recorder, home: "list[Connection]") -> None:
        self._loop = loop
        self._place = place
        self._recorder = recorder
        self.limits = limits
        self.home = home
        self._sock: socket.socket | None = None
        self._fd = -1
        self._opening: Opening | None = None
        self.port = 0
        self._clear()

    def _clear(self) -> None:
        self._exchange: Exchange | None = None
        self._sink: Callable[[bytes, bytes], None] | None = None
        self.on_lost: Callable[[Failure], None] | None = None
        """Told when its standing stream ends."""
        self._reader = Reader()
        self._events: Events | None = None
        self._parts: list[bytes] = []
        self._out = self.raw = b""
        self.deadline = NEVER
        self._used, self._freed = False, 0.0
        self._known, self._size, self._whole = _NO_HEAD, 0, -1
        self._note: Callable[[], None] | None = None
        self._head: Head | None = None

    # Opening

    def open(self, then: Callable[[Failure | None], None]) -> None:
        """Connect, and call ``then`` with what went wrong, if anything did; never from within this call."""

        def opened(sock: socket.socket | None, why: Failure | None) -> None:
            self._opening = None
            if sock is not None:
                self._hold(sock)
            then(why)

        self._opening = Opening(self._loop, self._place, self._recorder, self.limits.connect, opened)
        self._opening.begin()

    def _hold(self, sock: socket.socket) -> None:
        self._sock = sock
        self._fd = sock.fileno()
        self.recv, self.send = sock.recv, sock.send
        self.port = sock.getsockname()[1]
        self._loop.ready[self._fd] = self._read_tls if isinstance(sock, ssl.SSLSocket) else self.read
        self._loop.watched[self] = None

    # Asking

    def start(self, exchange: Exchange, raw: bytes) -> None:
        """Send a request, over a new connection where this one is not open; ``exchange`` learns how it ended."""
        if self._sock is not None:
            self.ask(exchange, raw, monotonic())
            return

        def then(why: Failure | None) -> None:
            if exchange.over:
                self.release()
            elif why is None:
                self.ask(exchange, raw, monotonic())
            else:
                exchange.fail(why, monotonic())

        self.open(then)

    def ask(self, exchange: Exchange, raw: bytes, now: float) -> None:
        """Send a request; the connection is open and free, ``now`` is this instant."""
        if self._used and now - self._freed > _LOOK_AFTER and not is_open(self._sock):
            self.close()
            self.start(exchange, raw)
            return
        self._exchange = exchange
        exchange.raw = raw
        exchange.connection = self
        exchange.reused = self._used
        exchange.sent = now
        self.deadline = exchange.deadline
        try:
            sent = self.send(raw)
        except _WAIT:
            sent = 0
        except OSError as problem:
            self.unable(exchange, raw, problem)
            return
        if sent != len(raw):
            self.rest(raw[sent:])

    def rest(self, raw: bytes) -> None:
        """Send the rest of a request as soon as that can be done."""
        self._out = raw
        self._loop.change(self._fd, READ | WRITE)

    def unable(self, exchange: Exchange, raw: bytes, problem: OSError) -> None:
        """A request could not be sent at all."""
        again = self._used
        self.close()
        if again:
            # The peer had closed it while it was idle, and not a byte was sent.
            self.start(exchange, raw)
        else:
            self._loop.soon(lambda: exchange.fail(failure.broken(problem, sent=False), monotonic()))

    # For the short cut (see ``lane``)

    def shape(self) -> tuple[bytes, int, int] | None:
        """Return the head of the last answer, its length and that of the whole; ``None`` where it does not repeat."""
        head = self._head
        good = head is not None and head.status == 200 and head.json and self._whole > 0
        return (self._known, self._size, self._whole) if good else None

    @property
    def plain(self) -> bool:
        """True where all is sent, and what is read is what the peer has sent."""
        return self._sock is not None and not self._out and not isinstance(self._sock, ssl.SSLSocket)

    def read_by(self, call: Callable[[int], None], note: Callable[[], None] | None) -> None:
        """Have somebody else read, who gives back what he cannot handle; ``note`` brings deadlines up to date."""
        self._note = note
        if self._sock is not None:
            self._loop.ready[self._fd] = call

    # Reading

    def read(self, mask: int) -> None:
        """Read what has come."""
        if mask & WRITE and self._out:
            self._write_on()
        try:
            data = self.recv(AT_ONCE)
        except BlockingIOError:
            return
        except OSError as problem:
            self._broke(problem)
            return
        self.got(data)

    def got(self, data: bytes) -> None:
        """Take what was read. An answer that comes whole, under a head that came before, takes the short way."""
        exchange = self._exchange
        if len(data) == self._whole and exchange is not None and data.startswith(self._known):
            self._freed = exchange.first = exchange.ended = monotonic()
            exchange.head = self._head
            self.raw = data if self._whole <= MOST_RAW else b""
            exchange.body = data[self._size :]
            self._exchange = None
            self.deadline = NEVER
            self.home.append(self)
            exchange.over = True
            exchange.resume(exchange)
        elif data:
            self._take(data)
        else:
            self._closed()

    def _read_tls(self, mask: int) -> None:
        if mask & WRITE and self._out:
            self._write_on()
        while self._sock is not None:
            try:
                data = self.recv(AT_ONCE)
            except _WAIT:
                return
            except OSError as problem:
                self._broke(problem)
                return
            if not data:
                self._closed()
                return
            self._take(data)

    def _write_on(self) -> None:
        try:
            sent = self.send(self._out)
        except _WAIT:
            return
        except OSError:
            # Whatever the peer has said is still to be read; the end comes after it.
            sent = len(self._out)
        self._out = self._out[sent:]
        if not self._out:
            self._loop.change(self._fd, READ)

    def _take(self, data: bytes) -> None:
        exchange, reader = self._exchange, self._reader
        if exchange is None and reader.head is None:
            # Unasked, as the 408 of a proxy that closes an idle connection.
            self.close()
            return
        now = monotonic()
        self.raw = data if reader.fresh and len(data) <= MOST_RAW else b""
        whole = at_once(data) if reader.fresh and not self._out else None
        if whole is not None and exchange is not None:
            exchange.head, exchange.body = whole
            exchange.first = now
            self._remember(whole[0])
            self.release()
            exchange.finish(now)
            return
        try:
            answered = self._digest(exchange, reader.feed(data), now)
        except PeerError as problem:
            self._fail(failure.nonsense(str(problem)))
            return
        if reader.ended:
            self._end(exchange, now)
            return
        # What follows is the middle of an answer, even where it looks like a whole one.
        self._whole, self.raw = -1, b""
        if answered and exchange is not None:
            # The rest of its stream is read in the background; the caller has what it asked for.
            self._exchange = None
            self.deadline = now + self.limits.close
            exchange.finish(now)

    def _digest(self, exchange: Exchange | None, piece: bytes, now: float) -> bool:
        """Take a piece of the answer; True where the answer is known with it."""
        head = self._reader.head
        if exchange is not None and exchange.head is None and head is not None:
            exchange.head = head
            if 200 <= head.status < 300 and head.events:
                self._events = Events()
                if exchange.sink is not None:
                    self._sink, self._exchange, self.deadline = exchange.sink, None, NEVER
                    exchange.first = now
                    exchange.finish(now)
            else:
                exchange.first = now
        if not piece:
            return False
        if self._events is None:
            self._parts.append(piece)
            if len(self._parts) & 15 == 0 and sum(map(len, self._parts)) > MOST_BODY:
                message = f"its body is larger than {MOST_BODY} bytes"
                raise PeerError(message)
            return False
        answered = False
        for name, data in self._events.feed(piece):
            if self._sink is not None:
                self._sink(name, data)
            elif exchange is not None and not exchange.over and not answered:
                answered = exchange.event(name, data, now)
        return answered

    def _end(self, exchange: Exchange | None, now: float) -> None:
        """The answer is whole."""
        head, reader = self._reader.head, self._reader
        body = b"".join(self._parts)
        if self._sink is not None:
            self._gone(Failure(kind="stream-cut", error="", text="the SSE stream ended"))
            return
        if head is not None and head.keep and not reader.surplus and not self._out:
            self._remember(head)
            self.release()
        else:
            self.close()
        if exchange is None:
            return
        if exchange.head is not None and exchange.head.events and not exchange.body and exchange.number:
            exchange.fail(Failure(kind="stream-cut", text="SSE stream ended without a response"), now)
        exchange.body = exchange.body or body
        exchange.finish(now)

    def _remember(self, head: Head) -> None:
        if head.length >= 0 and not head.events and len(head.raw) + head.length < AT_ONCE:
            self._head, self._known = head, head.raw
            self._size = len(head.raw)
            self._whole = self._size + head.length

    # Ending

    def release(self) -> None:
        """Make it free for the next request."""
        self._exchange = None
        self._events = None
        self._parts.clear()
        self._reader.begin()
        self._used = True
        self._freed = monotonic()
        self.deadline = NEVER
        if self._sock is not None:
            self.home.append(self)

    def _closed(self) -> None:
        """The peer has closed the connection."""
        reader, exchange = self._reader, self._exchange
        if reader.close() and exchange is not None:
            self._end(exchange, monotonic())
            return
        read = reader.head is not None
        self._fail(failure.cut(None) if self._events is not None else failure.disconnected(reading=read))

    def _broke(self, problem: OSError) -> None:
        self._fail(failure.cut(problem) if self._events is not None else failure.broken(problem, sent=True))

    def _fail(self, why: Failure) -> None:
        exchange = self._exchange
        if self._sink is not None:
            self._gone(why)
            return
        self.close()
        if exchange is not None:
            exchange.fail(why, monotonic())

    def _gone(self, why: Failure) -> None:
        lost = self.on_lost
        self.close()
        if lost is not None:
            lost(why)

    def expire(self, now: float) -> None:
        """The time of what it is doing is over."""
        if self._note is not None:
            self._note()
            if self.deadline >= now:
                return
        exchange = self._exchange
        self.close()
        if exchange is not None:
            exchange.fail(failure.late("ReadTimeout", exchange.deadline - exchange.begun), now)

    def _drop(self) -> None:
        sock, self._sock = self._sock, None
        if sock is not None:
            self._loop.remove(self._fd)
            sock.close()

    def close(self) -> None:
        """Close it now. It may be started again, as a new one."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.give_up()
        self._drop()
        self._loop.watched.pop(self, None)
        self._clear()
        if self in self.home:
            self.home.remove(self)
