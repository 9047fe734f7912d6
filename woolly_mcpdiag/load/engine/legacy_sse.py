"""Sessions over HTTP+SSE: a GET stream that names where to post, posts answered 202, answers through the stream."""

from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urljoin

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.load.contract import Asked
from woolly_mcpdiag.load.engine import failure, rpc
from woolly_mcpdiag.load.engine.calls import Call, after, request, with_body
from woolly_mcpdiag.load.engine.connection import Connection
from woolly_mcpdiag.load.engine.exchange import Exchange, Resume
from woolly_mcpdiag.load.engine.failure import Failure, nonsense
from woolly_mcpdiag.load.engine.line import Line, Setting, Steps, asked, is_stale, judged, refusal
from woolly_mcpdiag.load.engine.loop import NEVER

_POST = {"content-type": "application/json"}
_INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
_IDS = ("session_id", "sessionId")


class LegacyLine(Line):
    """One session: it lives as long as its stream."""

    single = 0

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._number = 0
        self._head = b""
        self._url = ""
        self._asked: dict[str, Asked] = {}
        self._waiting: dict[int, Exchange] = {}
        """Request → who waits for its answer, in the order of their deadlines."""
        self._resume: Resume | None = None
        """Who waits for the endpoint."""
        self._opening: Exchange | None = None
        self._until = NEVER
        self._stream: Connection | None = None
        self._over: Failure | None = None
        """Why the stream ended."""

    @property
    def deadline(self) -> float:
        """The instant at which something is overdue; see ``Loop.watched``."""
        for exchange in self._waiting.values():
            return min(self._until, exchange.deadline)
        return self._until

    def expire(self, now: float) -> None:
        """Something is overdue: the endpoint, or answers."""
        if self._until < now:
            self._resolve(failure.late("ReadTimeout", self.setting.limits.event, "endpoint"))
        for number, exchange in list(self._waiting.items()):
            if exchange.deadline < now:
                del self._waiting[number]
                exchange.fail(failure.late("ReadTimeout", exchange.deadline - exchange.begun), now)

    def open(self, resume: Resume) -> Steps:
        """Open the stream, learn where to post, initialize."""
        setting = self.setting
        begun = monotonic()
        exchange = self._listen(resume)
        exchange = yield
        why = refusal(exchange)
        setting.ledger.answered(exchange)
        if why is None and (exchange.head is None or not exchange.head.events):
            why = nonsense("the GET was not answered with an event stream")
        if why is not None:
            return self.unborn("stream", exchange, why)
        setting.recorder.phase("stream", exchange.ended - exchange.sent)
        why = yield from self._endpoint(exchange, resume)
        if why is not None:
            return self.unborn("endpoint", exchange, why)
        wanted = setting.plan.mcp.version if setting.plan.mcp is not None else ""
        exchange = self._send("initialize", after("initialize", rpc.initialize(wanted)), resume, monotonic())
        exchange = yield
        why = self.judge(exchange)
        if why is not None:
            return self.unborn("initialize", exchange, why)
        setting.recorder.phase("initialize", exchange.ended - exchange.begun)
        exchange = self._post(with_body(self._head, _INITIALIZED), "notifications/initialized", resume)
        exchange = yield
        why = refusal(exchange)
        setting.ledger.answered(exchange)
        if why is not None:
            return self.unborn("initialized", exchange, why)
        setting.recorder.phase("initialized", exchange.ended - exchange.begun)
        self.born(begun)
        return None

    def _endpoint(self, opening: Exchange, resume: Resume) -> Steps:
        """Wait for the event that says where to post."""
        if not self._head and self._over is None:
            self._until = opening.ended + self.setting.limits.event
            self._opening, self._resume = opening, resume
            yield
            self._until, self._resume = NEVER, None
        if self._over is not None:
            return self._over
        self.setting.recorder.phase("endpoint", monotonic() - opening.ended)
        return None

    def start(self, call: Call, count: int, worker: int, resume: Resume, begun: float) -> Exchange:
        """Send a call."""
        rest, _ = call.sent(count, worker)
        return self._send(call.method, rest, resume, begun)

    def judge(self, exchange: Exchange) -> Failure | None:
        """Judge a call; a refusal that says so ends the session."""
        if exchange.message is not None and exchange.failure is None:
            return rpc.verdict(exchange.message, exchange.number, exchange.body)
        why = judged(exchange)
        if why is not None and why.status and is_stale(exchange):
            self.ready = False
        return why

    def close(self, resume: Resume) -> Steps:
        """Close the stream, and with it the session."""
        del resume
        if self.ready:
            self.setting.recorder.phase("close", 0.0)
            self.setting.recorder.count("sessions_closed")
            self.setting.ledger.event("session.closed", monotonic(), session=self.session, url=self.place.url)
        self.drop()
        return None
        yield

    def drop(self) -> None:
        """Close everything at once."""
        super().drop()
        self.setting.loop.watched.pop(self, None)
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    # Requests

    def _send(self, method: str, rest: bytes, resume: Resume, begun: float) -> Exchange:
        """Post a request; its answer comes through the stream, a refusal as the answer of the post."""
        self._number += 1
        exchange = Exchange(self._sort(method), resume, self._number, begun, begun + self.setting.limits.call)
        if self._over is not None:
            over = self._over
            self.setting.loop.soon(lambda: exchange.fail(over, monotonic()))
            return exchange
        self._waiting[self._number] = exchange

        def posted(post: Exchange) -> None:
            self._posted(post, exchange)

        exchange.sent = begun
        self._post(request(self._head, self._number, rest), method, posted)
        return exchange

    def _posted(self, post: Exchange, exchange: Exchange) -> None:
        why = refusal(post)
        self.setting.ledger.answered(post)
        exchange.reused, exchange.connection = post.reused, post.connection
        if why is not None and not exchange.over:
            self._waiting.pop(exchange.number, None)
            exchange.head, exchange.body, exchange.raw = post.head, post.body, post.raw
            exchange.fail(why, post.ended)

    def _post(self, raw: bytes, method: str, resume: Resume) -> Exchange:
        now = monotonic()
        post = Exchange(self._sort(method), resume, 0, now, now + self.setting.limits.call)
        self.connection().start(post, raw)
        return post

    def _sort(self, method: str) -> Asked:
        told = self._asked.get(method)
        if told is None:
            told = self._asked[method] = asked(self.place, "POST", method, self.session, self._url)
        return told

    # The stream

    def _listen(self, resume: Resume) -> Exchange:
        setting = self.setting
        now = monotonic()
        exchange = Exchange(asked(self.place, "GET"), resume, 0, now, now + setting.limits.call)
        exchange.sink = self._heard
        setting.loop.watched[self] = None
        stream = self.connection()
        stream.home = []
        stream.on_lost = self._cut
        self._stream = stream
        raw = self.place.request("GET", self.place.path, {"accept": "text/event-stream"}) + b"\r\n"
        stream.start(exchange, raw)
        return exchange

    def _heard(self, name: bytes, data: bytes) -> None:
        if name == b"message" and data:
            self._message(data)
        elif name == b"endpoint" and not self._head:
            self._resolve(self._found(data.decode("utf-8", "replace")))

    def _found(self, told: str) -> Failure | None:
        """Take the endpoint, which must be on the same origin."""
        try:
            url = urljoin(self.place.parts.geturl(), told.strip())
        except ValueError:
            url = ""
        parts = self.place.within(url)
        if parts is None:
            return nonsense(f"the endpoint is of another origin: {redact.url(told)[:100]}")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not path.isascii() or any(char <= " " for char in path):
            return nonsense(f"the endpoint is no URL: {redact.url(told)[:100]}")
        self._url = redact.url(url)
        self._head = self.place.request("POST", path, _POST)
        found = parse_qs(parts.query)
        self.opened(next((found[name][0] for name in _IDS if name in found), ""))
        return None

    def _resolve(self, why: Failure | None) -> None:
        """The endpoint is known, or will not be."""
        self._over = self._over or why
        resume, self._resume = self._resume, None
        self._until = NEVER
        if resume is not None and self._opening is not None:
            resume(self._opening)

    def _message(self, data: bytes) -> None:
        try:
            message = rpc.decode(data)
        except rpc.UNREADABLE as problem:
            self._fail_all(nonsense(f"an event is no JSON-RPC message: {problem}"))
            return
        if message.method is not None:
            self._answer(message)
            return
        exchange = self._waiting.pop(message.id, None) if isinstance(message.id, int) else None
        if exchange is None and message.id is None and message.error is not None and len(self._waiting) == 1:
            exchange = self._waiting.popitem()[1]
        if exchange is not None:
            now = monotonic()
            exchange.message, exchange.body, exchange.first = message, data, now
            exchange.finish(now)

    def _answer(self, message: rpc.Message) -> None:
        if message.id is None or not self._head:
            return
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": message.id}
        if message.method == "ping":
            answer["result"] = {}
        else:
            answer["error"] = {"code": -32601, "message": "Method not found"}
        self._post(with_body(self._head, rpc.dumps(answer)), "", self.setting.ledger.answered)

    def _cut(self, why: Failure) -> None:
        """The stream has ended, and with it the session."""
        now = monotonic()
        if self.ready:
            self.setting.recorder.count("streams_cut")
            self.setting.ledger.event(
                "stream.lost", now, session=self.session, url=self.place.url, error=why.error, message=why.told
            )
        self.ready = False
        text = why.text if "SSE stream" in why.text else f"SSE stream: {why.text}"
        self._resolve(Failure(kind="stream-cut", error=why.error or "RemoteProtocolError", text=text))
        self._fail_all(self._over or why)

    def _fail_all(self, why: Failure) -> None:
        now = monotonic()
        waiting, self._waiting = self._waiting, {}
        for exchange in waiting.values():
            exchange.fail(why, now)
