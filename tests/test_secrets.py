"""One secret in every place of logs in every kind of format: no output has it, and the session ids are still there."""
# ruff: noqa: E501 - log lines read best unbroken

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from woolly_mcpdiag.api import Options, analyze_logs
from woolly_mcpdiag.report import frames
from woolly_mcpdiag.report.formats import FOR_LOGS, FORMATS, Look, render

S = "Zq7Hunter2xK9"
LEGACY = "http://localhost:8009/sse/"
MCP = "http://mcp-host:8009/mcp"


def session(number: int) -> str:
    return f"0123456789abcdef0123456789abcd{number:02x}"


Said = tuple[str, str, str]
REQUESTS: list[Said] = [
    (
        "INFO",
        "httpx",
        f'HTTP Request: GET http://u:{S}@mcp-host:8009/mcp?api_key={S}&session_id={session(1)} "HTTP/1.1 400 X"',
    ),
    ("INFO", "httpx", f'HTTP Request: POST http://{S}@mcp-host:8009/mcp?code={S} "HTTP/1.1 404 Not Found"'),
    ("INFO", "httpx", f'HTTP Request: POST http://{S}@other:1/x?token={S} "HTTP/1.1 500 X"'),
    (
        "DEBUG",
        "httpcore.http11",
        (
            f"receive_response_headers.complete return_value=(b'HTTP/1.1', 404, b'X', [(b'set-cookie', b'a={S}; b={S}'), "
            f"(b'mcp-session-id', b'{session(2)}'), (b'x-api-key', b'{S}'), (b'authorization', b'Bearer {S}')])"
        ),
    ),
    ("INFO", "httpx", f'HTTP Request: POST {MCP} "HTTP/1.1 404 Not Found"'),
    (
        "DEBUG",
        "httpcore.http11",
        f"send_request_headers.started headers=[(b'Authorization', b'Bearer {S}'), (b'Cookie', b'a={S}')]",
    ),
    (
        "INFO",
        "uvicorn.access",
        f'127.0.0.1:5 - "GET /mcp?access_token={S}&session_id={session(6)} HTTP/1.1" 400 Bad Request',
    ),
]
MESSAGES: list[Said] = [
    (
        "DEBUG",
        "mcp.client.streamable_http",
        (
            "Sending client message: root=JSONRPCRequest(method='tools/call', params={'name': 'login', "
            f"'arguments': {{'password': '{S}', 'deep': {{'x': ['{S}']}}}}}}, jsonrpc='2.0', id=1)"
        ),
    ),
    ("DEBUG", "mcp.client.sse", f'SSE message: {{"jsonrpc":"2.0","id":1,"params":{{"arguments":{{"q":"{S}"}}}}}}'),
    (
        "DEBUG",
        "mcp.client.sse",
        f"SSE message: root=JSONRPCError(id=1, error=ErrorData(code=-32602, message='bad password={S}', data={{'token': '{S}'}}))",
    ),
    ("INFO", "app", f"Created new MCP session {session(3)} for key simplifier_edcec7aa token={S}"),
    ("ERROR", "mcp.server", f"unknown or expired session ID: {session(4)} Authorization: Bearer {S}"),
    ("ERROR", "mcp.server", f"Could not find session for ID: {session(5)} cookie: a={S}; b={S}"),
    ("WARNING", "mcp.server", f"Invalid Host header: u:{S}@evil"),
]
FAILURES: list[Said] = [
    ("ERROR", "app", text)
    for text in (
        f"Agent execution failed for simplifier (simplifier_edcec7aa): ConnectError: http://u:{S}@h/mcp?token={S} password={S}",
        f"Agent execution failed for tester: HTTPStatusError: Client error '404 Not Found' for url 'http://u:{S}@h/mcp?key={S}'",
        f'OPENAI_API_KEY={S} DB_PASSWORD="{S}" secret: {S} httpx.ReadTimeout: x',
        f'httpx.ConnectError: refused; headers={{"Authorization": "Bearer {S}", "X-Api-Key": "{S}"}}',
        f"ToolError: Error calling tool 'login': arguments={{'password': '{S}'}}",
        f"ToolError: login(kwargs={{'q': '{S}'}}, tool_input={{'q': '{S}'}})",
        f"ToolError: 1 validation error [type=missing, input_value={{'q': '{S}'}}, input_type=dict] input_value='{S}'",
        f"McpError: docker run --password {S} -e AWS_SECRET_ACCESS_KEY={S}",
        f"McpError: X-Auth: {S}",
        f"McpError: auth={S}, pass={S} pw={S}",
        f"ReadTimeout: Cookie: sid={S}; other={S}",
        f"OSError: dsn postgres://u:{S}@db/x",
        f"Exception in ASGI application token={S}",
    )
]
NGINX: Said = (
    "ERROR",
    "nginx",
    (
        f'*9 connect() failed (111: Connection refused) while connecting to upstream, request: "POST /mcp?token={S} HTTP/1.1", '
        f'upstream: "http://u:{S}@127.0.0.1:8009/mcp?token={S}", referrer: "http://h/?key={S}"'
    ),
)
EVERYTHING = [*REQUESTS, *MESSAGES, *FAILURES, NGINX]
TRACEBACK = f"""\
Traceback (most recent call last):
  File "/app/a.py", line 3, in call
    client.get("http://u:{S}@h/?api_key={S}")
httpx.ConnectError: failed for http://u:{S}@h/mcp?token={S} password={S}
"""


