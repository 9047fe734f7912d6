"""The one driver of ``ResilientClient``: its pool serves all users, its events go into the record."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import TaskGroup

from woolly_mcpdiag.client.degraded import is_degraded
from woolly_mcpdiag.client.policy import PoolLimits, Timeouts
from woolly_mcpdiag.client.resilient import ResilientClient
from woolly_mcpdiag.client.sinks import JsonLines
from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.load.plan import McpTarget, Plan
from woolly_mcpdiag.load.tasks.driver import Asked, Everybodys, Held, Reply
from woolly_mcpdiag.load.tasks.ledger import Ledger
from woolly_mcpdiag.load.tasks.sdk import trusted, way_of
from woolly_mcpdiag.wire.http import connections
from woolly_mcpdiag.wire.plain import failure_of, recorded
from woolly_mcpdiag.wire.recording import Recording
from woolly_mcpdiag.wire.steps import WITNESS

_COUNTED = {
    "session.ready": "sessions_opened",
    "session.refused": "sessions_failed",
    "session.closed": "sessions_closed",
}
_TOLD = {"http.exchange", "call.done", "call.failed", "call.retried", "call.rejected"}
"""What the wire, and the engine at the end of a call, tell anyway."""


class PooledDriver:
    """One ``ResilientClient``."""

    own_sessions = True
    renews = True

    def __init__(self, plan: Plan, target: McpTarget, ledger: Ledger, sessions: int) -> None:
        self._ledger = ledger
        self._sessions = sessions
        self._limits = plan.limits
        self._target = target
        self._most = plan.model.max_in_flight if plan.model.kind == "open" else plan.model.concurrency
        self._way = way_of(target, plan.limits, streams=plan.stream)
        self._trust: ssl.SSLContext | None = None
        log = Path(plan.log).open("a", encoding="utf-8") if plan.log else None  # noqa: SIM115 - closed by `stop`
        self._log = JsonLines(log) if log else None
        self._wire: Recording | None = None
        self._client: ResilientClient | None = None

    def prepare(self) -> None:
        """Load the certificates. Raises ``InputError`` for a file that holds none."""
        self._trust = trusted(self._way)

    async def start(self, tasks: TaskGroup) -> None:
        """Open the client; it opens sessions when they are asked for."""
        del tasks
        limits, target = self._limits, self._target
        trust = self._trust or trusted(self._way)
        self._wire = recorded(self._way, trust, self._ledger.listener, connections(self._sessions))
        self._client = ResilientClient(
            target.at.url,
            transport="sse" if target.transport == "sse" else "streamable",
            era=target.version if target.modern else "handshake",
            reuse="shared",
            limits=PoolLimits(max_sessions=self._sessions, max_waiting=max(100, self._most)),
            timeouts=Timeouts(
                total=limits.call,
                acquire=limits.call,
                open=limits.attempt or min(limits.call, max(10.0, limits.connect + limits.event)),
                call=limits.attempt or limits.call,
                close=limits.close,
                note=min(2.0, limits.call),
            ),
            headers=target.at.headers,
            on_event=self._saw,
            http=self._wire,
        )
        await self._client.__aenter__()

    async def open(self, key: str) -> Held:
        """Return the pool."""
        del key
        return Everybodys()

    async def call(self, held: Held, asked: Asked) -> Reply:
        """Make one call. Raises ``ResilienceError``, or the SDK's error for the server's own."""
        del held
        if self._client is None:
            msg = "the driver was not started"
            raise RuntimeError(msg)
        witness = WITNESS.get()
        result = await _asked(self._client, asked)
        said = failure_of(result)
        return Reply(
            kind="tool-error" if said else "ok",
            status=witness.status if witness else 0,
            said=said,
            attempts=witness.attempts if witness else 1,
            degraded=is_degraded(result),
            session=witness.session if witness else "",
        )

    async def close(self, held: Held) -> None:
        """The pool closes its sessions itself."""

    async def stop(self) -> None:
        """Close all sessions."""
        if self._client is not None:
            await self._client.aclose(0.0)
            await self._client.__aexit__(None, None, None)
        if self._wire is not None:
            with anyio.CancelScope(shield=True):
                await self._wire.aclose()
        if self._log is not None:
            self._log.stream.close()

    def _saw(self, event: Event) -> None:
        """Hand on what the client tells; exchanges come from the wire, and a call's end from the engine."""
        if self._log is not None:
            self._log(event)
        witness = WITNESS.get()
        attempt = event.extra.get("attempt")
        if witness is not None and isinstance(attempt, int) and event.kind in {"call.done", "call.failed"}:
            witness.attempts = max(witness.attempts, attempt)
            witness.session = event.session or witness.session
        recorder = self._ledger.recorder
        if (counter := _COUNTED.get(event.kind)) and event.extra.get("era") != "modern":
            recorder.count(counter)
        if event.kind == "lease.granted" and event.duration is not None:
            recorder.phase("pool", event.duration)
        if event.kind == "call.failed" and str(event.extra.get("then", "")).startswith("again"):
            event = replace(event, kind="call.retried")
        elif event.kind in _TOLD:
            return
        recorder.event(replace(event, time=recorder.wall(anyio.current_time()), source=""))


async def _asked(client: ResilientClient, asked: Asked) -> object:
    spec, arguments = asked.spec, dict(asked.arguments)
    if spec.method == "tools/call":
        return await client.call_tool(
            spec.name,
            arguments,
            key=asked.key,
            agent=spec.agent,
            deadline=asked.limit,
            idempotent=spec.idempotent or None,
        )
    return await _other(client, spec.method, spec.name, arguments, asked.key)


async def _other(client: ResilientClient, method: str, name: str, arguments: Mapping[str, Any], key: str) -> object:
    match method:
        case "tools/list":
            return await client.list_tools(key=key)
        case "resources/list":
            return await client.list_resources(key=key)
        case "resources/templates/list":
            return await client.list_resource_templates(key=key)
        case "resources/read":
            return await client.read_resource(str(arguments.get("uri", name)), key=key)
        case "prompts/list":
            return await client.list_prompts(key=key)
        case "prompts/get":
            texts = {name: text if isinstance(text, str) else json.dumps(text) for name, text in arguments.items()}
            return await client.get_prompt(name, texts, key=key)
        case _:
            raise NotImplementedError(method)
