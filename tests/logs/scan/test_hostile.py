# ruff: noqa: E501 - log lines are not wrapped
"""Random hostile logs: both engines must say the same, whatever the lines hold and wherever blocks end."""

import random
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

METHODS = ("GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "get")
REASONS = (
    "200 OK",
    "202 Accepted",
    "400 Bad Request",
    "404 Not Found",
    "500 Internal Server Error",
    "204 ",
    "99 X",
    "2000 OK",
    "429 Too Many Requests",
)
LOGGERS = ("httpx", "httpx2", "api.agents.universal", "mcp.client.sse", "httpcore.http11", "uvicorn.access", "root")
LEVELS = ("INFO", "DEBUG", "INFO", "INFO", "WARNING", "ERROR")
PREFIXES = (
    "2025-07-14 12:{m:02d}:{s:02d},{f:03d} {level} {logger}: ",
    "2025-07-14 12:{m:02d}:{s:02d},{f:03d} - {logger} - {level} - ",
    "2025-07-14 12:{m:02d}:{s:02d},{f:03d} {level} {logger} ",
    "2025-07-14 12:{m:02d}:{s:02d},{f:03d}.{f:03d} [{level}] {logger}: ",
    "[2025-07-14 12:{m:02d}:{s:02d},{f:03d}] [{level}] [{logger}] ",
    "2025-07-14T12:{m:02d}:{s:02d}.{f:03d}+02:00 {level} [{logger}] ",
    "{level}:{logger}:",
    "{level}:     ",
    "api-1  | {level}:{logger}:",
    "web-22 | 2025-07-14T12:{m:02d}:{s:02d}.{f:06d}123Z {level}:{logger}:",
    "",
)


def ident(r: random.Random) -> str:
    one = uuid.UUID(int=r.getrandbits(128))
    return r.choice(
        (
            one.hex,
            one.hex,
            str(one),
            one.hex.upper(),
            one.hex[:31],
            one.hex + "0",
            "sess-12345678",
            one.hex[:20] + "g" + one.hex[21:],
        )
    )


def url(r: random.Random) -> str:
    return r.choice(("http://h:1", "https://api.example.com", "http://u:p@h", "", "http://[::1]:8009")) + r.choice(
        (
            "/sse/",
            "/mcp",
            f"/messages/?session_id={ident(r)}",
            f"/messages?sessionId={ident(r)}",
            f"/m?a=1&session_id={ident(r)}",
            f"/m?session_id={ident(r)}&b=2",
            "/q?x=1&y=2",
            "/q?mcp-session-id=abc123",
            "/a b",
            "/é",
            "/" + "a" * r.randrange(1, 90),
            "/#frag",
            '/"q"',
        )
    )


def message(r: random.Random) -> str:
    return r.choice(
        (
            lambda: (
                f'HTTP Request: {r.choice(METHODS)} {url(r)} "HTTP/{r.choice(("1.1", "1.1", "1.0", "2"))} {r.choice(REASONS)}"'
            ),
            lambda: f'HTTP Request: {r.choice(METHODS)} {url(r)} "HTTP/1.1 {r.choice(REASONS)}"',
            lambda: (
                f'127.0.0.1:{r.randrange(70000)} - "{r.choice(METHODS)} {url(r)} HTTP/{r.choice(("1.1", "2"))}" {r.choice(REASONS)}'
            ),
            lambda: (
                f'127.0.0.1 "{r.choice(METHODS)} {url(r)} HTTP/1.1" {r.choice(("200", "404", "20"))} {r.choice(("12", "-", "12a", "x", "", "123456"))}'
            ),
            lambda: (
                f"Created new MCP session {ident(r)}"
                + r.choice(
                    (
                        "",
                        f" for key {r.choice(('tester_edcec7aa', 'a_b_edcec7aa', 'x', 'key_1.', 'agent one_edcec7aa'))}",
                        " and",
                    )
                )
            ),
            lambda: f"Received session ID: {ident(r)}",
            lambda: f"Created new transport with session ID: {ident(r)}{r.choice(('', '.', ' agent'))}",
            lambda: f"Created new session with ID: {ident(r)}",
            lambda: f"Terminating session: {r.choice((ident(r), 'None'))}",
            lambda: (
                f"receive_response_headers.complete return_value=(b'HTTP/1.1', {r.choice((200, 202, 400))}, b'OK', [(b'{r.choice(('content-length', 'Content-Length', 'x'))}', b'{r.randrange(999)}'), (b'mcp-session-id', b'{ident(r)}')])"
            ),
            lambda: (
                f"receive_response_headers.complete return_value=(b'HTTP/1.1', {r.choice((200, 202, 400))}, b'OK', [(b'content-length', b'{r.randrange(999)}')])"
            ),
            lambda: "receive_response_body.complete",
            lambda: f"connect_tcp.started host='h{r.randrange(3)}' port=80 local_address=None",
            lambda: r.choice(
                (
                    "Executing tester agent with MCP tools (session: tester_edcec7aa)",
                    "agent-1 done",
                    "agent_2 starting",
                    "the agent waits",
                    "Tool 'x' raised an unexpected exception",
                    'HTTP Request: POST http://h/mcp "HTTP/1.1 599 (mcpdiag: no answer)"',
                    "Agent execution failed for x: ReadTimeout",
                )
            ),
            lambda: r.choice(
                (
                    "Task failed: ReadTimeout('x')",
                    "ConnectError: All connection attempts failed",
                    "some Error",
                    "SomeError: x",
                    "plain",
                    "x took y",
                    "Executing <Task x> took 2.3 seconds",
                    "'isError': True",
                    "'isError': False",
                    "error=ErrorData(code=-32602, message='x')",
                    "id=-3261",
                    "Session not found",
                )
            ),
            lambda: "x" * r.randrange(200),
            lambda: 'payload {"a": "b\\"c", "d": 1} Utilisateur prêt ✅',
            lambda: "tab\there\x0bcontrol\x00nul" if r.random() < 0.3 else "quiet",
        )
    )()


def line(r: random.Random, prefix: str) -> bytes:
    second = r.randrange(60) if r.random() < 0.98 else 61
    text = prefix.format(
        m=r.randrange(60), s=second, f=r.randrange(1000), level=r.choice(LEVELS), logger=r.choice(LOGGERS)
    ) + message(r)
    if r.random() < 0.02 and text:
        place = r.randrange(len(text))
        text = text[:place] + r.choice('xÿ0 "\\') + text[place + 1 :]
    raw = text.encode()
    if r.random() < 0.01:
        raw = raw[: len(raw) // 2] + b"\xff\xfe" + raw[len(raw) // 2 :]
    return raw


TRACEBACK = (
    b"Traceback (most recent call last):",
    b'  File "/app/x.py", line 3, in f',
    b"    await g()",
    b"httpx.HTTPStatusError: Client error '400 Bad Request' for url 'http://h/sse/'",
)


AMID_TRACEBACK = (
    b"    SomeError: said early",
    b"    INFO: no record",
    b"   INFO  a record of fastapi",
    b"    Session not found",
    b"    pr\xc3\xaat",
    b"   ",
    b"\tx",
    b"The above exception was the direct cause of the following exception:",
    b"Traceback (most recent call last):",
    b"Traceback (most recent call last):  ",
)


def log(seed: int) -> bytes:
    r = random.Random(seed)
    prefixes = r.sample(PREFIXES, r.choice((1, 1, 2, 3)))
    lines: list[bytes] = []
    for _ in range(r.randrange(1, 160)):
        lines.append(line(r, r.choice(prefixes)))
        chance = r.random()
        if chance < 0.03:
            lines += TRACEBACK
            if chance < 0.01:
                lines[-1:-1] = r.sample(AMID_TRACEBACK, 2)
        elif chance < 0.05:
            lines.append(
                r.choice(
                    (
                        b"",
                        b"  ",
                        b"bare words",
                        b"\x1b[32mINFO\x1b[0m:     x",
                        b'{"level": "INFO", "message": "x"}',
                        b"\xef\xbb\xbf",
                    )
                )
            )
    ending = r.choice((b"\n", b"\n", b"\n", b"\r\n"))
    return ending.join(lines) + (ending if r.random() < 0.8 else b"")


@pytest.mark.parametrize("seed", range(40))
def test_both_engines_agree_on_a_hostile_log(agree, seed):
    agree(log(seed), random.Random(seed).choice((1 << 10, 1 << 12, 1 << 16)))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from([*b' \t"\\HTP/1.GE0-:{}\n\nIN', *range(0, 256, 17)]), max_size=300), st.integers(0, 10_000)
)
def test_both_engines_agree_on_bytes_amid_a_log(agree_with, noise, seed):
    agree_with(log(seed)[:2000] + b"\n" + bytes(noise) + b"\n" + log(seed + 1)[:2000])
