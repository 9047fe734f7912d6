# ruff: noqa: E501 - log lines are not wrapped
"""Prefixes in which something varies from line to line, and stamps of other layouts than ISO's."""

import io
import random
from datetime import date, datetime, timedelta

import pytest

from woolly_mcpdiag.logs.batch import Vocabulary
from woolly_mcpdiag.logs.lines import LineEngine, read_lines
from woolly_mcpdiag.logs.scan.read import scan
from woolly_mcpdiag.logs.scan.scanner import Scanner

LAYOUTS = (
    "{iso} | {level:<8} | {logger}:{function}:{number} - {message}",
    "{iso} {level} [{logger}:{number}] {message}",
    "{iso} [{thread}] {level:<5} {logger} - {message}",
    "{iso}  {level} {number:>5} --- [app] [{thread:>12}] {logger:<20} : {message}",
    "{iso} {level} ({thread}) [{logger}] {message}",
    "[{iso}] [{number}] [{level}] {message}",
    "[{iso}] {{{function}.py:{number}}} {level} - {message}",
    "[{iso}: {level}/{thread}] {message}",
    "{level:<8} {logger}:{function}.py:{number} {message}",
    "{iso} {level}:{pad}{message}",
    "{iso} {level} {message}",
    "{iso} {message}",
    "{iso}\t{lower}\tx/{function}.go:{number}\t{message}",
    "[{level}]\t{iso}\t{id}\t{message}",
    "I{day:%m%d %H:%M:%S}.000123 {number:>7} {function}.py:{number}] {message}",
    "{day:%b %d %H:%M:%S} host api[{number}]: {level}:{logger}:{message}",
    "<34>{day:%b %d %H:%M:%S} host api[{number}]: {level} {logger}: {message}",
    "[{day:%a %b %d %H:%M:%S}.000123 {day:%Y}] [core:{lower}] [pid {number}] {message}",
    "{day:%m/%d/%Y %I:%M:%S %p} {level} {logger}: {message}",
    "{day:%d/%m/%Y %H:%M:%S} {level} {logger}: {message}",
    "{day:%d.%m.%Y %H:%M} {level} {logger}: {message}",
    "{day:%d-%b-%Y %H:%M:%S},{milli:03d} {level} {logger}: {message}",
    "{day:%a, %d %b %Y %H:%M:%S} +0200 {level} {logger}: {message}",
    "{day:%m-%d %H:%M:%S} {logger} {level} {message}",
    "{epoch}.{milli:03d} {level} {logger}: {message}",
    "{epoch}{milli:03d} {level} {logger}: {message}",
    "{iso} [{lower:<9}] {message:<30} [{logger}]",
    "{iso} [{lower:<9}] {message:<30} [{logger}] number={number} text='a  b=1 [x]'",
    "[{lower:<9}] {message:<30}  request='GET / HTTP/1.1' number={number}",
    "{day:%H:%M:%S} {level} {logger}: {message}",
    "<34>{day:%b %d %H:%M:%S} host api[{number}]: {day:%H:%M:%S} {level} {logger}: {message}",
)
MESSAGES = (
    'HTTP Request: GET http://h/sse/ "HTTP/1.1 400 Bad Request"',
    'HTTP Request: POST http://h/m?session_id=0123456789abcdef0123456789ABCDEF "HTTP/1.1 202 Accepted"',
    "Created new MCP session 76edd90fcfee4fc38b6b619560599f8f for key simplifier_edcec7aa",
    '127.0.0.1:5 - "POST /mcp HTTP/1.1" 200 OK',
    "[cached since 5s ago] (7)",
    "(worker 3) a - b",
    "17 rows",
    "cache: miss",
    "connect_tcp.started host='h' port=8 local_address=None",
    "ReadTimeout: late",
    "SELECT 1",
)
EASY = len(LAYOUTS) - 3
"""Of the last, one names a request in every line, two have no date: their lines must be read one after the other."""


def log(layout: str, seed: int, lines: int, *, odd: float = 0.0) -> bytes:
    r = random.Random(seed)
    day = datetime(2026, 1, 30, 23, 50)  # noqa: DTZ001 - a log without zones
    out = []
    for _ in range(lines):
        day += timedelta(seconds=r.choice((0, 1, 1, 7)))
        level = r.choice(("INFO", "DEBUG", "INFO", "WARNING", "ERROR"))
        milli = r.randrange(1000)
        text = layout.format(
            iso=f"{day:%Y-%m-%d %H:%M:%S},{milli:03d}" if "\t" not in layout else f"{day:%Y-%m-%dT%H:%M:%S}.{milli:03d}Z",
            day=day, milli=milli, epoch=1_795_358_661 + (day.minute * 60 + day.second),
            level=level, lower=level.lower(), pad=" " * (9 - len(level)),
            logger=r.choice(("httpx", "httpx2", "a.b", "lab.agents.x7")), function=r.choice(("run", "worker", "f2")),
            number=r.choice((7, 94, 1025, 20417, 140735123456789 if odd else 8)),
            thread=r.choice(("MainThread", "Thread-1", "Thread-12", "asyncio_0")),
            id=f"{r.getrandbits(128):032x}", message=r.choice(MESSAGES),
        )  # fmt: skip
        if r.random() < odd:
            place = r.randrange(len(text))
            text = text[:place] + r.choice('x7 "]:-\t') + text[place + 1 :]
        out.append(text)
        if r.random() < odd:
            out += ["Traceback (most recent call last):", '  File "x.py", line 3, in f', "ValueError: y"]
    return "\n".join(out).encode()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_engines_agree_on_prefixes_that_vary(agree, layout):
    agree(log(layout, 1, 200, odd=0.05), 1 << 12)


@pytest.mark.parametrize("layout", LAYOUTS[:EASY])
def test_hardly_a_block_is_read_line_by_line(monkeypatch, layout):
    blocks = []
    by_line = Scanner._line_by_line
    monkeypatch.setattr(Scanner, "_line_by_line", lambda self, *a, **k: (blocks.append(1), by_line(self, *a, **k))[1])
    engine = LineEngine(Vocabulary(), "app.log", day=date(2026, 2, 1))
    read = sum(tally.read for _, tally in scan(io.BytesIO(log(layout, 3, 600)), engine, Vocabulary(), size=1 << 13))
    assert read == 600
    assert len(blocks) <= 2


@pytest.mark.parametrize("layout", [LAYOUTS[15], LAYOUTS[19], LAYOUTS[23]])
def test_both_engines_date_stamps_by_the_day_of_the_log(layout):
    times = []
    for read in (read_lines, lambda engine, stream: scan(stream, engine, engine._recogniser._vocabulary, size=1 << 12)):
        engine = LineEngine(Vocabulary(), "app.log", day=date(2026, 2, 1))
        times.append([int(time) for batch, _ in read(engine, io.BytesIO(log(layout, 4, 400))) for time in batch.time])
    assert times[0] == times[1]
    assert len(set(times[0])) > 50