def standard(said: list[Said]) -> str:
    lines = [f"2026-03-01 10:00:{n:02},000 - {name} - {level} - {text}\n" for n, (level, name, text) in enumerate(said)]
    return "".join(lines) + "2026-03-01 10:01:00,000 - app - ERROR - call failed\n" + TRACEBACK


def compose(said: list[Said]) -> str:
    lines = [f"{level}:{name}:{text}" for level, name, text in said] + [
        "ERROR:app:call failed",
        *TRACEBACK.splitlines(),
    ]
    return "".join(f"api-1  | {line}\n" for line in lines)


def as_json(said: list[Said]) -> str:
    rows = (
        {
            "timestamp": f"2026-03-01T10:00:{n:02}Z",
            "level": level,
            "logger": name,
            "message": text,
            "api_key": S,
            "authorization": f"Bearer {S}",
            "context": {"password": S},
            "exc_info": TRACEBACK if level == "ERROR" else None,
        }
        for n, (level, name, text) in enumerate(said)
    )
    return "".join(json.dumps(row) + "\n" for row in rows)


def logfmt(said: list[Said]) -> str:
    return "".join(
        f"time=2026-03-01T10:00:{n:02}Z level={level.lower()} logger={name} api_key={S} msg={json.dumps(text)}\n"
        for n, (level, name, text) in enumerate(said)
    )


def combined(_: list[Said]) -> str:
    line = '1.2.3.4 - - [01/Mar/2026:10:00:00 +0000] "POST /mcp?token={S}&session_id={id} HTTP/1.1" {status} 41 "http://h/?key={S}" "-"\n'
    return "".join(line.format(S=S, id=session(7), status=status) for status in (404, 400, 502))


def har(_: list[Said]) -> str:
    headers = [{"name": name, "value": f"Bearer {S}"} for name in ("Authorization", "Cookie", "X-Api-Key")]
    entry = {
        "startedDateTime": "2026-03-01T10:00:00.000Z",
        "time": 12.5,
        "request": {
            "method": "POST",
            "url": f"http://u:{S}@h:1/mcp?token={S}",
            "headers": headers,
            "postData": {"text": json.dumps({"method": "tools/call", "params": {"arguments": {"q": S}}})},
        },
        "response": {
            "status": 404,
            "statusText": f"token={S}",
            "headers": [{"name": "mcp-session-id", "value": session(8)}, {"name": "set-cookie", "value": S}],
            "content": {"size": 10, "text": json.dumps({"error": {"code": -32600, "message": f"token={S}"}})},
        },
    }
    failed = {
        **entry,
        "_error": f"net::ERR http://u:{S}@h password={S}",
        "response": {**entry["response"], "status": 0},
    }
    fine = {**entry, "response": {**entry["response"], "status": 200}}
    return json.dumps({"log": {"version": "1.2", "creator": {}, "entries": [entry, failed, fine]}})


