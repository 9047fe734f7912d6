"""The one place that finds out how a URL speaks MCP: transport, era, version. It asks; the path says nothing."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import anyio

from woolly_mcpdiag import __version__
from woolly_mcpdiag.load import refusals
from woolly_mcpdiag.load.plan import Transport
from woolly_mcpdiag.wire.probe import EVENT_STREAM, Listening, Look, Prober, speaks_tls

Era = Literal["auto", "handshake", "modern"]
ERAS: tuple[Era, ...] = ("auto", "handshake", "modern")
HANDSHAKE, MODERN = "2025-11-25", "2026-07-28"
"""Newest version of each era."""
ACCEPT = {"accept": f"application/json, {EVENT_STREAM}"}
_CLIENT = {"name": "mcpdiag", "version": __version__}
_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": _CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
}
_HELLO = {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": _CLIENT}
_OTHER_TRANSPORT = {400, 404, 405, 406, 410, 415, 501}
"""Answers to ``initialize`` after which the specification has a client try legacy SSE (400, 404, 405), and kin."""
_BUSY = {429, 500, 502, 503, 504}
_TRIES, _PAUSE = 3, 0.25
_HOPS = 3
_DISCOVER = 1.2
"""Seconds."""
_PATHS = ("/mcp", "/sse", "/mcp/", "/sse/", "/")


class Clock:
    """What is left of the time for the whole preflight."""

    def __init__(self, total: float) -> None:
        self._end = anyio.current_time() + total

    def left(self, most: float = float("inf")) -> float:
        """Return the seconds that are left, never more than ``most`` and never less than 50 ms."""
        return max(0.05, min(most, self._end - anyio.current_time()))


class Ask(Protocol):
    """Sends one request of the protocol and returns what came."""

    async def __call__(self, method: str, params: Mapping[str, Any], within: float) -> Look:
        """Wait up to so many seconds for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation with a server that has begun."""

    url: str
    """Where it was reached, redirects within the origin followed."""
    transport: Transport
    version: str
    modern: bool
    server: str
    ask: Ask
    notes: list[str] = field(default_factory=list)


@asynccontextmanager
async def talk(prober: Prober, url: str, era: Era, clock: Clock, event: float) -> AsyncGenerator[Talk]:
    """Begin a conversation, by whatever transport and era the URL speaks, and end it with the block.

    ``event``: seconds to wait for the ``endpoint`` event of legacy SSE. Raises ``AwayError`` where nothing at the URL
    speaks MCP.
    """
    notes: list[str] = []
    if era != "handshake":
        headers = {"mcp-protocol-version": MODERN, "mcp-method": "server/discover"}
        # A server that is slow to answer this may still answer the handshake in time.
        look = await _asked(prober, url, _discover(), headers, clock, notes, _DISCOVER)
        url = look.url
        if _is_modern(look):
            yield _modern_talk(prober, look, notes)
            return
        if era == "modern":
            message = f"{refusals.shown(url)}: does not speak {MODERN} (server/discover: {_outcome(look)})"
            raise refusals.AwayError(message, "leave out --era", "transport.protocol-version")
    look = await _initialized(prober, url, clock, notes)
    if look.result is not None and "protocolVersion" in look.result:
        async with _streamable(prober, look, clock, notes) as begun:
            yield begun
        return
    async with prober.listen(look.url, within=clock.left(2.0)) as stream:
        begun = await _over_sse(prober, look, stream, clock, event, notes)
        yield begun


def _discover() -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 0, "method": "server/discover", "params": {"_meta": _META}}


def _initialize(number: int) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": "initialize", "params": _HELLO}


def _is_modern(look: Look) -> bool:
    versions = look.result.get("supportedVersions") if look.result else None
    return isinstance(versions, list) and MODERN in versions


def _outcome(look: Look) -> str:
    error = look.reply.get("error")
    if isinstance(error, dict):
        return f"JSON-RPC error {error.get('code')}, {refusals.excerpt(str(error.get('message', '')))}"
    return f"HTTP {look.status}" if look.status else look.error


async def _asked(
    prober: Prober,
    url: str,
    message: Mapping[str, Any],
    headers: Mapping[str, str],
    clock: Clock,
    notes: list[str],
    within: float = 3.0,
) -> Look:
    """Return what a message meets, redirects within the origin followed; raise where nothing else can do better."""
    look = Look(method="POST", url=url)
    for _ in range(_HOPS):
        look = await prober.post(url, message, {**ACCEPT, **headers}, within=clock.left(within))
        if not look.location:
            break
        if _origin(look.location) != _origin(url):
            raise refusals.redirected(look)
        notes.append(
            f"{refusals.shown(url)} redirects each request (HTTP {look.status}, transport.redirect): "
            f"loading {refusals.shown(look.location)} instead"
        )
        url = look.location
    silent = look.error == "TimeoutError"
    if (look.error and not look.status and not silent) or refusals.may_be_tls(look):
        raise await explained(look, clock)
    if look.status in refusals.HOPELESS:
        raise refusals.refused(look)
    return look


async def explained(look: Look, clock: Clock) -> refusals.AwayError:
    """Return the error for a request without an answer, after a look whether the port speaks TLS."""
    parts = urlsplit(look.url)
    tls = refusals.may_be_tls(look) and await speaks_tls(parts.hostname or "", parts.port or 80, clock.left(1.0))
    return refusals.broken(look, tls=tls) if look.error or tls else refusals.refused(look)


async def _initialized(prober: Prober, url: str, clock: Clock, notes: list[str]) -> Look:
    """Return what ``initialize`` meets; a busy server is asked again."""
    look = Look(method="POST", url=url)
    for number in range(1, _TRIES + 1):
        look = await _asked(prober, url, _initialize(number), {}, clock, notes)
        url = look.url
        if look.error:
            raise await explained(look, clock)
        if look.status not in _BUSY:
            return look
        await anyio.sleep(min(_PAUSE, clock.left()))
    raise refusals.refused(look)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _named(result: Mapping[str, Any]) -> str:
    meta = result.get("_meta")
    told = result.get("serverInfo") or (meta or {}).get("io.modelcontextprotocol/serverInfo")
    return f"{told.get('name', '')} {told.get('version', '')}".strip() if isinstance(told, dict) else ""


def _modern_talk(prober: Prober, look: Look, notes: list[str]) -> Talk:
    numbers = count(1)

    async def ask(method: str, params: Mapping[str, Any], within: float) -> Look:
        headers = {**ACCEPT, "mcp-protocol-version": MODERN, "mcp-method": method}
        if "name" in params:
            headers["mcp-name"] = str(params["name"])
        message = {"jsonrpc": "2.0", "id": next(numbers), "method": method, "params": {**params, "_meta": _META}}
        return await prober.post(look.url, message, headers, within=within)

    name = _named(look.result or {})
    return Talk(url=look.url, transport="streamable", version=MODERN, modern=True, server=name, ask=ask, notes=notes)


@asynccontextmanager
async def _streamable(prober: Prober, look: Look, clock: Clock, notes: list[str]) -> AsyncGenerator[Talk]:
    result = look.result or {}
    version, session = str(result["protocolVersion"]), look.headers.get("mcp-session-id", "")
    numbers = count(100)
    own = {**ACCEPT, "mcp-protocol-version": version} | ({"mcp-session-id": session} if session else {})

    async def ask(method: str, params: Mapping[str, Any], within: float) -> Look:
        message = {"jsonrpc": "2.0", "id": next(numbers), "method": method, "params": dict(params)}
        return await prober.post(look.url, message, own, within=within)

    try:
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await prober.post(look.url, note, own, within=clock.left(1.0))
        yield Talk(
            url=look.url, transport="streamable", version=version, modern=False, server=_named(result), ask=ask,
            notes=notes,
        )  # fmt: skip
    finally:
        if session:
            with anyio.CancelScope(shield=True):
                await prober.send("DELETE", look.url, own, within=clock.left(0.5))


async def _over_sse(
    prober: Prober, posted: Look, stream: Listening, clock: Clock, event: float, notes: list[str]
) -> Talk:
    """Begin over legacy SSE, after ``initialize`` was not answered as a POST."""
    if not stream.open:
        raise await _neither(prober, posted, stream.look, clock)
    endpoint = await stream.endpoint(clock.left(event))
    if not endpoint:
        raise _mute(posted, stream)
    if _origin(endpoint) != _origin(posted.url):
        message = (
            f"{refusals.shown(posted.url)}: its endpoint event leads to another origin, {refusals.shown(endpoint)}"
        )
        raise refusals.AwayError(message, "correct the server's public address", "transport.mismatch")

    async def told(message: Mapping[str, Any], within: float) -> Look:
        return await prober.post(endpoint, message, within=within)

    numbers = count(100)

    async def ask(method: str, params: Mapping[str, Any], within: float) -> Look:
        number = next(numbers)
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": dict(params)}
        look = await told(message, within)
        if look.error or look.status >= 300:
            return look
        reply = await stream.reply(number, within)
        late = "" if reply else "TimeoutError"
        return Look(
            method="POST", url=endpoint, status=look.status, reply=reply, error=late, detail="no answer in time"
        )

    look = await ask("initialize", _HELLO, clock.left(2.0))
    if look.result is None or "protocolVersion" not in look.result:
        raise refusals.broken(look) if look.error else refusals.refused(look)
    await told({"jsonrpc": "2.0", "method": "notifications/initialized"}, clock.left(1.0))
    return Talk(
        url=posted.url, transport="sse", version=str(look.result["protocolVersion"]), modern=False,
        server=_named(look.result), ask=ask, notes=notes,
    )  # fmt: skip


def _mute(posted: Look, stream: Listening) -> refusals.AwayError:
    url = refusals.shown(posted.url)
    fact = f"{url}: the event stream opened (HTTP {stream.look.status}) and no endpoint event came"
    if posted.status == 405:
        return refusals.AwayError(
            f"{fact}, though POST is refused as legacy SSE does",
            "a proxy may hold the stream back: try the server directly",
            "proxy.buffering",
        )
    return refusals.AwayError(
        f"{fact}, and POST answered {_outcome(posted)}",
        "try the server's other paths, and the server without its proxy",
        "transport.mismatch",
    )


async def _neither(prober: Prober, posted: Look, got: Look, clock: Clock) -> refusals.AwayError:
    """Return the error for a URL that is neither transport, with the URL that is one where it lies near."""
    error = posted.reply.get("error")
    known = isinstance(error, dict)
    if known and posted.status not in _OTHER_TRANSPORT:
        message = f"{refusals.shown(posted.url)}: initialize is refused: {_outcome(posted)}"
        return refusals.AwayError(message, "read the server's log for that moment")
    if posted.status == 405 and got.error == "TimeoutError":
        return refusals.broken(got)
    elsewhere = await _nearby(prober, posted.url, clock)
    if posted.status == 405 and 200 <= got.status < 300:
        return refusals.not_mcp(got, elsewhere)
    if posted.status >= 400:
        return refusals.refused(posted, elsewhere=elsewhere)
    return refusals.not_mcp(posted, elsewhere)


async def _nearby(prober: Prober, url: str, clock: Clock) -> str:
    """Return a URL of the same origin that does speak MCP, empty where none of the usual paths does."""
    parts = urlsplit(url)
    found: dict[str, bool] = {}

    async def look(path: str) -> None:
        other = parts._replace(path=path, query="", fragment="").geturl()
        answer = await prober.post(other, _initialize(1), ACCEPT, within=clock.left(1.0))
        if answer.result is not None and "protocolVersion" in answer.result:
            found[other] = True
            if session := answer.headers.get("mcp-session-id"):
                await prober.send("DELETE", other, {"mcp-session-id": session}, within=clock.left(0.5))
            return
        async with prober.listen(other, within=clock.left(1.0)) as stream:
            if await stream.endpoint(clock.left(0.5)):
                found[other] = True

    async with anyio.create_task_group() as tasks:
        for path in _PATHS:
            if path != parts.path:
                tasks.start_soon(look, path)
    return next((url for path in _PATHS for url in found if urlsplit(url).path == path), "")
