"""Sessions over Streamable HTTP in the handshake era: initialize, initialized, a GET stream, calls, DELETE."""

from collections.abc import Callable
from functools import lru_cache
from time import monotonic
from typing import Any

from woolly_mcpdiag.load.contract import Asked
from woolly_mcpdiag.load.engine import lane, rpc
from woolly_mcpdiag.load.engine.calls import Call, after, before, request, with_body
from woolly_mcpdiag.load.engine.connection import Connection
from woolly_mcpdiag.load.engine.exchange import Exchange, Resume
from woolly_mcpdiag.load.engine.failure import Failure, nonsense
from woolly_mcpdiag.load.engine.ledger import Whose
from woolly_mcpdiag.load.engine.likeness import Likeness
from woolly_mcpdiag.load.engine.line import Line, Setting, Steps, asked, is_stale, judged, refusal
from woolly_mcpdiag.load.engine.place import Headers
from woolly_mcpdiag.load.engine.rpc import Message, decode

_ACCEPT: Headers = (("accept", "application/json, text/event-stream"), ("content-type", "application/json"))
_LISTEN: Headers = (("accept", "text/event-stream"),)
_INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
_NONE = (b"", 0)
_AGAIN = 0.5
"""Seconds after which a new session that was refused is tried once more: longer than one needs to get ready."""
_REOPEN = 1.0
"""Seconds after which a GET stream that the server ended is opened again, as the SDK does."""


@lru_cache(maxsize=8)
def _initialize(version: str) -> bytes:
    return after("initialize", rpc.initialize(version))


