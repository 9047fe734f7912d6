import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from woolly_mcpdiag.core.ids import pack
from woolly_mcpdiag.logs.batch import COLUMNS, METHODS, Batch, Kind, Logger, Tally, Vocabulary
from woolly_mcpdiag.logs.lines import LineEngine, read_lines

SAMPLES = sorted((Path(__file__).parents[2] / "sample_logs").glob("*.log"))
SESSION = "76edd90fcfee4fc38b6b619560599f8f"
TRACEBACK = """\
Traceback (most recent call last):
  File "/app/client.py", line 9, in call
    raise ConnectError("All connection attempts failed")
httpx.ConnectError: All connection attempts failed
""".splitlines()
GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "/app/agents.py", line 3, in run
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/client.py", line 9, in call
    | httpx.ReadTimeout
    +------------------------------------
""".splitlines()


def read(lines: Sequence[str], **options) -> tuple[Batch, Tally, Vocabulary]:
    vocabulary = Vocabulary()
    engine = LineEngine(vocabulary, "app.log", **options)
    for number, line in enumerate(lines, 1):
        engine.feed(line.encode(), number)
    return *engine.take(end=True), vocabulary


def errors(batch: Batch) -> list[tuple[str, str]]:
    return [(note.kind, note.error) for note in batch.notes.values()]


def logged(*messages: str, level: str = "INFO", logger: str = "httpx") -> list[str]:
    return [f"2026-03-01 10:00:{second:02},000 {level} {logger}: {message}" for second, message in enumerate(messages)]


def request(method: str = "POST", status: int = 200, url: str = "http://h:1/mcp") -> str:
    return f'HTTP Request: {method} {url} "HTTP/1.1 {status} X"'


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_line_is_understood_or_ignored_or_not_understood(path: Path):
    lines = path.read_bytes().splitlines()
    engine, total = LineEngine(Vocabulary(), path.name), Tally()
    for _, tally in read_lines(engine, lines):
        total.add(tally)
    assert total.read == len(lines)
    assert total.read == total.understood + total.ignored + total.not_understood


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_where_a_batch_ends_changes_no_row(path: Path):
    lines = path.read_bytes().splitlines()
    whole = LineEngine(one := Vocabulary(), path.name)
    cut = LineEngine(other := Vocabulary(), path.name)
    parts, notes = [], []
    for number, raw in enumerate(lines, 1):
        whole.feed(raw, number)
        cut.feed(raw, number)
        if number % 7 == 0:
            parts.append(cut.take()[0])
    parts.append(cut.take(end=True)[0])
    batch, _ = whole.take(end=True)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(batch, name), np.concatenate([getattr(part, name) for part in parts]))
    for part in parts:
        notes += [part.notes[row] for row in sorted(part.notes)]
    assert notes == [batch.notes[row] for row in sorted(batch.notes)]
    assert (one.urls.texts, one.sources.texts, one.agents.texts) == (
        other.urls.texts,
        other.sources.texts,
        other.agents.texts,
    )


def test_an_exchange_has_all_that_its_line_says():
    batch, tally, vocabulary = read(logged(request("DELETE", 404, f"http://u:p@h:1/mcp?session_id={SESSION}&x=1")))
    assert (tally.read, tally.understood) == (1, 1)
    assert batch.kind.tolist() == [Kind.CALL]
    assert batch.logger.tolist() == [Logger.HTTPX]
    assert METHODS[batch.method[0]] == "DELETE"
    assert batch.status.tolist() == [404]
    assert vocabulary.urls.texts[batch.url[0]] == "http://h:1/mcp"
    assert (int(batch.high[0]), int(batch.low[0])) == pack(SESSION)
    assert batch.time.tolist() == [1_772_359_200_000_000]


def test_an_answer_that_our_client_made_up_is_no_exchange():
    line = 'HTTP Request: POST http://h:1/mcp "HTTP/1.1 599 (mcpdiag: no answer)"'
    batch, tally, _ = read(logged(line, request(), logger="httpx2"))
    assert batch.status.tolist() == [200]
    assert (tally.understood, tally.ignored) == (1, 1)


def test_dashed_and_plain_ids_are_one_session():
    dashed = f"{SESSION[:8]}-{SESSION[8:12]}-{SESSION[12:16]}-{SESSION[16:20]}-{SESSION[20:]}"
    batch, _, _ = read(
        logged(f"Created new MCP session {SESSION} for key a_1", request(url=f"http://h/messages/?session_id={dashed}"))
    )
    assert len(set(zip(batch.high.tolist(), batch.low.tolist(), strict=True))) == 1


@pytest.mark.parametrize(
    ("status", "size"), [("404 41", 41), ("404 -", 0), ("404", -1), ("404 " + "9" * 400, -1), ("404 12x", -1)]
)
def test_the_size_of_an_access_line_is_read_where_it_can_be_one(status: str, size: int):
    line = f'1.2.3.4 - - [01/Mar/2026:10:00:00 +0000] "POST /mcp HTTP/1.1" {status} "-" "-"'
    batch, _, _ = read([line if " " in status else f'INFO:     1.2.3.4:5 - "POST /mcp HTTP/1.1" {status} Not Found'])
    assert batch.size.tolist() == [size]


def test_bare_server_lines_are_read_as_exchanges():
    batch, tally, _ = read(
        [
            'INFO:     127.0.0.1:40000 - "POST /mcp HTTP/1.1" 400 Bad Request',
            '127.0.0.1:40000 - "GET /mcp HTTP/1.1" 405 Method Not Allowed',
        ]
    )
    assert batch.kind.tolist() == [Kind.SERVED] * 2
    assert batch.status.tolist() == [400, 405]
    assert tally.understood == 2


@pytest.mark.parametrize(
    ("body", "error"), [(TRACEBACK, "ConnectError"), (GROUP, "ReadTimeout")], ids=["traceback", "group"]
)
def test_a_failure_of_many_lines_is_one_event(body: list[str], error: str):
    lines = [*logged("call failed", level="ERROR", logger="app"), *body, *logged(request())]
    batch, tally, _ = read(lines)
    assert errors(batch) == [("call.failed", error)]
    assert batch.line.tolist() == [1, len(lines)]
    assert (tally.read, tally.not_understood) == (len(lines), 0)
    assert tally.understood >= len(body) + 1


@pytest.mark.parametrize("body", [TRACEBACK, GROUP], ids=["traceback", "group"])
def test_a_traceback_without_a_log_record_is_one_failure(body: list[str]):
    batch, tally, _ = read(body)
    assert [kind for kind, _ in errors(batch)] == ["call.failed"]
    assert tally.not_understood == 0


def test_chained_tracebacks_are_one_failure_and_repeated_ones_are_several():
    sentence = ["", "During handling of the above exception, another exception occurred:", ""]
    chained, _, _ = read([*TRACEBACK, *sentence, *TRACEBACK])
    repeated, _, _ = read([*TRACEBACK, *TRACEBACK])
    assert (len(chained), len(repeated)) == (1, 2)


def test_a_server_traceback_is_counted_once():
    batch, _, _ = read(
        [
            "ERROR:    Exception in ASGI application",
            *GROUP,
            *TRACEBACK,
            'INFO:     127.0.0.1:40000 - "POST /mcp HTTP/1.1" 500 Internal Server Error',
        ]
    )
    found = errors(batch)
    assert found.count(("server.error", "asgi")) == 1
    assert {kind for kind, _ in found} == {"server.error"}
    assert batch.status.tolist()[-1] == 500


def test_a_failure_at_the_very_end_is_not_lost():
    engine = LineEngine(Vocabulary(), "app.log")
    for number, line in enumerate([*logged("call failed", level="ERROR", logger="app"), *TRACEBACK], 1):
        engine.feed(line.encode(), number)
    assert len(engine.take()[0]) == 0
    assert errors(engine.take(end=True)[0]) == [("call.failed", "ConnectError")]


def headers(status: int, session: str, length: int) -> str:
    return (
        f"receive_response_headers.complete return_value=(b'HTTP/1.1', {status}, b'X', "
        f"[(b'content-length', b'{length}'), (b'Mcp-Session-Id', b'{session}')])"
    )


def test_httpcore_headers_give_their_exchange_its_session_and_size():
    batch, _, _ = read(logged(headers(400, SESSION, 105), request(status=400), request(status=400)))
    assert batch.size.tolist() == [105, -1]
    assert (int(batch.high[0]), int(batch.low[0])) == pack(SESSION)
    assert (batch.high[1], batch.low[1]) == (0, 0)


def test_headers_go_to_the_exchange_of_their_status():
    other = SESSION[::-1]
    batch, _, _ = read(
        logged(headers(404, SESSION, 1), headers(202, other, 2), request(status=404), request(status=202))
    )
    assert batch.size.tolist() == [1, 2]
    assert [int(high) for high in batch.high] == [pack(SESSION)[0], pack(other)[0]]


def test_a_connection_is_noted_once_a_place():
    message = "connect_tcp.started host='127.0.0.1' port=8009 local_address=None timeout=5"
    batch, tally, _ = read(logged(message, message, logger="httpcore.connection", level="DEBUG"))
    assert [note.extra for note in batch.notes.values()] == [{"host": "127.0.0.1", "port": 8009}]
    assert tally.understood == 2


def micros(second: int) -> int:
    return 1_772_359_200_000_000 + second * 1_000_000


def test_since_and_until_leave_out_what_is_outside_and_count_it():
    lines = logged(*[request(status=200 + n) for n in range(6)])
    batch, tally, _ = read(lines, since=micros(2), until=micros(4))
    assert batch.status.tolist() == [202, 203, 204]
    assert (tally.read, tally.understood, tally.ignored, tally.outside) == (6, 3, 3, 3)


def test_lines_without_a_time_share_the_fate_of_those_before():
    lines = [
        *logged("call failed", level="ERROR", logger="app"),
        *TRACEBACK,
        f"2026-03-01 11:00:00,000 INFO httpx: {request()}",
    ]
    batch, tally, _ = read(lines, since=micros(60))
    assert batch.line.tolist() == [len(lines)]
    assert tally.outside == len(lines) - 1


def test_a_session_pattern_names_sessions_and_keys():
    pattern = re.compile(r"conversation (?P<session>\S+) is on, label (?P<key>\S+)")
    batch, _, vocabulary = read(
        logged("conversation c0ffee-1 is on, label tester_7", "conversation ends", logger="app"), patterns=(pattern,)
    )
    assert batch.kind.tolist() == [Kind.OPENED]
    assert vocabulary.sessions[int(batch.high[0]), int(batch.low[0])] == "c0ffee-1"
    assert batch.notes[0].key == "tester_7"


def test_the_first_line_not_understood_is_told():
    _, tally, _ = read(["the quick brown fox", "jumps over", ""])
    assert (tally.not_understood, tally.first_not_understood, tally.ignored) == (2, 1, 1)


def test_zones_are_counted():
    engine = LineEngine(Vocabulary(), "app.log")
    for number, stamp in enumerate(["2026-03-01T10:00:00Z", "2026-03-01T12:00:00+02:00", "2026-03-01 10:00:00"], 1):
        engine.feed(f"{stamp} INFO httpx: {request()}".encode(), number)
    batch, _ = engine.take(end=True)
    assert engine.zones == {True: 2, False: 1}
    assert batch.time.tolist() == [micros(0)] * 3


def test_more_agents_than_a_column_holds_do_no_harm():
    vocabulary = Vocabulary()
    codes = {vocabulary.agents.code(f"agent{n}") for n in range(70_000)}
    assert max(codes) < 1 << 16
    assert vocabulary.agents.texts[0] == ""
    assert vocabulary.agents.code("agent69999") == 0
