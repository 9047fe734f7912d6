"""The common design "a session per call": correct, and it pays the handshake each time."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import anyio

from woolly_mcpdiag.demo.clients.contract import ToolCall, Wiring
from woolly_mcpdiag.demo.clients.sdk import call_all, connect


class PerCallClient:
    """Opens an SDK client for each run of an agent and closes it after it."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is kept."""

    async def prepare(self, key: str) -> None:
        """Nothing to prepare."""

    async def run(self, key: str, calls: Sequence[ToolCall]) -> list[str]:
        """Open, call, close; the deadline covers the handshake and each call apart."""
        client = connect(self.wiring)
        with anyio.fail_after(self.wiring.deadline) as opening:
            async with client:
                opening.deadline = float("inf")
                try:
                    return await call_all(client, calls, self.wiring.deadline)
                finally:
                    opening.deadline = anyio.current_time() + self.wiring.deadline
