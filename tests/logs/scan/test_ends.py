# ruff: noqa: E501 - log lines are not wrapped
"""JSON records with something behind the message: time, level and logger, ids; and JSON around lines of another format."""

import io
import json
import random

import pytest

from woolly_mcpdiag.logs.batch import Vocabulary
from woolly_mcpdiag.logs.lines import LineEngine
from woolly_mcpdiag.logs.scan.read import scan
from woolly_mcpdiag.logs.scan.scanner import Scanner

SHAPES = {
    "structlog": lambda f: {
        "event": f["message"],
        "level": f["level"].lower(),
        "logger": f["logger"],
        "timestamp": f["iso"],
    },
    "extra": lambda f: {
        "asctime": f["iso"],
        "levelname": f["level"],
        "name": f["logger"],
        "lineno": f["number"],
        "message": f["message"],
        "taskName": f"Task-{f['number']}",
        "request_id": f["id"],
    },
    "behind": lambda f: {
        "severity": f["level"],
        "message": f["message"],
        "pid": f["number"],
        "logger": f["logger"],
        "time": f["epoch"],
    },
    "seconds": lambda f: {"level": f["level"], "ts": f["epoch"] / 1000, "msg": f["message"], "n": f["number"]},
    "docker": lambda f: {"log": f"{f['level']}:{f['logger']}:{f['message']}\n", "stream": "stderr", "time": f["iso"]},
    "docker-dated": lambda f: {
        "log": f"{f['iso']} {f['level']} {f['logger']}: {f['message']}\n",
        "stream": "stdout",
        "time": f["iso"],
    },
    "bare": lambda f: {"@timestamp": f["iso"], "message": f"{f['level']}:{f['logger']}:{f['message']}"},
    "pod": lambda f: {
        "message": f"INFO:{f['logger']}:{f['message']}",
        "@timestamp": f["iso"],
        "pod": f"api-{f['number']}",
    },
}
MESSAGES = (
    'HTTP Request: GET http://h/sse/ "HTTP/1.1 400 Bad Request"',
    'HTTP Request: POST http://h/m?session_id=0123456789abcdef0123456789ABCDEF "HTTP/1.1 202 Accepted"',
    "Created new MCP session 76edd90fcfee4fc38b6b619560599f8f for key simplifier_edcec7aa",
    "Received session ID: 5fb91ee8-6ec3-4cdf-b9f7-258f4446d62a",
    '127.0.0.1:5 - "POST /mcp HTTP/1.1" 200 OK',
    "SELECT 1",
    "back\\slash\\",
    'a "b" c\\n',
    "connect_tcp.started host='h' port=8 local_address=None",
    "prêt ✅",
)
ODD = (
    "",
    "two\nlines",
    "failed\nTraceback (most recent call last):\n  x\nValueError: y",
    "tab\tx",
    "ends\n",
    '"',
    "\\",
    '", "level": "error',
)


def log(shape: str, seed: int, lines: int, *, odd: float = 0.0) -> bytes:
    r = random.Random(seed)
    out = []
    for n in range(lines):
        facts = {
            "iso": f"2026-11-22T14:{n // 60 % 60:02d}:{n % 60:02d}.{r.randrange(10**6):06d}Z",
            "epoch": 1_795_358_661_000 + n * 321,
            "level": r.choice(("INFO", "INFO", "DEBUG", "WARNING", "ERROR")),
            "logger": r.choice(("httpx", "httpx2", "a.b")),
            "number": r.choice((7, 4107, 20417)),
            "id": f"{r.getrandbits(128):032x}",
            "message": r.choice(ODD if r.random() < odd else MESSAGES),
        }
        text = json.dumps(
            SHAPES[shape](facts), ensure_ascii=r.random() < 0.5, separators=(",", ":") if seed % 2 else None
        )
        if r.random() < odd:
            place = r.randrange(len(text))
            text = text[:place] + r.choice('"\\x}n7') + text[place + r.randrange(2) :]
        out.append(text)
        if r.random() < odd / 2:
            out.append(
                r.choice(("  bare", "", '{"log": "  File x\\n", "stream": "stderr", "time": "2026-11-22T14:00:00Z"}'))
            )
    return "\n".join(out).encode()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_both_engines_agree_on_json_records_with_more_behind_the_message(agree, shape, seed):
    agree(log(shape, seed, 200, odd=0.06), (1 << 11) << 2 * seed)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "pod"])
def test_hardly_a_block_of_json_is_read_line_by_line(monkeypatch, shape):
    blocks = []
    by_line = Scanner._line_by_line
    monkeypatch.setattr(Scanner, "_line_by_line", lambda self, *a, **k: (blocks.append(1), by_line(self, *a, **k))[1])
    engine = LineEngine(Vocabulary(), "app.log")
    assert (
        sum(tally.read for _, tally in scan(io.BytesIO(log(shape, 3, 500)), engine, Vocabulary(), size=1 << 14)) == 500
    )
    assert len(blocks) <= 1
