import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from woolly_mcpdiag.core.bodies import BODIES, by_size, by_text, likeness, unwrap
from woolly_mcpdiag.core.causes import catalogue


def wrapped(text: str, code: int = -32600, identity: object = None) -> str:
    body = {"jsonrpc": "2.0", "id": identity, "error": {"code": code, "message": text}}
    return json.dumps(body, separators=(",", ":"))


@pytest.mark.parametrize(
    ("status", "size", "text", "server"),
    [
        (400, 105, "Missing session ID", "mcp 1.x"),
        (400, 95, "Missing session ID", "mcp 2.x"),
        (400, 95, "No valid session ID provided", "TypeScript"),
        (400, 41, "No valid session ID provided", "1.25"),
        (400, 99, "Server not initialized", "TypeScript"),
        (400, 107, "already initialized", "TypeScript"),
        (400, 22, "session_id is required", "SSE"),
        (404, 22, "Could not find session", "SSE"),
        (400, 18, "Invalid session ID", "SSE"),
        (400, 23, "Could not parse message", "SSE"),
        (400, 27, "Invalid Content-Type header", "1.10"),
        (400, 183, "Unsupported protocol version", "1.11"),
        (400, 195, "Unsupported protocol version", "1.30"),
        (400, 198, "Unsupported protocol version", "TypeScript"),
        (400, 218, "_meta", "2026-07-28"),
        (400, 119, "method", "2026-07-28"),
        (400, 150, "Unsupported protocol version", "2026-07-28"),
        (404, 91, "Session not found", "1.26"),
        (404, 81, "Session not found", "2.x"),
        (404, 112, "Session has been terminated", "1.25"),
        (404, 9, "Not Found", "Starlette"),
        (409, 126, "Only one SSE stream", "1.x"),
        (409, 116, "Only one SSE stream", "2.x"),
        (421, 19, "Invalid Host header", "1.23"),
        (403, 21, "Invalid Origin header", "1.23"),
        (413, 22, "Request body too large", "1.29"),
        (405, 18, "Method Not Allowed", "Starlette"),
        (405, 92, "Method Not Allowed", "Streamable"),
        (405, 82, "Method Not Allowed", "Streamable"),
        (405, 127, "Session termination not supported", "stateless"),
        (405, 117, "Session termination not supported", "stateless"),
    ],
)
def test_a_measured_size_names_its_body_and_server(status, size, text, server):
    assert any(text in body.text and server in body.server for body in by_size(status, size))


def test_an_unknown_size_names_nothing():
    assert by_size(400, 104) == []
    assert by_size(200, 105) == []


def test_sizes_of_json_bodies_follow_from_their_text():
    for body in BODIES:
        text_alone, v2 = len(body.text), len(wrapped(body.text))
        v1 = len(wrapped(body.text, identity="server-error"))
        for size in body.sizes:
            varies = "revision 2026-07-28" in body.server or "protocol version" in body.text
            # The TypeScript SDK's examples leave the id out: ten bytes less than with "id":null.
            assert varies or size in {text_alone, v1, v2, v2 - 10}, body


def test_every_body_leads_to_causes_of_the_catalogue():
    for body in BODIES:
        assert body.causes
        assert set(body.causes) <= set(catalogue())


def test_a_body_and_the_cause_it_leads_to_agree_on_the_status():
    for body in BODIES:
        for name in body.causes:
            assert body.status in catalogue()[name].statuses, (body, name)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{body.status}-{body.server}-{body.sizes}")
def test_a_body_is_found_by_its_own_text_plain_wrapped_and_in_capitals(body):
    for text in (body.text, wrapped(body.text, identity="server-error"), body.text.upper(), f"  {body.text}. "):
        found = by_text(body.status, text)
        assert body in found
        assert found[0].text == body.text


def test_no_text_of_the_table_is_taken_for_another_with_a_slip():
    plain = sorted({body.text for body in BODIES})
    for text in plain:
        others = [(value, body.text) for value, body in likeness(None, text) if body.text != text]
        contained = [(value, other) for value, other in others if other.lower() in text.lower()]
        slips = [pair for pair in others if pair not in contained and text.lower() not in pair[1].lower()]
        assert slips == []


@pytest.mark.parametrize(
    "text",
    [
        "No valid session ID provided",
        "no valid sesion id provided",
        "Error POSTing to endpoint (HTTP 400): Bad Request: No valid session ID provided",
        '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}',
        'body=\'{\\"error\\": {\\"message\\": \\"Bad Request: No valid session ID provided\\"}}\'',
    ],
)
def test_part_of_a_body_a_slip_and_any_wrapping_still_find_it(text):
    assert by_text(400, text)[0].text == "Bad Request: No valid session ID provided"


def test_the_status_narrows_the_search_and_none_does_not():
    assert by_text(409, "Session not found") == []
    assert {body.status for body in by_text(None, "Invalid session ID")} >= {400}


@pytest.mark.parametrize("text", ["", "no", "zebra crossing ahead", "{", '{"error": 5}', "[[[[", "\x00\ud800"])
def test_a_text_that_says_nothing_finds_nothing(text):
    assert by_text(None, text) == []


@given(st.text(max_size=80))
def test_any_text_is_rated_between_the_least_likeness_and_equal_best_first(text):
    values = [value for value, _ in likeness(None, text)]
    assert all(0.7 <= value <= 1 for value in values)
    assert all(first >= second for first, second in pairwise(values))


@given(st.text(max_size=40).filter(lambda text: "{" not in text))
def test_wrapping_is_taken_off(text):
    assert unwrap(wrapped(text)) == text
    assert unwrap(text) == text
