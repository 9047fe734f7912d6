# ruff: noqa: E501 - log lines are not wrapped
"""Logs in every format that must be fast: same rows and counts, and hardly a line left to the line engine."""

import io
import json
import random
import runpy
from datetime import date
from pathlib import Path

import pytest

from woolly_mcpdiag.logs.batch import Kind, Vocabulary
from woolly_mcpdiag.logs.lines import LineEngine, read_lines
from woolly_mcpdiag.logs.scan.read import scan

GENERATOR = Path(__file__).parents[3] / "benchmarks" / "logs_generate.py"
SIZES = (1 << 12, 1 << 16)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    generator = runpy.run_path(str(GENERATOR))
    folder = tmp_path_factory.mktemp("made")

    def make(form: str, noise: float, size: int = 60_000) -> bytes:
        path = folder / f"{form}-{noise}-{size}.log"
        r, truth = random.Random(3), generator["Truth"]()
        steps = generator["story"](r, noise=noise, rate=25.0, posts=4.0, truth=truth)
        with path.open("w", encoding="utf-8", newline="\n") as out:
            generator["write"](out, form, steps, size, r, truth)
        return path.read_bytes()

    return make


@pytest.mark.parametrize("form", ["std", "json", "compose", "access"])
@pytest.mark.parametrize("noise", [0.1, 0.7])
def test_both_engines_agree_wherever_blocks_end(agree, made, form, noise):
    rows, tally, _ = agree(made(form, noise), *SIZES)
    assert tally.not_understood == 0
    assert len(rows) > tally.read * (1 - noise) / 2


