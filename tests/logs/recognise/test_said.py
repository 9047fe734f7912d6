"""Texts redacted from memory are those redacted one by one."""

import random
import uuid

import pytest

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.logs.recognise.said import Redacted

TEXTS = (
    "Cleaned up MCP session {s} for key tester_{h}",
    "token={h} token: {h} api_key={s} key {n}",
    "Authorization: Bearer {s} Basic {h} basic {s}",
    "Authorization: Basic {s}, x-auth={n}",
    "Client error '400 Bad Request' for url 'http://u:{h}@localhost:8009/messages/?session_id={s}&token={h}'",
    "GET /a/{s}/{h}-{h}-{h}/{n}?key={h}#x",
    "http://h/x{s}/pre_{s}/{h}_{n}-{s}",
    "--token {h} -u {h}:{n} password: {n}",
    "eyJ{h}.{s}.{h} {h}.{s}.eyJx sk-{s} ghp_{s} hf_{s} AKIA{n}{n}{n}",
    "arguments={{'a': '{h}', 'n': {n}}} input_value='{s}' cookie: {h}={s}",
    "{h} {h} {s} {n} {n} dead beef 0000 0001 a001",
    "user{n}:{h}@host {h}:{s}@host credential: {h} token: deadbeef token: {h}",
)


def filled(text: str, r: random.Random) -> str:
    for name, make in (
        ("{s}", lambda: r.choice((uuid.UUID(int=r.getrandbits(128)).hex, str(uuid.UUID(int=r.getrandbits(128)))))),
        ("{h}", lambda: f"{r.getrandbits(32):08x}"[: r.choice((4, 8))]),
        ("{n}", lambda: str(r.randrange(10 ** r.choice((3, 6, 10))))),
    ):
        while name in text:
            text = text.replace(name, make(), 1)
    return text


@pytest.mark.parametrize("function", [redact.text, redact.url])
def test_what_is_remembered_is_what_redaction_gives(function):
    known, r = Redacted(function), random.Random(3)
    for number in range(4000):
        text = filled(TEXTS[number % len(TEXTS)], r)
        assert known.text(text) == function(text)


def test_a_text_that_differs_in_an_id_alone_is_redacted_once():
    calls = []
    known = Redacted(lambda text: (calls.append(text), text)[1])
    for number in range(100, 200):
        text = f"Closed session {number:032x} for key tester_a{number:07x}"
        assert known.text(text) == text
    assert len(calls) == 2
