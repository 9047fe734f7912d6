"""The one place for single requests that are only looked at: what a URL answers to one message, with all its facts."""

import json
import os
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin

import anyio
import httpx2

from woolly_mcpdiag.wire.http import tls

LONGEST = 8_000_000
"""Bytes of an answer that are read at most."""
EVENT_STREAM = "text/event-stream"
_ERRORS = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one request met. Absent facts are empty or 0."""

    method: str
    url: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the answer, by their names in lower case."""
    text: str = ""
    """Of the answer, not redacted; of an event stream the data of its events so far."""
    reply: Mapping[str, Any] = field(default_factory=dict)
    """The JSON-RPC answer to the message that was sent."""
    error: str = ""
    """Type of the exception where no whole answer came; ``TimeoutError`` where there was no time left."""
    detail: str = ""
    """Its text."""
    took: float = 0.0
    """Seconds."""

    @property
    def content_type(self) -> str:
        """The media type in lower case, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def location(self) -> str:
        """Where a redirect leads, as a whole URL; empty where the answer is none."""
        told = self.headers.get("location", "")
        return urljoin(self.url, told) if told and 300 <= self.status < 400 else ""

    @property
    def result(self) -> Mapping[str, Any] | None:
        """The result of the JSON-RPC answer, ``None`` where there is none."""
        found = self.reply.get("result")
        return found if isinstance(found, dict) else None


class Prober:
    """Sends single requests, each with its own limit; nothing is followed, repeated or raised. Use ``async with``."""

    def __init__(
        self,
        *,
        headers: Mapping[str, str] | None = None,
        verify: bool = True,
        ca_file: str = "",
        proxy: str = "",
        connect: float = 2.0,
    ) -> None:
        """``connect``: seconds for a connection. Raises ``OSError`` (``ssl.SSLError``) for an unusable ``ca_file``."""
        trust: ssl.SSLContext | bool = ssl.create_default_context(cafile=ca_file) if ca_file else tls()
        self._client = httpx2.AsyncClient(
            headers={"user-agent": "mcpdiag", **(headers or {})},
            verify=trust if verify else False,
            proxy=proxy or None,
            timeout=httpx2.Timeout(None, connect=connect),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def post(
        self, url: str, body: str | Mapping[str, Any], headers: Mapping[str, str] | None = None, *, within: float
    ) -> Look:
        """POST a text, or a JSON-RPC message whose answer is looked for; ``within`` seconds."""
        number = body.get("id") if isinstance(body, Mapping) else None
        content = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        own = {"content-type": "application/json", **(headers or {})}
        return await self._seen("POST", url, content, own, number, within)

    async def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, *, within: float) -> Look:
        """Send a request without a body."""
        return await self._seen(method, url, None, headers or {}, None, within)

    async def _seen(
        self, method: str, url: str, content: str | None, headers: Mapping[str, str], number: object, within: float
    ) -> Look:
        begun = anyio.current_time()
        look = Look(method=method, url=url)
        try:
            with anyio.fail_after(within):
                data = None if content is None else content.encode("utf-8", "surrogateescape")
                request = self._client.build_request(method, url, content=data, headers=dict(headers))
                response = await self._client.send(request, stream=True)
                look = replace(look, status=response.status_code, headers=_lower(response))
                try:
                    look = await _read(look, response, number)
                finally:
                    with anyio.CancelScope(shield=True):
                        await response.aclose()
        except TimeoutError:
            look = replace(look, error="TimeoutError", detail=f"no answer within {within:.3g} s")
        except _ERRORS as error:
            look = _broken(look, error)
        return replace(look, took=anyio.current_time() - begun)

    @asynccontextmanager
    async def listen(
        self, url: str, headers: Mapping[str, str] | None = None, *, within: float
    ) -> AsyncGenerator["Listening"]:
        """GET an event stream and keep it open in the block; what is no stream is told by ``Listening.look``."""
        look, response = Look(method="GET", url=url), None
        try:
            try:
                with anyio.fail_after(within):
                    request = self._client.build_request(
                        "GET", url, headers={"accept": EVENT_STREAM, "cache-control": "no-store", **(headers or {})}
                    )
                    response = await self._client.send(request, stream=True)
                    look = replace(look, status=response.status_code, headers=_lower(response))
                    if look.content_type != EVENT_STREAM:
                        look = await _read(look, response, None)
            except TimeoutError:
                look = replace(look, error="TimeoutError", detail=f"no answer within {within:.3g} s")
            except _ERRORS as error:
                look = _broken(look, error)
            streams = response is not None and look.status == 200 and look.content_type == EVENT_STREAM
            events = _events(response) if response is not None and streams else None
            async with aclosing(events or _nothing()) as running:
                yield Listening(look, running if events else None)
        finally:
            if response is not None:
                with anyio.CancelScope(shield=True):
                    await response.aclose()


class Listening:
    """An event stream that is read on demand."""

    def __init__(self, look: Look, events: AsyncIterator[tuple[str, str]] | None) -> None:
        self.look = look
        self._events = events
        self._replies: dict[object, Mapping[str, Any]] = {}
        self._turn = anyio.Lock()

    @property
    def open(self) -> bool:
        """True where the answer is an event stream that has not ended."""
        return self._events is not None

    async def endpoint(self, within: float) -> str:
        """Return the URL that the first ``endpoint`` event names, empty where none comes within so many seconds."""
        with anyio.move_on_after(within):
            while (event := await self._next()) is not None:
                if event[0] == "endpoint":
                    return urljoin(self.look.url, event[1].strip())
        return ""

    async def reply(self, number: object, within: float) -> Mapping[str, Any]:
        """Return the JSON-RPC answer of that id, empty where none comes within so many seconds."""
        with anyio.move_on_after(within):
            while number not in self._replies:
                async with self._turn:
                    event = None if number in self._replies else await self._next()
                if event is None:
                    break
                if _answers(found := _message(event[1])):
                    self._replies[found.get("id")] = found
        return self._replies.get(number, {})

    async def _next(self) -> tuple[str, str] | None:
        if self._events is None:
            return None
        try:
            return await anext(self._events)
        except (StopAsyncIteration, *_ERRORS):
            self._events = None
            return None


async def speaks_tls(host: str, port: int, within: float) -> bool:
    """Say whether a port completes a TLS handshake, whatever its certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with anyio.move_on_after(within):
        try:
            async with await anyio.connect_tcp(host, port, ssl_context=context, tls_standard_compatible=False):
                return True
        except (OSError, anyio.BrokenResourceError, anyio.EndOfStream):
            return False
    return False


