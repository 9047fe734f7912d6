"""The one door to httpx: the agents API, one POST for each run of an agent, its answer read to the end."""

import json
from dataclasses import dataclass

import anyio
import httpx
from anyio.abc import TaskGroup

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.load.contract import Exchanged
from woolly_mcpdiag.load.plan import AgentTarget, Plan
from woolly_mcpdiag.load.tasks.answers import read_answer
from woolly_mcpdiag.load.tasks.driver import Asked, Everybodys, Held, Reply
from woolly_mcpdiag.load.tasks.ledger import Ledger
from woolly_mcpdiag.wire.steps import WITNESS, Steps, Witness

TOGETHER = 10
"""Users that share one client: httpx 0.28 searches all connections of a pool for each request, and collapses above
50 at once (measured: 63 requests a second at 100)."""
LONGEST = 2_000
_MOST = 8 << 20
"""Bytes of an answer that are read at most."""


@dataclass(slots=True)
class Line:
    """One of the clients."""

    client: httpx.AsyncClient
    busy: int = 0
    """Runs under way."""


class AgentsDriver:
    """Clients of httpx, each for a few users."""

    own_sessions = True
    renews = True

    def __init__(self, plan: Plan, target: AgentTarget, ledger: Ledger, at_once: int) -> None:
        self._at = target.at
        self._limits = plan.limits
        self._ledger = ledger
        self._count = max(1, -(-at_once // TOGETHER))
        self._lines: list[Line] = []

    def prepare(self) -> None:
        """Make the clients. Raises ``InputError`` or ``UsageError`` for certificates or a proxy that cannot be used."""
        at = self._at
        try:
            trust = httpx.create_ssl_context(verify=at.verify)
            if at.ca_file and at.verify:
                trust.load_verify_locations(cafile=at.ca_file)
        except OSError as problem:
            msg = f"{at.ca_file}: {problem.strerror or problem}"
            raise InputError(msg, hint="give a PEM file with certificates") from None
        limits = httpx.Limits(max_connections=TOGETHER, max_keepalive_connections=TOGETHER)
        waits = httpx.Timeout(self._limits.call, connect=self._limits.connect, pool=None)
        try:
            for _ in range(self._count):
                client = httpx.AsyncClient(
                    verify=trust,
                    headers=dict(at.headers),
                    limits=limits,
                    timeout=waits,
                    proxy=at.proxy or None,
                    trust_env=False,
                    follow_redirects=False,
                )
                self._lines.append(Line(client))
        except (ValueError, ImportError, httpx.InvalidURL) as problem:
            msg = f"proxy {redact.url(at.proxy)}: {problem}"
            raise UsageError(msg, hint="write it like http://localhost:3128") from None

    async def start(self, tasks: TaskGroup) -> None:
        """Nothing to start."""

    async def open(self, key: str) -> Held:
        """Return what stands for all clients."""
        del key
        return Everybodys()

    async def call(self, held: Held, asked: Asked) -> Reply:
        """Run an agent. Raises what httpx raises."""
        del held
        line = min(self._lines, key=lambda one: one.busy)
        line.busy += 1
        try:
            return await self._run(line.client, asked)
        finally:
            line.busy -= 1

    async def _run(self, client: httpx.AsyncClient, asked: Asked) -> Reply:
        witness = WITNESS.get() or Witness()
        witness.step = "call"
        steps = Steps(self._ledger.stepped, witness)
        request = self._request(client, asked, steps)
        seen = _Seen(asked, steps, anyio.current_time())
        try:
            seen.response = response = await client.send(request, stream=True)
            seen.took = anyio.current_time() - seen.begun
            witness.status = response.status_code
            witness.streaming = response.headers.get("content-type", "").startswith("text/event-stream")
            try:
                raw = await _read(response, witness)
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(1.0):
                    await response.aclose()
        except BaseException as error:
            self._tell(request, seen, type(error).__name__)
            raise
        seen.text = raw.decode(response.encoding or "utf-8", "replace")
        answer = read_answer(response.status_code, response.headers, seen.text)
        seen.key = answer.key or seen.key
        self._tell(request, seen)
        return Reply(kind=answer.kind, status=response.status_code, said=answer.said, key=answer.key)

    async def close(self, held: Held) -> None:
        """The clients stay."""

    async def stop(self) -> None:
        """Close the clients."""
        for line in self._lines:
            await line.client.aclose()

    def _request(self, client: httpx.AsyncClient, asked: Asked, steps: Steps) -> httpx.Request:
        content = asked.body or json.dumps(asked.arguments, ensure_ascii=False)
        given = {name.lower() for name in self._at.headers}
        usual = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
        headers = {name: value for name, value in usual.items() if name not in given}
        return client.build_request(
            asked.spec.method if asked.spec.method.isalpha() else "POST",
            self._at.url,
            content=content.encode(),
            headers=headers,
            extensions={"trace": steps},
        )

    def _tell(self, request: httpx.Request, seen: "_Seen", error: str = "") -> None:
        response = seen.response
        status = response.status_code if response is not None else 0
        if self._ledger.over and not status and error == "CancelledError":
            return
        witness = WITNESS.get()
        if witness is not None and witness.quiet and 0 < status < 300 and not error:
            self._ledger.recorder.answered("agent", status)
            return
        body = redact.text(seen.text[: 2 * LONGEST])[:LONGEST] if status >= 300 else ""
        facts: dict[str, str | int | float | bool] = {"reused": not seen.steps.connected}
        if response is not None and "location" in response.headers:
            facts["location"] = redact.url(response.headers["location"])
        self._ledger.refused_400 |= status == 400
        self._ledger.recorder.exchanged(
            Exchanged(
                kind="agent",
                method=request.method,
                url=redact.url(str(request.url)),
                at=seen.begun,
                took=anyio.current_time() - seen.begun if seen.took is None else seen.took,
                status=status,
                agent=seen.asked.spec.agent,
                key=seen.key,
                # Of an answer that has a status only the rest is missing.
                error="" if status else "Cancelled" if error == "CancelledError" else error,
                body=body,
                request=_shown(request) if status >= 300 or error else "",
                response=f"HTTP {status}\n\n{body}" if status >= 300 else "",
                facts=facts,
            )
        )


@dataclass(slots=True)
class _Seen:
    """One exchange while it goes on."""

    asked: Asked
    steps: Steps
    begun: float
    response: httpx.Response | None = None
    took: float | None = None
    text: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        self.key = self.asked.key


async def _read(response: httpx.Response, witness: Witness) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        witness.first = witness.first or anyio.current_time()
        size += len(part)
        if size > _MOST:
            msg = f"the answer is longer than {_MOST} bytes"
            raise httpx.DecodingError(msg)
        parts.append(part)
    witness.first = witness.first or anyio.current_time()
    return b"".join(parts)


def _shown(request: httpx.Request) -> str:
    body = request.content.decode("utf-8", "replace")
    lines = [f"{request.method} {redact.url(str(request.url))}", f"content-type: {request.headers['content-type']}"]
    return redact.text("\n".join([*lines, "", body[: 2 * LONGEST]]))[: 2 * LONGEST]
