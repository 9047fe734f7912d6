"""What carries the calls of a user: the one base of sessions of all transports, and how an answer is judged."""

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from time import monotonic

from woolly_mcpdiag.load.contract import Asked, Recorder
from woolly_mcpdiag.load.engine import rpc
from woolly_mcpdiag.load.engine.calls import Call
from woolly_mcpdiag.load.engine.connection import Connection
from woolly_mcpdiag.load.engine.exchange import Exchange, Resume
from woolly_mcpdiag.load.engine.failure import Failure, nonsense
from woolly_mcpdiag.load.engine.ledger import Ledger, Whose
from woolly_mcpdiag.load.engine.loop import Loop
from woolly_mcpdiag.load.engine.place import Place
from woolly_mcpdiag.load.plan import Limits, Plan

Steps = Generator[None, Exchange, Failure | None]
"""Steps of a line: each ``yield`` waits for an exchange to end; the result says what went wrong, if anything did."""
_GONE = {404, 410}
_STALE = re.compile(rb"session|not initialized", re.IGNORECASE)
_TOO_MANY = "too-many-sessions"
"""How logs of servers call it, which is what the rules know."""
_SAID = 120
"""Characters of a refusal's body that an error quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all lines of a run share."""

    plan: Plan
    loop: Loop
    ledger: Ledger
    recorder: Recorder
    limits: Limits
    places: dict[str, Place]
    """By kind: mcp, agent."""
    calls: list[Call]


class Line:
    """A session with its connections; or, without sessions, the connections alone."""

    kind = "mcp"
    single = 1
    """A call is one exchange, to be accounted for with it; 0 where it is more."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.place = setting.places[self.kind]
        self.free: list[Connection] = []
        self.session = ""
        """Id, empty where there is none."""
        self.ready = False
        """It may be used for calls."""
        self.used = False
        """A call has succeeded on it."""
        self.tried = False
        """It was opened before, well or badly."""
        self.spare: Exchange | None = None
        """One that has ended well, to be used again: making a new one costs more than all else of a call but I/O."""

    def open(self, resume: Resume) -> Steps:
        """Make it ready; ``resume`` continues whoever runs these steps."""
        raise NotImplementedError

    def start(self, call: Call, count: int, worker: int, resume: Resume, begun: float) -> Exchange:
        """Send a call at the instant ``begun``; ``resume`` is called with it when it has ended, never from within."""
        raise NotImplementedError

    def hurry(self, call: Call, exchange: Exchange, more: Callable[[], bool], whose: Whose) -> None:
        """``exchange`` was just started and its user will do nothing else: a short cut may be taken."""

    def judge(self, exchange: Exchange) -> Failure | None:
        """Say why a call failed, ``None`` where it succeeded; the line stops being ready where its session is lost."""
        return judged(exchange)

    def close(self, resume: Resume) -> Steps:
        """End the session and close its connections."""
        del resume
        self.drop()
        return None
        yield

    def drop(self) -> None:
        """Close all free connections at once."""
        self.ready = False
        for connection in list(self.free):
            connection.close()

    def connection(self) -> Connection:
        """Return a free connection, or a new one that is not open yet."""
        if self.free:
            return self.free.pop()
        setting = self.setting
        return Connection(setting.loop, self.place, setting.limits, setting.recorder, self.free)

    def connect(self, then: Callable[[Failure | None], None]) -> None:
        """Open a connection ahead of its use."""
        connection = self.connection()

        def opened(why: Failure | None) -> None:
            if why is None:
                self.free.append(connection)
            then(why)

        connection.open(opened)

    def unborn(self, phase: str, exchange: Exchange, why: Failure) -> Failure:
        """Account for a step of the birth that failed, and return the failure of the birth."""
        setting = self.setting
        now = monotonic()
        if exchange.sent:
            setting.recorder.phase(phase, now - exchange.sent, failed=True)
        setting.recorder.count("sessions_failed")
        setting.ledger.event(
            "session.refused",
            now,
            session=self.session or exchange.asked.session,
            url=exchange.asked.url,
            status=why.status or None,
            error=_TOO_MANY if why.status == 503 and b"open sessions" in exchange.body else why.error or why.kind,
            message=f"session not born, in {phase}: {why.told}",
        )
        self.drop()
        kind = why.kind if why.kind in {"connect", "tls", "dns"} else "session"
        return Failure(
            kind=kind, error=why.error, text=why.text, phase=why.phase or phase, status=why.status, code=why.code
        )

    def born(self, begun: float) -> None:
        """It is ready."""
        now = monotonic()
        self.ready = True
        self.setting.recorder.count("sessions_opened")
        self.setting.ledger.event("session.ready", now, session=self.session, url=self.place.url, duration=now - begun)

    def opened(self, session: str) -> None:
        """The peer has named the session."""
        self.session = session
        if session:
            self.setting.ledger.event("session.opened", monotonic(), session=session, url=self.place.url)


def judged(exchange: Exchange) -> Failure | None:
    """Say why a request has no good answer, ``None`` where it has."""
    head = exchange.head
    if exchange.failure is None and head is not None and head.status == 200 and (head.json or exchange.message):
        message = exchange.message
        if message is None:
            try:
                message = rpc.decode(exchange.body)
            except rpc.UNREADABLE as problem:
                return nonsense(f"the answer is no JSON-RPC message: {problem}")
        result = message.result
        if message.id == exchange.number and result is not None and message.error is None and not result.isError:
            return None
        return rpc.verdict(message, exchange.number, exchange.body)
    return _unusual(exchange)


def _unusual(exchange: Exchange) -> Failure | None:
    why, head = exchange.failure, exchange.head
    if why is not None or head is None:
        return why or nonsense("no answer")
    refused = refusal(exchange)
    if refused is not None:
        return refused
    if exchange.message is not None:
        return rpc.verdict(exchange.message, exchange.number, exchange.body)
    if not exchange.body:
        return nonsense(f"answered {head.status} without a body")
    if not head.json:
        return nonsense(f"the answer is {head.content_type or 'of no type'}, neither JSON nor an event stream")
    return rpc.judge(exchange.body, exchange.number)


def refusal(exchange: Exchange) -> Failure | None:
    """Return the failure that a status outside 2xx is."""
    head = exchange.head
    if exchange.failure is not None or head is None:
        return exchange.failure or nonsense("no answer")
    if 200 <= head.status < 300:
        return None
    said = f"to {head.location}" if head.location else exchange.body[: 4 * _SAID].decode("utf-8", "replace")[:_SAID]
    code = rpc.refusal_code(exchange.body) if head.json else 0
    return Failure(kind="http", error="HTTPStatusError", text=f"{head.status} {said}", status=head.status, code=code)


def is_stale(exchange: Exchange) -> bool:
    """Say whether a refusal tells that the session is not known any more."""
    status = exchange.status
    return status in _GONE or (status == 400 and _STALE.search(exchange.body) is not None)


def asked(place: Place, method: str, rpc_method: str = "", session: str = "", url: str = "") -> Asked:
    """Return what an MCP request is recorded as."""
    return Asked(kind="mcp", method=method, url=url or place.url, rpc=rpc_method, session=session)
