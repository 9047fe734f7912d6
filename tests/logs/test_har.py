import io
import json

import pytest

from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.core.ids import pack
from woolly_mcpdiag.logs.batch import METHODS, Batch, Kind, Logger, Tally, Vocabulary
from woolly_mcpdiag.logs.har import read_har

SESSION = "76edd90fcfee4fc38b6b619560599f8f"
INITIALIZE = '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}'


def entry(method: str = "POST", status: int = 200, **parts) -> dict:
    """Return an entry as mitmproxy writes it: own capitals in header names, ``-1`` for what it does not know."""
    return {
        "startedDateTime": parts.get("at", "2026-03-01T10:00:00.250000+00:00"),
        "time": 12.5,
        "request": {
            "method": method,
            "url": "http://h:1/mcp?token=hunter2",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [{"name": "Mcp-Session-Id", "value": parts["asked"]}] if "asked" in parts else [],
            "queryString": [{"name": "token", "value": "hunter2"}],
            "headersSize": 120,
            "bodySize": len(parts.get("body", "")),
            "postData": {"mimeType": "application/json", "text": parts.get("body", "")},
        },
        "response": {
            "status": status,
            "statusText": "X",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [{"name": "mcp-session-id", "value": parts["given"]}] if "given" in parts else [],
            "content": {"size": 41, "mimeType": "application/json", "text": parts.get("answer", "")},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": 41,
        },
        "cache": {},
        "timings": {"connect": -1.0, "ssl": -1.0, "send": 1.0, "receive": 1.0, "wait": 10.5},
        "serverIPAddress": "127.0.0.1",
    }


def chrome(**parts) -> dict:
    """Return an entry as Chrome writes it: extras with underscores, no body of a stream, no postData of a GET."""
    found = entry(**parts)
    found |= {"_initiator": {"type": "script"}, "_priority": "High", "_resourceType": "fetch", "connection": "52"}
    found["startedDateTime"] = "2026-03-01T10:00:01.000Z"
    found["response"]["content"] = {"size": 0, "mimeType": "text/event-stream"}
    found["response"]["_transferSize"], found["response"]["_error"] = 0, parts.get("error")
    del found["request"]["postData"]
    return found


def read(*entries: object, **options) -> tuple[Batch, Tally, Vocabulary]:
    vocabulary = Vocabulary()
    document = json.dumps({"log": {"version": "1.2", "creator": {"name": "x"}, "pages": [], "entries": entries}})
    ((batch, tally),) = read_har(io.BytesIO(document.encode()), vocabulary, "a.har", **options)
    return batch, tally, vocabulary


def test_an_exchange_keeps_time_duration_size_and_the_session_it_was_sent_with():
    batch, tally, vocabulary = read(entry("DELETE", 404, asked=SESSION))
    assert (batch.kind[0], batch.logger[0], METHODS[batch.method[0]]) == (Kind.CALL, Logger.HAR, "DELETE")
    assert batch.time.tolist() == [1_772_359_200_250_000]
    assert batch.duration.tolist() == pytest.approx([0.0125])
    assert batch.size.tolist() == [41]
    assert (int(batch.high[0]), int(batch.low[0])) == pack(SESSION)
    assert vocabulary.urls.texts == ["http://h:1/mcp"]
    assert (tally.read, tally.understood) == (1, 1)


def test_an_initialize_that_is_answered_opens_a_session():
    batch, _, _ = read(entry(body=INITIALIZE, given=SESSION))
    assert batch.kind.tolist() == [Kind.NOTE, Kind.OPENED, Kind.CALL]
    assert batch.notes[0].method == "initialize"
    assert batch.line.tolist() == [1, 1, 1]


def test_a_session_on_an_error_opens_nothing():
    batch, _, _ = read(entry("GET", 400, given=SESSION))
    assert batch.kind.tolist() == [Kind.CALL]
    assert (int(batch.high[0]), int(batch.low[0])) == pack(SESSION)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ('{"result":{"isError": true}}', "tool-error"),
        ('event: message\ndata: {"error":{"code":-32602,"message":"no"}}', "rpc-error"),
    ],
)
def test_an_error_inside_a_good_answer_is_seen(answer: str, error: str):
    batch, _, _ = read(entry(answer=answer))
    assert [(note.kind, note.error) for note in batch.notes.values()] == [("call.rejected", error)]


def test_a_stream_in_chrome_is_an_exchange_and_a_blocked_request_a_failure():
    batch, tally, _ = read(chrome(method="GET", asked=SESSION), chrome(status=0, error="net::ERR_CONNECTION_REFUSED"))
    assert batch.kind.tolist() == [Kind.CALL, Kind.NOTE]
    assert batch.notes[1].kind == "call.failed"
    assert "ERR_CONNECTION_REFUSED" in batch.notes[1].message
    assert tally.understood == 2


@pytest.mark.parametrize(
    "change",
    [
        {"request": None},
        {"response": None},
        {"startedDateTime": None},
        {"startedDateTime": "yesterday"},
        {"startedDateTime": "0001-01-01T00:00:00+14:00"},
        {"time": 1e308},
        {"time": 10**400},
        {"response": {"status": 10**30}},
        {"response": {"status": 1_000}},
        {"request": {"method": None, "url": "http://h/"}},
        {"request": {"method": "GET", "url": ""}},
    ],
    ids=range(11),
)
def test_an_entry_that_cannot_be_is_counted_and_the_others_are_read(change: dict):
    batch, tally, _ = read(entry() | change, entry())
    assert (tally.read, tally.understood, tally.not_understood, tally.first_not_understood) == (2, 1, 1, 1)
    assert batch.line.tolist() == [2]


def test_since_and_until_leave_out_entries():
    times = [f"2026-03-01T10:00:0{n}Z" for n in range(5)]
    start = 1_772_359_200_000_000
    batch, tally, _ = read(*(entry(at=at) for at in times), since=start + 1_000_000, until=start + 3_000_000)
    assert len(batch) == 3
    assert (tally.read, tally.understood, tally.outside) == (5, 3, 2)


@pytest.mark.parametrize(
    ("document", "fact"),
    [
        ("{", "JSON breaks at line 1, column 2"),
        ("[]", "no list log.entries"),
        ('{"log": {"entries": {}}}', "no list log.entries"),
        ('{"log": {"entries": []}}', "without entries"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_what_is_no_har_says_what_is_wrong(document: str, fact: str):
    with pytest.raises(InputError, match=fact) as caught:
        list(read_har(io.BytesIO(document.encode()), Vocabulary(), "a.har"))
    assert caught.value.message.startswith("a.har: ")
    assert caught.value.hint
