"""The one reader of what an agents API answers: a result, a list of them, or a stream of pieces."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.core.outcomes import OutcomeKind

SAID = 2_000
_RESULTS = ("results", "result", "responses", "agents")
"""Where an answer about several agents keeps its results."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a run went, by its answer."""

    kind: OutcomeKind = "ok"
    said: str = ""
    """Why it failed; redacted, one line."""
    key: str = ""
    """What the application calls the session, where it says so."""


def read_answer(status: int, headers: Mapping[str, str], text: str) -> Answer:
    """Judge a whole answer: success is 2xx without an error in any result or piece."""
    if not 200 <= status < 300:
        where = f" to {redact.url(headers['location'])}" if 300 <= status < 400 and "location" in headers else ""
        return Answer("http", _line(f"HTTP {status}{where}: {text}".rstrip(": ")))
    kind = headers.get("content-type", "")
    if kind.startswith("text/event-stream"):
        return _of_pieces([line[5:].strip() for line in text.splitlines() if line.startswith("data:")])
    if "ndjson" in kind or "jsonl" in kind:
        return _of_pieces(text.splitlines())
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return Answer() if text.strip() else Answer("protocol", "an empty answer")
    said = next(_errors(row), "")
    return Answer("agent-error" if said else "ok", _line(said), _key(row))


def _of_pieces(pieces: list[str]) -> Answer:
    begun: list[str] = []
    seen, key = False, ""
    for piece in pieces:
        if not piece or piece == "[DONE]":
            continue
        seen = True
        try:
            row = json.loads(piece)
        except (ValueError, RecursionError):
            continue
        if not isinstance(row, Mapping):
            continue
        key = key or _key(row)
        if said := next(_errors(row), ""):
            return Answer("agent-error", _line(said), key)
        agent, what = str(row.get("agent_type", "")), row.get("type")
        if what == "start":
            begun.append(agent)
        elif what == "end" and agent in begun:
            begun.remove(agent)
    if begun:
        return Answer("stream-cut", f"the stream ended before {begun[0] or 'the agent'} had", key)
    return Answer(key=key) if seen else Answer("protocol", "an event stream without an event")


def _errors(row: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield what the results of a row say went wrong."""
    if isinstance(row, list):
        for each in row:
            yield from _errors(each)
    if not isinstance(row, Mapping):
        return
    metadata = row.get("metadata")
    if isinstance(metadata, Mapping) and metadata.get("error"):
        yield _said(metadata["error"])
    if row.get("type") == "error":
        yield _said(row.get("error") or row.get("content") or row.get("message") or "an error without a text")
    elif row.get("error"):
        yield _said(row["error"])
    for name in _RESULTS:
        if isinstance(row.get(name), list | Mapping):
            yield from _errors(row[name])


def _key(row: Any) -> str:  # noqa: ANN401 - JSON
    metadata = row.get("metadata") if isinstance(row, Mapping) else None
    key = metadata.get("session_key") if isinstance(metadata, Mapping) else None
    return redact.text(key)[:SAID] if isinstance(key, str) else ""


def _said(error: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(error, Mapping) and isinstance(error.get("message"), str):
        return str(error["message"])
    return error if isinstance(error, str) else json.dumps(error, ensure_ascii=False)


def _line(text: str) -> str:
    return " ".join(redact.text(text[: 2 * SAID]).split())[:SAID]
