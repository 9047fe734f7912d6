"""The one place where the engine accounts for calls and exchanges, and tells the recorder, in batches where it can."""

from collections import Counter
from collections.abc import Mapping

from woolly_mcpdiag.core.events import Event, EventKind
from woolly_mcpdiag.core.measures import Kind, Outcome
from woolly_mcpdiag.load.contract import Done, Exchanged, Recorder, Success
from woolly_mcpdiag.load.engine.exchange import Exchange
from woolly_mcpdiag.load.engine.failure import Failure
from woolly_mcpdiag.load.plan import Plan

_LONGEST = 2_000
"""Characters of a body that are kept."""
_WORSE = frozenset({"session.refused", "stream.lost"})


class Whose:
    """Who made a call, as records name it."""

    __slots__ = ("number", "session", "wave")

    def __init__(self, number: int, wave: int = -1) -> None:
        self.number = number
        self.wave = wave
        self.session = ""


class Times:
    """Lists of what has succeeded since the recorder was told; seconds."""

    __slots__ = ("answers", "firsts", "latencies", "services", "whole")

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.services: list[float] = []
        """Empty where they are the latencies."""
        self.firsts: list[float] = []
        self.answers = 0
        """Of 200, one for each call that was one exchange."""
        self.whole: list[float] = []
        """Latencies of calls, apart from the above, whose first byte was their last; each is an answer of 200."""


