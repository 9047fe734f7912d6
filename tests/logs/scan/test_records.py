# ruff: noqa: E501 - log lines are not wrapped
"""Records of many lines, and all else that is left to the line engine: the same rows, read without most of its work."""

import io
import json
import random
import uuid

import pytest

from woolly_mcpdiag.logs.batch import Vocabulary
from woolly_mcpdiag.logs.formats import FORMATS
from woolly_mcpdiag.logs.lines import LineEngine
from woolly_mcpdiag.logs.reader import Reader
from woolly_mcpdiag.logs.scan import scanner
from woolly_mcpdiag.logs.scan.read import scan
from woolly_mcpdiag.logs.scan.records import SURE

LAYOUTS = (
    "{0} - {1} - {2} - {3}",
    "{0} [{2}] {1}: {3}",
    "{0} {2} {1} {3}",
    "{0} {2:<8} {1}: {3}",
    "{0} {2} {3}",
    "{2}:{1}:{3}",
    "{2}:     {3}",
)
FRAMES = (
    "",
    "api-1  | ",
    "api-1  | 2026-11-22T14:44:{:02d}.{:03d}123456Z ",
    "2026-11-22T14:44:{:02d}.{:03d}456789Z stderr F ",
    "[pod/api-7c9d8b6f5-x2x4z/api] ",
    "2026-11-22T14:44:{:02d}.{:03d}+01:00 host api[{}]: ",
)
LOGGERS = ("api.agents.parallel", "httpx", "mcp.client.sse", "root")
LEVELS = ("INFO", "ERROR", "WARNING", "DEBUG", "CRITICAL")
HEADS = (
    "Task {h} failed",
    "Agent execution failed for tester (tester_{h}) after {n} ms",
    "agent-{n} failed in opening: boom",
    "Exception in ASGI application",
    "Error in post_writer: ReadTimeout: late {n}",
    "Retry for session tester_{h} failed in handshake took {n}s",
    "token={h} wrong",
    "Reusing MCP session {s} for key tester_{h}",
    "Opened MCP session {s} for key tester_{h}",
    "opened the MCP session {s}",
    "Initialized MCP session {s} for key tester_{h} [rate-limited]",
    "Cleaned up MCP session {s} for key tester_{h}",
    "Closed MCP session {s}",
    "Terminating session: {s}",
    "Terminating session: None",
    "Negotiated protocol version: 2025-06-18",
    "Rejected request with unknown or expired session ID: {s}",
    "Session {s} idle timeout",
    "Created new MCP session {s} for key tester_{h}",
    "connect_tcp.started host='localhost' port={n} local_address=None timeout={h} socket_options=None",
    "connect_tcp.started host='h{n}' port=80 timeout=7 HTTP Request: GET http://a/x \"HTTP/1.1 200 OK\"",
    "connect_tcp.started host='a b' port=123456 x",
    'HTTP Request: POST http://localhost:8009/messages/?session_id={s} "HTTP/1.1 202 Accepted"',
    "receive_response_headers.complete return_value=(b'HTTP/1.1', 202, b'OK', [(b'content-length', b'{n}')])",
    '127.0.0.1:5{n} - "POST /mcp HTTP/1.1" 404 Not Found',
    "Queue depth {n} above the limit",
    "nothing to say {h}",
    "SSE message: root=JSONRPCError(jsonrpc='2.0', id={n}, error=ErrorData(code=-32602, message='Invalid request parameters'))",
    "Traceback (most recent call last): {n}",
    "- odd {n}",
    " indented",
    " ",
    "POST",
    "basic",
    "r\u00e9essai \u2705 {h} [lab.agents]",
)
BODIES = (
    "Traceback (most recent call last):\n  File \"/app/a.py\", line {n}, in run\n    await x()\nhttpx.HTTPStatusError: Client error '400 Bad Request' for url 'http://localhost:8009/sse/'",
    "Traceback (most recent call last):\n  File \"/app/a.py\", line 7, in run\n    await x()\nhttpx.HTTPStatusError: Client error '400 Bad Request' for url 'http://localhost:8009/messages/?session_id={s}'",
    '  + Exception Group Traceback (most recent call last):\n  |   File "a.py", line 3, in <module>\n  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File "b.py", line {n}\n    | httpx.ConnectError: All connection attempts failed\n    +------------------------------------',
    'Traceback (most recent call last):\n  File "a.py", line 1, in f\nKeyError: \'x\'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File "b.py", line 2, in g\nmcp.shared.exceptions.McpError: Session terminated',
    "mcp.shared.exceptions.McpError: Session not found",
    "ValueError: api_key=sk-abcdefghijklmnopqrstuvwx is wrong",
    "httpx.ReadTimeout",
    "/mcp was not found",
    "a plain line {n}\nand another",
    "    SELECT *\n    FROM x\n    WHERE id = {n}",
    '{\n  "isError": true,\n  "n": {n}\n}',
    "INFO is no record",
    "2026-11-22 broken",
    "",
    "\x1b[31mred\x1b[0m",
    "      INFO   a record of another format",
    "Terminating session: None",
    "connect_tcp.started host='x' port=1",
)


def filled(text: str, r: random.Random) -> str:
    return (
        text.replace("{h}", f"{r.choice((7, r.getrandbits(32))):08x}")
        .replace("{s}", r.choice((uuid.UUID(int=r.getrandbits(128)).hex, str(uuid.UUID(int=5)))))
        .replace("{n}", str(r.choice((3, 80, 400, r.randrange(3000)))))
    )


