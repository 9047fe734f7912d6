"""The one place that starts a demo: from a plan to everything that listens, and back to nothing."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TextIO

import anyio
from anyio.abc import TaskGroup
from starlette.types import ASGIApp

from woolly_mcpdiag.demo.agents import EXECUTE, AgentsApi
from woolly_mcpdiag.demo.clients import Factory, build
from woolly_mcpdiag.demo.clients.contract import Wiring
from woolly_mcpdiag.demo.listen import LOOPBACK, Site, address, end
from woolly_mcpdiag.demo.logs import SERVICE, Journal, journals
from woolly_mcpdiag.demo.options import Options, plan_of
from woolly_mcpdiag.demo.plan import SSE_PATH, STREAMABLE_PATH, Plan
from woolly_mcpdiag.demo.proxy import ReverseProxy, origin
from woolly_mcpdiag.demo.shim import ModernOnly, older
from woolly_mcpdiag.demo.tcp import TcpProxy
from woolly_mcpdiag.demo.worker import workers


@dataclass(slots=True, kw_only=True)
class Running:
    """A demo that runs: where to reach it, and what has happened so far."""

    plan: Plan
    mcp: Site
    tcp: TcpProxy | None
    tasks: TaskGroup
    server_journal: Journal
    upstream: str = ""
    """URL of somebody else's server behind the faults."""
    api_url: str = ""
    """Address of the agents API without a path."""
    ended: int = 0
    """Runs of agents that have ended, good or bad."""
    _happened: dict[str, anyio.Event] = field(default_factory=dict)
    _waiting: list[tuple[int, anyio.Event]] = field(default_factory=list)

    @property
    def execute_url(self) -> str:
        """Where agents are run."""
        return self.api_url + EXECUTE

    @property
    def base(self) -> str:
        """Address of the MCP endpoint, faults included, without a path."""
        front = self.tcp or self.mcp
        return f"http://{address(front.host, front.port)}"

    @property
    def mcp_url(self) -> str:
        """The URL that the agents' client uses."""
        return self.base + self.plan.url_path()

    def endpoints(self) -> dict[str, str]:
        """Return what is served: transport → URL; behind ``--upstream`` only the one that is passed on."""
        if self.upstream:
            return {f"in front of {self.upstream}": self.mcp_url}
        found = {"Streamable HTTP": self.base + STREAMABLE_PATH} if self.plan.transport != "sse" else {}
        found["SSE" if self.plan.transport != "streamable" else "Streamable HTTP at /sse/"] = self.base + SSE_PATH
        return found

    def one_ended(self) -> None:
        """Count a run of an agent."""
        self.ended += 1
        for count, event in self._waiting:
            if self.ended >= count:
                event.set()

    async def calls(self, count: int) -> None:
        """Wait until so many runs of agents have ended."""
        event = anyio.Event()
        if self.ended >= count:
            return
        self._waiting.append((count, event))
        await event.wait()

    async def restart(self) -> None:
        """End the MCP server and start it again on its port."""
        self.server_journal.ending()
        await self.mcp.stop()
        self.server_journal.ending(yes=False)
        await self.mcp.start(self.tasks)

    async def refuse(self, duration: float | None) -> None:
        """Refuse connections for so many seconds; for good where ``None``."""
        if self.tcp:
            await self.tcp.refuse(duration, self.happening("away"))

    async def swallow(self, duration: float | None) -> None:
        """Leave new connections unanswered for so many seconds; for good where ``None``."""
        if self.tcp:
            await self.tcp.swallow(duration, self.happening("away"))

    def happening(self, what: str) -> anyio.Event:
        """Return the event of a step; it is set once that is done."""
        return self._happened.setdefault(what, anyio.Event())

    def happened(self, what: str) -> None:
        """Tell whoever waits that a step is done."""
        self.happening(what).set()


@contextlib.asynccontextmanager
async def serve(
    options: Options | None = None, *, echo: TextIO | None = None, pooled: Factory | None = None
) -> AsyncIterator[Running]:
    """Start the MCP server, what stands before it, and the agents API; end them all with the block.

    ``echo`` gets the agents API's log; ``pooled`` makes the client of that name. Needs asyncio under anyio
    (uvicorn does). Raises ``UsageError`` for options that cannot mean anything.
    """
    asked = options or Options()
    plan = plan_of(asked)
    agents = Journal("agents", asked.style, stream=echo, path=asked.log)
    server = Journal("mcp", asked.style, path=asked.server_log)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(journals(asked.style, agents, server))
        app = await stack.enter_async_context(_application(plan, asked))
        behind = plan.needs_tcp or plan.wiretap is not None
        front = (asked.mcp_port, asked.host)
        mcp = Site("mcp", lambda: _layered(plan, app), *((0, LOOPBACK) if behind else front))
        stack.callback(mcp.kill)
        tcp = TcpProxy(mcp.port, plan.wiretap, *front) if behind else None
        if tcp:
            stack.callback(tcp.close)
        async with anyio.create_task_group() as tasks:
            running = Running(plan=plan, mcp=mcp, tcp=tcp, tasks=tasks, server_journal=server, upstream=asked.upstream)
            await mcp.start(tasks)
            if tcp:
                await tcp.start(tasks)
            try:
                async with _agents(running, asked, pooled, agents):
                    for act in plan.acts:
                        tasks.start_soon(act, running)
                    yield running
            finally:
                server.ending()
                await end(mcp)
                tasks.cancel_scope.cancel()


@contextlib.asynccontextmanager
async def _application(plan: Plan, options: Options) -> AsyncIterator[Callable[[], ASGIApp]]:
    """Yield what makes the innermost application: the demo's own server, or a proxy to others."""
    if options.upstream:
        upstreams = [origin(options.upstream)]
        yield lambda: ReverseProxy(upstreams)
    elif plan.workers > 1:
        async with workers(plan, options.style, options.server_log) as urls:
            yield lambda: ReverseProxy(urls)
    else:
        from woolly_mcpdiag.demo.server import application  # noqa: PLC0415 - not needed before another server

        yield lambda: application(plan)


def _layered(plan: Plan, application: Callable[[], ASGIApp]) -> ASGIApp:
    app = application()
    if plan.era == "modern":
        app = ModernOnly(app)
    elif plan.era == "handshake" or plan.dialect != "2.3":
        app = older(plan.dialect)(app)
    for layer in plan.layers:
        app = layer(app)
    return app


@contextlib.asynccontextmanager
async def _agents(running: Running, options: Options, pooled: Factory | None, journal: Journal) -> AsyncIterator[None]:
    plan = running.plan
    wiring = Wiring(
        url=running.mcp_url,
        transport=plan.client_transport,
        mode=plan.client_mode,
        deadline=plan.deadline,
        listen=plan.listen,
    )
    token = SERVICE.set("agents")
    try:
        async with build(plan.client, wiring, pooled) as client:
            api = AgentsApi(client, plan.rng, running.one_ended)
            site = Site("agents", api.app, options.port, options.host)
            await site.start(running.tasks)
            running.api_url = site.url
            SERVICE.reset(token)
            try:
                yield
            finally:
                journal.ending()
                await end(site)
    finally:
        SERVICE.set("")
