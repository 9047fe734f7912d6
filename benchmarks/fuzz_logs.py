#!/usr/bin/env python3
"""The one fuzzer of log reading: real lines, damaged in seeded ways, through reading, diagnosis and every renderer.

    python benchmarks/fuzz_logs.py 1000000
    python benchmarks/fuzz_logs.py 20000 --first 17     # round 17 alone, after it failed

A round is 20,000 lines with a seed of its own, so a failure is repeated by its number. Checked in every round: nothing
raises, every line is counted once (read = understood + ignored + not understood = lines fed), the fast
scanner says what the line engine says, every renderer writes.
"""

import argparse
import csv
import faulthandler
import io
import json
import random
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from woolly_mcpdiag.api import Analysis
from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.diagnose.docket import Docket
from woolly_mcpdiag.logs.batch import Batch, Kind, Tally, Vocabulary
from woolly_mcpdiag.logs.events import read_events
from woolly_mcpdiag.logs.har import read_har
from woolly_mcpdiag.logs.lines import LineEngine, read_lines
from woolly_mcpdiag.logs.scan.read import scan
from woolly_mcpdiag.report import frames
from woolly_mcpdiag.report.assemble import assemble
from woolly_mcpdiag.report.formats import FOR_LOGS, FORMATS, Look, render
from woolly_mcpdiag.report.model import Source

ROUND = 20_000
_STUCK = 120
"""Seconds after which a round hangs: some pattern takes more than linear time."""
SAMPLES = Path(__file__).parent.parent / "sample_logs"
_CONTROLS = [bytes([code]) for code in (*range(10), 11, 12, *range(14, 32), 127)]
_JUNK = (
    *_CONTROLS,
    b"\x1b[31m",
    b"\x1b]0;x\x07",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xf0\x9f",
    b"\xc3\x28",
    b"\xef\xbb\xbf",
    b"\r",
    "\u2028".encode(),
    "\u202e".encode(),
    "\u0661\u0662".encode(),
    "\U0001f4a5".encode(),
    b"</script>",
    b"]]>",
    b"%s%n",
    b"=1+1",
)
_NUMBERS = (
    b"0",
    b"-1",
    b"00",
    b"999",
    b"1000",
    b"65536",
    b"4294967296",
    b"9223372036854775808",
    b"1e999",
    b"NaN",
    b"9" * 30,
    b"9" * 400,
    b"9" * 5000,
    b"0.0000001",
    b"0001-01-01",
    b"9999-12-31",
)
_JSON = (
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'""',
    b"[" * 50,
    b'{"a":' * 40,
    b"[" * 5000,
    b"1e400",
    b"-0",
    b'"\\ud800"',
    b'{"level":{"name":[]}}',
    b'{"message":"x","level":null,"time":' + b"9" * 40 + b"}",
    b'{"log":"x\\n","stream":"stderr","time":7}',
)
_PREFIXES = (
    b"INFO:httpx:",
    b"2026-03-01 10:00:00,123 - httpx - INFO - ",
    b"[2026-03-01T10:00:00Z] ",
    b"api-1  | ",
    b"{",
    b'{"message":"',
    b"[pod/a-b-c/d] ",
    b"2026-03-01T10:00:00.123456789Z stderr P ",
    b"2026-03-01T10:00:00.123456789Z stdout F ",
    b"<34>",
    b"  ",
    b"\t",
    b"Nov 22 14:47:08 host api[7]: ",
    b"level=info msg=",
    b"Traceback (most recent call last):",
    b"  + Exception Group Traceback",
    b"[03/01/26 10:00:00] INFO     ",
    b"99/99/9999 99:99:99 ",
    b"",
)
_DIGITS = re.compile(rb"\d+")
_VALUE = re.compile(rb"(?<=[:=\[,]) ?[^\s,:=\[\]{}]+")

Mutation = Callable[[bytes, bytes, random.Random], bytes]
"""Takes a line and another one of the samples."""


def _flip(line: bytes, _: bytes, rng: random.Random) -> bytes:
    found = bytearray(line)
    for _ in range(rng.randint(1, 4)):
        if found:
            found[rng.randrange(len(found))] = rng.randrange(256)
    return bytes(found)


def _cut(line: bytes, _: bytes, rng: random.Random) -> bytes:
    start, end = sorted((rng.randint(0, len(line)), rng.randint(0, len(line))))
    return line[:start] if rng.random() < 0.5 else line[start:end]


def _splice(line: bytes, other: bytes, rng: random.Random) -> bytes:
    return line[: rng.randint(0, len(line))] + other[rng.randint(0, len(other)) :]


def _repeat(line: bytes, _: bytes, rng: random.Random) -> bytes:
    start, end = sorted((rng.randint(0, len(line)), rng.randint(0, len(line))))
    return line[:end] + line[start:end] * rng.choice((1, 2, 5, 200)) + line[end:]


