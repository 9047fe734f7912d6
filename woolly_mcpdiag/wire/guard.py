"""The one HTTP client under the SDK: one bad exchange ends one attempt, never the session, and its facts are kept.

mcp 2.3 ends a session with all its calls where a single POST meets a transport error, drops HTTP status and
Retry-After, waits for ever where a legacy SSE server refuses a POST, and lets a slow message hold up all others.
What is really sent passes through httpx2 and is logged by it; answers that are made up here never get there.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from urllib.parse import parse_qs

import anyio
import httpx2
from anyio.abc import TaskGroup

from woolly_mcpdiag.wire import facts
from woolly_mcpdiag.wire.exchange import CURRENT, Exchange, Finding, Seen

SESSION = "mcp-session-id"
_DISCOVER, _INITIALIZED = "server/discover", "notifications/initialized"
_HOPS = 3
_UNKNOWN = {400, 404}
_SETTLING = (0.05, 0.2, 0.5)
"""Seconds before a new session that is not known yet is told again that it is initialized."""
_ERRORS = (httpx2.TransportError, httpx2.InvalidURL, TimeoutError)


class _Watched(httpx2.AsyncByteStream):
    """A response body that tells how it ended, and says no more where nobody wants it."""

    def __init__(
        self,
        inner: httpx2.AsyncByteStream,
        ended: Callable[[Exception | None], None],
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._inner, self._ended, self._wanted = inner, ended, wanted

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._inner:
                # The SDK would print a traceback for an answer that comes while its session is closed.
                if self._wanted():
                    yield part
        except _ERRORS as error:
            # For the SDK it just ends, which it handles well; an error it would print with its whole traceback.
            self._ended(error)
            return
        self._ended(None)

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Borrowed(httpx2.AsyncBaseTransport):
    """The shared transport, which stays open when a session ends."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._inner.handle_async_request(request)


