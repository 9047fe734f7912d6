"""HAR files (browser tools, mitmproxy): exchanges with times, durations, sessions and bodies."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.json_text import parse
from woolly_mcpdiag.logs.batch import Batch, BatchBuilder, Tally, Vocabulary
from woolly_mcpdiag.logs.events import EventRows

_METHOD = re.compile(r'"method"\s*:\s*"(server/discover|initialize)"')
_TOOL_ERROR = re.compile(r'"isError"\s*:\s*true')
_RPC_ERROR = re.compile(r'"error"\s*:\s*\{[^{}]*"code"\s*:\s*(-\d+)')


def read_har(
    stream: BinaryIO, vocabulary: Vocabulary, name: str, *, since: int | None = None, until: int | None = None
) -> Iterator[tuple[Batch, Tally]]:
    """Yield the entries of a HAR document as rows; "lines" are its entries.

    ``since`` and ``until`` are µs since the epoch, UTC; entries outside are ignored. Raises ``InputError`` where the
    document is not HAR 1.x or has no entries.
    """
    rows, out, tally = EventRows(vocabulary, name, since=since, until=until), BatchBuilder(), Tally()
    for number, entry in enumerate(_entries(stream, name), 1):
        tally.read += 1
        part = BatchBuilder()
        try:
            events = list(_events(entry))
            wanted = all(map(rows.wants, events))
            for event in events if wanted else ():
                rows.add(event, number, _text(entry), part)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            tally.not_understood += 1
            tally.first_not_understood = tally.first_not_understood or number
            continue
        out.extend(part)
        tally.understood += wanted
        tally.ignored += not wanted
        tally.outside += not wanted
    yield out.take(), tally


def _entries(stream: BinaryIO, name: str) -> list[Any]:
    hint = "save it again with the HAR export of the browser or of mitmproxy"
    try:
        document = parse(stream.read().decode("utf-8", "replace"))
    except json.JSONDecodeError as error:
        message = f"{name}: is no whole HAR document (JSON breaks at line {error.lineno}, column {error.colno})"
        raise InputError(message, hint) from None
    except ValueError:
        message = f"{name}: is no HAR document (its JSON cannot be read)"
        raise InputError(message, hint) from None
    log = document.get("log") if isinstance(document, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        message = f"{name}: is no HAR document (it has no list log.entries)"
        raise InputError(message, hint)
    if not entries:
        message = f"{name}: is a HAR document without entries"
        raise InputError(message, "record again: open the tool before the requests are made")
    return entries


def _events(entry: Mapping[str, Any]) -> Iterator[Event]:
    request, response = entry["request"], entry["response"]
    method, url, status = request["method"], request["url"], int(response.get("status") or 0)
    if not (isinstance(method, str) and isinstance(url, str) and url):
        raise TypeError
    at = datetime.fromisoformat(str(entry["startedDateTime"]))
    time = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    duration = float(entry["time"]) / 1000 if isinstance(entry.get("time"), int | float) else None
    session = _header(response, "mcp-session-id") or _header(request, "mcp-session-id")
    said = str((response.get("content") or {}).get("text") or "")
    asked = _METHOD.search(str((request.get("postData") or {}).get("text") or ""))
    if asked:
        yield Event(kind="mcp.message", time=time, role="client", method=asked[1], message=f"method='{asked[1]}'")
    if not status:
        error = str(entry.get("_error") or response.get("_error") or response.get("statusText") or "no answer")
        yield Event(
            kind="call.failed",
            time=time,
            role="client",
            method=method,
            url=url,
            error="ReadError",
            message=error,
            session=session,
        )
        return
    if asked and asked[1] == "initialize" and status < 300 and session:
        yield Event(kind="session.opened", time=time, role="client", session=session)
    size = (response.get("content") or {}).get("size")
    yield Event(
        kind="http.exchange",
        time=time,
        role="client",
        logger="har",
        method=method,
        url=url,
        status=status,
        duration=duration,
        session=session,
        size=size if isinstance(size, int) and size >= 0 else None,
    )
    if status < 300 and _TOOL_ERROR.search(said):
        yield Event(
            kind="call.rejected", time=time, url=url, error="tool-error", message="isError: true", session=session
        )
    elif code := _RPC_ERROR.search(said):
        yield Event(
            kind="call.rejected",
            time=time,
            url=url,
            error="rpc-error",
            message=redact.text(said[:200]),
            session=session,
            extra={"code": code[1]},
        )


def _header(part: Mapping[str, Any], name: str) -> str:
    for header in part.get("headers") or []:
        if str(header.get("name", "")).lower() == name:
            return str(header.get("value", ""))
    return ""


def _text(entry: Mapping[str, Any]) -> str:
    request, response = entry["request"], entry["response"]
    return f"{request['method']} {request['url']} {response.get('status')} {response.get('statusText', '')}".strip()
