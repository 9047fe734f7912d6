import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from woolly_mcpdiag.core.redact import MASK, text, url

SECRET = "hunter2-S3cr3t"  # noqa: S105 - what must not get out
SESSION = "76edd90fcfee4fc38b6b619560599f8f"


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {SECRET}",
        f"authorization: {SECRET}",
        f"Proxy-Authorization: Basic {SECRET}",
        f'Authorization: Digest username="u", response="{SECRET}"',
        f"headers={{'Authorization': 'Bearer {SECRET}', 'x': 'y'}}",
        f"[(b'Accept', b'*/*'), (b'Authorization', b'Bearer {SECRET}')]",
        f'{{"authorization": "Bearer {SECRET}"}}',
        f'{{\\"authorization\\": \\"Bearer {SECRET}\\"}}',
        f'{{\\\\\\"token\\\\\\": \\\\\\"{SECRET}\\\\\\"}}',
        f"(b'cookie', b'a={SECRET}; b=c')",
        f"Set-Cookie: sid={SECRET}; Path=/; HttpOnly",
        f"X-Api-Key: {SECRET}",
        f"'x-api-key': '{SECRET}'",
        f"x-auth-token={SECRET}",
        f"connecting with Bearer {SECRET}",
        "basic dXNlcjpwYXNzS3cr3t",
        f"password={SECRET} user=x",
        f"passwd: {SECRET}",
        f'client_secret="{SECRET}"',
        f"API_KEY={SECRET}",
        f"secret_access_key = '{SECRET}'",
        f"refresh_token={SECRET}&x=1",
        f"credential: '{SECRET}'",
        f"private_key='{SECRET}",
        f"http://user:{SECRET}@localhost:8009/sse",
        f"postgres://{SECRET}@db/x",
        f"GET /sse?api_key={SECRET}&session_id=1 HTTP/1.1",
        f"GET http://h/sse?code={SECRET} x",
        f"'arguments': {{'text': '{SECRET}'}}",
        f'"arguments": {{"a": {{"b": ["}}", "{SECRET}"]}}}}',
        f"arguments={{'text': 'it}}s', 'more': '{SECRET}'}}",
        f'\\"arguments\\": {{\\"text\\": \\"}} {SECRET}\\"}}',
        f"arguments={{'text': '{SECRET}",
        f"arguments={{'text': {{'x': {SECRET}",
        f'"arguments": "{{\\"text\\": \\"{SECRET}\\"}}"',
        f"args={{'text': '{SECRET}'}}",
        f'password="with \\" quote {SECRET}"',
    ],
)
def test_a_secret_is_masked(line):
    masked = text(line)
    assert "S3cr3t" not in masked
    assert "S3cr3t" not in masked.replace("\\", "")
    assert MASK in masked


@pytest.mark.parametrize(
    "token",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_123",
        "sk-proj-abcdefghijklmnopqrstuvwxyz",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "github_pat_abcdefghijklmnopqrstuvwxyz",
        "AKIAIOSFODNN7EXAMPLE",
        "xoxb-1234567890-abcdef",
        "glpat-abcdefghijklmnopqrst",
        "AIzaabcdefghijklmnopqrstuvwxyz0123456789",
    ],
)
def test_a_key_is_known_by_its_shape(token):
    assert text(f"got {token}, retrying") == f"got {MASK}, retrying"


@pytest.mark.parametrize(
    "line",
    [
        'HTTP Request: POST http://localhost:8009/messages/?session_id=1 "HTTP/1.1 202 Accepted"',
        f"GET /messages/?sessionId={SESSION} HTTP/1.1",
        f"[(b'mcp-session-id', b'{SESSION}')]",
        f"Mcp-Session-Id: {SESSION}",
        f"Created new MCP session {SESSION} for key simplifier_edcec7aa",
        "Usage(prompt_tokens=12, max_tokens=4096, total_tokens: 99)",
        "Invalid token: signature has expired",
        'www-authenticate: Bearer realm="mcp", error="invalid_token"',
        "401 Unauthorized: Bearer authentication required",
        "'_meta': {'progressToken': 3}",
        "token=None password=null",
        "arguments=None",
        "keepalive key error in task-1234567890123456 of author@example",
        "Basic setup done",
    ],
)
def test_what_is_diagnosed_stays(line):
    assert text(line) == line


