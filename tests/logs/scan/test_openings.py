# ruff: noqa: E501 - log lines are not wrapped
"""A few lines that one line before them could mislead the scanner about."""

from collections.abc import Callable

import pytest

from woolly_mcpdiag.logs.scan import scanner

T = "2026-11-22 14:39:01,578"
CALL = 'HTTP Request: POST http://h:1/mcp "HTTP/1.1 202 Accepted"'
ANSWER = "receive_response_headers.complete return_value=(b'HTTP/1.1', 202, b'Accepted', [(b'mcp-session-id', b'0123456789abcdef0123456789abcdef')])"
CASES = {
    "eight bytes tell nothing of a logger behind a level": [
        f"{T}.578 [ERROR] lab.agent/Status/502",
        f"{T}.578 [ERROR] lab.agents: agent-1 failed in connect after 0.069s: HTTPS",
    ],
    "a first byte tells nothing of a damaged logger": [
        '1795361763.988 INFO lab.ag"nts.x7: 17 rows',
        "1795361962.024 INFO lab.agents.:7: ReadTimeout: late",
    ],
    "of a framed line whose stamp has no year the framing's time counts": [
        f"2026-03-01T10:00:0{n}.123456789Z stdout F 11-22 14:39:45,293.293 [INFO] httpx: {CALL}" for n in range(3)
    ],
    "of two equal stamps the inner one counts": [
        f"2026-11-22T14:39:01.57{n}Z 2026-11-22T14:39:01.578Z INFO [httpx] {CALL}" for n in (8, 9)
    ],
    "a line behind a record of rich's belongs to that": [
        "ValueError: one",
        '[03/01/26 10:00:00] INFO     e "/app/models.py", line 829, in raise_for_status',
        "httpx.HTTPStatusError: Client error '404 Not Found' for url 'http://h/messages/?session_id=1'",
        f'{{"asctime": "{T}", "levelname": "INFO", "name": "httpx", "message": "hello"}}',
    ],
    "an indented line behind a framed one goes on with that": [
        f"{T}.594 [ERROR] mcp.client)",
        "    yield",
        'api-1  |   File "/app/x',
        '  File "/app/.venv/lib/',
        f"INFO:app:{CALL}",
    ],
    "an answer in a record of rich's is given to the call behind it": [
        f"{T} INFO httpx: hello",
        f"{T} INFO httpx: hello",
        f"[03/01/26 10:00:00] INFO     {ANSWER}",
        f"{T} INFO httpx: {CALL}",
    ],
    "what holds a call is no answer": [
        f"{T} INFO httpx: {ANSWER} {CALL}",
        f"{T} INFO httpx: {CALL}",
    ],
    "a size beside a character that is no word ends there": [
        '127.0.0.1 - - [22/Nov/2026:14:42:24 +0000] "POST /mcp HTTP/1.1" 429 169 "-" "x"',
        '127.0.0.1 - - [22/Nov/2026:14:42:24 +0000] "GET /mcp HTTP/1.1" 429 1\u20269 "-" "x"',
    ],
    "a status goes on with no point": [
        'INFO:     127.0.0.1:36926 - "POST /mcp/ HTTP/1.1" 200 OK',
        'INFO:     127.0.0.1:36940 - "POST /mcp/ HTTP/1.1" 200.1" 200 OK',
    ],
    "a level and a logger before a client are no part of its name": [
        '127.0.0.1 - - [22/Nov/2026:14:42:24 +0000] "POST /mcp HTTP/1.1" 429 169 "-" "x"',
        'INFO:httpx:.0.1 - - [22/Nov/2026:14:42:24 +0000] "POST /mcp HTTP/1.1" 200 300 "-" "x"',
        "INFO:httpx:hello",
    ],
    "what holds a call opens no session": [
        "INFO:app:Created new MCP session 7b60f0e83d7b4a3d81a0c58baccb2d86 for key convo_starter_b7aead67",
        f"INFO:app:Created new MCP session 0b2c151db6184883b3e7a5a4ea18d2c5 for key simplifier_97bc0905 {CALL}",
    ],
    "a session may be opened behind its name": [
        f"{T} INFO app: worker 3: MCP session 76edd90fcfee4fc38b6b619560599f8f established",
        f"{T} INFO app: hello",
    ],
}


@pytest.mark.parametrize("lines", CASES.values(), ids=CASES)
def test_both_engines_agree_that(
    lines: list[str], agree: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner, "_TOO_SLOW", 1.0)
    agree("\n".join([*lines, ""]).encode())