class Ledger:
    """What has been started and what has come of it."""

    def __init__(self, plan: Plan, recorder: Recorder) -> None:
        self.recorder = recorder
        self.failed = 0
        """Calls that have failed; a wave looks at how it grows."""
        self.refused = 0
        """Answers of 400."""
        self.started = 0
        """Calls so far; whoever starts one counts it."""
        self.skip = 0
        """Calls that need not be told in full, before the next that is."""
        self.most = 0
        """Calls that may be started before whoever starts them is to ask each time whether he may."""
        self.free = 0
        """While fewer calls were started than these, the next may be started, and no success is told in full."""
        self.times = [Times() for _ in plan.calls]
        self._kinds: list[Kind] = [call.kind for call in plan.calls]
        self._apart = plan.model.kind == "open"
        self._told = 0
        self._done = 0
        self._due = 0
        self._answers: Counter[tuple[Kind, int]] = Counter()

    @property
    def running(self) -> int:
        """Calls that have not ended."""
        return self.started - self._done - sum(len(each.latencies) + len(each.whole) for each in self.times)

    def draw(self) -> None:
        """Choose the next success that is told in full; again after each tick, as the recorder counts the time then."""
        self.skip = self.recorder.gap()
        self._due = self.started + self.skip
        self.free = min(self._due, self.most)

    def limit(self, most: int) -> None:
        """Let calls be started up to this number without a question; see ``free``."""
        self.most = most
        self.free = min(self._due, most)

    @property
    def due(self) -> bool:
        """Whoever counts by ``started`` is to tell the success that he has before him."""
        return self.started >= self._due

    def tell(self, spec: int, exchange: Exchange, times: tuple[float, float], whose: Whose, *, single: bool) -> None:
        """A call has succeeded and is told in full; see ``succeeded``."""
        success = Success(
            spec=spec,
            scheduled=times[0],
            sent=times[1],
            ended=exchange.ended,
            first=exchange.first,
            session=whose.session,
            wave=whose.wave,
            in_flight=self.running,
        )
        head = exchange.head
        if single and head is not None:
            sent = exchange.sent or exchange.begun
            asked = exchange.asked
            success.asked = asked._replace(session=head.session) if head.session and not asked.session else asked
            success.status = head.status
            success.at, success.took = sent, max((exchange.first or exchange.ended) - sent, 0.0)
            success.facts = _facts(exchange)
        self._done += 1
        self.recorder.succeeded(success)
        self.draw()
        # The next to succeed will have been started after this one.
        self._due += 1
        self.free = min(self._due, self.most)

    def succeeded(
        self, spec: int, exchange: Exchange, times: tuple[float, float], whose: Whose, *, single: bool
    ) -> None:
        """A call has succeeded; ``times`` are scheduled and begun, ``single``: it is one exchange, told with it."""
        if not self.skip:
            self.tell(spec, exchange, times, whose, single=single)
            return
        self.skip -= 1
        scheduled, begun = times
        mine = self.times[spec]
        ended = exchange.ended
        mine.latencies.append(ended - scheduled)
        if self._apart:
            mine.services.append(ended - begun)
        mine.firsts.append(exchange.first - begun if exchange.first else 0.0)
        if single and exchange.head is not None:
            self._answers[self._kinds[spec], exchange.head.status] += 1

    def lost(
        self, spec: int, exchange: Exchange | None, times: tuple[float, float, float], whose: Whose, why: Failure
    ) -> None:
        """A call has failed; ``times`` are scheduled, begun and ended."""
        self.failed += 1
        self.flush()
        self._done += 1
        self.recorder.done(self._row(spec, exchange, times, whose, why))

    def _row(
        self,
        spec: int,
        exchange: Exchange | None,
        times: tuple[float, float, float],
        whose: Whose,
        why: Failure,
    ) -> Done:
        scheduled, begun, ended = times
        return Done(
            spec=spec,
            outcome=Outcome(why.kind, why.status, why.code, why.kind == "tool-error"),
            scheduled=scheduled,
            sent=begun,
            ended=ended,
            first=exchange.first if exchange is not None else 0.0,
            worker=whose.number,
            session=whose.session,
            wave=whose.wave,
            error=why.told,
            phase=why.phase,
            in_flight=self.running + 1,
        )

    def answered(self, exchange: Exchange, *, benign: bool = False) -> None:
        """An exchange has ended, well or badly."""
        head = exchange.head
        good = head is not None and head.status < 300 and exchange.failure is None
        if good and head is not None and not self.recorder.detailed:
            self._answers[exchange.asked.kind, head.status] += 1
            return
        self._exchanged(exchange, benign=benign)

    def _exchanged(self, exchange: Exchange, *, benign: bool) -> None:
        asked, head, why = exchange.asked, exchange.head, exchange.failure
        status = head.status if head is not None else 0
        bad = status >= 300 or why is not None
        if status == 400 and not benign:
            self.refused += 1
        sent = exchange.sent or exchange.begun
        self.flush()
        self.recorder.exchanged(
            Exchanged(
                kind=asked.kind,
                method=asked.method,
                url=asked.url,
                at=sent,
                took=max((exchange.first or exchange.ended) - sent, 0.0),
                status=status,
                rpc=asked.rpc,
                session=asked.session or (head.session if head is not None else ""),
                agent=asked.agent,
                error=(why.error or why.kind) if why is not None and not status else "",
                benign=benign,
                body=_text(exchange.body) if bad else "",
                request=_request(exchange.raw) if bad else "",
                response=_response(exchange) if bad else "",
                facts=_facts(exchange),
            )
        )

    def event(  # noqa: PLR0913 - the fields of an event
        self,
        kind: EventKind,
        instant: float,
        *,
        session: str = "",
        url: str = "",
        message: str = "",
        error: str = "",
        status: int | None = None,
        duration: float | None = None,
        extra: Mapping[str, str | int | float | bool] | None = None,
    ) -> None:
        """Something has happened to a session."""
        if kind not in _WORSE and not self.recorder.detailed:
            self.recorder.count("events_left_out")
            return
        self.recorder.event(
            Event(
                kind=kind,
                time=self.recorder.wall(instant),
                role="client",
                logger="mcpdiag.load",
                url=url,
                status=status,
                duration=duration,
                session=session,
                error=error,
                message=message,
                extra=extra or {},
            )
        )

    def flush(self) -> None:
        """Tell the recorder what was counted here since the last time."""
        recorder = self.recorder
        if self.started != self._told:
            recorder.started(self.started - self._told)
            self._told = self.started
        for spec, mine in enumerate(self.times):
            if mine.whole:
                self._done += len(mine.whole)
                recorder.answered(self._kinds[spec], 200, len(mine.whole))
                recorder.quick_many(spec, mine.whole, mine.whole, mine.whole)
                mine.whole.clear()
            if mine.latencies:
                self._done += len(mine.latencies)
                recorder.quick_many(spec, mine.latencies, mine.services or mine.latencies, mine.firsts)
                mine.latencies.clear()
                mine.services.clear()
                mine.firsts.clear()
                if mine.answers:
                    recorder.answered(self._kinds[spec], 200, mine.answers)
                    mine.answers = 0
        if self._answers:
            for (kind, status), n in self._answers.items():
                recorder.answered(kind, status, n)
            self._answers.clear()


def _facts(exchange: Exchange) -> dict[str, str | int | float | bool]:
    port, head = exchange.connection.port if exchange.connection is not None else 0, exchange.head
    facts: dict[str, str | int | float | bool] = {"reused": exchange.reused, "port": port} if port else {}
    if head is not None and head.location:
        facts["location"] = head.location[:_LONGEST]
    return facts


def _text(body: bytes) -> str:
    return body[: 4 * _LONGEST].decode("utf-8", "replace")[:_LONGEST]


def _request(raw: bytes) -> str:
    head, blank, body = raw.partition(b"\r\n\r\n")
    return head[: 4 * _LONGEST].decode("latin-1")[:_LONGEST] + ("\n\n" + _text(body) if blank else "")


def _response(exchange: Exchange) -> str:
    if exchange.head is None:
        return ""
    return exchange.head.raw[: 4 * _LONGEST].decode("latin-1")[:_LONGEST].rstrip() + "\n\n" + _text(exchange.body)
