"""A run of an agent has succeeded only where no part of its answer says otherwise."""

import json

import pytest

from woolly_mcpdiag.load.tasks.answers import read_answer

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream; charset=utf-8"}
GOOD = {"agent_type": "tester", "content": "x", "metadata": {"session_key": "tester_1"}}
BAD = {"agent_type": "tester", "content": "", "metadata": {"session_key": "tester_2", "error": "TimeoutError: "}}


def stream(*pieces: object) -> str:
    return "".join(f"data: {piece if isinstance(piece, str) else json.dumps(piece)}\n\n" for piece in pieces)


START, END = {"type": "start", "agent_type": "tester"}, {"type": "end", "agent_type": "tester", "metadata": {}}


@pytest.mark.parametrize(
    ("status", "headers", "text", "kind"),
    [
        (200, JSON, json.dumps(GOOD), "ok"),
        (201, JSON, json.dumps({"results": [GOOD, GOOD]}), "ok"),
        (200, JSON, json.dumps(BAD), "agent-error"),
        (200, JSON, json.dumps({"results": [GOOD, BAD], "total_agents": 2}), "agent-error"),
        (200, JSON, json.dumps({"error": {"message": "no"}}), "agent-error"),
        (200, JSON, "", "protocol"),
        (200, {"content-type": "text/plain"}, "done", "ok"),
        (422, JSON, '{"detail":[]}', "http"),
        (307, {"location": "http://h/other"}, "", "http"),
        (500, JSON, json.dumps(GOOD), "http"),
        (200, EVENTS, stream(START, {"type": "content", "content": "a"}, END, "[DONE]"), "ok"),
        (200, EVENTS, stream(START, {"type": "content", "content": "a"}), "stream-cut"),
        (200, EVENTS, stream(START, {"type": "error", "error": "no tool"}, "[DONE]"), "agent-error"),
        (200, EVENTS, stream(START, END | {"metadata": {"error": "x"}}, "[DONE]"), "agent-error"),
        (200, EVENTS, "", "protocol"),
        (200, {"content-type": "application/x-ndjson"}, "\n".join(map(json.dumps, (START, BAD))), "agent-error"),
    ],
)
def test_an_answer_is_judged_by_all_its_parts(status: int, headers: dict, text: str, kind: str) -> None:
    answer = read_answer(status, headers, text)
    assert answer.kind == kind
    assert bool(answer.said) == (kind != "ok")


def test_what_the_answer_says_is_told_on_one_line_and_without_secrets() -> None:
    said = read_answer(200, JSON, json.dumps({"metadata": {"error": "no:\n token=s3cretvalue99"}})).said
    assert said.startswith("no: token=")
    assert "s3cretvalue99" not in said


def test_the_key_of_the_session_is_kept() -> None:
    assert read_answer(200, JSON, json.dumps(BAD)).key == "tester_2"
    assert read_answer(200, EVENTS, stream(START, {**END, "metadata": {"session_key": "k_1"}})).key == "k_1"


def test_a_redirect_says_where_to() -> None:
    assert "http://h/other" in read_answer(307, {"location": "http://h/other"}, "").said
