"""A hand-written client: JSON-RPC over one HTTP client, one session per agent type, opened again when it is lost."""

import itertools
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import anyio
import httpx2
from anyio.abc import TaskGroup

from woolly_mcpdiag.demo.clients.contract import ToolCall, ToolFailedError, Wiring
from woolly_mcpdiag.demo.logs import SERVICE

logger = logging.getLogger("api.agents.sessions")

VERSION = "2025-11-25"
ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
REOPEN = 0.02
"""Seconds until a listener that was refused tries again."""
LOST = (400, 404)
"""Statuses with which servers answer a session they do not know (400 before mcp 1.26)."""


class RpcError(Exception):
    """A JSON-RPC error inside a successful response."""


@dataclass(slots=True)
class _Session:
    id: str
    lock: anyio.Lock


class PlainClient:
    """POST only, unless it is told to listen; what a backend writes that wants no SDK."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(wiring.deadline, pool=None), verify=False, trust_env=False
        )
        self.sessions: dict[str, _Session] = {}
        self.numbers = itertools.count(1)
        self._tasks: TaskGroup = anyio.create_task_group()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(None, None, None)
        await self.http.aclose()

    async def prepare(self, key: str) -> None:
        """Nothing to prepare."""

    async def run(self, key: str, calls: Sequence[ToolCall]) -> list[str]:
        """Call with the session of this agent type; a lost one is opened again once."""
        agent = key.rpartition("_")[0]
        session = self.sessions.setdefault(agent, _Session("", anyio.Lock()))
        async with session.lock:
            if not session.id:
                await self._open(session)
            return [await self._call(agent, session, call) for call in calls]

    async def _open(self, session: _Session) -> None:
        hello = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "plain", "version": "1"}}
        response = await self._post("", "initialize", hello)
        session.id = response.headers.get("mcp-session-id", "")
        await self._post(session.id, "notifications/initialized", None)
        if self.wiring.listen and session.id:
            self._tasks.start_soon(self._listen, session.id)

    async def _call(self, agent: str, session: _Session, call: ToolCall) -> str:
        asked = {"name": call.name, "arguments": dict(call.arguments)}
        try:
            return _text(await self._post(session.id, "tools/call", asked))
        except httpx2.HTTPStatusError as problem:
            if problem.response.status_code not in LOST:
                raise
            logger.warning("%s: session lost, opening a new one", agent)
            session.id = ""
            await self._open(session)
            return _text(await self._post(session.id, "tools/call", asked))

    async def _post(self, session: str, method: str, params: dict[str, Any] | None) -> httpx2.Response:
        row: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            row |= {"id": next(self.numbers), "params": params}
        headers = ACCEPT | ({"mcp-session-id": session, "mcp-protocol-version": VERSION} if session else {})
        response = await self.http.post(self.wiring.url, headers=headers, content=json.dumps(row))
        return response.raise_for_status()

    async def _listen(self, session: str) -> None:
        SERVICE.set("agents")
        headers = {"accept": "text/event-stream", "mcp-session-id": session, "mcp-protocol-version": VERSION}
        known = True
        while known:
            with suppress(httpx2.HTTPError):
                async with self.http.stream("GET", self.wiring.url, headers=headers, timeout=None) as response:
                    known = response.status_code not in LOST
                    if response.is_success:
                        async for _ in response.aiter_raw():
                            pass
                        continue
            await anyio.sleep(REOPEN)


def _text(response: httpx2.Response) -> str:
    text = response.text
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        text = next((line[6:] for line in text.splitlines() if line.startswith("data: {")), "{}")
    row = json.loads(text)
    if "error" in row:
        msg = f"{row['error']['message']} ({row['error']['code']})"
        raise RpcError(msg)
    result = row.get("result", {})
    answer = "\n".join(part.get("text", "") for part in result.get("content", []))
    if result.get("isError"):
        raise ToolFailedError(answer)
    return answer