class StreamableLine(Line):
    """One session; calls may run on it at the same time, each over a connection of its own."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._number = 0
        self._last: Callable[[], int] | None = None
        """Tells the number that the short cut used last; see ``lane``."""
        self._likeness = Likeness()
        self._limit = setting.limits.call
        self._version: Headers = ()
        """The header that names the version which was agreed on."""
        self._before: dict[int, tuple[bytes, int]] = {}
        """Call → what stands before the number of its request, and the first number for which that is wrong."""
        self._head = self.place.again("POST", _ACCEPT)
        self._asked: dict[str, Asked] = {}
        self._stream: Connection | None = None

    def open(self, resume: Resume) -> Steps:
        """Initialize the session and begin its GET stream."""
        setting = self.setting
        begun = monotonic()
        mcp = setting.plan.mcp
        wanted = mcp.version if mcp is not None else ""
        exchange = self._ask("initialize", _initialize(wanted), resume)
        exchange = yield
        why = judged(exchange)
        setting.ledger.answered(exchange)
        if why is not None:
            return self.unborn("initialize", exchange, why)
        setting.recorder.phase("initialize", exchange.ended - exchange.sent)
        head = exchange.head
        self.opened(head.session if head is not None else "")
        self._version = (("mcp-protocol-version", rpc.version_of(exchange.body) or wanted),)
        self._head = self.place.again("POST", _ACCEPT + self._version, self.session)
        self._asked.clear()
        self._before.clear()
        exchange = self._note(_INITIALIZED, "notifications/initialized", resume)
        exchange = yield
        why = refusal(exchange)
        setting.ledger.answered(exchange)
        if why is not None:
            failed = self.unborn("initialized", exchange, why)
            if self.session and is_stale(exchange):
                yield from self._once_more(exchange, resume)
            return failed
        setting.recorder.phase("initialized", exchange.ended - exchange.sent)
        self.born(begun)
        if setting.plan.stream and self.session:
            self._listen()
        return None

    def _once_more(self, refused: Exchange, resume: Resume) -> Steps:
        """Send ``initialized`` again: a session that was not ready works from now on, one of another worker in turns.

        The birth has failed all the same, as it does for clients that try nothing twice; what was taken is ended.
        """
        setting = self.setting

        def again() -> None:
            resume(refused)

        setting.loop.at(monotonic() + _AGAIN, again)
        yield
        self._note(_INITIALIZED, "notifications/initialized", resume)
        exchange = yield
        setting.ledger.answered(exchange)
        if refusal(exchange) is None:
            self._ask("ping", after("ping", {}), resume)
            exchange = yield
            setting.ledger.answered(exchange)
            self.ready = True
        return (yield from self.close(resume))

    def start(self, call: Call, count: int, worker: int, resume: Resume, begun: float) -> Exchange:
        """Send a call."""
        if self._last is not None:
            self._number = self._last()
            self._last = None
        number = self._number = self._number + 1
        rest = call.fixed
        if rest is None:
            raw = request(self._head, number, call.sent(count, worker)[0])
        else:
            found, until = self._before.get(call.index, _NONE)
            if number >= until:
                found = self._reckon(call.index, number, rest)
            raw = found + str(number).encode("ascii") + rest
        exchange = self.spare
        if exchange is None or exchange.asked.rpc != call.method:
            told = self._asked.get(call.method) or self._sort(call.method)
            exchange = Exchange(told, resume, number, begun, begun + self._limit)
            exchange.peer = self._answer
        else:
            # As new; written out, since a call would cost as much as all of it.
            self.spare = exchange.head = exchange.message = None
            exchange.resume, exchange.number, exchange.begun = resume, number, begun
            exchange.deadline = begun + self._limit
            exchange.first, exchange.body, exchange.over = 0.0, b"", False
        free = self.free
        if free:
            free.pop().ask(exchange, raw, begun)
        else:
            self.connection().start(exchange, raw)
        return exchange

    def hurry(self, call: Call, exchange: Exchange, more: Callable[[], bool], whose: Whose) -> None:
        """Take the short cut over this exchange's connection, where calls are the same each time."""
        connection = exchange.connection
        if call.fixed is None or not exchange.reused or not isinstance(connection, Connection):
            return
        before, until = self._before[call.index]
        habit = lane.Habit(before, call.fixed, until, self._likeness, more, call.index, whose)
        self._last = lane.enter(connection, exchange, habit, self.setting.ledger)

    def _reckon(self, index: int, number: int, rest: bytes) -> bytes:
        found = before(self._head, number, rest)
        self._before[index] = found, 10 ** len(str(number))
        return found

    def judge(self, exchange: Exchange) -> Failure | None:
        """Judge a call; a refusal that says so ends the session."""
        head, message = exchange.head, exchange.message
        if head is not None and head.status == 200 and head.json and message is None and exchange.failure is None:
            # ``judged`` for the ordinary case, without its detours.
            try:
                message = decode(exchange.body)
            except rpc.UNREADABLE as problem:
                return nonsense(f"the answer is no JSON-RPC message: {problem}")
            result = message.result
            if message.id == exchange.number and result is not None and message.error is None and not result.isError:
                self._learn(exchange)
                return None
            return rpc.verdict(message, exchange.number, exchange.body)
        why = judged(exchange)
        if why is None:
            self._learn(exchange)
        elif why.status and self.session and is_stale(exchange):
            self.ready = False
        return why

    def _learn(self, exchange: Exchange) -> None:
        # Who makes one call only need not know.
        if self.used and exchange.connection is not None:
            self._likeness.learn(exchange.number, exchange.connection.raw)

    def close(self, resume: Resume) -> Steps:
        """Delete the session and close everything."""
        setting = self.setting
        alive, self.ready = self.ready, False
        begun = monotonic()
        why: Failure | None = None
        if self.session and alive:
            told = asked(self.place, "DELETE", session=self.session)
            exchange = Exchange(told, resume, 0, begun, begun + setting.limits.close)
            raw = self.place.again("DELETE", _ACCEPT + self._version, self.session) + b"\r\n"
            self.connection().start(exchange, raw)
            exchange = yield
            why = refusal(exchange)
            setting.ledger.answered(exchange, benign=exchange.status == 405)
            gone = why is None or exchange.status == 405
            setting.recorder.phase("close", exchange.ended - begun, failed=not gone)
            if gone:
                setting.recorder.count("sessions_closed")
                setting.ledger.event("session.closed", exchange.ended, session=self.session, url=self.place.url)
        self.drop()
        return why

    def drop(self) -> None:
        """Close all connections at once, the standing stream too."""
        super().drop()
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _sort(self, method: str) -> Asked:
        told = self._asked[method] = asked(self.place, "POST", method, self.session)
        return told

    def _ask(self, method: str, rest: bytes, resume: Resume) -> Exchange:
        self._number += 1
        now = monotonic()
        exchange = Exchange(self._sort(method), resume, self._number, now, now + self.setting.limits.call)
        exchange.peer = self._answer
        self.connection().start(exchange, request(self._head, self._number, rest))
        return exchange

    def _note(self, body: bytes, method: str, resume: Resume) -> Exchange:
        now = monotonic()
        exchange = Exchange(self._sort(method), resume, 0, now, now + self.setting.limits.call)
        self.connection().start(exchange, with_body(self._head, body))
        return exchange

    # What the server says of its own

    def _answer(self, message: Message) -> None:
        """Answer a request of the server: a ping, or one that is not offered here."""
        if message.id is None or message.method is None:
            return
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": message.id}
        if message.method == "ping":
            answer["result"] = {}
        else:
            answer["error"] = {"code": -32601, "message": "Method not found"}
        self._note(rpc.dumps(answer), "", self.setting.ledger.answered)

    def _heard(self, name: bytes, data: bytes) -> None:
        if name != b"message" or not data:
            return
        try:
            self._answer(rpc.decode(data))
        except rpc.UNREADABLE:
            return

    # The standing stream

    def _listen(self) -> None:
        setting = self.setting
        now = monotonic()
        told = asked(self.place, "GET", session=self.session)
        exchange = Exchange(told, self._listening, 0, now, now + setting.limits.call)
        exchange.sink = self._heard
        self._stream = Connection(setting.loop, self.place, setting.limits, setting.recorder, self.free)
        self._stream.on_lost = self._cut
        raw = self.place.again("GET", _LISTEN + self._version, self.session) + b"\r\n"
        self._stream.start(exchange, raw)

    def _listening(self, exchange: Exchange) -> None:
        """The server has answered the GET."""
        why = refusal(exchange)
        offered = exchange.status != 405
        if self._stream is not None:
            self.setting.ledger.answered(exchange, benign=not offered)
            if offered and exchange.sent:
                took = exchange.ended - exchange.sent
                self.setting.recorder.phase("stream", took, failed=why is not None)
        if why is not None or exchange.head is None or not exchange.head.events:
            self._stream = None

    def _cut(self, why: Failure) -> None:
        """The server has ended the stream; the session goes on."""
        self._stream = None
        if not self.ready:
            return
        if why.error:
            self.setting.recorder.count("streams_cut")
            now = monotonic()
            self.setting.ledger.event(
                "stream.lost", now, session=self.session, url=self.place.url, error=why.error, message=why.told
            )
        self.setting.loop.at(monotonic() + _REOPEN, self._listen_again)

    def _listen_again(self) -> None:
        if self.ready and self._stream is None:
            self._listen()
