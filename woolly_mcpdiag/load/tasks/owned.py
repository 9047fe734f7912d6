"""The one owner of a plain SDK session: opened, kept and closed in one task, as the SDK needs it; used from any."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import anyio

from woolly_mcpdiag.core.events import EventKind, Extra
from woolly_mcpdiag.load.tasks.failures import NoEndpointError
from woolly_mcpdiag.load.tasks.ledger import Ledger
from woolly_mcpdiag.wire.plain import protocol_of
from woolly_mcpdiag.wire.sdk import MODERN_PROTOCOL_VERSIONS, Client
from woolly_mcpdiag.wire.session import first_error
from woolly_mcpdiag.wire.steps import WITNESS, Witness

Connect = Callable[[Callable[[str], None]], AbstractAsyncContextManager[Client]]
"""Opens a session; takes whom to tell of the ``endpoint`` event."""


class Owned:
    """One session. ``own`` runs in a task of its own."""

    def __init__(self, connect: Connect, ledger: Ledger, key: str, *, close: float, endpoint: float | None) -> None:
        """``close`` and ``endpoint`` are seconds; ``None`` waits for the ``endpoint`` event as long as it takes."""
        self.client: Client | None = None
        self.error: BaseException | None = None
        self._connect = connect
        self._ledger = ledger
        self._key = key
        self._close = close
        self._endpoint = endpoint
        self._birth = WITNESS.get() or Witness(key=key)
        self._settled = anyio.Event()
        self._stop = anyio.Event()
        self._over = anyio.Event()
        self._scope = anyio.CancelScope()
        self._id = ""
        self._modern = False

    @property
    def id(self) -> str:
        """The session id, empty where there is none."""
        return self._id

    @property
    def usable(self) -> bool:
        """False once it has ended, or its stream has."""
        return self.client is not None and not self._over.is_set() and not self._birth.lost

    @property
    def lost(self) -> bool:
        """True where its legacy SSE stream ended before its time."""
        return bool(self._birth.lost)

    async def opened(self) -> None:
        """Wait until it is open. Raises why it is not; a cancelled caller gives it up."""
        try:
            await self._settled.wait()
        except BaseException:
            self._scope.cancel()
            raise
        if self.error is not None:
            raise self.error

    async def closed(self) -> None:
        """Close it, and wait until that is done."""
        self._stop.set()
        if self.client is None:
            self._scope.cancel()
        with anyio.CancelScope(shield=True):
            await self._over.wait()

    async def own(self) -> None:
        """Open it, keep it until it is to be closed or has ended by itself. Errors are kept, not raised."""
        begun = anyio.current_time()
        try:
            with self._scope:
                if self._endpoint is not None:
                    self._scope.deadline = begun + self._endpoint
                async with self._connect(self._endpointed) as client:
                    self._scope.deadline = float("inf")
                    self._begin(client, anyio.current_time() - begun)
                    await self._stop.wait()
                    begun = anyio.current_time()
                    self._scope.deadline = begun + self._close
        except Exception as problem:  # noqa: BLE001 - an owner must not take its neighbours down; the reason is kept
            self.error = first_error(problem)
        finally:
            self._end(anyio.current_time() - begun)

    def _endpointed(self, _session: str) -> None:
        self._scope.deadline = float("inf")

    def _begin(self, client: Client, took: float) -> None:
        self.client = client
        self._id = self._birth.session
        version = protocol_of(client)
        self._modern = version in MODERN_PROTOCOL_VERSIONS
        if not self._modern:
            self._ledger.recorder.count("sessions_opened")
            if not self._birth.quiet:
                self._tell("session.ready", f"session ready after {took:.3f} s ({version})", took, {"version": version})
        WITNESS.set(Witness(key=self._key, session=self._id, quiet=self._birth.quiet))
        self._settled.set()

    def _end(self, took: float) -> None:
        out_of_time = self._scope.cancelled_caught
        if self.client is None:
            if out_of_time and self._endpoint is not None and self.error is None:
                self.error = NoEndpointError(f"no endpoint event within {self._endpoint:g} s")
            self.error = self.error or ConnectionAbortedError("given up")
            if not self._ledger.over:
                self._ledger.recorder.count("sessions_failed")
        elif not self._modern:
            asked = self._stop.is_set()
            reason = "" if asked else self._birth.lost or (type(self.error).__name__ if self.error else "ended")
            if asked:
                self._ledger.recorder.count("sessions_closed")
                self._ledger.recorder.phase("close", took, failed=out_of_time)
            said = f"session closed{f': {reason}' if reason else ''}"
            if reason or not self._birth.quiet:
                self._tell("session.closed", said, took, {"reason": reason} if reason else {})
        self._settled.set()
        self._over.set()

    def _tell(self, kind: EventKind, message: str, took: float, extra: Extra) -> None:
        self._ledger.event(kind, message, duration=took, session=self._id, key=self._key, extra=extra)