def _insert(line: bytes, _: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(line))
    return line[:at] + rng.choice(_JUNK) + line[at:]


def _number(line: bytes, _: bytes, rng: random.Random) -> bytes:
    return _replaced(line, _DIGITS, rng.choice(_NUMBERS), rng)


def _json(line: bytes, _: bytes, rng: random.Random) -> bytes:
    return _replaced(line, _VALUE, rng.choice(_JSON), rng)


def _replaced(line: bytes, pattern: re.Pattern[bytes], new: bytes, rng: random.Random) -> bytes:
    found = list(pattern.finditer(line))
    if not found:
        return line + new
    one = rng.choice(found)
    return line[: one.start()] + new + line[one.end() :]


def _prefix(line: bytes, other: bytes, rng: random.Random) -> bytes:
    return (rng.choice(_PREFIXES) if rng.random() < 0.7 else other[:30]) + line[rng.choice((0, 5, 24, 30)) :]


def _field(line: bytes, other: bytes, rng: random.Random) -> bytes:
    """Swap one word for a word of another line."""
    words, others = line.split(b" "), other.split(b" ")
    words[rng.randrange(len(words))] = rng.choice(others)
    return b" ".join(words)


MUTATIONS: tuple[Mutation, ...] = (_flip, _cut, _splice, _repeat, _insert, _number, _json, _prefix, _field)


def corpus(folder: Path = SAMPLES) -> list[list[bytes]]:
    """Return the lines of every sample log."""
    return [path.read_bytes().splitlines() for path in sorted(folder.glob("*.log"))]


def mutated(files: Sequence[Sequence[bytes]], count: int, rng: random.Random) -> list[bytes]:
    """Return that many lines: runs of the samples, two thirds of the lines damaged one to three times."""
    found: list[bytes] = []
    while len(found) < count:
        lines = rng.choice(files)
        start = rng.randrange(len(lines))
        for line in lines[start : start + rng.randint(1, 60)]:
            damaged = line
            while rng.random() < 0.5 and len(damaged) < 20_000:
                other = rng.choice(rng.choice(files))
                damaged = rng.choice(MUTATIONS)(damaged, other, rng)
            found.append(damaged.replace(b"\n", b" "))
    return found[:count]


def check(lines: Sequence[bytes], rng: random.Random) -> Tally:
    """Read the lines as a text log, judge them, render them in every format; raise where anything is amiss."""
    vocabulary = Vocabulary()
    bounds = sorted(rng.randint(1_700_000_000, 1_800_000_000) * 1_000_000 for _ in range(2))
    pattern = re.compile(r"(?P<session>\b[0-9a-f]{4,}) .{0,40}?(?P<key>\w+_\w+)?")
    engine = LineEngine(
        vocabulary,
        "fuzz.log",
        patterns=(pattern,) if rng.random() < 0.2 else (),
        since=bounds[0] if rng.random() < 0.1 else None,
        until=bounds[1] if rng.random() < 0.1 else None,
    )
    tally = _judge(read_lines(engine, lines), vocabulary, engine.formats())
    if tally.read != len(lines):
        message = f"{tally.read} lines read, {len(lines)} fed"
        raise AssertionError(message)
    return tally


def check_scanner(lines: Sequence[bytes]) -> None:
    """Read the lines with the line engine and with the fast scanner, and raise where they differ."""
    slow, fast = (Vocabulary() for _ in range(2))
    data = io.BytesIO(b"".join(line + b"\n" for line in lines))
    wanted = _rows(read_lines(LineEngine(slow, "fuzz.log"), lines), slow)
    found = _rows(scan(data, LineEngine(fast, "fuzz.log"), fast), fast)
    for one, other in zip(wanted, found, strict=True):
        if one != other:
            message = f"the line engine has {one}, the scanner {other}"
            raise AssertionError(message)


def _rows(parts: Iterable[tuple[Batch, Tally]], vocabulary: Vocabulary) -> list[object]:
    total, rows = Tally(), []
    urls, agents = vocabulary.urls.texts, vocabulary.agents.texts
    for batch, tally in parts:
        total.add(tally)
        columns = (batch.line, batch.time, batch.kind, batch.method, batch.status, batch.size, batch.high, batch.low)
        for index, row in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
            url = urls[batch.url[index]] if batch.url[index] >= 0 else ""
            note = repr(batch.notes.get(index)) if batch.kind[index] == Kind.NOTE else ""
            rows.append((*row, url, agents[batch.agent[index]], note))
    return [total, len(rows), *sorted(rows)]


