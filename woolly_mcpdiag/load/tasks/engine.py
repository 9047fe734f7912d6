"""The task engine: one task a user or arrival, on asyncio, through whichever clients the plan names."""

import logging
from urllib.parse import urlsplit

import anyio

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.core.measures import Kind
from woolly_mcpdiag.load.contract import Recorder, Share, Tick
from woolly_mcpdiag.load.plan import ClientKind, McpTarget, Plan, Policy
from woolly_mcpdiag.load.tasks import models
from woolly_mcpdiag.load.tasks.agents_http import AgentsDriver
from woolly_mcpdiag.load.tasks.calls import Calls
from woolly_mcpdiag.load.tasks.driver import Driver
from woolly_mcpdiag.load.tasks.ledger import Ledger
from woolly_mcpdiag.load.tasks.pooled import PooledDriver
from woolly_mcpdiag.load.tasks.sdk import Design, SdkDriver
from woolly_mcpdiag.load.tasks.seats import Halls
from woolly_mcpdiag.wire.plain import METHODS

BEAT = 0.05
"""Seconds between two ticks."""
_POLICIES: dict[ClientKind, Policy] = {"naive": "per-call", "per-call": "per-call", "shared": "shared"}
_DESIGNS: dict[ClientKind, Design] = {"naive": "naive", "per-call": "per-call", "shared": "shared"}
_LOGGERS = ("mcp", "httpx", "httpx2", "httpcore", "httpcore2", "mcpdiag.client", "client")
"""Who else would write to standard error what the record has anyway."""


_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
"""Of the own log of a client that has none: what an application that logs as usual would have."""


class TaskEngine:
    """Makes the calls of a share with anyio tasks."""

    def __init__(self, plan: Plan, share: Share, recorder: Recorder) -> None:
        self._plan = plan
        self._share = share
        self._ledger = Ledger(recorder, strict_probes=plan.strict_probes)
        self._recorder = recorder
        self._drivers: dict[Kind, Driver] = {}

    def prepare(self) -> None:
        """Make the drivers; sends nothing. Raises ``McpdiagError`` for what they cannot do."""
        for name in _LOGGERS:
            logging.getLogger(name).addHandler(logging.NullHandler())
        plan = self._plan
        if plan.log and plan.client != "pooled":
            logging.basicConfig(filename=plan.log, level=logging.INFO, format=_FORMAT)
        for spec in plan.calls:
            if (plan.mcp if spec.kind == "mcp" else plan.agent) is None:
                msg = f"{spec.method} {spec.name}".strip() + f": no {spec.kind} target is given"
                raise UsageError(msg, hint="give a URL for it")
            unknown = spec.method not in METHODS or (plan.client == "pooled" and spec.method == "ping")
            if spec.kind == "mcp" and unknown:
                msg = f"method {spec.method}: client {plan.client} cannot ask for it"
                raise UsageError(msg, hint=f"use one of {', '.join(METHODS)}")
        if plan.mcp is not None:
            self._drivers["mcp"] = self._mcp(plan.mcp)
        if plan.agent is not None:
            model = plan.model
            stages = [stage.target for stage in model.stages] if model.kind != "open" else []
            at_once = model.max_in_flight if model.kind == "open" else max(model.concurrency, *stages, 1)
            at_once = -(-int(at_once) // self._share.of)
            self._drivers["agent"] = AgentsDriver(plan, plan.agent, self._ledger, at_once)
        for driver in self._drivers.values():
            driver.prepare()

    def run(self, start: float, tick: Tick) -> None:
        """Make the calls from that instant on; return when they have ended or their time to do so is over."""
        anyio.run(self._main, start, tick, backend="asyncio")

    def _mcp(self, target: McpTarget) -> Driver:
        if self._plan.client == "pooled":
            return PooledDriver(self._plan, target, self._ledger, self._sessions)
        return SdkDriver(self._plan, target, _DESIGNS.get(self._plan.client, "sdk"), self._ledger)

    @property
    def _sessions(self) -> int:
        """This share's part of a pool; at least one."""
        return max(1, -(-(self._plan.sessions.size - self._share.number) // self._share.of))

    async def _main(self, start: float, tick: Tick) -> None:
        plan, recorder = self._plan, self._recorder
        policy = _POLICIES.get(plan.client, plan.sessions.policy)
        halls = Halls(self._drivers, policy, self._sessions, self._ledger)
        calls = Calls(plan, self._share, self._drivers, self._ledger)
        pace = models.Pace(plan, self._share, calls, halls, recorder)
        async with anyio.create_task_group() as beating:
            beating.start_soon(self._beat, tick, pace)
            await self._resolve()
            async with anyio.create_task_group() as homes:
                for driver in self._drivers.values():
                    await driver.start(homes)
                await self._calls(pace, start)
                self._ledger.over = True
                with anyio.move_on_after(2 * plan.limits.close + 1.0):
                    await halls.close()
                for driver in self._drivers.values():
                    await driver.stop()
                homes.cancel_scope.cancel()
            beating.cancel_scope.cancel()

    async def _calls(self, pace: models.Pace, start: float) -> None:
        """Run the model; what still runs after its end has the time for draining."""
        pace.start = start
        with anyio.CancelScope() as running:
            if not await pace.until(start):
                return
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._drain, pace, running)
                match self._plan.model.kind:
                    case "closed":
                        await models.closed(pace)
                    case "open":
                        await models.opened(pace)
                    case "waves":
                        await models.waves(pace, self._ledger)
                tasks.cancel_scope.cancel()

    async def _drain(self, pace: models.Pace, running: anyio.CancelScope) -> None:
        await pace.until(float("inf"))
        await anyio.sleep(self._plan.limits.drain)
        self._ledger.over = True
        running.cancel()

    async def _beat(self, tick: Tick, pace: models.Pace) -> None:
        while True:
            if not tick():
                pace.stopped.set()
            pace.calls.look(anyio.current_time())
            await anyio.sleep(BEAT)

    async def _resolve(self) -> None:
        """Time one look-up of each host; that it fails shows in the calls."""
        plan = self._plan
        hosts = {urlsplit(target.at.url) for target in (plan.mcp, plan.agent) if target is not None}
        for host, port in {(parts.hostname, parts.port or parts.scheme) for parts in hosts}:
            begun = anyio.current_time()
            failed = True
            with anyio.move_on_after(plan.limits.connect):
                try:
                    await anyio.getaddrinfo(host, port)
                    failed = False
                except OSError:
                    failed = True
            self._recorder.phase("dns", anyio.current_time() - begun, failed=failed)