async def _read(look: Look, response: httpx2.Response, number: object) -> Look:
    if look.content_type == EVENT_STREAM and look.status == 200:
        async with aclosing(_events(response)) as events:
            async for _, data in events:
                look = replace(look, text=(look.text + data + "\n")[-LONGEST:])
                found = _message(data)
                if number is not None and _answers(found) and found.get("id") == number:
                    return replace(look, reply=found)
        return look
    parts, size = [], 0
    async for part in response.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > LONGEST:
            break
    text = b"".join(parts).decode("utf-8", "replace")
    found = _message(text) if number is not None else {}
    return replace(look, text=text, reply=found if _answers(found) and found.get("id") in {number, None} else {})


async def _events(response: httpx2.Response) -> AsyncGenerator[tuple[str, str]]:
    async for event in httpx2.EventSource(response, max_event_size=LONGEST):
        yield event.event, event.data


async def _nothing() -> AsyncGenerator[tuple[str, str]]:
    none: tuple[tuple[str, str], ...] = ()
    for event in none:
        yield event


def _message(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and found.get("jsonrpc") == "2.0" else {}


def _answers(message: Mapping[str, Any]) -> bool:
    return "result" in message or "error" in message


def _lower(response: httpx2.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _broken(look: Look, error: Exception) -> Look:
    told = list(dict.fromkeys(_reasons(error))) or [str(error)]
    return replace(look, error=type(error).__name__, detail="; ".join(told))


def _reasons(error: BaseException | None, depth: int = 0) -> Iterator[str]:
    """Yield what the system itself said, which the libraries wrap several times."""
    if error is None or depth > 10:
        return
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _reasons(one, depth + 1)
    elif isinstance(error, OSError) and error.errno is not None and error.strerror:
        # asyncio writes the address there; what went wrong is in the number.
        yield error.strerror if isinstance(error, (ssl.SSLError, socket.gaierror)) else os.strerror(error.errno)
    else:
        yield from _reasons(error.__cause__ or error.__context__, depth + 1)
