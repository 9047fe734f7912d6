"""The common design "one client for everybody": fast, and broken for everybody once its session is gone."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup
from mcp.client.client import Client

from woolly_mcpdiag.demo.clients.contract import ToolCall, Wiring
from woolly_mcpdiag.demo.clients.sdk import call_all, connect
from woolly_mcpdiag.demo.logs import SERVICE


class SharedClient:
    """Keeps one SDK client open in a task of its own (it must be closed where it was opened).

    Opened by the first agent that needs it; tried again only while that failed. Once open it is never
    opened again, as the SDK never does so by itself.
    """

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self._tasks: TaskGroup = anyio.create_task_group()
        self._opening = anyio.Lock()
        self._client: Client | None = None
        self._problem: BaseException | None = None
        self._close = anyio.Event()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close.set()
        self._tasks.cancel_scope.deadline = anyio.current_time() + 0.5
        await self._tasks.__aexit__(None, None, None)

    async def prepare(self, key: str) -> None:
        """Nothing to prepare."""

    async def run(self, key: str, calls: Sequence[ToolCall]) -> list[str]:
        """Call with the one client, opened on first use."""
        async with self._opening:
            if self._client is None:
                await self._open()
        if self._client is None:
            raise self._problem or RuntimeError("not connected")
        return await call_all(self._client, calls, self.wiring.deadline)

    async def _open(self) -> None:
        self._problem = None
        ready = anyio.Event()
        self._tasks.start_soon(self._own, ready)
        await ready.wait()

    async def _own(self, ready: anyio.Event) -> None:
        SERVICE.set("agents")
        try:
            with anyio.fail_after(self.wiring.deadline) as opening:
                async with connect(self.wiring) as client:
                    opening.deadline = float("inf")
                    self._client = client
                    ready.set()
                    await self._close.wait()
        except Exception as problem:  # noqa: BLE001 - whatever it is, the agent that waits must hear it
            self._problem = problem
        finally:
            ready.set()
