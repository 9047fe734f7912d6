"""The one place that tells the recorder what the tasks and the wire saw: exchanges, phases, sessions, failures."""

from typing import Unpack

import anyio

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.core.events import EventKind, Role, Told, told
from woolly_mcpdiag.core.ids import normalise
from woolly_mcpdiag.load.contract import Exchanged, Recorder
from woolly_mcpdiag.wire.recording import Heard, Listener

_NOT_SERVED = {400, 404, 405, 406, 415, 422}
"""Refusals of ``server/discover`` that say no more than that the server is older."""
_WAITING = 10_000
"""Handshakes under way that are remembered."""


class Ledger:
    """Of one engine."""

    def __init__(self, recorder: Recorder, *, strict_probes: bool = False) -> None:
        """``strict_probes`` takes a refused era probe for a failure."""
        self.recorder = recorder
        self.refused_400 = False
        """An answer was 400, benign ones apart; whoever looks sets it back."""
        self.over = False
        """Nothing is made any more: exchanges that are given up now were cut off by the end."""
        self._strict = strict_probes
        self._births: dict[str, float] = {}

    @property
    def listener(self) -> Listener:
        """What a recording transport tells."""
        return Listener(heard=self.heard, stepped=self.stepped, lost=self.lost)

    def heard(self, heard: Heard) -> None:
        """Take an exchange with an MCP endpoint."""
        if self.over and heard.error == "Cancelled":
            return
        witness = heard.witness
        benign = self._benign(heard)
        self.refused_400 |= heard.status == 400 and not benign
        if witness is not None and not benign and heard.verb != "DELETE":
            if heard.status >= 300:
                witness.refused, witness.text = heard.status, heard.body
            elif heard.error and heard.error != "Cancelled":
                witness.error, witness.detail = heard.error, heard.detail
            elif heard.status and (heard.verb == "GET" or not heard.rpc.startswith("notifications/")):
                witness.refused, witness.text = 0, ""
            if heard.status and heard.rpc == witness.method:
                witness.status = heard.status
        self._birth(heard)
        if witness is not None and witness.quiet and 0 < heard.status < 300:
            self.recorder.answered("mcp", heard.status)
            return
        facts: dict[str, str | int | float | bool] = {"reused": heard.reused}
        for name in ("port", "offered", "location", "detail"):
            if value := getattr(heard, name):
                facts[name] = value
        self.recorder.exchanged(
            Exchanged(
                kind="mcp",
                method=heard.verb,
                url=heard.url,
                at=heard.at,
                took=heard.took,
                status=heard.status,
                rpc=heard.rpc,
                session=normalise(heard.session),
                agent=witness.agent if witness else "",
                key=witness.key if witness else "",
                error=heard.error,
                benign=benign,
                body=heard.body,
                request=heard.request,
                response=heard.response,
                facts=facts,
            )
        )
        self._opened(heard)

    def stepped(self, name: str, took: float, failed: bool) -> None:
        """Take a phase."""
        self.recorder.phase(name, took, failed=failed)

    def lost(self, heard: Heard, error: str, detail: str) -> None:
        """Take the end of an event stream that nobody asked for."""
        self.recorder.count("streams_cut")
        session = normalise(heard.session)
        what = "SSE stream" if heard.sse else "GET stream"
        message = f"{what} disconnected: {error}: {detail}" if error else f"{what} disconnected: {detail}"
        self.event("stream.lost", message, url=heard.url, session=session, error=error)

    def event(
        self,
        kind: EventKind,
        message: str = "",
        *,
        at: float | None = None,
        role: Role = "client",
        level: str = "INFO",
        **facts: Unpack[Told],
    ) -> None:
        """Tell of anything else; ``at`` is an instant, now by default."""
        time = self.recorder.wall(anyio.current_time() if at is None else at)
        text = redact.text(message)
        self.recorder.event(told(kind, text, time=time, role=role, logger="mcpdiag.load", level=level, **facts))

    def _benign(self, heard: Heard) -> bool:
        if heard.rpc == "server/discover":
            return heard.status in _NOT_SERVED and not self._strict
        if heard.status == 405:
            return heard.verb in {"GET", "DELETE"} and bool(heard.session)
        return heard.error == "Cancelled" and heard.verb == "GET" and bool(heard.session)

    def _birth(self, heard: Heard) -> None:
        """Time the handshake: from ``initialize`` to the message that ends it, and that message itself."""
        failed = heard.status >= 300 or not heard.status
        if heard.rpc == "initialize":
            if failed:
                self.recorder.phase("initialize", heard.took, failed=True)
                return
            if len(self._births) >= _WAITING:
                self._births.clear()
            self._births[heard.session] = heard.at
        elif heard.rpc == "notifications/initialized":
            begun = self._births.pop(heard.session, None)
            if begun is not None:
                self.recorder.phase("initialize", heard.at - begun)
            self.recorder.phase("initialized", heard.took, failed=failed)

    def _opened(self, heard: Heard) -> None:
        """Tell of a new session where a server names one, as the SDK's log does; legacy SSE names it in each URL."""
        if heard.rpc != "initialize" or heard.sse or not heard.session or not 0 < heard.status < 300:
            return
        key, agent = (heard.witness.key, heard.witness.agent) if heard.witness else ("", "")
        said = f"Received session ID: {heard.session}"
        self.event("session.opened", said, url=heard.url, session=heard.session, key=key, agent=agent)
