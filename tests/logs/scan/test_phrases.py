# ruff: noqa: E501 - log lines are not wrapped
"""Calls that were read once are known again, but only where they are the same."""

import random
import uuid

import pytest

from woolly_mcpdiag.logs.scan.calls import Calls
from woolly_mcpdiag.logs.scan.exact import Exact


def call(r: random.Random) -> str:
    ident = uuid.UUID(int=r.getrandbits(128))
    named = r.choice((ident.hex, ident.hex, str(ident), ident.hex[:31] + "g", ident.hex[:16] + "?" + ident.hex[17:]))
    path = r.choice(
        (f"/messages/?session_id={named}", "/mcp", "/mcp?x=1", "/" + "p" * 150, f"/{'q' * 90}?sessionId={named}")
    )
    ending = r.choice(
        ('"HTTP/1.1 202 Accepted"', '"HTTP/1.1 200 OK"', '"HTTP/1.1 400 Bad Request"', '"HTTP/1.1 4x0 Bad"')
    )
    host = r.choice(("http://localhost:8009", "http://localhost:8008", "https://a.example"))
    return f"2026-11-22 14:44:21,778 INFO httpx: HTTP Request: {r.choice(('GET', 'POST'))} {host}{path} {ending}"


@pytest.mark.parametrize("seed", range(6))
def test_both_engines_agree_on_calls_that_differ_in_a_few_bytes(agree, seed):
    r = random.Random(seed)
    agree("\n".join(call(r) for _ in range(300)).encode(), 1 << 12, 1 << 16)


def test_a_call_seen_before_is_not_read_again(agree, monkeypatch):
    read = []
    inner = Calls._read
    monkeypatch.setattr(
        Calls, "_read", lambda self, block, start, end: (read.append(len(start)), inner(self, block, start, end))[1]
    )
    line = '2026-11-22 14:44:21,778 INFO httpx: HTTP Request: POST http://localhost:8009/messages/?session_id={} "HTTP/1.1 202 Accepted"'
    agree("\n".join(line.format(uuid.UUID(int=number).hex) for number in range(500)).encode(), 1 << 13)
    assert sum(read) < 100


def test_lines_without_a_prefix_cost_few_lessons(monkeypatch, agree):
    lessons = []
    inner = Exact.learn
    monkeypatch.setattr(Exact, "learn", lambda self, raw, line: (lessons.append(line), inner(self, raw, line))[1])
    line = '{} - - [22/Nov/2026:14:40:45 +0000] "GET /mcp HTTP/1.1" 200 17 "-" "x"'
    agree("\n".join(line.format("h" * (number % 23 + 1) + str(number)) for number in range(2000)).encode(), 1 << 14)
    assert len(lessons) < 400
