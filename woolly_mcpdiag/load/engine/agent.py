"""Runs of agents over their HTTP API: one POST each, answered as JSON or as an event stream."""

from typing import Any

import msgspec

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.load.contract import Asked
from woolly_mcpdiag.load.engine.calls import Call, with_body
from woolly_mcpdiag.load.engine.exchange import Exchange, Resume
from woolly_mcpdiag.load.engine.failure import Failure, nonsense
from woolly_mcpdiag.load.engine.http import Head
from woolly_mcpdiag.load.engine.line import Line, Setting, Steps, refusal

_HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
_MOST_KEPT = 2_000
"""Bytes of the events of a failed stream that are kept."""
_MOST_ALIKE = 1 << 13
"""Bytes of a good answer that is kept, so that one that is the same need not be read."""
_decode = msgspec.json.decode


class AgentLine(Line):
    """Connections to the agents API; there are no sessions."""

    kind = "agent"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._head = self.place.request("POST", self.place.path, _HEADERS)
        self._asked: dict[str, Asked] = {}
        self._raw: dict[int, bytes] = {}
        """Call → its request, where it is the same each time."""
        self._good: tuple[Head | None, bytes] = None, b""
        """Head and body that were judged good."""

    def open(self, resume: Resume) -> Steps:
        """Nothing is to be done."""
        del resume
        self.ready = True
        return None
        yield

    def start(self, call: Call, count: int, worker: int, resume: Resume, begun: float) -> Exchange:
        """Send a run."""
        raw = self._raw.get(call.index)
        if raw is None:
            raw = with_body(self._head, call.sent(count, worker)[0])
            if call.fixed is not None:
                self._raw[call.index] = raw
        agent = call.spec.agent
        told = self._asked.get(agent)
        if told is None:
            told = self._asked[agent] = Asked(kind="agent", method="POST", url=self.place.url, agent=agent)
        exchange, deadline = self.spare, begun + self.setting.limits.call
        if isinstance(exchange, Run) and exchange.asked is told:
            self.spare = None
            exchange.renew(resume, begun, deadline)
        else:
            exchange = Run(told, resume, 0, begun, deadline)
        if self.free:
            self.free.pop().ask(exchange, raw, begun)
        else:
            self.connection().start(exchange, raw)
        return exchange

    def judge(self, exchange: Exchange) -> Failure | None:
        """Say why a run failed: by its status, by an error within its answer, by a stream that told one."""
        if exchange.head and exchange.failure is None and (exchange.head, exchange.body) == self._good:
            return None
        why = exchange.failure or refusal(exchange)
        if why is not None or exchange.head is None:
            return why
        if isinstance(exchange, Run) and exchange.head.events:
            return exchange.verdict()
        why = _judged(exchange.body)
        if why is None and len(exchange.body) <= _MOST_ALIKE:
            self._good = exchange.head, exchange.body
        return why


class Run(Exchange):
    """A run whose answer may be a stream of events."""

    __slots__ = ("error", "open")

    def __init__(self, asked: Asked, resume: Resume, number: int, begun: float, deadline: float) -> None:
        super().__init__(asked, resume, number, begun, deadline)
        self.error = ""
        self.open = 0
        """Agents that have begun and not ended."""

    def renew(self, resume: Resume, begun: float, deadline: float) -> None:
        """Make it as new, after it has ended well."""
        self.resume, self.begun, self.deadline = resume, begun, deadline
        self.head, self.body, self.first, self.over = None, b"", 0.0, False
        self.error, self.open = "", 0

    def event(self, name: bytes, data: bytes, now: float) -> bool:
        """Take an event; never the last one, as the stream's end is what counts."""
        if not data or data == b"[DONE]":
            return False
        self.first = self.first or now
        if len(self.body) < _MOST_KEPT:
            self.body += data[:_MOST_KEPT] + b"\n"
        try:
            row = _decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            row = None
        kind = row.get("type") if isinstance(row, dict) else None
        self.open += (kind == "start") - (kind == "end")
        if name == b"error" or kind == "error":
            self.error = self.error or _said(row) or data[:200].decode("utf-8", "replace")
        else:
            self.error = self.error or _error_in(row)
        return False

    def verdict(self) -> Failure | None:
        """Judge the whole stream."""
        if self.error:
            return Failure(kind="agent-error", text=self.error)
        if self.open > 0:
            return Failure(kind="agent-error", text="the stream ended before the agent did")
        return None


def _judged(body: bytes) -> Failure | None:
    try:
        answer = _decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        return nonsense(f"the answer is no JSON: {problem}")
    found = _error_in(answer)
    return Failure(kind="agent-error", text=found) if found else None


def _error_in(answer: Any) -> str:  # noqa: ANN401 - JSON
    """Return the first error in the answer of one agent or of several, empty where there is none."""
    if not isinstance(answer, dict):
        return ""
    results = answer.get("results")
    several = results.values() if isinstance(results, dict) else results if isinstance(results, list) else ()
    for one in (answer, *several):
        if not isinstance(one, dict):
            continue
        metadata = one.get("metadata")
        error = (metadata.get("error") if isinstance(metadata, dict) else None) or one.get("error")
        if error:
            return _words(error)
    return ""


def _said(row: Any) -> str:  # noqa: ANN401 - JSON
    if not isinstance(row, dict):
        return ""
    return _words(row.get("error") or row.get("message") or row.get("content") or "")


def _words(error: Any) -> str:  # noqa: ANN401 - JSON
    text = error if isinstance(error, str) else str(msgspec.json.encode(error), "utf-8")
    return redact.text(text[:400])