def test_what_follows_a_masked_value_stays():
    line = f"call 'tools/call', params={{'name': 'echo', 'arguments': {{'text': '{SECRET}'}}}}, jsonrpc='2.0', id=1"
    assert text(line) == f"call 'tools/call', params={{'name': 'echo', 'arguments': {MASK}}}, jsonrpc='2.0', id=1"
    assert text(f"password={SECRET}, id=7") == f"password={MASK}, id=7"


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("http://u:p@h:8009/sse/?session_id=1&key=v#frag", f"http://h:8009/sse/?session_id=1&key={MASK}"),
        ("/messages/?sessionId=1&x=2", f"/messages/?sessionId=1&x={MASK}"),
        ("http://h/mcp", "http://h/mcp"),
        ("http://[::1", "http://[::1"),
        ("http://u:p@h", "http://h"),
        ("http://h/?a=b@c", f"http://h/?a={MASK}"),
        ("", ""),
    ],
)
def test_a_url_loses_userinfo_fragment_and_query_values(given_url, expected):
    assert url(given_url) == expected
    assert url(url(given_url)) == expected


_PIECES = st.sampled_from(
    [
        *("authorization", "Cookie", "token", "password", "api_key", "arguments", "args", "credential", "secret"),
        *(":", "=", ": ", "'", '"', '\\"', "\\", "b'", "{", "}", "[", "]", ",", " ", "\n", "&", "?", "@", "://", "#"),
        *(
            "Bearer ",
            "basic ",
            "eyJ",
            ".",
            "a1B2c3D4e5",
            "sk-",
            "ghp_",
            "AKIA",
            "None",
            MASK,
            "x",
            "session_id",
            "http",
        ),
    ]
)


@settings(max_examples=500)
@given(st.lists(_PIECES, max_size=14).map("".join) | st.text(max_size=40))
def test_redacting_twice_changes_nothing_more(s):
    once = text(s)
    assert text(once) == once
    assert url(url(s)) == url(s)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece",
    [
        *(
            "token=",
            "token='",
            "eyJa.",
            "sk-",
            "?a=",
            "://a",
            "arguments={'",
            'password:\\"',
            "Bearer ",
            "\\",
            "'",
            "{[",
        ),
        *("cookie", "a", 'token=\\\\"', "arguments={\\'\"", "bearer a", "token "),
    ],
)
def test_long_hostile_text_does_not_hang(piece):
    hostile = piece * ((1 << 18) // len(piece))
    assert len(text(hostile)) <= 2 * len(hostile)
    assert text("arguments={'" + hostile).startswith("arguments=")
    assert text("token='" + hostile).startswith("token='")


PATH_SECRET = "Zk3n9QpX2vLr8TyW5aBc7"  # noqa: S105


@pytest.mark.parametrize(
    "line",
    [
        f"https://gateway.example/s/{PATH_SECRET}/mcp",
        f'HTTP Request: POST https://gateway.example/s/{PATH_SECRET}/mcp?session_id=1 "HTTP/1.1 200 OK"',
        f"Client error '404 Not Found' for url 'https://u@h/{PATH_SECRET}'",
        f'1.2.3.4:5 - "GET /s/{PATH_SECRET}/mcp HTTP/1.1" 400 Bad Request',
        f"http://h/bot123456:{PATH_SECRET}/send",
        f"http://h/a1-{PATH_SECRET[:10]}-{PATH_SECRET[10:]}/mcp",
        "http://h/" + "0123456789abcdef" * 4,
    ],
)
def test_a_random_part_of_a_path_is_masked(line):
    masked = text(line)
    assert PATH_SECRET[:8] not in masked
    assert "0123456789abcdef" not in masked
    assert MASK in masked
    assert text(masked) == masked


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/agents/execute",
        "/messages/",
        f"/sessions/{SESSION}",
        "/sessions/0b9f2c1e-7d4a-4f6b-9c3e-1a2b3c4d5e6f/messages",
        "/mcp-session-0b9f2c1e-7d4a-4f6b-9c3e-1a2b3c4d5e6f",
        "/streamable-http-server-for-agents-v2",
        "/release-2026-11-22-candidate-number-17",
        "/a_rather_long_name_without_any_digit",
        "/12345678901234567890123",
    ],
)
def test_paths_without_a_secret_stay(path):
    assert url(path) == path
    assert (
        url(f"http://a1b2c3d4e5f6g7h8i9j0k1l2.example:80{path}") == f"http://a1b2c3d4e5f6g7h8i9j0k1l2.example:80{path}"
    )
    assert text(f'"POST {path} HTTP/1.1" 200') == f'"POST {path} HTTP/1.1" 200'


def test_a_path_alone_loses_its_secret_too():
    assert url(f"/s/{PATH_SECRET}/mcp?x=1") == f"/s/{MASK}/mcp?x={MASK}"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["://a/", "GET /", "/a1", "a1B-", "://", "/" + "a1" * 12])
def test_long_hostile_paths_do_not_hang(piece):
    hostile = "://h/" + piece * ((1 << 18) // len(piece))
    assert text(text(hostile)) == text(hostile)
    assert url(hostile)