def events(_: list[Said]) -> str:
    row = {
        "schema": "mcpdiag.event/1",
        "time": 1.7e9,
        "method": "POST",
        "url": f"http://u:{S}@h:1/mcp?token={S}",
        "status": 404,
        "session": session(9),
        "message": f"password={S}",
        "error": "ConnectError",
        "extra": {"authorization": f"Bearer {S}", "api_key": S},
    }
    kinds = ("http.exchange", "call.failed", "call.rejected", "session.opened", "server.error", "proxy.error")
    return "".join(json.dumps({**row, "kind": kind}) + "\n" for kind in kinds)


def outputs(path: Path, folder: Path) -> dict[str, str]:
    analysis = analyze_logs([str(path)], Options(keep_events=True))
    found = {
        name: render(name, analysis.report, Look(width=4_000))
        for name, row in FORMATS.items()
        if row.write and name in FOR_LOGS
    }
    found["verbose"] = render("text", analysis.report, Look(width=4_000, verbose=True))
    tables = {"sessions": analysis.sessions_frame(), "events": analysis.events_frame()}
    for name, frame in tables.items():
        found[f"{name}.csv"] = frames.to_csv(frame)
        frames.to_parquet(frame, folder / "table.parquet")
        found[f"{name}.parquet"] = pd.read_parquet(folder / "table.parquet").to_csv()
    return found


def leaks(found: dict[str, str]) -> dict[str, str]:
    return {name: text[max(0, text.index(S) - 80) : text.index(S) + 20] for name, text in found.items() if S in text}


@pytest.mark.parametrize(
    ("write", "name", "ids"),
    [
        (standard, "std.log", (1, 2, 3, 6)),
        (compose, "compose.log", (1, 2, 3, 6)),
        (as_json, "json.log", (1, 2, 3, 6)),
        (logfmt, "fmt.log", (1, 2, 3, 6)),
        (combined, "access.log", (7,)),
        (har, "x.har", (8,)),
        (events, "run.jsonl", (9,)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_output_has_the_secret_and_the_sessions_stay(
    tmp_path: Path, write: Callable[[list[Said]], str], name: str, ids: tuple[int, ...]
):
    (tmp_path / name).write_text(write(EVERYTHING), encoding="utf-8")
    found = outputs(tmp_path / name, tmp_path)
    assert leaks(found) == {}
    assert len(found) == 12
    for number in ids:
        assert session(number) in found["events.csv"]


@pytest.mark.parametrize("said", EVERYTHING, ids=range(len(EVERYTHING)))
def test_a_line_that_is_the_only_evidence_does_not_show_its_secret(tmp_path: Path, said: Said):
    level, name, text = said
    request = f'2026-03-01 10:00:00,000 - httpx - INFO - HTTP Request: POST {MCP} "HTTP/1.1 404 Not Found"\n'
    log = tmp_path / "one.log"
    log.write_text(request * 2 + f"2026-03-01 10:00:01,000 - {name} - {level} - {text}\n" * 3, encoding="utf-8")
    analysis = analyze_logs([str(log)], Options(keep_events=True))
    found = {kind: render(kind, analysis.report, Look(width=4_000, verbose=True)) for kind in ("text", "json")}
    assert leaks(found | {"events": frames.to_csv(analysis.events_frame())}) == {}


def test_the_secret_would_be_seen(tmp_path: Path):
    log = tmp_path / "plain.log"
    log.write_text(f"2026-03-01 10:00:01,000 - app - ERROR - ReadTimeout: it said {S}\n" * 3, encoding="utf-8")
    assert "events.csv" in leaks(outputs(log, tmp_path))


def test_a_secret_in_the_path_of_an_address_is_in_no_output(tmp_path: Path):
    secret = f"{S}Yt5Rv8Lm3"
    address = f"https://gateway.example/s/{secret}/mcp"
    said: list[Said] = [
        ("INFO", "httpx", f'HTTP Request: POST {address} "HTTP/1.1 404 Not Found"'),
        ("INFO", "uvicorn.access", f'127.0.0.1:5 - "POST /s/{secret}/mcp HTTP/1.1" 400 Bad Request'),
        ("DEBUG", "mcp.client.streamable_http", f"Connecting to StreamableHTTP endpoint: {address}"),
        (
            "ERROR",
            "app",
            f"Agent execution failed for a: HTTPStatusError: Client error '404 Not Found' for url '{address}'",
        ),
    ]
    (tmp_path / "path.log").write_text(standard(said * 3), encoding="utf-8")
    assert leaks(outputs(tmp_path / "path.log", tmp_path)) == {}