class Guard(httpx2.AsyncClient):
    """The HTTP client of one session. It is closed with the session; the shared transport stays open."""

    def __init__(  # noqa: PLR0913 - each is a setting of its own
        self,
        inner: httpx2.AsyncBaseTransport,
        background: TaskGroup,
        *,
        sse: bool,
        note_timeout: float,
        streamless: bool = False,
        seen: Callable[[Seen], None] | None = None,
        lost: Callable[[str], None] = lambda _why: None,
        found: Callable[[Finding], bool] = lambda _finding: True,
        headers: Mapping[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
        auth: httpx2.Auth | None = None,
    ) -> None:
        super().__init__(transport=_Borrowed(inner), headers=dict(headers or {}), timeout=timeout, auth=auth)
        self._background = background
        self._sse = sse
        self._note_timeout = note_timeout
        self._streamless = streamless
        self._seen = seen
        self._found = found
        """Called for what tells of the server's configuration; False where asking again is of no use."""
        self._handshaken = anyio.Event()
        """The server has said what it makes of ``initialized``."""
        self._lost = lost
        """Called where a legacy SSE stream has ended, and with it the session."""
        self.session = ""
        self.refused_by = ""
        """The JSON-RPC method (or GET) whose refusal was the last."""
        self.probe_status: int | None = None
        """With which ``server/discover`` was refused by an older server."""
        self.deleted: int | None = None
        """Status of the DELETE."""
        self.closing = False
        """The session is over; answers that come still are nobody's."""
        self.forget = False
        """The server does not know the session: no DELETE."""

    async def send(
        self, request: httpx2.Request, *, stream: bool = False, auth: object = None, follow_redirects: object = False
    ) -> httpx2.Response:
        """Send one request, or answer in its place; raises for a stream that cannot be opened only.

        ``auth`` is the client's own, and redirects are left to who asks: the SDK follows those within the origin.
        """
        if request.method == "POST":
            response = await self._post(request)
        elif request.method == "DELETE":
            response = await self._delete(request)
        else:
            response = await self._get(request)
        if not stream:
            await response.aread()
        return response

    async def _post(self, request: httpx2.Request) -> httpx2.Response:
        message = json.loads(await request.aread())
        rpc = message.get("method", "")
        number = message.get("id")
        current = CURRENT.get()
        if rpc == _INITIALIZED:
            return await self._initialized(request, current)
        if number is None or not rpc:
            self._background.start_soon(self._note, request, rpc)
            return facts.made_up(request, 202, "sent apart")
        mine = current is not None and current.method in {"", rpc}
        exchange = current if mine and current is not None else Exchange(method=rpc)
        if self._sse:
            # The SDK posts one message after the other here; a slow one must not hold up the rest.
            self._background.start_soon(self._post_sse, request, rpc, exchange)
            return facts.made_up(request, 202, "sent apart")
        return await self._post_streamable(request, rpc, number, exchange)

    async def _post_streamable(
        self, request: httpx2.Request, rpc: str, number: object, exchange: Exchange
    ) -> httpx2.Response:
        exchange.session = request.headers.get(SESSION, "")
        try:
            response = await self._pass(request, rpc)
            if response.status_code >= 400:
                return await self._refused(request, response, rpc, exchange)
            self._taken(response, exchange)
            if response.headers.get("content-type", "").startswith("text/event-stream"):
                if isinstance(response.stream, httpx2.AsyncByteStream):
                    cut = partial(self._cut, exchange)
                    response.stream = _Watched(response.stream, cut, lambda: not self.closing)
            elif response.status_code == 200:
                await response.aread()
        except _ERRORS as error:
            self.refused_by = rpc
            facts.broken(exchange, error)
            if rpc == _DISCOVER:
                exchange.fail()
            return facts.error_reply(request, number, exchange)
        return response

    def _taken(self, response: httpx2.Response, exchange: Exchange) -> None:
        exchange.sent, exchange.status = True, response.status_code
        exchange.location = response.headers.get("location", "")
        exchange.answered = response.status_code < 300
        if found := response.headers.get(SESSION):
            self.session = found

    async def _refused(
        self, request: httpx2.Request, response: httpx2.Response, rpc: str, exchange: Exchange
    ) -> httpx2.Response:
        body = await response.aread()
        await response.aclose()
        told = Exchange(method=rpc) if rpc == _DISCOVER else exchange
        facts.refused(told, response, body)
        self.refused_by = rpc
        if rpc == _DISCOVER:
            self.probe_status = response.status_code
            if not facts.means_older(told):
                # The SDK would take this for an older server and speak the older era from then on.
                facts.refused(exchange, response, body)
                exchange.fail()
        kept = {"content-type": told.content_type} if told.content_type else {}
        return httpx2.Response(response.status_code, headers=kept, content=body, request=request)

    @staticmethod
    def _cut(exchange: Exchange, error: Exception | None) -> None:
        if error is not None:
            exchange.error, exchange.detail, exchange.phase = type(error).__name__, str(error), "read"

    async def _post_sse(self, request: httpx2.Request, rpc: str, exchange: Exchange) -> None:
        query = parse_qs(request.url.query.decode("ascii", "replace"))
        exchange.session = self.session = next(iter(query.get("session_id", []) + query.get("sessionId", [])), "")
        try:
            response = await self._settled(request, rpc)
        except _ERRORS as error:
            self.refused_by = rpc
            facts.broken(exchange, error)
            exchange.fail()
            return
        if response.status_code < 300:
            self._taken(response, exchange)
            return
        self.refused_by = rpc
        facts.refused(exchange, response, response.content)
        exchange.fail()

    async def _initialized(self, request: httpx2.Request, current: Exchange | None) -> httpx2.Response:
        exchange = current or Exchange(method=_INITIALIZED)
        try:
            with anyio.fail_after(self._note_timeout) as scope:
                response = await self._announced(request, scope.deadline)
                body = await response.aread()
        except _ERRORS as error:
            self.refused_by = _INITIALIZED
            facts.broken(exchange, error)
            exchange.fail()
            return facts.made_up(request, 202, exchange.error or f"HTTP {exchange.status}")
        finally:
            self._handshaken.set()
        if response.status_code >= 400:
            self.refused_by = _INITIALIZED
            exchange.session = request.headers.get(SESSION, self.session)
            facts.refused(exchange, response, body)
            exchange.fail()
            return facts.made_up(request, 202, exchange.error or f"HTTP {exchange.status}")
        return response

    async def _announced(self, request: httpx2.Request, end: float) -> httpx2.Response:
        """End the handshake, and say so again where the server does not know its own new session yet."""
        response = await self._pass(request, _INITIALIZED)
        early = response.status_code
        if early not in _UNKNOWN or SESSION not in request.headers:
            return response
        for pause in _SETTLING:
            if anyio.current_time() + pause >= end:
                break
            await response.aread()
            await anyio.sleep(pause)
            response = await self._pass(request, _INITIALIZED)
            if response.status_code < 300:
                self._found(Finding(verb="POST", status=early))
            if response.status_code not in _UNKNOWN:
                break
        return response

    async def _note(self, request: httpx2.Request, rpc: str) -> None:
        """Send what no answer is waited for; nobody learns of a failure but the record."""
        with anyio.move_on_after(self._note_timeout):
            try:
                await self._settled(request, rpc or "response")
            except _ERRORS:
                return

    async def _delete(self, request: httpx2.Request) -> httpx2.Response:
        if self.forget:
            return facts.made_up(request, 204, "not sent")
        # Shielded: a session whose opening is given up must not stay behind on the server.
        with anyio.move_on_after(self._note_timeout, shield=True):
            try:
                response = await self._deleted(request)
            except _ERRORS as error:
                return facts.made_up(request, 204, type(error).__name__)
            self.deleted = response.status_code
            if response.status_code == 405:
                self._found(Finding(verb="DELETE", status=405))
            # The SDK warns of refusals that say no more than that the session is gone.
            known = response.status_code < 400
            return response if known else facts.made_up(request, 204, f"HTTP {response.status_code}")
        return facts.made_up(request, 204, "no answer")

    async def _deleted(self, request: httpx2.Request) -> httpx2.Response:
        """Send a DELETE, once more where its connection was lost: the server may have closed an idle one just then."""
        try:
            response = await self._pass(request, "")
            await response.aread()
        except (httpx2.NetworkError, httpx2.RemoteProtocolError):
            response = await self._pass(request, "")
            await response.aread()
        return response

    async def _get(self, request: httpx2.Request) -> httpx2.Response:
        exchange = CURRENT.get() if self._sse else None
        if self._streamless and not self._sse and "last-event-id" not in request.headers:
            return facts.made_up(request, 405, "refused before")
        try:
            response = await self._pass(request, "")
            if response.status_code in _UNKNOWN and not self._sse and not self._handshaken.is_set():
                # The SDK asks for the stream while the handshake still goes on.
                await response.aread()
                with anyio.move_on_after(self._note_timeout):
                    await self._handshaken.wait()
                response = await self._pass(request, "")
        except _ERRORS as error:
            if exchange is not None:
                self.refused_by = "GET"
                facts.broken(exchange, error)
            raise
        if response.status_code in {405, 409} and not self._sse:
            again = self._found(Finding(verb="GET", status=response.status_code))
            self._streamless = self._streamless or not again
        if exchange is not None and response.status_code >= 300 and response.next_request is None:
            self.refused_by = "GET"
            facts.refused(exchange, response, await response.aread())
        elif self._sse and isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Watched(response.stream, self._stream_ended)
        return response

    def _stream_ended(self, error: Exception | None) -> None:
        self._lost(f"stream cut: {type(error).__name__}" if error else "stream ended")

    async def _settled(self, request: httpx2.Request, rpc: str) -> httpx2.Response:
        """Send what the SDK has an answer to already, redirects within the origin included; return what came, read."""
        for hop in range(_HOPS + 1):
            response = await self._pass(request, rpc)
            await response.aread()
            again = response.next_request
            if again is None or hop == _HOPS or not _same_origin(request.url, again.url):
                return response
            request = again
        raise AssertionError

    async def _pass(self, request: httpx2.Request, rpc: str) -> httpx2.Response:
        if self.is_closed:
            # A message that was to be sent apart, after the session's end.
            msg = "the session is closed"
            raise httpx2.WriteError(msg, request=request)
        if self._seen is None:
            return self._told(await super().send(request, stream=True, follow_redirects=False))
        begun = anyio.current_time()
        status, error, session = None, "", request.headers.get(SESSION, self.session)
        try:
            response = await super().send(request, stream=True, follow_redirects=False)
            status = response.status_code
            session = session or response.headers.get(SESSION, "")
        except Exception as problem:
            error = type(problem).__name__
            raise
        finally:
            self._seen(
                Seen(
                    verb=request.method,
                    url=str(request.url),
                    rpc=rpc,
                    status=status,
                    duration=anyio.current_time() - begun,
                    session=session,
                    error=error or ("" if status else "Cancelled"),
                    contained=bool(error) and request.method != "GET",
                )
            )
        return self._told(response)

    def _told(self, response: httpx2.Response) -> httpx2.Response:
        if (leads := response.next_request) is not None:
            asked = response.request
            followed = _same_origin(asked.url, leads.url)
            finding = Finding(
                verb=asked.method, status=response.status_code, location=str(leads.url), followed=followed
            )
            self._found(finding)
        return response


def _same_origin(one: httpx2.URL, other: httpx2.URL) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)
