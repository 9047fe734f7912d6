"""The one record of what a client's HTTP really was: a transport that tells every exchange and passes it on unchanged.

It stands where the wire begins, so answers that a layer above makes up never get here.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs

import anyio
import httpx2

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.wire.samples import LONGEST, decoded, shown_request, shown_response
from woolly_mcpdiag.wire.steps import WITNESS, Stepped, Steps, Witness

SESSION = "mcp-session-id"
_MOST = 1 << 20
"""Bytes of a failing answer's body that are looked at."""
_PATIENCE = 1.0
"""Seconds for a failing answer's body; whoever asked gets what came until then."""
_KEPT = 10_000
"""Deleted sessions that are remembered while their streams may still end."""
_STEP = {
    "initialize": "initialize",
    "notifications/initialized": "initialized",
    "server/discover": "discover",
    "GET": "stream",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One HTTP exchange. Texts are redacted; absent facts are empty or 0."""

    verb: str
    url: str
    at: float
    """Instant of the request."""
    took: float
    """Seconds to the headers of the answer, or to the failure."""
    status: int = 0
    rpc: str = ""
    """JSON-RPC method of the request."""
    session: str = ""
    """Id that the request carried, or that an answer below 300 gave."""
    offered: str = ""
    """Id that a refusal gave."""
    error: str = ""
    """Type of the exception; ``Cancelled`` where whoever asked has gone."""
    detail: str = ""
    location: str = ""
    """Where a redirect leads."""
    size: int | None = None
    """Bytes of a refusal's body."""
    body: str = ""
    """Of a refusal: the first 2,000 characters."""
    request: str = ""
    """Of a failure: request line, harmless headers, body."""
    response: str = ""
    sse: bool = False
    """The client speaks legacy SSE."""
    reused: bool = False
    """It went over a connection that was there already."""
    port: int = 0
    """Own port of the connection."""
    witness: Witness | None = None
    """Of the call that it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who is told. Nothing here may raise or take long."""

    heard: Callable[[Heard], None]
    """An exchange has its answer's headers (a refusal: its body), or has failed."""
    stepped: Stepped = field(default=lambda _name, _took, _failed: None)
    """A connection, a stream or an endpoint event was waited for."""
    lost: Callable[[Heard, str, str], None] = field(default=lambda _heard, _error, _detail: None)
    """An event stream that a GET had opened ended before its time: with which error, and its text."""


class Recording(httpx2.AsyncBaseTransport):
    """Stands between a client and a transport, which it closes with itself."""

    def __init__(
        self, inner: httpx2.AsyncBaseTransport, listener: Listener, *, sse: bool = False, streams: bool = True
    ) -> None:
        """``sse``: the client speaks legacy SSE, so a stream is a session.

        ``streams=False`` answers the GET of any other session's stream with 405, as a server without streams does.
        """
        self._inner = inner
        self._listener = listener
        self._sse = sse
        self._streams = streams or sse
        self._deleted: set[str] = set()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass one request on and tell of it. Raises what the transport raises."""
        if not self._streams and request.method == "GET" and SESSION in request.headers:
            return httpx2.Response(405, request=request)
        witness = WITNESS.get()
        aside = request.method == "DELETE" or (request.method == "GET" and not self._sse)
        steps = Steps(self._listener.stepped, None if aside else witness)
        request.extensions["trace"] = steps
        heard = self._asked(request, witness, aside=aside)
        try:
            response = await self._inner.handle_async_request(request)
        except BaseException as error:
            self._failed(request, heard, error, steps)
            raise
        heard = _answered(heard, response, steps)
        if response.status_code >= 300:
            return await self._refused(request, response, heard)
        self._tell(heard)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            self._watch(response, response.stream, heard)
        return response

    async def aclose(self) -> None:
        """Close the transport beneath."""
        await self._inner.aclose()

    def _asked(self, request: httpx2.Request, witness: Witness | None, *, aside: bool) -> Heard:
        rpc = _rpc(request)
        session = request.headers.get(SESSION, "") or _in_query(request.url)
        if request.method == "DELETE" and session:
            if len(self._deleted) >= _KEPT:
                self._deleted.clear()
            self._deleted.add(session)
        if witness is not None and not aside:
            witness.step = _STEP.get(rpc or request.method, "call")
            witness.session = session or witness.session
        return Heard(
            verb=request.method,
            url=redact.url(str(request.url)),
            at=anyio.current_time(),
            took=0.0,
            rpc=rpc,
            session=session,
            sse=self._sse,
            witness=witness,
        )

    def _failed(self, request: httpx2.Request, heard: Heard, error: BaseException, steps: Steps) -> None:
        gone = isinstance(error, anyio.get_cancelled_exc_class())
        self._tell(
            replace(
                heard,
                took=anyio.current_time() - heard.at,
                error="Cancelled" if gone else type(error).__name__,
                detail="no answer before whoever asked has gone" if gone else redact.text(str(error))[:LONGEST],
                request=shown_request(request, heard.url),
                reused=not steps.connected,
            )
        )

    async def _refused(self, request: httpx2.Request, response: httpx2.Response, heard: Heard) -> httpx2.Response:
        raw, whole = b"", False
        if isinstance(response.stream, httpx2.AsyncByteStream):
            raw, whole = await _taken(response.stream)
        text = redact.text(decoded(response, raw)[: 2 * LONGEST])[:LONGEST]
        told = response.headers.get("content-length", "")
        self._tell(
            replace(
                heard,
                size=int(told) if told.isdecimal() else len(raw) if whole else None,
                body=text,
                request=shown_request(request, heard.url),
                response=shown_response(response, text),
            )
        )
        response.stream = _Again(raw, response.stream, whole=whole)
        return response

    def _tell(self, heard: Heard) -> None:
        self._listener.heard(heard)
        if heard.verb == "GET" and heard.status != 405 and heard.error != "Cancelled":
            self._listener.stepped("stream", heard.took, heard.status >= 300 or not heard.status)

    def _watch(self, response: httpx2.Response, stream: httpx2.AsyncByteStream, heard: Heard) -> None:
        witness = heard.witness
        streaming = response.headers.get("content-type", "").startswith("text/event-stream")
        if heard.verb == "GET" and streaming:
            if witness is not None and self._sse:
                witness.step = "endpoint"
            response.stream = _Stream(stream, heard, self._listener, self._deleted)
        elif witness is not None and heard.rpc == witness.method and not witness.first and heard.status == 200:
            witness.streaming = streaming
            response.stream = _Timed(stream, witness)


class _Timed(httpx2.AsyncByteStream):
    """A body whose first byte is noted."""

    def __init__(self, inner: httpx2.AsyncByteStream, witness: Witness) -> None:
        self._inner = inner
        self._witness = witness

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._inner:
            self._witness.first = self._witness.first or anyio.current_time()
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Stream(httpx2.AsyncByteStream):
    """An event stream that a GET has opened: when its ``endpoint`` event came, and whether it was lost."""

    def __init__(self, inner: httpx2.AsyncByteStream, heard: Heard, listener: Listener, deleted: set[str]) -> None:
        self._inner = inner
        self._heard = heard
        self._listener = listener
        self._deleted = deleted
        self._since = anyio.current_time()
        self._begun = b""
        self._awaited = heard.sse

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._inner:
                if self._awaited:
                    self._look(part)
                yield part
        except Exception as error:
            self._lost(type(error).__name__, redact.text(str(error))[:LONGEST])
            raise
        self._lost("", "the server ended it")

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _look(self, part: bytes) -> None:
        self._begun += part
        at = self._begun.find(b"event: endpoint")
        line = self._begun.find(b"data:", at) if at >= 0 else -1
        end = self._begun.find(b"\n", line) if line >= 0 else -1
        if end >= 0:
            self._awaited = False
            self._listener.stepped("endpoint", anyio.current_time() - self._since, False)
            endpoint = httpx2.URL(self._begun[line + 5 : end].decode("utf-8", "replace").strip())
            self._heard = replace(self._heard, session=_in_query(endpoint))
            if self._heard.witness is not None:
                self._heard.witness.session = self._heard.session
        elif len(self._begun) > LONGEST:
            self._awaited = False

    def _lost(self, error: str, detail: str) -> None:
        if self._heard.session and self._heard.session in self._deleted:
            self._deleted.discard(self._heard.session)
            return
        if self._heard.sse and self._heard.witness is not None:
            self._heard.witness.lost = f"{error}: {detail}" if error else detail
        self._listener.lost(self._heard, error, detail)


class _Again(httpx2.AsyncByteStream):
    """A body that was read already."""

    def __init__(self, raw: bytes, inner: object, *, whole: bool) -> None:
        self._raw = raw
        self._inner = inner
        self._whole = whole

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._raw
        if not self._whole:
            msg = f"the body of this answer was not all there after {_PATIENCE:g} s or {_MOST} bytes"
            raise httpx2.ReadError(msg)

    async def aclose(self) -> None:
        if isinstance(self._inner, httpx2.AsyncByteStream):
            await self._inner.aclose()


async def _taken(stream: httpx2.AsyncByteStream) -> tuple[bytes, bool]:
    """Return what comes of a body, and whether that is all of it."""
    parts: list[bytes] = []
    whole = False
    with anyio.move_on_after(_PATIENCE):
        try:
            async for part in stream:
                parts.append(part)
                if sum(map(len, parts)) > _MOST:
                    break
            else:
                whole = True
        except httpx2.TransportError:
            whole = False
    return b"".join(parts), whole


def _answered(heard: Heard, response: httpx2.Response, steps: Steps) -> Heard:
    given = response.headers.get(SESSION, "")
    good = response.status_code < 300
    return replace(
        heard,
        took=anyio.current_time() - heard.at,
        status=response.status_code,
        session=heard.session or (given if good else ""),
        offered="" if good or given == heard.session else given,
        location=redact.url(response.headers.get("location", "")),
        reused=not steps.connected,
        port=_port(response),
    )


def _rpc(request: httpx2.Request) -> str:
    if request.method != "POST":
        return ""
    try:
        row = json.loads(request.content)
    except (ValueError, httpx2.RequestNotRead, RecursionError):
        return ""
    if not isinstance(row, Mapping):
        return ""
    return str(row.get("method", "") or "response")


def _in_query(url: httpx2.URL) -> str:
    query = parse_qs(url.query.decode("ascii", "replace"))
    return next(iter(query.get("session_id", []) + query.get("sessionId", [])), "")


def _port(response: httpx2.Response) -> int:
    stream = response.extensions.get("network_stream")
    address = stream.get_extra_info("client_addr") if stream is not None else None
    return int(address[1]) if isinstance(address, tuple) and len(address) > 1 else 0