def check_events(lines: Sequence[bytes], rng: random.Random) -> None:
    """Read damaged event lines and a damaged HAR document."""
    vocabulary = Vocabulary()
    events = [
        Event(
            kind="http.exchange", time=1.7e9 + n, method="POST", url="http://h/mcp", status=404, session=f"{n:032x}"
        ).to_json()
        for n in range(20)
    ]
    damaged = [rng.choice(MUTATIONS)(event.encode(), rng.choice(lines), rng) for event in events * 20]
    _judge(read_events((line.replace(b"\n", b" ") for line in damaged), vocabulary, "fuzz.jsonl"), vocabulary, [])
    entry = {
        "startedDateTime": "2026-03-01T10:00:00Z",
        "time": 12.5,
        "request": {"method": "POST", "url": "http://h/mcp", "headers": [], "postData": {"text": "{}"}},
        "response": {"status": 404, "headers": [{"name": "mcp-session-id", "value": "a" * 32}], "content": {"size": 9}},
    }
    document = json.dumps({"log": {"version": "1.2", "entries": [entry] * 3}}).encode()
    for _ in range(30):
        vocabulary = Vocabulary()
        broken = rng.choice((_number, _json, _json))(document, b"", rng)
        try:
            _judge(read_har(io.BytesIO(broken), vocabulary, "fuzz.har"), vocabulary, [], tables=False)
        except InputError:
            continue


def _judge(
    parts: Iterable[tuple[Batch, Tally]], vocabulary: Vocabulary, formats: Sequence[str], *, tables: bool = True
) -> Tally:
    docket, total, kept = Docket(vocabulary), Tally(), []
    for batch, tally in parts:
        docket.add(batch)
        total.add(tally)
        kept.append(batch)
    if total.read != total.understood + total.ignored + total.not_understood:
        message = f"{total} does not add up"
        raise AssertionError(message)
    found = docket.diagnose()
    source = Source(
        name="fuzz.log", role="client", formats=tuple(formats), lines=total.read, understood=total.understood
    )
    report = assemble(found, [source], ["fuzzed"], version="0")
    texts = {
        row.name: render(row.name, report, Look(verbose=True))
        for row in FORMATS.values()
        if row.write and row.name in FOR_LOGS
    }
    texts["short"] = render("text", report, Look(width=60, ascii_only=True))
    if tables:
        analysis = Analysis(report=report, diagnosis=found, _kept=kept, _vocabulary=vocabulary, _keeps=True)
        texts["sessions"] = frames.to_csv(analysis.sessions_frame())
        texts["events"] = frames.to_csv(analysis.events_frame())
        csv.field_size_limit(1 << 24)
        for name in ("sessions", "events"):
            if len({len(row) for row in csv.reader(io.StringIO(texts[name]))}) != 1:
                message = f"{name}: rows of unequal length"
                raise AssertionError(message)
    _wellformed(texts)
    return total


def _wellformed(texts: dict[str, str]) -> None:
    for name, text in texts.items():
        text.encode()
        if not text.strip() and name != "github":
            message = f"{name}: empty"
            raise AssertionError(message)
    for name in ("json", "trace"):
        json.loads(texts[name], parse_constant=_refuse)
    ET.fromstring(texts["junit"])  # noqa: S314 - our own output


def _refuse(constant: str) -> None:
    message = f"{constant} is no JSON"
    raise AssertionError(message)


def run(lines: int, *, seed: int, first: int, folder: Path) -> tuple[Tally, int]:
    """Fuzz that many lines in rounds; return the counts and how many rounds failed."""
    files, total, failed = corpus(folder), Tally(), 0
    for number in range(first, first + -(-lines // ROUND)):
        rng = random.Random(f"{seed}/{number}")
        faulthandler.dump_traceback_later(_STUCK, exit=True)
        fed = mutated(files, min(ROUND, lines - (number - first) * ROUND), rng)
        try:
            total.add(check(fed, rng))
            check_scanner(fed)
            check_events(fed, rng)
        except Exception as error:  # noqa: BLE001 - any is a finding
            failed += 1
            print(f"round {number}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
            if failed == 1:
                sys.excepthook(type(error), error, error.__traceback__)
        print(f"round {number}: {total.read:,} lines so far", end="\r", file=sys.stderr, flush=True)
    faulthandler.cancel_dump_traceback_later()
    return total, failed


def main() -> int:
    """Parse, fuzz, print the figures; exit 1 where a round failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lines", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first round")
    parser.add_argument("--samples", type=Path, default=SAMPLES)
    chosen = parser.parse_args()
    warnings.simplefilter("error")
    start = time.perf_counter()
    total, failed = run(chosen.lines, seed=chosen.seed, first=chosen.first, folder=chosen.samples)
    took = time.perf_counter() - start
    print(
        f"{total.read:,} lines in {took:.0f} s ({total.read / took:,.0f} a second): {total.understood:,} understood, "
        f"{total.ignored:,} ignored, {total.not_understood:,} not understood; {failed} rounds failed"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