@pytest.mark.parametrize("form", ["std", "json", "compose", "access"])
def test_hardly_a_line_is_read_one_by_one(made, form, tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(made(form, 0.7, 2_000_000))
    vocabulary = Vocabulary()
    engine = LineEngine(vocabulary, "app.log")
    fed = []
    engine.feed = lambda raw, line, feed=engine.feed: (fed.append(line), feed(raw, line))[1]
    with path.open("rb", buffering=0) as file:
        read = sum(tally.read for _, tally in scan(file, engine, vocabulary))
    assert len(fed) < 0.01 * read


LAYOUTS = (
    "2026-11-22 14:44:21,778 - {logger} - INFO - {message}",
    "2026-11-22 14:44:21,778.778 [INFO] {logger}: {message}",
    "2026-11-22 14:44:21 INFO {logger}: {message}",
    "2026/11/22 14:44:21.123456 INFO {logger}: {message}",
    "2026-11-22T14:44:21.778Z INFO [{logger}] {message}",
    "2026-11-22T14:44:21.778+0530 INFO [{logger}] {message}",
    "[2026-11-22 14:44:21,778] [INFO] [{logger}] {message}",
    "2026-11-22 14:44:21.778 | INFO     | {logger}:worker:94 - {message}",
    "INFO:{logger}:{message}",
    "INFO:     {message}",
    "api-1  | 2026-11-22T14:44:21.778123456Z 2026-11-22 13:44:21,700 INFO {logger}: {message}",
    "[pod/api-7c9d8b6f5-x2x4z/api] INFO:{logger}:{message}",
    "2026-11-22T14:44:21.778123456Z stderr F INFO:{logger}:{message}",
    "11/22/2026 02:44:21 PM - INFO - {message}",
    "2026-11-22 12:44:21 AM INFO {logger}: {message}",
    "22/11/2026 14:44:21 INFO {logger}: {message}",
    "Sun Nov 22 14:44:21 2026 INFO {logger}: {message}",
    "1795358661.778 INFO {logger}: {message}",
    "INFO 2026-11-22 14:44:21,778 {logger}: {message}",
    "[INFO]\t2026-11-22T14:44:21.778Z\tabc-1234\t{message}",
    "{logger} - INFO - 2026-11-22 14:44:21,778 - {message}",
    "2026-11-22 14:44:21,778, INFO, {logger}, {message}",
    "(2026-11-22 14:44:21) INFO {message}",
    "0|api  | 2026-11-22 14:44:21: INFO:{logger}:{message}",
)
MESSAGES = (
    'HTTP Request: GET http://h/sse/ "HTTP/1.1 400 Bad Request"',
    'HTTP Request: POST http://h/m?session_id=0123456789abcdef0123456789ABCDEF "HTTP/1.1 202 Accepted"',
    "Created new MCP session 76edd90fcfee4fc38b6b619560599f8f for key simplifier_edcec7aa",
    "Received session ID: 5fb91ee8-6ec3-4cdf-b9f7-258f4446d62a",
    '127.0.0.1:5 - "POST /mcp HTTP/1.1" 200 OK',
    "SELECT 1",
)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_engines_agree_on_a_layout(agree, layout):
    text = "\n".join(
        layout.format(logger=logger, message=message)
        for _ in range(30)
        for message in MESSAGES
        for logger in ("httpx", "httpx2", "a.b")
    )
    rows, _, _ = agree(text.encode(), 1 << 10, 1 << 14)
    assert len(rows) == 30 * 5 * 3


@pytest.mark.parametrize(
    "prefix", ["14:44:2{n} INFO httpx: ", "Nov 22 14:44:2{n} h api[7]: INFO:httpx:", "I1122 14:44:2{n}.5 7 a.py:9] "]
)
def test_both_engines_read_times_that_need_the_day_of_the_log(prefix):
    text = "\n".join(prefix.format(n=n // 10) + MESSAGES[0] for n in range(100)).encode()
    times = []
    for read in (read_lines, lambda engine, stream: scan(stream, engine, engine._recogniser._vocabulary)):
        engine = LineEngine(Vocabulary(), "app.log", day=date(2026, 11, 22))
        times.append([int(time) for batch, _ in read(engine, io.BytesIO(text)) for time in batch.time])
    assert times[0] == times[1]
    assert len(set(times[0])) == 10


def test_a_wrong_digit_in_a_stamp_is_left_to_the_line_engine(agree):
    good = '2026-11-22 14:44:21,778 INFO httpx: HTTP Request: GET http://h/x "HTTP/1.1 200 OK"'
    wrong = [
        good.replace("11-22", "13-22"),
        good.replace("21,778", "2x,778"),
        good.replace("14:44", "25:44"),
        good.replace(":21,", ":61,"),
    ]
    agree("\n".join([good, *wrong, good] * 5).encode(), 1 << 10, 1 << 16)


def combined(r: random.Random) -> str:
    client = r.choice(("127.0.0.1", "::1", "10.0.0.7", "host.example"))
    path = r.choice(
        (
            "/mcp",
            "/messages/?session_id=6959d7b163ee46d080b266beda12b9ba",
            "/search?q=a&page=2",
            "/q?a=1&sessionId=x",
            "/",
            "/a b",
        )
    )
    user = r.choice(("-", "-", "-", "bob"))
    size = r.choice(("8", "0", "-", "12345", ""))
    return f'{client} - {user} [22/Nov/2026:14:{r.randrange(60):02d}:{r.randrange(62):02d} +0{r.randrange(3)}00] "{r.choice(("GET", "POST", "PUT", "FOO"))} {path} HTTP/1.1" {r.choice((200, 202, 404, 502))} {size} "-" "python-httpx/0.28.1"'


@pytest.mark.parametrize("seed", range(8))
def test_both_engines_agree_on_combined_lines(agree, seed):
    r = random.Random(seed)
    rows, _, _ = agree("\n".join(combined(r) for _ in range(150)).encode(), 1 << 10, 1 << 15)
    assert {row[1] for row in rows} == {Kind.PROXIED}


def structured(r: random.Random) -> str:
    message = r.choice(
        (
            *MESSAGES,
            'say "hi"',
            "back\\slash\\",
            'deep {"a": "b\\"c"}',
            "two\nlines",
            "prêt ✅",
            "Traceback (most recent call last)\n  x\nValueError: y",
            "tab\t",
            "\x01",
        )
    )
    row = {
        "timestamp": f"2026-11-22T14:44:{r.randrange(60):02d}.{r.randrange(10**6):06d}Z",
        "level": r.choice(("INFO", "info", "WARNING")),
        "logger": r.choice(("httpx", "httpx2", "a")),
        "message": message,
    }
    if r.random() < 0.1:
        row["extra"] = r.choice((1, "x", None))
    text = json.dumps(row, ensure_ascii=r.random() < 0.5)
    if r.random() < 0.05:
        place = r.randrange(len(text))
        text = text[:place] + r.choice('"\\x}') + text[place:]
    return text.replace("/", "\\/") if r.random() < 0.02 else text


@pytest.mark.parametrize("seed", range(12))
def test_both_engines_agree_on_json_lines(agree, seed):
    r = random.Random(seed)
    agree("\n".join(structured(r) for _ in range(150)).encode(), 1 << 10, 1 << 15)


def test_a_line_of_megabytes_a_nul_and_no_newline_at_the_end(agree):
    line = b'INFO:httpx:HTTP Request: GET http://h/sse/ "HTTP/1.1 400 Bad Request"'
    data = b"\r\n".join(
        [line, b"INFO:a:" + b"x" * 3_000_000, line, b"INFO:a:\0", b"\0" * 5000, line, b"INFO:a:" + line * 3000, line]
    )
    rows, _, _ = agree(data, 1 << 12, 1 << 20)
    assert len(rows) >= 4


def test_a_prefix_of_three_hundred_bytes_is_read(agree):
    line = f'2026-11-22 14:44:21,778 INFO {"a." * 150}b: HTTP Request: GET http://h/sse/ "HTTP/1.1 400 Bad Request"'
    agree("\n".join([line] * 20).encode())


def test_an_empty_stream_gives_nothing(agree):
    assert agree(b"")[0] == []
