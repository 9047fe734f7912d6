"""The one place where the client tells what happened: an ``Event`` for the sink, a readable line for ``logging``.

Tool arguments, results, headers and bodies never come here.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Unpack

import anyio

from woolly_mcpdiag.client.errors import Attempt, remedy
from woolly_mcpdiag.core.events import Event, EventKind, Told, told
from woolly_mcpdiag.core.redact import url as redacted_url
from woolly_mcpdiag.wire.exchange import Seen

LOGGER = logging.getLogger("mcpdiag.client")
Sink = Callable[[Event], None]


class Journal:
    """Makes the events of one client."""

    def __init__(self, url: str, sink: Sink | None) -> None:
        self.url = redacted_url(url)
        self._sink = sink
        # Wall time is read once; from then on the clock of the event loop counts, which does not jump.
        self._wall = datetime.now(UTC).timestamp()
        self._clock: float | None = None

    def start(self) -> None:
        """Tie the event loop's clock to wall time."""
        self._clock = anyio.current_time()

    def wall(self) -> float:
        """Return the time now in seconds since the epoch."""
        return self._wall + (anyio.current_time() - self._clock if self._clock is not None else 0.0)

    def wants(self, level: int) -> bool:
        """Say whether anybody would read an event of that level."""
        return self._sink is not None or LOGGER.isEnabledFor(level)

    def tell(self, kind: EventKind, level: int, message: str, **facts: Unpack[Told]) -> None:
        """Emit one event; its address is the client's where none is given."""
        if not self.wants(level):
            return
        facts["url"] = facts.get("url") or self.url
        name = logging.getLevelName(level)
        event = told(kind, message, time=self.wall(), logger=LOGGER.name, level=name, source="mcpdiag.client", **facts)
        LOGGER.log(level, "%s", message, extra={"mcpdiag": event})
        if self._sink is None:
            return
        try:
            self._sink(event)
        except Exception:
            LOGGER.exception("the sink of events raises; it gets no more of them")
            self._sink = None

    def remark(self, level: int, text: str) -> None:
        """Log what the events tell already, one by one, in the words of a finding."""
        LOGGER.log(level, "%s: %s", self.url, text)

    def saw(self, seen: Seen) -> None:
        """Emit one HTTP exchange."""
        level = logging.WARNING if seen.error else logging.INFO if (seen.status or 0) >= 400 else logging.DEBUG
        if not self.wants(level):
            return
        what = f"{seen.verb} {redacted_url(seen.url)}"
        came = f'"{seen.status}"' if seen.status else seen.error
        rpc = f" ({seen.rpc})" if seen.rpc else ""
        self.tell(
            "http.exchange",
            level,
            f"HTTP: {what}{rpc} {came} in {seen.duration:.3f} s",
            method=seen.verb,
            url=redacted_url(seen.url),
            status=seen.status,
            duration=seen.duration,
            session=seen.session,
            error=seen.error,
            extra={"rpc": seen.rpc, "contained": seen.contained} if seen.contained else {"rpc": seen.rpc},
        )

    def attempt_failed(self, what: str, attempt: Attempt, *, key: str, agent: str, session: str, then: str) -> None:
        """Emit a failed attempt, with its cause and what to do."""
        level = logging.DEBUG if attempt.outcome in {"cancelled", "app_error"} else logging.WARNING
        if not self.wants(level):
            return
        todo = remedy(attempt.cause)
        who = ", ".join(part for part in (f"key {key}" if key else "", f"agent {agent}" if agent else "") if part)
        where = f" in {attempt.phase}" if attempt.phase else ""
        text = (
            f"{what}{f' ({who})' if who else ''}: attempt {attempt.number} {attempt.outcome.value.replace('_', ' ')}"
            f"{where} after {attempt.elapsed:.3f} s: {attempt.reason or attempt.outcome.value}"
            f"{f' [{attempt.cause}]' if attempt.cause else ''}; {then}{f'; {todo}' if todo else ''}"
        )
        self.tell(
            "call.failed",
            level,
            text,
            method=what.partition(" ")[0],
            status=attempt.status,
            duration=attempt.elapsed,
            session=session,
            key=key,
            agent=agent,
            error=attempt.outcome.value,
            extra={
                "attempt": attempt.number,
                "outcome": attempt.outcome.value,
                "phase": attempt.phase,
                "cause": attempt.cause,
                "remedy": todo,
                "reason": attempt.reason,
                "then": then,
            },
        )
