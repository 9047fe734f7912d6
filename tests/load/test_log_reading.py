"""What ``analyze-logs`` makes of the lines of a run log."""

from pathlib import Path

import pytest

from woolly_mcpdiag.api import analyze_logs
from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.measures import Tally
from woolly_mcpdiag.core.runs import End, Interval, Meta, to_line
from woolly_mcpdiag.logs.batch import Batch, Kind, Vocabulary
from woolly_mcpdiag.logs.batch import Tally as Lines
from woolly_mcpdiag.logs.events import read_events
from woolly_mcpdiag.logs.inputs import is_events

META = to_line(Meta(run="r", command="load", version="1", started=0.0))


def read(*lines: Event | str) -> tuple[Batch, Lines]:
    texts = [line if isinstance(line, str) else line.to_json() for line in lines]
    ((batch, tally),) = read_events((text.encode() for text in texts), Vocabulary(), "run.jsonl")
    return batch, tally


def refused(**facts) -> Event:
    return Event(**{"kind": "http.exchange", "method": "POST", "url": "http://h:1/mcp", "status": 400} | facts)


def test_rows_of_a_run_are_known_and_ignored():
    interval = to_line(Interval(start=0.0, end=1.0, tally=Tally()))
    batch, tally = read(META, interval, Event(kind="call.done"), to_line(End(took=1.0, complete=True)))
    assert len(batch) == 1
    assert (tally.read, tally.ignored, tally.understood, tally.not_understood) == (4, 3, 1, 0)
    assert batch.line.tolist() == [3]


def test_a_file_that_begins_with_a_row_of_a_run_is_one_of_events(tmp_path: Path):
    assert is_events(META.encode())
    path = tmp_path / "run.jsonl"
    path.write_text(META + "\n" + refused(message="x").to_json() + "\n")
    (source,) = analyze_logs(path).report.sources
    assert (source.formats, source.ignored, source.not_understood) == (("mcpdiag events",), 1, 0)


@pytest.mark.parametrize(
    ("status", "body", "error", "size"),
    [
        (
            400,
            '{"jsonrpc":"2.0","id":4711,"error":{"code":-32600,"message":"Bad Request: Missing session ID"}}',
            "missing-session",
            105,
        ),
        (404, '{"error":"Session not found"}', "unknown-session", 91),
        (503, "Too many open sessions", "too-many-sessions", 96),
        (400, '{"error":{"message":"Bad Request: Server not initialized"}}', "not-initialized", 99),
    ],
)
def test_the_body_of_a_refusal_says_what_it_means_however_it_is_wrapped(status, body, error, size):
    batch, _ = read(refused(status=status, message=body, size=7))
    assert [batch.notes[row].error for row in batch.notes] == [error]
    assert batch.kind.tolist() == [Kind.NOTE, Kind.CALL]
    assert batch.size.tolist()[1] == size


def test_a_size_that_is_known_stays_and_an_unknown_text_says_nothing():
    batch, _ = read(refused(message='{"error":{"message":"Bad Request: Missing session ID"}}', size=95))
    assert batch.size.tolist()[1] == 95
    batch, _ = read(refused(message="quota exceeded", size=14))
    assert (batch.kind.tolist(), batch.size.tolist()) == ([Kind.CALL], [14])


def test_a_failed_run_of_an_agent_is_a_failed_call_of_that_agent():
    batch, _ = read(Event(kind="agent.failed", agent="tester", error="HTTPStatusError"))
    (note,) = batch.notes.values()
    assert (note.kind, note.agent) == ("call.failed", "tester")


def test_the_birth_of_a_session_does_not_show_that_it_works():
    session = "76edd90fcfee4fc38b6b619560599f8f"
    born = refused(status=200, session=session, extra={"rpc": "initialize"})
    used = refused(status=200, session=session, extra={"rpc": "tools/call"})
    batch, _ = read(born, used)
    assert [bool(high) for high, kind in zip(batch.high, batch.kind, strict=True) if kind == Kind.CALL] == [False, True]