def log(r: random.Random) -> bytes:
    """A log in one or two layouts, with records of one line and of many."""
    layouts = r.sample(LAYOUTS, r.choice((1, 1, 2)))
    frames = r.choice(FRAMES), r.choice(FRAMES)
    heads, bodies = r.sample(HEADS, 9), r.sample(BODIES, 4)
    share, out = r.random() * 0.6, []
    for _ in range(r.choice((30, 90))):
        message, frame = filled(r.choice(heads), r), frames[r.random() < 0.05]
        second, milli = r.randrange(62 if r.random() < 0.01 else 60), r.randrange(1000)
        stamp = f"2026-11-22 14:44:{second:02d},{milli:03d}"
        record = [r.choice(layouts).format(stamp, r.choice(LOGGERS), r.choice(LEVELS), message)]
        while r.random() < share:
            record += filled(r.choice(bodies), r).split("\n")
        out += [frame.format(second, (milli + r.randrange(2)) % 1000, 4711) + line for line in record]
    return "\n".join(out).encode()


def json_log(r: random.Random) -> bytes:
    """As ``log``, in JSON, with tracebacks in the message or in a field of their own."""
    frame, ascii_, extra = r.choice(("", "api-1  | ", FRAMES[3])), r.random() < 0.5, r.random() < 0.5
    heads, bodies = r.sample(HEADS, 9), r.sample(BODIES, 4)
    share, out = r.random() * 0.6, []
    for _ in range(r.choice((30, 90))):
        second, milli = r.randrange(60), r.randrange(1000)
        row = {
            "timestamp": f"2026-11-22T14:44:{second:02d}.{milli:03d}Z",
            "level": r.choice(LEVELS),
            "logger": r.choice(LOGGERS),
            "message": filled(r.choice(heads), r),
        }
        body = [filled(r.choice(bodies), r) for _ in range(2) if r.random() < share]
        if body and extra:
            row["exc_info"] = body[0]
        elif body:
            row["message"] += "\n" + "\n".join(body) + r.choice(("", "\n", "\\", "\r\n", "\ud83d\ude00"))
        line = json.dumps(row, ensure_ascii=ascii_)
        out.append(frame.format(second, milli) + (line if r.random() < 0.97 else filled(r.choice(BODIES), r)))
    return "\n".join(out).encode("utf-8", "surrogatepass")


@pytest.fixture
def tried(monkeypatch):
    """Blocks are not given up because many of their lines are slow."""
    monkeypatch.setattr(scanner, "_TOO_SLOW", 1.0)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.usefixtures("tried")
def test_both_engines_agree_on_records_of_many_lines(agree, seed):
    agree((json_log if seed % 3 == 2 else log)(random.Random(seed)), 1 << 11, 1 << 20)


@pytest.mark.parametrize("form", [one for one in FORMATS if one.name in SURE], ids=lambda one: one.name)
def test_the_prefix_of_a_sure_format_is_one_whatever_message_follows(form):
    messages = [*(filled(text, random.Random(1)) for text in HEADS), *(one.samples[0].line for one in FORMATS)]
    for sample in form.samples:
        prefix = sample.line.removesuffix(sample.message)
        reader = Reader()
        for message in messages:
            if not message.strip() or message[:1].encode() in SURE[form.name]:
                continue
            for one in (reader, Reader()):
                (record,) = one.read(prefix + message, 1)
                assert (record.format, record.logger, record.message) == (form.name, sample.logger, message)


@pytest.mark.parametrize("frame", FRAMES[:4])
@pytest.mark.usefixtures("tried")
def test_a_traceback_seen_before_is_not_read_again(frame, monkeypatch):
    read = []
    inner = Reader.read
    monkeypatch.setattr(Reader, "read", lambda self, raw, line: (read.append(line), inner(self, raw, line))[1])
    body = filled(BODIES[0], random.Random(1)).split("\n")
    lines = []
    for number in range(300):
        record = [f"ERROR:api.agents:Task {number:08x} failed", *body]
        lines += [frame.format(number % 60, number) + line for line in record]
    scanned = scan_of("\n".join(lines).encode())
    assert scanned == 300
    assert len(read) < 100


@pytest.mark.parametrize(
    "line",
    [
        "DEBUG:api.agents:Reusing MCP session {id} for key tester_1",
        "DEBUG:httpcore.connection:connect_tcp.started host='h' port=80 timeout={n}.0",
    ],
)
@pytest.mark.usefixtures("tried")
def test_lines_that_say_nothing_new_are_not_left_to_the_line_engine(line, monkeypatch):
    fed = []
    inner = LineEngine.take_record
    monkeypatch.setattr(
        LineEngine, "take_record", lambda self, record: (fed.append(record.line), inner(self, record))[1]
    )
    lines = [line.format(id=uuid.UUID(int=number).hex, n=number) for number in range(2000)]
    scan_of("\n".join(lines).encode())
    assert len(fed) < 300


def scan_of(data: bytes) -> int:
    """Return how many rows the scanner makes of a log."""
    vocabulary = Vocabulary()
    engine = LineEngine(vocabulary, "app.log")
    return sum(len(batch) for batch, _ in scan(io.BytesIO(data), engine, vocabulary, size=1 << 13))


@pytest.mark.usefixtures("tried")
def test_a_record_that_waits_for_its_next_line_is_not_lost_where_another_format_begins(agree):
    agree(b"[03/01/26 10:00:00] INFO     exit\n" + b"2026-11-22 14:41:12,001 INFO api.agents: nothing\n" * 3)
